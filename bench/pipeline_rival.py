"""The pipeline that Copydesk is compared to: what a user would write with aio-pika, a process pool and trafilatura.

python -m bench.pipeline_rival AMQP_URL IN OUT
"""

import asyncio
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import partial
from html import escape

import aio_pika
import orjson
import trafilatura
from aio_pika.abc import AbstractExchange, AbstractIncomingMessage


def extract(body: bytes) -> bytes:
    job = orjson.loads(body)
    content = job["content"]
    html = (
        content if job["kind"] == "html" else f"<html><body><article><p>{escape(content)}</p></article></body></html>"
    )
    with suppress(Exception):
        found = trafilatura.bare_extraction(html, url=job["url"], with_metadata=True)
        return orjson.dumps(found.as_dict(), default=lambda _: None)  # type: ignore[union-attr] # None fails, too
    return orjson.dumps({"id": job["id"], "error": "no article"})


async def work(pool: ProcessPoolExecutor, out: AbstractExchange, key: str, message: AbstractIncomingMessage) -> None:
    async with message.process():
        body = await asyncio.get_running_loop().run_in_executor(pool, extract, message.body)
        article = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT, message_id=message.message_id)
        await out.publish(article, key)


async def main(url: str, source: str, target: str) -> None:
    cores = len(os.sched_getaffinity(0))
    with ProcessPoolExecutor(cores) as pool:
        async with await aio_pika.connect(url) as connection:
            channel = await connection.channel(publisher_confirms=True)
            await channel.set_qos(4 * cores)
            queue = await channel.get_queue(source)
            await queue.consume(partial(work, pool, channel.default_exchange, target))
            await asyncio.Event().wait()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main(*sys.argv[1:]))

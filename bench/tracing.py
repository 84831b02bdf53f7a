"""What traces cost: CPU time of one process from the request to the log, with a worker that parses nothing.

    python -m bench.tracing                 tracing off, a traceparent in each request, and tracing on
    python -m bench.tracing CHECKOUT        and beside them the code of another checkout, from before there were traces

Each measurement is a process of its own, and they take turns. The extraction of an article, which takes milliseconds,
is left out: what is left is what traces add to.
"""

import statistics
import subprocess
import sys
from pathlib import Path

ROUNDS = 9  # of each; chosen: the medians of two runs differ by 1 %
DOCUMENTS = 2_000  # in a measurement; chosen: takes two seconds

# Runs in this checkout and in older ones: only "on" needs what there was not before.
PROGRAM = """
import asyncio, sys, tempfile, time
from dataclasses import replace
from pathlib import Path
import aiohttp
from aiohttp import web
from prometheus_client import CollectorRegistry
from contract.article import Article
from contract.broker import Capacity
from contract.metrics import Metrics
from contract.timestamps import now
from runtime.brokers.embedded import EmbeddedBroker
from service.access.keys import ApiKeys
from service.app import IntakeLimits, build_app
from workers.decode import decode
from workers.worker import Worker, WorkerLimits

way, count = sys.argv[1], int(sys.argv[2])


class Parser:
    async def run(self, document, *, fresh=False):
        return Article(
            id=document.job.id, kind=document.job.kind, text="A word.", excerpt="A word.", word_count=2, char_count=7,
            reading_time_s=1, content_sha256="0", simhash="0",
        )


def tracing():
    if way != "on":
        return {}
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
    from runtime.otlp import OtelTracer

    class Nowhere(SpanExporter):
        def export(self, spans):
            return SpanExportResult.SUCCESS

        def shutdown(self):
            pass

    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(Nowhere()))
    return {"tracer": OtelTracer(provider.get_tracer("bench"), "copydesk")}


async def main():
    metrics, tracer = Metrics(CollectorRegistry()), tracing()
    with tempfile.TemporaryDirectory() as folder:
        async with EmbeddedBroker(Path(folder), metrics=metrics, **tracer) as broker:
            app = build_app(
                broker=broker, keys=ApiKeys.from_plain([]), hosts=None, limits=IntakeLimits(), metrics=metrics,
                clock=now, decode=decode, **tracer,
            )
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1/documents"
            worker = Worker(fetcher=None, parser=Parser(), metrics=metrics, clock=now, limits=WorkerLimits(), **tracer)
            stop = asyncio.Event()
            trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
            headers = {"traceparent": trace} if way == "carried" else {}
            consuming = asyncio.create_task(broker.consume(worker.handle, capacity=Capacity(slots=16), stop=stop))

            async def post(http, number):
                for _ in range(number):
                    async with http.post(url, json={"text": "A word."}, headers=headers) as response:
                        assert response.status == 202
                        await response.read()

            async with aiohttp.ClientSession() as http:
                await post(http, 50)
                began = time.process_time()
                await asyncio.gather(*(post(http, count // 16) for _ in range(16)))
                while (await broker.log_bounds())[1] < 50 + count // 16 * 16:
                    await asyncio.sleep(0.01)
                print((time.process_time() - began) / count * 1e6)
            stop.set()
            await consuming
            await runner.cleanup()


import structlog
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
asyncio.run(main())
"""


def measured(checkout: Path, way: str) -> float:
    """Returns the CPU time of one document, client included, in microseconds."""
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(checkout)!r})\n{PROGRAM}", way]
    done = subprocess.run([*command, str(DOCUMENTS)], check=True, capture_output=True, text=True, cwd=checkout)
    return float(done.stdout)


def main() -> None:
    here = Path(__file__).parents[1]
    ways = [("off", here), ("carried", here), ("on", here)]
    if len(sys.argv) > 1:
        ways.insert(0, ("before", Path(sys.argv[1])))
    found: dict[str, list[float]] = {way: [] for way, _ in ways}
    for _ in range(ROUNDS):
        for way, checkout in ways:
            found[way].append(measured(checkout, way))
    first = statistics.median(found[ways[0][0]])
    for way, times in found.items():
        median = statistics.median(times)
        spread = f"{min(times):.0f} to {max(times):.0f}"
        print(f"{way:8} {median:6.0f} µs a document ({spread}), {median / first - 1:+.1%}")


if __name__ == "__main__":
    main()

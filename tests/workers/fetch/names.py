"""A name server on loopback with configured answers, which may differ from one query to the next."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address

from dnslib import AAAA, CNAME, QTYPE, RCODE, RR, A, DNSRecord  # type: ignore[import-untyped] # no stubs

Answers = Mapping[str, Sequence[Sequence[str]]]
"""By name the answers to the first, the second, … question of a kind; the last one stays. An answer holds addresses, or
a name that it stands for."""


class NameServer(asyncio.DatagramProtocol):
    def __init__(self, answers: Answers) -> None:
        self.asked: list[tuple[str, str]] = []
        self.address = ""
        self._answers = answers
        self._reply: Callable[[bytes, tuple[str | int, int]], None]

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override] # as asyncio has it
        host, port = transport.get_extra_info("sockname")
        self.address = f"{host}:{port}"
        self._reply = transport.sendto

    def datagram_received(self, data: bytes, addr: tuple[str | int, int]) -> None:
        question = DNSRecord.parse(data)
        kind = QTYPE[question.q.qtype]
        name = str(question.q.qname).rstrip(".").lower()
        answer = question.reply()
        rounds = self._answers.get(name)
        if rounds is None:
            answer.header.rcode = RCODE.NXDOMAIN
        else:
            before = self.asked.count((name, kind))
            for value in rounds[min(before, len(rounds) - 1)]:
                for record in self._records(name, kind, value):
                    answer.add_answer(record)
        self.asked.append((name, kind))
        self._reply(answer.pack(), addr)

    def _records(self, name: str, kind: str, value: str) -> list[RR]:
        try:
            address = ip_address(value)
        except ValueError:
            alias = RR(name, QTYPE.CNAME, rdata=CNAME(value))
            return [alias, *(record for each in self._answers[value][0] for record in self._records(value, kind, each))]
        if (kind == "A") is not (address.version == 4):
            return []
        return [RR(name, getattr(QTYPE, kind), rdata=A(value) if kind == "A" else AAAA(value), ttl=0)]


@asynccontextmanager
async def name_server(answers: Answers) -> AsyncIterator[NameServer]:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(lambda: NameServer(answers), local_addr=("127.0.0.1", 0))
    try:
        yield protocol
    finally:
        transport.close()

"""Asks the host's resolvers what is not ours: UDP first, TCP where an answer was cut, the next server on failure.

Called by the resolver. Each attempt has a socket, and so a port, of its own and a random id; a reply that does not
fit is not the reply (RFC 5452).
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Sequence

import dns.exception
import dns.message
import dns.name

from longshore.domain.clock import Ids
from longshore.drivers.dns.cache import Question
from longshore.drivers.dns.message import (
    AD,
    CD,
    EDNS_LIMIT,
    FORMERR,
    HEADER,
    NOERROR,
    NXDOMAIN,
    QR,
    RD,
    SERVFAIL,
    TC,
    TCP_LIMIT,
    Answer,
)
from longshore.drivers.dns.records import from_reply
from longshore.drivers.ending import cancelled

PORT = 53
TRY_S = 1.2
"""For one attempt."""
TOTAL_S = 3.5
"""For all of them: below the 4 s after which Docker's own resolver gives up, and the 5 s of the usual libraries."""
ROUNDS = 2
UNRESOLVED = Answer(SERVFAIL)


class _FailedError(Exception):
    """A server gave no answer that could be passed on."""


class Forwarder:
    """Asks for answers. `servers()` are addresses, tried in order; one that failed is tried last from then on."""

    def __init__(self, servers: Callable[[], Sequence[str]], ids: Ids, port: int = PORT) -> None:
        self._servers = servers
        self._ids = ids
        self._port = port
        self._asked: dict[Question, asyncio.Task[Answer]] = {}
        self._failed: dict[str, None] = {}
        """The servers whose last attempt failed."""

    async def ask(self, question: Question) -> Answer:
        """The answer of the first server that has one, SERVFAIL if there is none. Never raises.

        Who asks the same at the same time gets the same answer.
        """
        task = self._asked.get(question)
        if task is None:
            task = self._asked[question] = asyncio.create_task(self._ask(question), name="dns question")
            task.add_done_callback(lambda _task: self._asked.pop(question, None))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Give up what is being asked."""
        await cancelled(self._asked.values())

    async def _ask(self, question: Question) -> Answer:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TOTAL_S):
                for _ in range(ROUNDS):
                    for server in self._in_order():
                        try:
                            answer = await self._attempt(server, question)
                        except (_FailedError, OSError, EOFError, TimeoutError):
                            self._failed[server] = None
                        else:
                            self._failed.pop(server, None)
                            return answer
        return UNRESOLVED

    def _in_order(self) -> list[str]:
        listed = self._servers()
        self._failed = {server: None for server in self._failed if server in listed}
        return sorted(listed, key=lambda server: server in self._failed)

    async def _attempt(self, server: str, question: Question) -> Answer:
        async with asyncio.timeout(TRY_S):
            reply = await self._over_udp(server, question, edns=True)
            if reply.rcode() == FORMERR:  # a server from before 1999: RFC 6891, 6.2.2
                reply = await self._over_udp(server, question, edns=False)
            if reply.flags & TC:
                reply = await self._over_tcp(server, question)
        if reply.rcode() not in {NOERROR, NXDOMAIN}:
            raise _FailedError
        return from_reply(reply)

    async def _over_udp(self, server: str, question: Question, *, edns: bool) -> dns.message.Message:
        packet = self._packet(question, edns=edns)
        loop = asyncio.get_running_loop()
        with _socket(server, socket.SOCK_DGRAM) as sock:
            sock.connect(_where(server, self._port))
            sock.send(packet)
            while True:
                reply = await loop.sock_recv(sock, TCP_LIMIT)
                with contextlib.suppress(_FailedError):  # someone else's, or a guess: the true one may still come
                    return _read(reply, packet, question)

    async def _over_tcp(self, server: str, question: Question) -> dns.message.Message:
        packet = self._packet(question, edns=True)
        loop = asyncio.get_running_loop()
        sock = _socket(server, socket.SOCK_STREAM)
        try:
            await loop.sock_connect(sock, _where(server, self._port))
            reader, writer = await asyncio.open_connection(sock=sock)
        except BaseException:
            sock.close()
            raise
        try:
            writer.write(len(packet).to_bytes(2, "big") + packet)
            size = int.from_bytes(await reader.readexactly(2), "big")
            return _read(await reader.readexactly(size), packet, question)
        finally:
            writer.transport.abort()

    def _packet(self, question: Question, *, edns: bool) -> bytes:
        flags = RD | AD | (CD if question.checking_disabled else 0)
        head = HEADER.pack(self._ids.choice(0x10000), flags, 1, 0, 0, int(edns))
        asked = question.name + question.type.to_bytes(2, "big") + b"\0\1"
        if not edns:
            return head + asked
        extended = 0x8000 if question.dnssec_ok else 0
        size, more = EDNS_LIMIT.to_bytes(2, "big"), extended.to_bytes(4, "big")
        return head + asked + b"\0\0\x29" + size + more + b"\0\0"


def _socket(server: str, kind: socket.SocketKind) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, kind)
    sock.setblocking(False)
    return sock


def _where(server: str, port: int) -> tuple[str, int] | tuple[str, int, int, int]:
    """A numeric address as `connect` takes it; `fe80::1%eth0` has its interface as a number. Raises OSError."""
    address, _, interface = server.partition("%")
    if ":" not in address:
        return address, port
    index = 0
    if interface:
        index = int(interface) if interface.isdigit() else socket.if_nametoindex(interface)
    return address, port, 0, index


def _read(reply: bytes, packet: bytes, question: Question) -> dns.message.Message:
    """The reply, if it is the one to this packet; raises _FailedError otherwise."""
    if len(reply) < HEADER.size or reply[:2] != packet[:2] or not reply[2] & (QR >> 8):
        raise _FailedError
    try:
        message = dns.message.from_wire(reply, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError) as error:
        raise _FailedError from error
    if len(message.question) != 1:
        if not message.question and message.rcode() == FORMERR:
            return message
        raise _FailedError
    asked = message.question[0]
    same_name = (asked.name.to_wire() or b"").lower() == question.name
    if not same_name or asked.rdtype != question.type or asked.rdclass != 1:
        raise _FailedError
    return message

"""The listeners: UDP and TCP on sockets that are handed in, each with the VPC that its questions come from.

Built by `main`. It answers whoever reaches its sockets: that these are bound to devices is what keeps strangers out.
Datagrams are read many at a time and answered one of each client in turn, a few before the event loop goes on, so
that neither other clients nor the rest of the process wait for one that floods.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import NamedTuple

from longshore.domain.clock import Clock, Ids
from longshore.drivers.dns.cache import Cache
from longshore.drivers.dns.fair import Admission, FairQueue
from longshore.drivers.dns.forward import Forwarder
from longshore.drivers.dns.message import REFUSED, SERVFAIL, TCP_LIMIT, Answer, Malformed, Query, parse, render
from longshore.drivers.dns.resolv_conf import resolvers
from longshore.drivers.dns.resolver import Elsewhere, Resolver
from longshore.drivers.ending import cancelled
from longshore.drivers.ports import TaskNames, Zones

log = logging.getLogger(__name__)

MAX_QUERY_BYTES = 4096
"""Of a question; the largest that makes sense has a few hundred."""
PORT = 53
READS = 128
"""Datagrams read in a row."""
ANSWERS = 8
"""Datagrams answered in a row: half a millisecond. Few, so that reading, which is cheap, keeps up with a flood."""
MAX_CONNECTIONS = 256
MAX_CONNECTIONS_PER_CLIENT = 32
IDLE_S = 10.0
"""For the next question on a connection to arrive, and for an answer to be taken."""


def make_dns_server(
    zones: tuple[Zones, ...], clock: Clock, ids: Ids, *, own_address: str, task_names: TaskNames | None = None
) -> "DnsServer":
    """A server of these zones that forwards to the resolvers in this host's resolv.conf, but never to `own_address`."""
    forwarder = Forwarder(resolvers(without={own_address}), ids)
    return DnsServer(Resolver(zones, Cache(clock), forwarder, ids, task_names))


class _Datagram(NamedTuple):
    packet: bytes
    address: tuple[str, int]
    sock: socket.socket
    vpc_id: str | None


class DnsServer:
    """Answers on all its sockets with one resolver."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._queue: FairQueue[_Datagram] = FairQueue()
        self._asked = Admission()
        self._connected = Admission(MAX_CONNECTIONS_PER_CLIENT, MAX_CONNECTIONS)
        self._serving = False
        self._datagram_sockets: list[tuple[str | None, socket.socket]] = []
        self._listeners: list[tuple[str | None, asyncio.Server]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self, sockets: Sequence[socket.socket], vpc_id: str | None) -> None:
        """Answer what comes in through these sockets as questions from this VPC (None: the host). It owns them now."""
        for sock in sockets:
            sock.setblocking(False)
            if sock.type == socket.SOCK_DGRAM:
                self._datagram_sockets.append((vpc_id, sock))
                asyncio.get_running_loop().add_reader(sock, self._readable, sock, vpc_id)
            else:
                listener = await asyncio.start_server(partial(self._connection, vpc_id), sock=sock)
                self._listeners.append((vpc_id, listener))

    def leave(self, vpc_id: str) -> None:
        """Listen no more for a VPC that is gone."""
        self._end([sock for of, sock in self._datagram_sockets if of == vpc_id])
        self._datagram_sockets = [(of, sock) for of, sock in self._datagram_sockets if of != vpc_id]
        for of, listener in self._listeners:
            if of == vpc_id:
                listener.close()
        self._listeners = [(of, listener) for of, listener in self._listeners if of != vpc_id]

    @staticmethod
    def _end(sockets: Sequence[socket.socket]) -> None:
        loop = asyncio.get_running_loop()
        for sock in sockets:
            loop.remove_reader(sock)
            sock.close()

    async def close(self) -> None:
        """Stop listening, and give up what is being asked."""
        self._end([sock for _, sock in self._datagram_sockets])
        self._datagram_sockets.clear()
        for _, listener in self._listeners:
            listener.close()
        self._listeners.clear()
        await cancelled(self._tasks)
        await self._resolver.close()

    # ------------------------------------------------------------------------------------------------------- UDP

    def _readable(self, sock: socket.socket, vpc_id: str | None) -> None:
        """Empty the socket's buffer into the queue, where each client has a place of its own."""
        for _ in range(READS):
            try:
                packet, address = sock.recvfrom(MAX_QUERY_BYTES)
            except OSError:  # nothing there any more; or an ICMP error, which is about an answer and changes nothing
                break
            self._queue.put(address[0], _Datagram(packet, address, sock, vpc_id))
        if not self._serving:
            self._serve()

    def _serve(self) -> None:
        """Answer some of what waits; the rest when the event loop has been round."""
        for _ in range(min(ANSWERS, len(self._queue))):
            self._datagram(self._queue.take())
        self._serving = len(self._queue) > 0
        if self._serving:
            asyncio.get_running_loop().call_soon(self._serve)

    def _datagram(self, datagram: _Datagram) -> None:
        query = parse(datagram.packet)
        if isinstance(query, Malformed):
            _send(datagram, query.reply)
            return
        answer = self._at_once(query, datagram.vpc_id, datagram.address[0])
        if not isinstance(answer, Elsewhere):
            _send(datagram, render(query, answer, query.udp_limit))
        elif self._asked.enter(datagram.address[0]):
            self._start(self._later(datagram, query, answer))
        else:
            _send(datagram, render(query, Answer(REFUSED), query.udp_limit))

    async def _later(self, datagram: _Datagram, query: Query, elsewhere: Elsewhere) -> None:
        try:
            answer = await self._ask(elsewhere)
        finally:
            self._asked.leave(datagram.address[0])
        _send(datagram, render(query, answer, query.udp_limit))

    def _start(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work, name="dns question")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ------------------------------------------------------------------------------------------------------- TCP

    async def _connection(self, vpc_id: str | None, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Questions of one connection, one after the other (RFC 7766)."""
        peer = writer.get_extra_info("peername")
        client = str(peer[0]) if peer else ""
        if not self._connected.enter(client):
            writer.transport.abort()
            return
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  streams call this in a task
        self._tasks.add(task)
        try:
            while await self._exchange(reader, writer, client, vpc_id):
                pass
        except (OSError, EOFError, TimeoutError, asyncio.CancelledError):
            pass  # the client has gone or says nothing more; or we close, and streams complain of a cancelled task
        finally:
            self._connected.leave(client)
            self._tasks.discard(task)
            writer.close()  # once what was answered is sent; for a client that does not take it, in a while
            asyncio.get_running_loop().call_later(IDLE_S, writer.transport.abort)

    async def _exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, client: str, vpc_id: str | None
    ) -> bool:
        """One question and its answer; False to end the connection. Raises OSError, EOFError, TimeoutError."""
        async with asyncio.timeout(IDLE_S):
            size = int.from_bytes(await reader.readexactly(2), "big")
            if size > MAX_QUERY_BYTES:
                return False
            packet = await reader.readexactly(size)
        query = parse(packet)
        if isinstance(query, Malformed):
            reply = query.reply
        else:
            reply = render(query, await self._for_stream(query, client, vpc_id), TCP_LIMIT)
        if reply is None:
            return False
        writer.write(len(reply).to_bytes(2, "big") + reply)
        async with asyncio.timeout(IDLE_S):
            await writer.drain()
        return True

    async def _for_stream(self, query: Query, client: str, vpc_id: str | None) -> Answer:
        answer = self._at_once(query, vpc_id, client)
        if not isinstance(answer, Elsewhere):
            return answer
        if not self._asked.enter(client):
            return Answer(REFUSED)
        try:
            return await self._ask(answer)
        finally:
            self._asked.leave(client)

    # -------------------------------------------------------------------------------------------------- the resolver

    def _at_once(self, query: Query, vpc_id: str | None, client: str) -> Answer | Elsewhere:
        try:
            return self._resolver.at_once(query, vpc_id, client)
        except Exception:  # a fault of ours in one question must not silence the server
            log.exception("a question could not be answered")
            return Answer(SERVFAIL)

    async def _ask(self, elsewhere: Elsewhere) -> Answer:
        try:
            return await self._resolver.ask(elsewhere)
        except Exception:  # as above
            log.exception("a question could not be answered")
            return Answer(SERVFAIL)


def _send(datagram: _Datagram, reply: bytes | None) -> None:
    """Without waiting: what does not fit into the socket's buffer, or has nowhere to go, is lost, as datagrams are."""
    if reply is not None:
        with contextlib.suppress(OSError):
            datagram.sock.sendto(reply, datagram.address)

"""What tasks reach at 169.254.170.2: metadata and credentials, the APIs (signed), and names.

A part of the composition root: `main` builds it, the engine says of each bridge that it is there (`serve`). An address
of the host serves every network mode; each device has listeners of its own, which tell whose names are asked for.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable

from longshore.api.app import Asgi
from longshore.api.callers.auth import Listener
from longshore.api.http.server import HttpServer
from longshore.config import TASK_API_PORT
from longshore.drivers.dns.resolv_conf import resolvers
from longshore.drivers.dns.server import PORT as DNS_PORT
from longshore.drivers.dns.server import DnsServer
from longshore.drivers.ending import cancelled
from longshore.drivers.ports import Permanent

log = logging.getLogger(__name__)

ENDPOINT_PORT = 80
AGAIN_S = 2.0
"""How often to try again where another Longshore of this machine answers: it may have ended."""


class LinkLocalServers:
    """The servers of every device that tasks come in through."""

    def __init__(self, endpoint: Asgi, app: Callable[[Listener], Asgi], names: DnsServer) -> None:
        """`endpoint` answers metadata and credentials, `app` makes the AWS APIs of one listener."""
        self._endpoint = endpoint
        self._app = app
        self._names = names
        self._host_resolvers = resolvers()
        self._servers: list[tuple[str | None, HttpServer]] = []
        """With the id of the VPC that each serves."""
        self._devices: set[int] = set()
        """By interface index: a bridge made again under its old name is another device."""
        self._trying: set[asyncio.Task[None]] = set()

    async def serve(self, device: str, vpc_id: str | None) -> None:
        """Answer what comes in through a device, once. `vpc_id` says whose private names are answered."""
        index = socket.if_nametoindex(device)
        if index in self._devices:
            return
        self._devices.add(index)
        apis = self._app(Listener(f"tasks on {device}", signatures=True, local=True))
        missing = {ENDPOINT_PORT: self._endpoint, TASK_API_PORT: apis, DNS_PORT: None}
        missing = await self._try(device, vpc_id, missing)
        if missing:
            self._trying.add(asyncio.create_task(self._try_again(device, vpc_id, missing)))

    async def _try_again(self, device: str, vpc_id: str | None, missing: "dict[int, Asgi | None]") -> None:
        while missing:
            await asyncio.sleep(AGAIN_S)
            with contextlib.suppress(Permanent, OSError):  # the device may be gone
                missing = await self._try(device, vpc_id, missing)

    async def _try(self, device: str, vpc_id: str | None, ports: "dict[int, Asgi | None]") -> "dict[int, Asgi | None]":
        """Answer at those ports (None: names) that nobody has; returns the others."""
        from longshore.drivers.docker.linklocal import open_sockets  # noqa: PLC0415  only real containers need it

        missing: dict[int, Asgi | None] = {}
        for port, app in ports.items():
            if app is None:
                if not await self._serve_names(device, vpc_id):
                    missing[port] = app
            elif sockets := await open_sockets([device], port):
                server = HttpServer(app, sockets)
                await server.start()
                self._servers.append((vpc_id, server))
            else:
                missing[port] = app
        return missing

    async def leave(self, vpc_id: str) -> None:
        """Answer no more for a VPC that is gone, with its bridge."""
        ended = [server for of, server in self._servers if of == vpc_id]
        self._servers = [(of, server) for of, server in self._servers if of != vpc_id]
        self._names.leave(vpc_id)
        for server in ended:
            await server.stop()

    async def stop(self) -> None:
        """Answer no more."""
        await cancelled(self._trying)
        for _, server in self._servers:
            await server.stop()
        await self._names.close()

    async def _serve_names(self, device: str, vpc_id: str | None) -> bool:
        """Whether names are seen to; not while another Longshore answers."""
        from longshore.drivers.docker.linklocal import open_sockets  # noqa: PLC0415  as above

        opened: list[socket.socket] = []
        try:
            opened += await open_sockets([device], DNS_PORT)
            if opened:
                opened += await open_sockets([device], DNS_PORT, kind=socket.SOCK_DGRAM)
        except Permanent as error:
            # Tasks ask whoever has the port then, or the host's resolvers: they run, but without our own names.
            log.warning("tasks on %s can't resolve the names of load balancers: %s", device, error.reason)
            for unused in opened:
                unused.close()
            return True
        if not opened:
            return False
        await self._names.listen(opened, vpc_id)
        if vpc_id is not None:
            await self._serve_as_vpc_resolver(device, vpc_id)
        return True

    async def _serve_as_vpc_resolver(self, device: str, vpc_id: str) -> None:
        """Answer where AWS's resolver does, too: images that were made for AWS may ask there, as nginx is told to."""
        from longshore.drivers.docker.linklocal import addresses_on, open_resolver, resolver_addresses  # noqa: PLC0415  as above

        for address in resolver_addresses(await addresses_on(device)):
            if address in self._host_resolvers():  # a machine of AWS: what the host asks must stay where it is
                continue
            try:
                await self._names.listen(await open_resolver(device, address, DNS_PORT), vpc_id)
            except Permanent as error:
                log.warning("tasks on %s that ask %s for names get no answer: %s", device, address, error.reason)

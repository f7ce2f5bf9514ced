"""The registry driver: what the registry's protocol asks is passed on to the process; its files are kept in order.

Repositories are called by their ids here, so that one that is made again has nothing of what was there before.
"""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import aiohttp
import structlog
from yarl import URL

from longshore.domain.clock import Clock
from longshore.drivers.ports import Permanent, RegistryAnswer, RegistryRequest, Retryable
from longshore.drivers.registry import files
from longshore.drivers.registry.gate import Gate
from longshore.drivers.registry.process import PROGRAM, RegistryProcess

log = structlog.get_logger(__name__)

QUIET_S = 60.0
"""How long nothing may have been pushed before files are collected."""
MISSING_S = 10.0
"""How soon to try again after a manifest was missing, which is put meanwhile."""
GARBAGE = "garbage"
"""A file that says that something was removed since the last collection."""
CHUNK = 1 << 18
NEVER = aiohttp.ClientTimeout(total=None)


class DockerRegistry:
    """One registry process and its files."""

    def __init__(
        self,
        folder: Path,
        storage: Path | None,
        clock: Clock,
        *,
        secret: str,
        quiet_s: float = QUIET_S,
        program: str = PROGRAM,
    ) -> None:
        """`folder`: for its socket; `storage`: where images are kept, None: in a folder that goes at the end."""
        self._temporary = None if storage is not None else Path(tempfile.mkdtemp(prefix="longshore-registry-"))
        self._storage = storage or Path(str(self._temporary))
        self._process = RegistryProcess(folder, self._storage, secret, program)
        self._gate = Gate(clock, quiet_s)
        self._session: aiohttp.ClientSession | None = None
        self._mended = False
        self._mending = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """Of its process, while there is one."""
        return self._process.pid

    @contextlib.asynccontextmanager
    async def exchange(self, request: RegistryRequest) -> AsyncIterator[RegistryAnswer]:
        """Pass a request on. Reading goes on during a collection; all else is part of a push, and waits."""
        async with contextlib.nullcontext() if request.method == "GET" else self._gate.pushing():
            await self._ensure()
            assert self._session is not None  # noqa: S101  made by the line above
            url = URL(f"http://registry{request.path}?{request.query}".rstrip("?"), encoded=True)
            try:
                response = await self._session.request(
                    request.method, url, headers=request.headers, data=request.body, allow_redirects=False
                )
            except (aiohttp.ClientError, OSError) as error:
                raise Retryable(f"The registry does not answer: {error}") from error
            try:
                headers = {name.lower(): value for name, value in response.headers.items()}
                yield RegistryAnswer(response.status, headers, _chunks(response))
            finally:
                # What was not read to its end can't be followed by another request on the same connection.
                response.close() if not response.content.at_eof() else response.release()

    async def repositories(self) -> frozenset[str]:
        """The ids of the repositories that there is anything of."""
        return await asyncio.to_thread(files.repositories, self._storage)

    async def manifests(self, repository_id: str) -> frozenset[str]:
        """The digests of a repository's manifests."""
        return await asyncio.to_thread(files.manifests, self._storage, repository_id)

    async def put_manifest(self, repository_id: str, digest: str, media_type: str, manifest: bytes) -> None:
        """Have a manifest in a repository. Raises Permanent where the registry refuses it, and Retryable."""
        path = f"/v2/{repository_id}/manifests/{digest}"
        await self._told("PUT", path, {"content-type": media_type}, manifest)

    async def delete_manifest(self, repository_id: str, digest: str) -> None:
        """Take a manifest out of a repository; what it consists of goes with the next collection."""
        self._note_garbage()
        await self._told("DELETE", f"/v2/{repository_id}/manifests/{digest}", {}, None)

    async def delete_repository(self, repository_id: str) -> None:
        """Take a repository away, with all that is in it."""
        self._note_garbage()
        async with self._gate.pushing():
            await asyncio.to_thread(files.remove_repository, self._storage, repository_id)

    async def collect(self, wanted: Callable[[], Mapping[str, frozenset[str]]]) -> float | None:
        """Remove what no manifest names, if anything was taken away since the last time.

        `wanted`: the manifests that must be there, by repository; nothing is removed while one is missing. Returns how
        many seconds to wait before trying again, where something is pushed or missing.
        """
        if not self._garbage.exists():
            return None
        if self._gate.wait_s:
            return self._gate.wait_s
        with self._gate.collecting():
            await self._mend()
            for repository_id, digests in wanted().items():
                if not digests <= await self.manifests(repository_id):
                    return MISSING_S
            if (self._storage / files.ROOT / "blobs").exists():
                await self._process.collect()
            self._garbage.unlink(missing_ok=True)
        return None

    async def close(self) -> None:
        """End the process."""
        if self._session is not None:
            await self._session.close()
        await self._process.stop()
        if self._temporary is not None:
            await asyncio.to_thread(shutil.rmtree, self._temporary, ignore_errors=True)

    async def _told(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> None:
        async with self.exchange(RegistryRequest(method, path, "", headers, body)) as answer:
            said = b"".join([chunk async for chunk in answer.chunks])
        if answer.status >= 500:
            raise Retryable(f"The registry answered {answer.status}: {said[:500].decode(errors='replace')}")
        if answer.status >= 400 and (method, answer.status) != ("DELETE", 404):
            raise Permanent(f"The registry refused {path}: {said[:500].decode(errors='replace')}")

    async def _ensure(self) -> None:
        await self._mend()
        await self._process.ensure()
        if self._session is None:
            connector = aiohttp.UnixConnector(str(self._process.socket), limit=0)
            self._session = aiohttp.ClientSession(
                connector=connector, timeout=NEVER, auto_decompress=False, read_bufsize=CHUNK
            )

    async def _mend(self) -> None:
        """Once, before anything reads the files."""
        async with self._mending:
            if not self._mended:
                await asyncio.to_thread(self._process.wait_for_collector)
                mended = await asyncio.to_thread(files.mend, self._storage)
                if mended:
                    log.warning("files of the registry were cut off by a crash and are whole again", files=mended)
                self._mended = True

    @property
    def _garbage(self) -> Path:
        return self._storage / GARBAGE

    def _note_garbage(self) -> None:
        self._storage.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._garbage.touch()


async def _chunks(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The answer's body as it comes. Raises Retryable where it breaks off."""
    try:
        async for chunk in response.content.iter_any():
            yield chunk
    except (aiohttp.ClientError, OSError) as error:
        raise Retryable(f"The registry broke off its answer: {error}") from error

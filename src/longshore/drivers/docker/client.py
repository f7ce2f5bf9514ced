"""HTTP to a Docker Engine: requests, streams and their errors. Knows Docker's transport and nothing of tasks.

Plain aiohttp and not aiodocker: that one's connection pool ends at 100 (each followed log holds one), its log
streams lose the frame boundaries that joining long lines needs, and its event channel hides a lost connection.
"""

import json
import os
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

DEFAULT_URL = "unix:///var/run/docker.sock"
NEWEST_API = (1, 47)
"""The newest API version whose documents we know; an older Engine is spoken to in its own."""
ORDINARY = aiohttp.ClientTimeout(total=300, sock_connect=10)
ENDLESS = aiohttp.ClientTimeout(total=None, sock_connect=10)


class DockerError(Exception):
    """The Engine answered with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class UnreachableError(Exception):
    """The Engine does not answer: whether a request was carried out is not known."""


class DockerClient:
    """One Docker Engine, by its URL (`unix://`, `tcp://`, `http://`, `https://`)."""

    def __init__(self, url: str | None) -> None:
        self.url = url or os.environ.get("DOCKER_HOST") or DEFAULT_URL
        self._base = ""
        self._session: aiohttp.ClientSession | None = None

    @property
    def local(self) -> bool:
        """Whether the Engine shares this machine's kernel, as far as its URL tells."""
        return self.url.startswith("unix://")

    async def open(self) -> None:
        """Connect and agree on an API version. Raises UnreachableError."""
        connector, base = _connector(self.url)
        self._session = aiohttp.ClientSession(connector=connector, timeout=ORDINARY, read_bufsize=1 << 20)
        self._base = base
        version = await self.get("/version")
        offered = tuple(int(part) for part in str(version["ApiVersion"]).split("."))
        agreed = min(offered, NEWEST_API)
        self._base = f"{base}/v{agreed[0]}.{agreed[1]}"

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def get(self, path: str, **params: Any) -> Any:
        """The JSON of a GET."""
        return await self.request("GET", path, params=params)

    async def post(self, path: str, body: Any = None, *, endless: bool = False, **params: Any) -> Any:
        """A POST with a JSON body."""
        return await self.request("POST", path, params=params, body=body, endless=endless)

    async def delete(self, path: str, **params: Any) -> None:
        """A DELETE; what is gone already is no error."""
        try:
            await self.request("DELETE", path, params=params)
        except DockerError as error:
            if error.status != 404:
                raise

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        endless: bool = False,
    ) -> Any:
        """One request; its JSON, or None where there is none."""
        async with self.stream(method, path, params=params, body=body, endless=endless) as response:
            try:
                content = await response.read()
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                raise UnreachableError(f"The Docker Engine at {self.url} broke off its answer: {error}") from error
        is_json = response.content_type == "application/json"
        return json.loads(content) if is_json and content.strip() else None

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        endless: bool = True,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """A response whose body the caller reads. `body` is JSON, or a tar as bytes."""
        if self._session is None:
            raise UnreachableError(f"The connection to the Docker Engine at {self.url} is closed.")
        content, kind = (body, "application/x-tar") if isinstance(body, bytes) else (_json(body), "application/json")
        try:
            response = await self._session.request(
                method,
                self._base + path,
                params=_params(params or {}),
                data=content,
                headers={"Content-Type": kind, **(headers or {})},
                timeout=ENDLESS if endless else ORDINARY,
            )
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise UnreachableError(f"The Docker Engine at {self.url} does not answer: {error}") from error
        try:
            if response.status >= 400:
                raise DockerError(response.status, _message(await response.text(errors="replace")))
            yield response
        finally:
            if endless:
                response.close()
            else:
                response.release()


async def json_lines(response: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    """The documents of a stream of JSON lines. Ends, or raises UnreachableError, when the stream does."""
    try:
        async for line in response.content:
            if line.strip():
                yield json.loads(line)
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise UnreachableError(f"The Docker Engine broke off a stream: {error}") from error


def _connector(url: str) -> tuple[aiohttp.BaseConnector, str]:
    """A connector without a limit (each followed log and each stop holds a connection), and the URL's base."""
    if url.startswith("unix://"):
        return aiohttp.UnixConnector(url.removeprefix("unix://"), limit=0), "http://docker"
    secure = url.startswith("https://") or bool(os.environ.get("DOCKER_TLS_VERIFY"))
    host = url.split("://", 1)[-1].rstrip("/")
    if not secure:
        return aiohttp.TCPConnector(limit=0), f"http://{host}"
    folder = Path(os.environ.get("DOCKER_CERT_PATH") or Path.home() / ".docker")
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    context.load_cert_chain(str(folder / "cert.pem"), str(folder / "key.pem"))
    return aiohttp.TCPConnector(limit=0, ssl=context), f"https://{host}"


def _json(body: Any) -> bytes | None:
    return None if body is None else json.dumps(body).encode()


def _params(params: Mapping[str, Any]) -> dict[str, str]:
    """Docker's spelling: booleans as true and false, filters as JSON."""
    spelled: dict[str, str] = {}
    for name, value in params.items():
        if isinstance(value, bool):
            spelled[name] = "true" if value else "false"
        elif isinstance(value, dict):
            spelled[name] = json.dumps(value)
        else:
            spelled[name] = str(value)
    return spelled


def _message(text: str) -> str:
    try:
        return str(json.loads(text)["message"]).strip()
    except (ValueError, KeyError, TypeError):
        return text.strip()

"""Another server for a service: requests go there as they came, and its answers come back as they are.

What goes to AWS itself is signed anew (`resign.py`), since a signature is over the host it was made for. Bodies are
streamed both ways. `main` makes one for each `--forward SERVICE=URL`.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import BinaryIO

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from longshore.drivers.elsewhere.resign import Signer, is_aws
from longshore.drivers.ports import PassedAnswer, PassedRequest, Permanent, Retryable

CONNECT_S = 10.0
SILENCE_S = 900.0
"""How long a server may take to answer, or between two pieces: a function runs for a quarter of an hour."""
PIECE = 256 * 1024
CONNECTIONS = 256
HOP_BY_HOP = frozenset({"connection", "transfer-encoding", "keep-alive", "te", "upgrade", "expect", "content-length"})
_OURS = ("Accept", "Accept-Encoding", "User-Agent", "Content-Type")
"""What aiohttp would add of its own."""


class Forward:
    """Answers what the server at a URL does. `{region}` in the URL is the region of the request."""

    looks_around = False

    def __init__(self, url: str) -> None:
        self.name = self._url = url.rstrip("/")
        self._signer = Signer() if is_aws(url) else None
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Look for credentials where they are needed. Raises ProviderRefused where there are none."""
        if self._signer is not None:
            await asyncio.to_thread(self._signer.open)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=SILENCE_S)
        self._session = aiohttp.ClientSession(
            timeout=timeout,
            connector=aiohttp.TCPConnector(limit=CONNECTIONS),
            auto_decompress=False,
            trust_env=self._signer is not None,  # a proxy is on the way to AWS, if any
        )

    async def close(self) -> None:
        """Let go of all connections."""
        if self._session is not None:
            await self._session.close()

    def reset(self) -> None:
        """Nothing there is ours."""

    async def answer(self, request: PassedRequest) -> PassedAnswer:
        """What the server says. Raises Retryable where it can't be reached."""
        if self._session is None:
            raise Retryable(f"{self.name} is not connected yet.")
        base = self._url.replace("{region}", request.region)
        if self._signer is not None:
            request = await asyncio.to_thread(self._signer.signed, request, base)
        headers = CIMultiDict((name, value) for name, value in request.headers if name not in HOP_BY_HOP)
        headers["content-length"] = str(request.size)
        url = URL(base + request.path + (f"?{request.query}" if request.query else ""), encoded=True)
        try:
            response = await self._session.request(
                request.method,
                url,
                headers=headers,
                data=_sent(request.body) if request.size else None,
                skip_auto_headers=_OURS,
                allow_redirects=False,
            )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Retryable(f"{base} does not answer: {str(error) or type(error).__name__}.") from error
        except ValueError as error:
            raise Permanent(f"{base} can't be asked for this path: {error}.") from error
        answered = [(name.lower(), value) for name, value in response.headers.items()]
        return PassedAnswer(response.status, _whole(answered), _received(response))


def _whole(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Of an answer, what is not about its connection. Its length stays: the body is handed on as it is."""
    return [(name, value) for name, value in headers if name == "content-length" or name not in HOP_BY_HOP]


async def _sent(body: BinaryIO) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(body.read, PIECE):
        yield piece


async def _received(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    try:
        async for piece in response.content.iter_any():
            yield piece
    finally:
        response.release()

"""The application that answers `/v2/` beside the AWS APIs: who calls, which repository, one handler, the answer.

Bodies are passed through as they come: neither an image's size nor its number of layers has a limit here.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from functools import partial
from urllib.parse import parse_qs, unquote

import structlog

from longshore.api.access.access import Access
from longshore.api.access.asking import Ask
from longshore.api.app import Beside, Receive, Scopes, Send
from longshore.api.callers.auth import Listener
from longshore.api.ecr.token import opens_layer
from longshore.api.metrics.page import Metrics
from longshore.api.registry import blobs, manifests
from longshore.api.registry.call import API_VERSION, RegistryCall, Reply
from longshore.api.registry.errors import RegistryError, answer_of, unknown_name, unsupported
from longshore.api.registry.login import check_allowed, check_caller
from longshore.api.registry.routes import Route, route
from longshore.domain.clock import Clock
from longshore.domain.ecr.image_name import NAME, scope_of_host, scoped_name
from longshore.domain.ecr.repository import Repository
from longshore.domain.record import Scope
from longshore.domain.secrets.vault import Vault
from longshore.drivers.ports import Permanent, RegistryDriver, Retryable
from longshore.store.errors import StoreFailed
from longshore.store.store import Store

log = structlog.get_logger("longshore.registry")

PIECE_TIMEOUT_S = 120.0
"""How long a client may take between two pieces of a body."""
READING = frozenset({"GET", "HEAD"})
METHODS: Mapping[str, frozenset[str]] = {
    "version": READING,
    "catalog": READING,
    "tags": READING,
    "referrers": READING,
    "manifest": READING | {"PUT", "DELETE"},
    "blob": READING | {"DELETE"},
    "uploads": frozenset({"POST"}),
    "upload": frozenset({"GET", "PATCH", "PUT", "DELETE"}),
}


OPERATIONS: Mapping[tuple[str, str], str] = {
    ("catalog", "GET"): "DescribeRepositories",
    ("catalog", "HEAD"): "DescribeRepositories",
    ("tags", "GET"): "ListImages",
    ("tags", "HEAD"): "ListImages",
    ("referrers", "GET"): "ListImageReferrers",
    ("referrers", "HEAD"): "ListImageReferrers",
    ("manifest", "GET"): "BatchGetImage",
    ("manifest", "HEAD"): "BatchGetImage",
    ("manifest", "PUT"): "PutImage",
    ("manifest", "DELETE"): "BatchDeleteImage",
    ("blob", "GET"): "GetDownloadUrlForLayer",
    ("blob", "HEAD"): "BatchCheckLayerAvailability",
    ("blob", "DELETE"): "BatchDeleteImage",
    ("uploads", "POST"): "InitiateLayerUpload",
    ("upload", "GET"): "UploadLayerPart",
    ("upload", "PATCH"): "UploadLayerPart",
    ("upload", "PUT"): "CompleteLayerUpload",
    ("upload", "DELETE"): "UploadLayerPart",
}
"""What each request comes to in ECR's API, and so which action a policy must allow."""


class ClientLeft(Exception):  # noqa: N818  reads as what happened
    """The client is gone, or has stopped sending."""


class RegistryApi:
    """What all listeners share."""

    def __init__(
        self,
        *,
        store: Store,
        driver: RegistryDriver,
        vault: Vault,
        clock: Clock,
        metrics: Metrics,
        access: Access,
        default: Scope,
    ) -> None:
        """`default`: the account and region of a repository whose path says neither."""
        self._store = store
        self._driver = driver
        self._vault = vault
        self._clock = clock
        self._metrics = metrics
        self._access = access
        self._default = default

    def beside(self, listener: Listener) -> Beside:
        """What a listener asks for each request whether it is one of the registry's."""

        async def app(scope: Scopes, receive: Receive, send: Send) -> None:
            await self._answer(scope, receive, send, listener)

        return lambda scope: app if _is_ours(scope) else None

    async def _answer(self, scope: Scopes, receive: Receive, send: Send, listener: Listener) -> None:
        began = time.perf_counter()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        found = route(_path(scope))
        what = f"{scope['method']} {found.kind}" if found else "unknown"
        code, status = "OK", 0
        try:
            async with AsyncExitStack() as stack:
                reply = await self._reply(scope, headers, found, _pieces(receive), listener, stack)
                status = reply.status
                code = "OK" if status < 400 else str(status)
                await _send(receive, send, reply)
        except ClientLeft:
            code = "ClientLeft"
        except RegistryError as error:
            code, status = error.code, error.status
            await _refuse(send, scope, error)
        except Exception as error:
            # Once an answer has begun only breaking it off can say so: uvicorn does, when this is raised.
            if status:
                raise
            refusal = _refusal(error)
            code, status = refusal.code, refusal.status
            if code == "UNKNOWN":
                log.exception("a fault while answering", what=what)
            await _refuse(send, scope, refusal)
        finally:
            seconds = time.perf_counter() - began
            self._metrics.request("registry", what, code, seconds)
            name = found.name if found else ""
            log.info("registry", what=what, name=name, status=status, code=code, ms=round(seconds * 1000, 1))

    async def _reply(
        self,
        scope: Scopes,
        headers: Mapping[str, str],
        found: Route | None,
        body: AsyncIterator[bytes],
        listener: Listener,
        stack: AsyncExitStack,
    ) -> Reply:
        if found is None:
            raise RegistryError(404, "NOT_FOUND", "The registry's protocol has no such path.")
        if scope["method"] not in METHODS[found.kind]:
            raise unsupported(f"{scope['method']} is nothing that can be done there.")
        query = scope["query_string"].decode("latin-1")
        token = parse_qs(query).get("token", [""])[0] if found.kind == "blob" else ""
        now = self._clock.now()
        principal = None if token else check_caller(headers, listener, self._vault, now)
        default = scope_of_host(headers.get("host", "")) or self._default
        where, name = scoped_name(found.name, default)
        if principal is not None and found.kind == "catalog":
            where = Scope(principal.account, default.region)
        operation = OPERATIONS.get((found.kind, scope["method"]), "")

        def check(operation: str, name: str) -> None:
            if principal is not None and operation:
                named = {"repositoryName": name} if name else {}
                ask = Ask(self._store, where, "ecr", operation, named, principal.arn)
                check_allowed(self._access, ask, principal, headers, now)

        check(operation, name)
        repository = self._repository(where, name) if found.name else None
        if token and not (repository and opens_layer(self._vault, token, repository, found.item, now)):
            raise RegistryError(403, "DENIED", "The URL of this layer is not good, or not any more.")
        call = RegistryCall(
            store=self._store,
            driver=self._driver,
            clock=self._clock,
            method=scope["method"],
            route=found,
            query=query,
            headers=headers,
            body=body,
            account=where.account,
            default=default,
            check_read=partial(check, "GetDownloadUrlForLayer"),
        )
        if found.kind == "version":
            return Reply(200, [("content-type", "application/json"), ("content-length", "2")], b"{}")
        if repository is None:
            return await manifests.catalog(call)
        if found.kind == "blob":
            return await blobs.blob(call, repository, stack)
        if found.kind in {"uploads", "upload"}:
            return await blobs.upload(call, repository, stack)
        handler = {"manifest": manifests.manifest, "tags": manifests.tags, "referrers": manifests.referrers}[found.kind]
        return await handler(call, repository)

    def _repository(self, scope: Scope, name: str) -> Repository:
        """A repository. Raises RegistryError."""
        repository = self._store.get(Repository, (*scope, name)) if NAME.fullmatch(name) else None
        if repository is None:
            raise unknown_name(name[:256], scope.account)
        return repository


def _is_ours(scope: Scopes) -> bool:
    """A path of the registry's protocol, in a request that isn't signed as those to AWS services are."""
    path = scope["path"]
    if scope["type"] != "http" or not (path == "/v2" or path.startswith("/v2/")):
        return False
    signed = any(name == b"authorization" and value.startswith(b"AWS4-") for name, value in scope["headers"])
    return not signed and b"X-Amz-Signature=" not in scope["query_string"]


def _path(scope: Scopes) -> str:
    """The path; what is escaped in it (a colon in a digest, say) is what it stands for."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return unquote(raw.partition(b"?")[0].decode("latin-1"))


async def _pieces(receive: Receive) -> AsyncIterator[bytes]:
    """A body as it comes. Raises ClientLeft where it breaks off, or goes on too slowly."""
    more = True
    while more:
        try:
            message = await asyncio.wait_for(receive(), PIECE_TIMEOUT_S)
        except TimeoutError:
            raise ClientLeft from None
        if message["type"] == "http.disconnect":
            raise ClientLeft
        more = message.get("more_body", False)
        if message.get("body"):
            yield message["body"]


async def _send(receive: Receive, send: Send, reply: Reply) -> None:
    """One answer. It ends when the client leaves, for nobody would read the rest."""
    await _begin(send, reply)
    if isinstance(reply.body, bytes):
        await send({"type": "http.response.body", "body": reply.body})
        return
    left = asyncio.create_task(_left(receive))
    try:
        async for piece in reply.body:
            if left.done():
                raise ClientLeft
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        left.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await left


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _begin(send: Send, reply: Reply) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in reply.headers]
    version = tuple(part.encode() for part in API_VERSION)
    await send({"type": "http.response.start", "status": reply.status, "headers": [*headers, version]})


async def _refuse(send: Send, scope: Scopes, error: RegistryError) -> None:
    answer = answer_of(error)
    headers = [*answer.headers, ("content-length", str(len(answer.body)))]
    if scope["method"] not in READING:
        headers.append(("connection", "close"))  # whether the rest of the body still comes, only its client knows
    body = b"" if scope["method"] == "HEAD" else answer.body
    await _begin(send, Reply(answer.status, headers))
    await send({"type": "http.response.body", "body": body})


def _refusal(error: Exception) -> RegistryError:
    """What a client is told of what went wrong. Docker shows no text of answers of 500 and above."""
    if isinstance(error, Permanent):
        return RegistryError(403, "DENIED", error.reason)
    if isinstance(error, Retryable):
        return RegistryError(503, "UNAVAILABLE", error.reason)
    if isinstance(error, StoreFailed):
        return RegistryError(503, "UNAVAILABLE", f"Longshore can't write to its disk at the moment. {error}")
    return RegistryError(500, "UNKNOWN", "A fault inside Longshore: its log has the details.")

"""Layers and uploads: passed on to the registry as they come, whatever their size."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from urllib.parse import parse_qs, urlencode

from longshore.api.registry.call import RegistryCall, Reply
from longshore.api.registry.errors import RegistryError, unsupported
from longshore.domain.ecr.image_name import scoped_name
from longshore.domain.ecr.manifest import DIGEST
from longshore.domain.ecr.repository import RegistrySettings, Repository
from longshore.drivers.ports import RegistryRequest

ASKED = ("accept", "if-none-match", "range")
"""Headers of requests for layers that the registry is given."""
SENT = ("content-length", "content-range")
"""Those of uploads. Not the type: of a form's the registry would read the body itself."""
PLACE = re.compile(r"(?:bytes )?(\d{1,18})-(\d{1,18})(?:/.*)?")
UPLOAD = re.compile(r"[0-9a-f-]{36}")
ANSWERED = frozenset(
    {
        *("accept-ranges", "cache-control", "content-length", "content-range", "content-type", "etag", "range"),
        *("docker-content-digest", "docker-upload-uuid", "location"),
    }
)
"""Headers of its answers that the client is given."""


async def blob(call: RegistryCall, repository: Repository, stack: AsyncExitStack) -> Reply:
    """GET and HEAD of a layer."""
    if call.method not in {"GET", "HEAD"}:
        raise unsupported("Layers go when no image has them any more.")
    if not DIGEST.fullmatch(call.route.item):
        raise RegistryError(400, "DIGEST_INVALID", "A digest has the form sha256:….")
    headers = {name: call.headers[name] for name in ASKED if name in call.headers}
    path = f"/v2/{repository.repository_id}/blobs/{call.route.item}"
    return await _passed_on(call, repository, RegistryRequest(call.method, path, "", headers), stack)


async def upload(call: RegistryCall, repository: Repository, stack: AsyncExitStack) -> Reply:
    """An upload's beginning, its pieces, its end, how far it is, and giving it up."""
    if call.route.item and not UPLOAD.fullmatch(call.route.item):
        raise RegistryError(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
    path, query = f"/v2/{repository.repository_id}/blobs/uploads/{call.route.item}", call.query
    headers = {name: call.headers[name] for name in SENT if name in call.headers}
    if call.method in {"GET", "DELETE"}:
        return await _passed_on(call, repository, RegistryRequest(call.method, path, query, {}), stack)
    if call.route.kind == "upload":
        await _check_place(call, path)
    if call.route.kind == "uploads":
        query = _mount(call, repository)
    headers["content-type"] = "application/octet-stream"
    if headers.get("content-length") == "0":
        request = RegistryRequest(call.method, path, query, headers, b"")
    else:
        request = RegistryRequest(call.method, path, query, headers, call.body)
    return await _passed_on(call, repository, request, stack)


async def _check_place(call: RegistryCall, path: str) -> None:
    """Raise RegistryError for a piece that says of itself that it doesn't begin where the upload has come to.

    The registry would append it. Of an upload of one byte it says the same as of an empty one (`0-0`).
    """
    if "content-range" not in call.headers:
        return
    given = PLACE.fullmatch(call.headers["content-range"])
    if given is None:
        raise RegistryError(400, "BLOB_UPLOAD_INVALID", "The Content-Range of a piece has the form 0-1023.")
    async with call.driver.exchange(RegistryRequest("GET", path, call.query, {})) as answer:
        known = PLACE.fullmatch(answer.headers.get("range", ""))
        if known is None:
            return  # there is no such upload, which the registry says of the piece as well
    last = int(known[2])
    if int(given[1]) not in ({last + 1} if last else {0, 1}):
        text = f"The upload has come to {known[0]}: a piece that begins at byte {given[1]} doesn't go on from there."
        raise RegistryError(416, "BLOB_UPLOAD_INVALID", text, {"range": known[0]})


def _mount(call: RegistryCall, repository: Repository) -> str:
    """What of a new upload's query is passed on: a layer of another repository, if this one may have it as it is."""
    query = {name: values[0] for name, values in parse_qs(call.query).items()}
    kept = {"digest": query["digest"]} if "digest" in query else {}
    settings = call.store.get(RegistrySettings, repository.scope)
    mounting = settings is not None and settings.account_settings.get("BLOB_MOUNTING") == "ENABLED"
    if not mounting or not DIGEST.fullmatch(query.get("mount", "")) or "from" not in query:
        return urlencode(kept)
    scope, name = scoped_name(query["from"], call.default)
    source = call.store.get(Repository, (*scope, name)) if scope == repository.scope else None
    if source is None or not _may_read(call, name):
        return urlencode(kept)
    return urlencode({"mount": query["mount"], "from": source.repository_id})


def _may_read(call: RegistryCall, name: str) -> bool:
    """Where the caller may not, it sends the layer itself, as if there were no such repository."""
    try:
        call.check_read(name)
    except RegistryError:
        return False
    return True


async def _passed_on(
    call: RegistryCall, repository: Repository, request: RegistryRequest, stack: AsyncExitStack
) -> Reply:
    """The registry's answer, which may be read until the stack is left."""
    answer = await stack.enter_async_context(call.driver.exchange(request))
    headers = [
        (name, _location(call, repository, value) if name == "location" else value)
        for name, value in answer.headers.items()
        if name in ANSWERED
    ]
    return Reply(answer.status, headers, _nothing() if request.method == "HEAD" else answer.chunks)


def _location(call: RegistryCall, repository: Repository, value: str) -> str:
    """Where the registry says something is, as the client calls it."""
    own = f"/v2/{repository.repository_id}/"
    return f"{call.base}/{value.removeprefix(own)}" if value.startswith(own) else value


async def _nothing() -> AsyncIterator[bytes]:
    """The body of an answer to HEAD."""
    return
    yield b""

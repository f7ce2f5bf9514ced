"""Manifests, tags and referrers, answered from the records; a pushed manifest is written down before its answer."""

import contextlib
from urllib.parse import parse_qs, quote

import msgspec

from longshore.api.ecr.lookup import image_at
from longshore.api.ecr.pushing import check_tag, digest_of, missing_parts, write_image
from longshore.api.registry.call import RegistryCall, Reply
from longshore.api.registry.errors import RegistryError, unknown_manifest, unknown_name, unsupported
from longshore.domain.ecr.image_name import TAG
from longshore.domain.ecr.manifest import DIGEST, MAX_MANIFEST_BYTES, OCI_INDEX, Manifest, read_manifest
from longshore.domain.ecr.repository import Image, ImageTag, Repository
from longshore.drivers.ports import RegistryRequest
from longshore.store.errors import StoreFailed
from longshore.wire.errors import ApiError

PULLED_AGAIN_S = 86_400.0
"""How long a recorded pull stands before a later one is recorded, as on AWS."""
MAX_PAGE = 1000


async def manifest(call: RegistryCall, repository: Repository) -> Reply:
    """GET, HEAD and PUT of a manifest."""
    if call.method == "PUT":
        return await _put(call, repository)
    if call.method == "DELETE":
        raise unsupported("Images are deleted by the API: aws ecr batch-delete-image.")
    reference = call.route.item
    names = {"digest": reference} if ":" in reference else {"tag": reference}
    image = image_at(call.store, repository, **names)
    if image is None:
        raise unknown_manifest()
    body = image.manifest.encode()
    headers = [
        ("content-type", image.media_type),
        ("docker-content-digest", image.digest),
        ("etag", f'"{image.digest}"'),
        ("content-length", str(len(body))),
    ]
    await call.store.durable(call.store.revision)
    if call.method == "GET":
        _note_pull(call, image)
    return Reply(200, headers, b"" if call.method == "HEAD" else body)


def _note_pull(call: RegistryCall, image: Image) -> None:
    """Pulls go on when nothing can be written any more."""
    now = call.clock.now()
    if image.pulled_at is None or image.pulled_at + PULLED_AGAIN_S <= now:
        with contextlib.suppress(StoreFailed), call.store.transaction() as tx:
            tx.put(image.but(pulled_at=now))


# ------------------------------------------------------------------------------------------------------- pushes


async def _put(call: RegistryCall, repository: Repository) -> Reply:
    raw = await _whole(call)
    digest, reference = digest_of(raw), call.route.item
    tag = "" if DIGEST.fullmatch(reference) else reference
    if not tag and reference != digest:
        raise RegistryError(400, "DIGEST_INVALID", f"The manifest's digest is {digest}, not {reference}.")
    if tag and not TAG.fullmatch(tag):
        raise RegistryError(400, "TAG_INVALID", f"The image tag '{tag[:128]}' must satisfy '{TAG.pattern}'.")
    text, read = _read(raw, call.headers.get("content-type", ""))
    _check(call, repository, tag, digest, read)
    if image_at(call.store, repository, digest=digest) is None:
        refusal = await _pass_on(call, repository, digest, read.media_type, raw)
        if refusal is not None:
            return refusal
    with call.store.transaction() as tx:
        current = tx.get(Repository, repository.key)
        if current is None or current.repository_id != repository.repository_id:  # deleted while it was pushed to
            raise unknown_name(repository.name, repository.account)
        _check(call, current, tag, digest, read)
        write_image(tx, current, text, read, tag, call.clock.now())
    await call.store.durable()
    headers = [("location", f"{call.base}/manifests/{digest}"), ("docker-content-digest", digest)]
    if read.subject:
        headers.append(("oci-subject", read.subject))
    return Reply(201, headers)


async def _whole(call: RegistryCall) -> bytes:
    parts, size = [], 0
    async for part in call.body:
        parts.append(part)
        size += len(part)
        if size > MAX_MANIFEST_BYTES:
            text = f"A manifest has at most {MAX_MANIFEST_BYTES} bytes."
            raise RegistryError(413, "MANIFEST_INVALID", text, {"connection": "close"})
    return b"".join(parts)


def _read(raw: bytes, media_type: str) -> tuple[str, Manifest]:
    try:
        text = raw.decode()
        return text, read_manifest(text, media_type.partition(";")[0].strip())
    except UnicodeDecodeError:
        raise RegistryError(400, "MANIFEST_INVALID", "The manifest is not UTF-8.") from None
    except ValueError as error:
        raise RegistryError(400, "MANIFEST_INVALID", str(error)) from None


def _check(call: RegistryCall, repository: Repository, tag: str, digest: str, read: Manifest) -> None:
    """Whether the repository takes it. Layers are the registry's to look for: a push has no other images with them."""
    try:
        check_tag(call.store, repository, tag, digest)
    except ApiError as error:
        raise RegistryError(400, "TAG_INVALID", error.message) from None
    _, missing = missing_parts(call.store, repository, read)
    if missing:
        text = f"Images with digests '[{', '.join(missing)}]' required for pushing image into repository with name"
        text = f"{text} '{repository.name}' in the registry with id '{repository.account}' do not exist"
        raise RegistryError(404, "MANIFEST_BLOB_UNKNOWN", text)


async def _pass_on(
    call: RegistryCall, repository: Repository, digest: str, media_type: str, raw: bytes
) -> Reply | None:
    """Have the registry take the manifest; its refusal, if it doesn't."""
    path = f"/v2/{repository.repository_id}/manifests/{digest}"
    async with call.driver.exchange(RegistryRequest("PUT", path, "", {"content-type": media_type}, raw)) as answer:
        said = b"".join([chunk async for chunk in answer.chunks])
    if answer.status < 300:
        return None
    return Reply(answer.status, [("content-type", "application/json")], said)


# -------------------------------------------------------------------------------------------------------- lists


async def tags(call: RegistryCall, repository: Repository) -> Reply:
    """The tags of a repository."""
    found = sorted(tag.tag for tag in call.store.select(ImageTag, "repository", (repository.repository_id,)))
    shown, headers = _page(call, found, f"{call.base}/tags/list")
    return await _json(call, {"name": call.route.name, "tags": shown}, headers)


async def catalog(call: RegistryCall) -> Reply:
    """The repositories of the account, as paths."""
    found = sorted(
        f"{each.account}/{each.region}/{each.name}"
        for each in call.store.all(Repository)
        if each.account == call.account
    )
    shown, headers = _page(call, found, "/v2/_catalog")
    return await _json(call, {"repositories": shown}, headers)


async def referrers(call: RegistryCall, repository: Repository) -> Reply:
    """What says something about an image."""
    wanted = parse_qs(call.query).get("artifactType", [])
    found = [
        {
            "mediaType": image.media_type,
            "digest": image.digest,
            "size": len(image.manifest.encode()),
            "artifactType": image.artifact_media_type,
        }
        for image in call.store.select(Image, "subject", (repository.repository_id, call.route.item))
        if not wanted or image.artifact_media_type in wanted
    ]
    headers = [("content-type", OCI_INDEX), *([("oci-filters-applied", "artifactType")] if wanted else [])]
    return await _json(call, {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": found}, headers)


def _page(call: RegistryCall, names: list[str], path: str) -> tuple[list[str], list[tuple[str, str]]]:
    """As many names as are asked for, behind the last that the client has, and where the next are."""
    query = parse_qs(call.query)
    last, count = query.get("last", [""])[0], query.get("n", [str(MAX_PAGE)])[0]
    if not (count.isascii() and count.isdecimal() and len(count) < 10):
        raise RegistryError(400, "PAGINATION_NUMBER_INVALID", "n must be a whole number.")
    behind = [name for name in names if name > last]
    shown = behind[: min(int(count), MAX_PAGE)]
    headers = [("content-type", "application/json")]
    if shown and len(shown) < len(behind):
        headers.append(("link", f'<{path}?n={int(count)}&last={quote(shown[-1], safe="")}>; rel="next"'))
    return shown, headers


async def _json(call: RegistryCall, document: object, headers: list[tuple[str, str]]) -> Reply:
    await call.store.durable(call.store.revision)
    body = msgspec.json.encode(document)
    return Reply(200, [*headers, ("content-length", str(len(body)))], b"" if call.method == "HEAD" else body)

"""Writes down an image whose manifest was pushed: by Docker, through the registry's protocol, or by PutImage."""

import hashlib

from longshore.api.ecr.lookup import image_at
from longshore.domain.ecr.manifest import LISTS, Manifest
from longshore.domain.ecr.repository import Image, ImageTag, Repository
from longshore.domain.record import Key
from longshore.store.store import Reader, Transaction
from longshore.wire.errors import ApiError


def digest_of(manifest: bytes) -> str:
    """What a manifest is found by."""
    return f"sha256:{hashlib.sha256(manifest).hexdigest()}"


def check_tag(reader: Reader, repository: Repository, tag: str, digest: str) -> None:
    """Whether a tag may be given to an image. Raises ImageTagAlreadyExistsException."""
    tagged = image_at(reader, repository, tag=tag) if tag else None
    if tagged is not None and tagged.digest != digest and not repository.is_mutable(tag):
        raise ApiError(
            "ImageTagAlreadyExistsException",
            f"The image tag '{tag}' already exists in the '{repository.name}' repository and cannot be overwritten "
            "because the tag is immutable.",
        )


def missing_parts(reader: Reader, repository: Repository, manifest: Manifest) -> tuple[list[str], list[str]]:
    """The layers, and the images, that a manifest names and no image of the repository has, or is."""
    of = repository.repository_id
    blobs = [blob.digest for blob in manifest.blobs if not reader.count(Image, "blob", (of, blob.digest))]
    children = [digest for digest in manifest.children if image_at(reader, repository, digest=digest) is None]
    return list(dict.fromkeys(blobs)), list(dict.fromkeys(children))


def write_image(tx: Transaction, repository: Repository, text: str, manifest: Manifest, tag: str, now: float) -> Image:
    """Write the image, if it is new, and its tag, if it is given one, which may be another's until now."""
    digest = digest_of(text.encode())
    image = image_at(tx, repository, digest=digest)
    if image is None:
        image = Image(
            account=repository.account,
            region=repository.region,
            repository_id=repository.repository_id,
            digest=digest,
            manifest=text,
            media_type=manifest.media_type,
            artifact_media_type=manifest.artifact_media_type,
            blobs=manifest.blobs,
            children=manifest.children,
            subject=manifest.subject,
            size_bytes=_size_bytes(tx, repository, manifest),
            pushed_at=now,
        )
        tx.put(image)
    if tag:
        tx.put(_tag(repository, tag, digest))
    return image


def _tag(repository: Repository, tag: str, digest: str) -> ImageTag:
    place = repository.scope
    return ImageTag(
        account=place.account, region=place.region, repository_id=repository.repository_id, tag=tag, digest=digest
    )


def _size_bytes(reader: Reader, repository: Repository, manifest: Manifest) -> int:
    """Of what is pulled with an image; of a list, its largest image's, as ECR has it."""
    if manifest.media_type not in LISTS:
        return sum(blob.size_bytes for blob in dict.fromkeys(manifest.blobs))
    place: Key = (*repository.scope, repository.repository_id)
    images = (reader.get(Image, (*place, digest)) for digest in manifest.children)
    return max((image.size_bytes for image in images if image is not None), default=0)

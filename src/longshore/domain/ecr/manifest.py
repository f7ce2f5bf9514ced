"""Image manifests: what a text of Docker's or OCI's kind names. Formats: OCI image-spec 1.1, Docker image manifest v2.

Called where a manifest is pushed, by the registry's protocol or by PutImage.
"""

import json
import re
from typing import Any, NamedTuple

from longshore.domain.ecr.repository import Blob

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
LISTS = frozenset({DOCKER_LIST, OCI_INDEX})
MEDIA_TYPES = frozenset({DOCKER_MANIFEST, DOCKER_LIST, OCI_MANIFEST, OCI_INDEX})
MAX_MANIFEST_BYTES = 4 * 1024 * 1024
PRINTABLE = re.compile(r"[!-~ ]{0,255}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class Manifest(NamedTuple):
    """What a manifest names."""

    media_type: str
    artifact_media_type: str
    blobs: tuple[Blob, ...]
    children: tuple[str, ...]
    subject: str


def read_manifest(text: str, media_type: str = "") -> Manifest:
    """Read a manifest. `media_type`: what the client calls it, else what it says of itself.

    Raises ValueError, with a sentence, for what is none.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("The manifest is not JSON.") from None
    if not isinstance(document, dict) or document.get("schemaVersion") != 2:
        raise ValueError("The manifest has no schemaVersion 2: others are not taken any more.")
    says = _media_type(document, "mediaType") or _guess(document)
    kind = media_type or says
    if kind not in MEDIA_TYPES or ("mediaType" in document and says != kind):
        raise ValueError(f"A manifest of the media type {str(kind)[:200]!r} can't be kept: Docker's v2 and OCI's can.")
    subject = _digest(document["subject"]) if document.get("subject") else ""
    if kind in LISTS:
        children = tuple(_digest(entry) for entry in _list(document, "manifests"))
        return Manifest(kind, _media_type(document, "artifactType"), (), children, subject)
    config = _blob(document.get("config"))
    blobs = (config, *(_blob(entry) for entry in _list(document, "layers")))
    artifact = _media_type(document, "artifactType") or config.media_type
    return Manifest(kind, artifact, blobs, (), subject)


def _guess(document: dict[str, Any]) -> str:
    return OCI_INDEX if "manifests" in document else OCI_MANIFEST


def _list(document: dict[str, Any], name: str) -> list[Any]:
    found = document.get(name)
    if not isinstance(found, list):
        raise ValueError(f"The manifest has no list of {name}.")  # noqa: TRY004  of the text, not of a type of ours
    return found


def _blob(entry: Any) -> Blob:
    digest = _digest(entry)
    size = entry.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 2**63:
        raise ValueError(f"The manifest gives {digest} no size.")
    return Blob(digest, size, _media_type(entry, "mediaType"))


def _media_type(entry: dict[str, Any], name: str) -> str:
    found = entry.get(name) or ""
    if not isinstance(found, str) or not PRINTABLE.fullmatch(found):
        raise ValueError(f"The manifest has a {name} that is no media type.")
    return found


def _digest(entry: Any) -> str:
    digest = entry.get("digest") if isinstance(entry, dict) else None
    if not isinstance(digest, str) or not DIGEST.fullmatch(digest):
        raise ValueError("The manifest names something without a digest of the form sha256:….")
    return digest

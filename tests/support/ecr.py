"""Manifests for tests of repositories: small, valid, and each another one."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from longshore.domain.ecr.manifest import DOCKER_LIST, DOCKER_MANIFEST, OCI_MANIFEST, read_manifest
from longshore.domain.ecr.repository import Blob, Image, Repository

if TYPE_CHECKING:
    from tests.support.api import Api

LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
CONFIG = "application/vnd.docker.container.image.v1+json"


def digest(text: str | bytes) -> str:
    return "sha256:" + hashlib.sha256(text if isinstance(text, bytes) else text.encode()).hexdigest()


def manifest(word: str, layers: tuple[str, ...] = ("base",)) -> str:
    """An image's, with a configuration of its own."""
    document = {
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST,
        "config": {"mediaType": CONFIG, "size": 10, "digest": digest(f"config {word}")},
        "layers": [{"mediaType": LAYER, "size": 100, "digest": digest(f"layer {layer}")} for layer in layers],
    }
    return json.dumps(document, indent=3)


def index(*children: str) -> str:
    """A list of images, by their manifests."""
    entries = [
        {"mediaType": DOCKER_MANIFEST, "size": len(child), "digest": digest(child), "platform": {"os": "linux"}}
        for child in children
    ]
    return json.dumps({"schemaVersion": 2, "mediaType": DOCKER_LIST, "manifests": entries})


def signature(subject: str) -> str:
    """Something that is said about an image."""
    document: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": "application/vnd.example.signature",
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "size": 2, "digest": digest("{}")},
        "layers": [],
        "subject": {"mediaType": DOCKER_MANIFEST, "size": len(subject), "digest": digest(subject)},
    }
    return json.dumps(document)


def pushed(api: Api, repository: str, text: str, *tags: str) -> str:
    """Push an image as Docker would: its layers are there. Its digest."""
    from longshore.api.ecr.pushing import write_image
    from tests.support.api import SCOPE

    with api.transaction() as tx:
        found = tx.get(Repository, (*SCOPE, repository))
        assert found is not None
        for tag in tags or ("",):
            write_image(tx, found, text, read_manifest(text), tag, api.now)
    return digest(text)


def image(word: str, *, pushed_at: float, **more: Any) -> Image:
    """A record of an image."""
    return Image(
        account="123456789012",
        region="us-east-1",
        repository_id="r",
        digest=word,
        manifest="",
        media_type=DOCKER_MANIFEST,
        blobs=(Blob(f"config {word}", 1, CONFIG),),
        pushed_at=pushed_at,
        **more,
    )

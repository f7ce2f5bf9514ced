"""Repositories of container images, the images in them and their tags; the settings of a registry; where it answers.

The records are the truth: a tag is what its record says, an image is there when its record is. The registry's files
(`drivers/registry/`) hold what manifests and layers consist of, and are made to follow.
"""

import re
from collections.abc import Iterator
from typing import Any, ClassVar, Literal, NamedTuple

from longshore.domain.arn import Arn
from longshore.domain.record import Key, Record
from longshore.domain.tag import Tags

Mutability = Literal["MUTABLE", "IMMUTABLE", "MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION"]
DEFAULT_HOST = "localhost:4566"


class Repository(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A repository. Written by the API; `lifecycle_evaluated_at` by `control/ecr/lifecycle.py`."""

    kind: ClassVar[str] = "repository"

    name: str
    repository_id: str
    """Ours alone: what is made again under an old name is another repository, with nothing in it."""
    created_at: float
    tag_mutability: Mutability = "MUTABLE"
    exclusions: tuple[str, ...] = ()
    """Wildcard patterns of tags that are the exception to it."""
    scan_on_push: bool = False
    encryption: dict[str, str] = {}
    tags: Tags = {}
    policy: str = ""
    lifecycle_policy: str = ""
    lifecycle_evaluated_at: float | None = None

    def names(self) -> Key:
        """By name."""
        return (self.name,)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By scope, and by id over all scopes."""
        yield "scope", self.scope
        yield "id", (self.repository_id,)

    @property
    def arn(self) -> str:
        """`arn:aws:ecr:REGION:ACCOUNT:repository/NAME`."""
        return str(Arn("ecr", self.scope, f"repository/{self.name}"))

    def is_mutable(self, tag: str) -> bool:
        """Whether a tag that exists may be moved to another image."""
        excluded = self.tag_mutability.endswith("_WITH_EXCLUSION") and any(
            wildcard_matches(pattern, tag) for pattern in self.exclusions
        )
        return self.tag_mutability.startswith("MUTABLE") != excluded


def wildcard_matches(pattern: str, tag: str) -> bool:
    """Whether a tag matches a pattern in which `*` stands for any number of characters."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), tag) is not None


class Blob(NamedTuple):
    """What a manifest names beside other manifests: a layer, or its configuration."""

    digest: str
    size_bytes: int
    media_type: str


class Image(Record, frozen=True, kw_only=True, omit_defaults=True):
    """An image, or a list of images. Written when its manifest is pushed; `pulled_at` when it is pulled."""

    kind: ClassVar[str] = "image"

    repository_id: str
    digest: str
    manifest: str
    """The manifest itself, byte by byte: its SHA-256 is the digest."""
    media_type: str
    artifact_media_type: str = ""
    blobs: tuple[Blob, ...] = ()
    """Its configuration first, if it has one, then its layers."""
    children: tuple[str, ...] = ()
    """Digests of the images that a list names."""
    subject: str = ""
    """The digest of the image that this artifact says something about (OCI 1.1)."""
    size_bytes: int = 0
    pushed_at: float
    pulled_at: float | None = None

    def names(self) -> Key:
        """By repository and digest."""
        return (self.repository_id, self.digest)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By repository; by what it names."""
        yield "repository", (self.repository_id,)
        for digest in dict.fromkeys(blob.digest for blob in self.blobs):
            yield "blob", (self.repository_id, digest)
        for digest in dict.fromkeys(self.children):
            yield "child", (self.repository_id, digest)
        if self.subject:
            yield "subject", (self.repository_id, self.subject)


class ImageTag(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A tag of an image. Written with pushes and by the API."""

    kind: ClassVar[str] = "image_tag"

    repository_id: str
    tag: str
    digest: str

    def names(self) -> Key:
        """By repository and tag."""
        return (self.repository_id, self.tag)

    def indexes(self) -> Iterator[tuple[str, Key]]:
        """By repository, and by image."""
        yield "repository", (self.repository_id,)
        yield "image", (self.repository_id, self.digest)


class PreviewedImage(NamedTuple):
    """An image that a policy would remove."""

    digest: str
    tags: tuple[str, ...]
    pushed_at: float
    rule_priority: int


class LifecyclePreview(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What a lifecycle policy would have removed when StartLifecyclePolicyPreview was last called. Written by it."""

    kind: ClassVar[str] = "lifecycle_preview"

    repository_id: str
    policy: str
    results: tuple[PreviewedImage, ...] = ()

    def names(self) -> Key:
        """One per repository."""
        return (self.repository_id,)


class RegistrySettings(Record, frozen=True, kw_only=True, omit_defaults=True):
    """The settings of an account's registry in a region. Written by the API."""

    kind: ClassVar[str] = "registry_settings"

    policy: str = ""
    scan_type: str = "BASIC"
    scan_rules: tuple[dict[str, Any], ...] = ()
    account_settings: dict[str, str] = {}

    def names(self) -> Key:
        """One per account and region."""
        return ()


class RegistryEndpoint(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Where Docker finds the registry: one, with an empty scope. Written by `main` at every start."""

    kind: ClassVar[str] = "registry_endpoint"

    host: str
    """`HOST:PORT`, which repositoryUri begins with."""

    def names(self) -> Key:
        """There is one."""
        return ("local",)


ENDPOINT_KEY: Key = ("", "", "local")

"""Names of images: which repository of which account and region a reference means, and how a repository is called.

A repository is `HOST/ACCOUNT/REGION/NAME` here: Docker reaches HOST (`localhost:4566`) without any setting. AWS's own
names, `ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME`, mean the same repositories. See `docs/decisions/0017-registry.md`.
"""

import re
from typing import NamedTuple

from longshore.domain.ecr.repository import Repository
from longshore.domain.record import Scope

AWS_HOST = re.compile(r"([0-9]{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)")
"""The host of a registry on AWS: account and region."""
LOCAL_AWS_HOST = re.compile(r"([0-9]{12})\.dkr\.ecr\.([a-z0-9-]+)\.localhost(?:\.localstack\.cloud)?")
SCOPED_PATH = re.compile(r"([0-9]{12})/([a-z0-9]+(?:-[a-z0-9]+)*)/(.+)")
NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*(?:/[a-z0-9]+(?:[._-][a-z0-9]+)*)*")
TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")


class ImageName(NamedTuple):
    """An image of a repository."""

    scope: Scope
    repository: str
    reference: str
    """A tag, or a digest."""


def repository_uri(repository: Repository, host: str) -> str:
    """What Docker calls a repository."""
    return f"{host}/{repository.account}/{repository.region}/{repository.name}"


def scope_of_host(host: str) -> Scope | None:
    """The account and region that a host's name says, with or without a port."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    found = AWS_HOST.fullmatch(name.lower()) or LOCAL_AWS_HOST.fullmatch(name.lower())
    return Scope(found[1], found[2]) if found else None


def scoped_name(path: str, default: Scope) -> tuple[Scope, str]:
    """The account, region and name of a repository by its path on a host that says neither.

    `123456789012/us-east-1/app` and, in the default account and region, `app`.
    """
    found = SCOPED_PATH.fullmatch(path)
    return (Scope(found[1], found[2]), found[3]) if found else (default, path)


def image_name(image: str, own_host: str, default: Scope) -> ImageName | None:
    """What a task definition's image means, if its host is a registry's on AWS, or ours."""
    host, slash, path = image.partition("/")
    of_host = scope_of_host(host)
    if not slash or (of_host is None and host not in {own_host, own_host.replace("localhost", "127.0.0.1", 1)}):
        return None
    name, at, digest = path.partition("@")
    head, colon, tag = name.rpartition(":")
    if colon:
        name = head
    scope, name = (of_host, name) if of_host else scoped_name(name, default)
    return ImageName(scope, name, digest if at else (tag if colon else "latest"))

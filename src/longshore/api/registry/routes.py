"""What a path of the registry's protocol asks for. Pure."""

import re
from typing import NamedTuple

_TAIL = re.compile(
    r"(?P<name>.+?)/(?:(?P<tags>tags/list)|manifests/(?P<manifest>[^/]+)|blobs/uploads(?:/(?P<upload>[^/]*))?"
    r"|blobs/(?P<blob>[^/]+)|referrers/(?P<referrers>[^/]+))"
)


class Route(NamedTuple):
    """What is asked for, of which repository, and of which thing in it."""

    kind: str
    """`version`, `catalog`, `tags`, `manifest`, `blob`, `uploads` (a new one), `upload`, `referrers`."""
    name: str = ""
    """The repository, as the client's path calls it."""
    item: str = ""
    """A tag or digest, or the name of an upload."""


def route(path: str) -> Route | None:
    """The route of a path that begins with `/v2`; None for none."""
    rest = path.removeprefix("/v2").removeprefix("/")
    if not rest:
        return Route("version")
    if rest == "_catalog":
        return Route("catalog")
    found = _TAIL.fullmatch(rest)
    if found is None:
        return None
    kind, item = next(((kind, item) for kind, item in found.groupdict().items() if kind != "name" and item), ("", ""))
    if not kind:
        return Route("uploads", found["name"])
    return Route(kind, found["name"], item)

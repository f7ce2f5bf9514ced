"""Buckets in host names: `bucket.s3.localhost` and `bucket.localhost` stand for a path that begins with the bucket.

For requests to an object store at this machine; called by whoever checks them or hands them on.
"""

import re

from longshore.wire.http import HttpRequest

_HOST = re.compile(
    r"(?P<bucket>.+?)(?:\.s3(?:[.-][a-z0-9-]+)?)?\.localhost(?:\.localstack\.cloud)?(?::\d+)?", re.IGNORECASE
)
_OWN = re.compile(r"s3(?:[.-][a-z0-9-]+)?", re.IGNORECASE)
"""What is no bucket but the store itself, with its region perhaps."""


def bucket_in(host: str) -> str:
    """The bucket that a host name holds; empty if it holds none."""
    found = _HOST.fullmatch(host)
    bucket = found["bucket"] if found else ""
    return "" if _OWN.fullmatch(bucket) else bucket


def with_bucket_in_path(request: HttpRequest) -> HttpRequest:
    """The same request with its bucket in its path."""
    bucket = bucket_in(request.headers.get("host", ""))
    return request._replace(path=f"/{bucket}{request.path}") if bucket else request

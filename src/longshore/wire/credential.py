"""The SigV4 credential scope of a request: who signed it, for which day, region and service.

Reading it needs no secret and proves nothing: `sigv4` verifies.
"""

from typing import NamedTuple
from urllib.parse import parse_qsl

from longshore.wire.http import HttpRequest


class CredentialScope(NamedTuple):
    """AKID/20260131/us-east-1/ecs/aws4_request, taken apart."""

    access_key: str
    date: str
    region: str
    service: str


def scope_of(request: HttpRequest) -> CredentialScope | None:
    """Read the scope from the Authorization header or from X-Amz-Credential; None if unsigned or unreadable."""
    header = request.headers.get("authorization", "")
    if header.startswith("AWS4-HMAC-SHA256"):
        _, found, rest = header.partition("Credential=")
        return split_scope(rest.split(",", 1)[0].split(" ", 1)[0]) if found else None
    if "X-Amz-Credential=" in request.query:
        for name, value in parse_qsl(request.query, errors="replace"):
            if name == "X-Amz-Credential":
                return split_scope(value)
    return None


def split_scope(text: str) -> CredentialScope | None:
    """Take a credential apart; an access key may itself hold slashes."""
    parts = text.strip().rsplit("/", 4)
    if len(parts) != 5 or parts[4] != "aws4_request" or not all(parts):
        return None
    return CredentialScope(parts[0], parts[1], parts[2], parts[3])

"""Who may speak: signatures where they are checked, and what a browser may do where they are not.

A listener on loopback trusts whoever can reach it, as tools for development do; but a web page in a browser on the
same machine can reach it too. So a request must name a host that is ours, and may not come from another origin's page.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from longshore.api.credentials import Credentials, Principal
from longshore.wire.credential import CredentialScope
from longshore.wire.errors import ApiError
from longshore.wire.http import HttpRequest
from longshore.wire.sigv4 import verify

LOCAL_NAMES = frozenset({"localhost", "host.docker.internal", "longshore"})
LOCAL_SUFFIXES = (".localhost", ".localhost.localstack.cloud")


@dataclass(frozen=True, slots=True)
class Listener:
    """One address that is served, and what it asks of callers."""

    name: str
    signatures: bool
    """Whether every request must be signed with a key pair of ours."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, from where in AWS's geography."""

    account: str
    region: str
    principal_arn: str


class ListenRefused(Exception):  # noqa: N818  reads as what happened
    """An address must not be listened on as it was asked; says what to do."""


def check_listen(address: str, *, auth: bool) -> None:
    """Refuse to listen beyond loopback without authentication."""
    loopback = address == "localhost" or (_is_ip(address) and ipaddress.ip_address(address).is_loopback)
    if not loopback and not auth:
        raise ListenRefused(
            f"Longshore would answer anybody who can reach {address}. Add --auth, so that requests must be signed "
            "(`longshore keys` prints the key pair), or listen on 127.0.0.1."
        )


class Gate:
    """Decides for each request who is calling, or refuses it."""

    def __init__(self, credentials: Credentials, account: str, region: str) -> None:
        self._credentials = credentials
        self._account = account
        self._region = region

    def caller(
        self, request: HttpRequest, scope: CredentialScope | None, listener: Listener, protocol: str, now: float
    ) -> Caller:
        """Who calls. Raises ApiError where a signature is asked for and not good, or a browser is not to be trusted.

        `protocol` chooses the error codes that its clients know.
        """
        region = scope.region if scope is not None else self._region
        if listener.signatures:
            principal = self._verified(request, protocol, now)
            return Caller(principal.account, region, principal.arn)
        refuse_strangers(request.headers)
        account = self._account
        if scope is not None and len(scope.access_key) == 12 and scope.access_key.isdigit():
            account = scope.access_key  # a habit of test suites: the access key names the account
        return Caller(account, region, f"arn:aws:iam::{account}:root")

    def _verified(self, request: HttpRequest, protocol: str, now: float) -> Principal:
        verified = verify(request, self._credentials.secret_for, now, protocol=protocol)
        return self._credentials.principal(verified.scope.access_key, verified.session_token, now)


def refuse_strangers(headers: Mapping[str, str]) -> None:
    """Refuse a request whose Host is not ours (DNS rebinding) or that a page of another origin sent."""
    host = headers.get("host", "localhost")
    if not is_local(host):
        raise ApiError(
            "AccessDeniedException",
            f"The host name {host!r} is not one of Longshore's. Use localhost, *.localhost or an IP address, or "
            "start Longshore with --auth and sign your requests.",
            status=403,
        )
    origin = headers.get("origin")
    if origin and origin != "null" and not is_local(origin.partition("://")[2]):
        raise ApiError(
            "AccessDeniedException",
            f"Requests from web pages of {origin} are refused. Start Longshore with --auth and sign them.",
            status=403,
        )


def is_local(host: str) -> bool:
    """Whether a Host header (with or without a port) names this machine."""
    name = host.partition("]")[0].lstrip("[") if host.startswith("[") else host.rpartition(":")[0] or host
    if not name.isascii():
        return False
    name = name.lower()
    return name in LOCAL_NAMES or name.endswith(LOCAL_SUFFIXES) or _is_ip(name)


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True

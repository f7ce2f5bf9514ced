"""Who may speak: signatures where they are checked, and what a browser may do where they are not.

A listener on loopback trusts whoever can reach it, as tools for development do; but a web page in a browser on the
same machine can reach it too. So a request must name a host that is ours, and may not come from another site's page.
See `docs/security.md`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from longshore.api.callers.credentials import Credentials, Principal, TokenRefused
from longshore.domain.ec2.network import parsed_address
from longshore.wire.aws_chunked import ChunkKey
from longshore.wire.credential import CredentialScope, scope_of
from longshore.wire.errors import ApiError
from longshore.wire.http import HttpRequest
from longshore.wire.sigv4 import Verified, chunk_key, verify

LOCAL_NAMES = frozenset({"localhost", "host.docker.internal", "longshore"})
LOCAL_SUFFIXES = (".localhost", ".localhost.localstack.cloud")
SKEW_S, OBJECT_SKEW_S = 300.0, 900.0
"""How far a client's clock may be off; object stores allow more."""
REGION = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
REGION_LENGTH = 32
ACCOUNT = re.compile(r"[0-9]{12}")

# (code, status) of a bad session token, by what its clients know: JSON, REST-JSON and CBOR; Query and XML; EC2.
_TOKEN_CODES = {
    "json": {"invalid": ("UnrecognizedClientException", 400), "expired": ("ExpiredTokenException", 400)},
    "query": {"invalid": ("InvalidClientTokenId", 403), "expired": ("ExpiredToken", 403)},
    "ec2": {"invalid": ("AuthFailure", 401), "expired": ("RequestExpired", 400)},
}
_TOKEN_FAMILIES = {"query": "query", "rest-xml": "query", "ec2": "ec2"}
_TOKEN_TEXTS = {
    "invalid": "The security token included in the request is invalid.",
    "expired": "The security token included in the request is expired. Ask the credentials endpoint again.",
}


@dataclass(frozen=True, slots=True)
class Listener:
    """One address that is served, and what it asks of callers."""

    name: str
    signatures: bool
    """Whether every request must be signed with a key pair of ours."""
    local: bool = False
    """Whether what is sent to it never leaves this machine."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, from where."""

    principal: Principal
    region: str
    source_ip: str = ""
    secure: bool = False
    """Whether nobody could overhear the request."""
    access_key_id: str = ""
    """The key that it is signed, or said to be signed, with."""

    @property
    def account(self) -> str:
        """The account that the caller acts in."""
        return self.principal.account

    @property
    def principal_arn(self) -> str:
        """The caller's ARN."""
        return self.principal.arn


class ListenRefused(Exception):  # noqa: N818  reads as what happened
    """An address must not be listened on as it was asked; says what to do."""


def check_listen(address: str, *, auth: bool) -> None:
    """Refuse to listen beyond loopback without authentication."""
    if not is_loopback(address) and not auth:
        raise ListenRefused(
            f"Longshore would answer anybody who can reach {address}. Add --auth, so that requests must be signed "
            "(`longshore keys` prints the key pair), or listen on 127.0.0.1."
        )


def is_loopback(address: str) -> bool:
    """Whether an address that is listened on can be reached from this machine alone."""
    parsed = parsed_address(address)
    return address == "localhost" or (parsed is not None and parsed.is_loopback)


class Users(Protocol):
    """Where users' key pairs are looked up."""

    def secret_for(self, access_key_id: str) -> str | None:
        """The secret of an active key; None for all others."""
        ...

    def principal(self, access_key_id: str) -> Principal | None:
        """The user of an active key."""
        ...


class Gate:
    """Decides for each request who is calling, or refuses it."""

    def __init__(self, credentials: Credentials, users: Users, account: str, region: str) -> None:
        self._credentials = credentials
        self._users = users
        self._account = account
        self._region = region

    def caller(
        self,
        request: HttpRequest,
        scope: CredentialScope | None,
        listener: Listener,
        protocol: str,
        now: float,
        *,
        plain_path: bool = False,
        payload: str | None = None,
    ) -> Caller:
        """Who calls. Raises ApiError where a signature is asked for and not good, or a browser is not to be trusted.

        `protocol` chooses the error codes that its clients know; `plain_path` and `payload` are `sigv4.verify`'s.
        """
        if listener.signatures:
            skew_s = OBJECT_SKEW_S if plain_path else SKEW_S
            verified = verify(
                request,
                self._secret_for,
                now,
                protocol=protocol,
                plain_path=plain_path,
                skew_s=skew_s,
                payload=payload,
            )
            principal, scope = self._known(verified, protocol, now), verified.scope
        else:
            refuse_strangers(request.headers)
            principal = self._said(request, scope, now)
        region = self._region if scope is None else _checked_region(scope)
        return Caller(principal, region, request.client, listener.local, scope.access_key if scope else "")

    def chunk_key(self, request: HttpRequest) -> ChunkKey | None:
        """What the chunks of a body are signed with, for a request whose head was found good."""
        scope = scope_of(request)
        secret = self._secret_for(scope.access_key) if scope else None
        return chunk_key(request, secret) if secret else None

    def _said(self, request: HttpRequest, scope: CredentialScope | None, now: float) -> Principal:
        """Who a caller says it is, where it is trusted: whoever has that key pair, else an account's root."""
        account = self._account
        if scope is not None:
            key, token = scope.access_key, request.headers.get("x-amz-security-token", "")
            named = self._credentials.claimed(key, token, now) or self._users.principal(key)
            if named is not None:
                return named
            if ACCOUNT.fullmatch(key):
                account = key  # a habit of test suites: the access key names the account
        return root_of(account)

    def _known(self, verified: Verified, protocol: str, now: float) -> Principal:
        key = verified.scope.access_key
        try:
            named = None if verified.session_token else self._users.principal(key)
            return named or self._credentials.principal(key, verified.session_token, now)
        except TokenRefused as refused:
            raise bad_token(refused.kind, protocol) from None

    def _secret_for(self, access_key_id: str) -> str | None:
        return self._credentials.secret_for(access_key_id) or self._users.secret_for(access_key_id)


def root_of(account: str) -> Principal:
    """An account's root."""
    return Principal(f"arn:aws:iam::{account}:root", account)


def bad_token(kind: Literal["invalid", "expired"], protocol: str) -> ApiError:
    """The error for credentials that are not good, or not any more."""
    code, status = _TOKEN_CODES[_TOKEN_FAMILIES.get(protocol, "json")][kind]
    return ApiError(code, _TOKEN_TEXTS[kind], status=status)


def _checked_region(scope: CredentialScope) -> str:
    """The region of a credential scope. Raises ApiError where it can't be one."""
    if len(scope.region) > REGION_LENGTH or not REGION.fullmatch(scope.region):
        raise ApiError(
            "InvalidSignatureException",
            f"Credential should be scoped to a valid region, not {scope.region[:REGION_LENGTH]!r}: "
            "small letters, digits and hyphens, such as us-east-1.",
            status=400,
        )
    return scope.region


def refuse_strangers(headers: Mapping[str, str]) -> None:
    """Refuse a request whose Host is not ours (DNS rebinding) or that a page of another site made a browser send.

    Pages of this machine's own servers (`http://localhost:3000`) may send what needs no preflight; answers carry no
    CORS headers, so that no page reads them.
    """
    host = headers.get("host", "localhost")
    if not is_local(host):
        raise ApiError(
            "AccessDeniedException",
            f"The host name {host[:255]!r} is not one of Longshore's. Use localhost, *.localhost or an IP address, or "
            "start Longshore with --auth and sign your requests.",
            status=403,
        )
    origin = headers.get("origin")
    if origin is not None and not _is_local_origin(origin):
        raise _foreign(f"of {origin[:255]}" if origin != "null" else "without an origin")
    if headers.get("sec-fetch-site") == "cross-site":  # an image or a link: these have no Origin
        raise _foreign("of other sites")


def _foreign(whose: str) -> ApiError:
    text = f"Requests from web pages {whose} are refused. Start Longshore with --auth and sign them."
    return ApiError("AccessDeniedException", text, status=403)


def is_local(host: str) -> bool:
    """Whether a Host header (with or without a port) names this machine: a name of ours, or any IP address.

    An address cannot be rebound as a name can, so it proves that the client meant this machine. `data-` before it is
    what SDKs make of the endpoint for DiscoverInstances; nobody can own such a name of any of these.
    """
    name = _name_of(host).removeprefix("data-")
    return name in LOCAL_NAMES or name.endswith(LOCAL_SUFFIXES) or parsed_address(name) is not None


def _is_local_origin(origin: str) -> bool:
    """Whether a page was served by this machine: unlike a Host, an IP address must be a loopback one."""
    name = _name_of(origin.partition("://")[2])
    address = parsed_address(name)
    return name == "localhost" or name.endswith(".localhost") or (address is not None and address.is_loopback)


def _name_of(host: str) -> str:
    """A host without its port and brackets, in small letters."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isascii() and port.isdigit() else host).lower()

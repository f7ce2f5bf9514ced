"""Checks Signature Version 4: in the Authorization header, or presigned in the query string.

Pure: the clock and the secrets are arguments. The request chain calls `verify` when authentication is on.
See "Create a signed AWS API request" in the IAM user guide for the algorithm.
"""

import functools
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple, NoReturn
from urllib.parse import quote, unquote_to_bytes

from longshore.wire.aws_chunked import ChunkKey
from longshore.wire.credential import CredentialScope, split_scope
from longshore.wire.errors import ApiError
from longshore.wire.http import HttpRequest

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
MAX_PRESIGNED_S = 7 * 24 * 3600
_BLANKS = re.compile(r" +")
_HEX = re.compile(r"[0-9a-f]{64}")
_STAMP = re.compile(r"\d{8}T\d{6}Z", re.ASCII)

# (code, status) of each failure, by what reads it: JSON, REST-JSON and CBOR; Query; EC2; REST-XML; an object store.
_CODES: Mapping[str, Mapping[str, tuple[str, int]]] = {
    "json": {
        "missing": ("MissingAuthenticationTokenException", 400),
        "incomplete": ("IncompleteSignatureException", 400),
        "mismatch": ("InvalidSignatureException", 400),
        "skewed": ("InvalidSignatureException", 400),
        "expired": ("InvalidSignatureException", 400),
        "key": ("UnrecognizedClientException", 400),
    },
    "query": {
        "missing": ("MissingAuthenticationToken", 403),
        "incomplete": ("IncompleteSignature", 400),
        "mismatch": ("SignatureDoesNotMatch", 403),
        "skewed": ("SignatureDoesNotMatch", 403),
        "expired": ("RequestExpired", 400),
        "key": ("InvalidClientTokenId", 403),
    },
    "ec2": {
        "missing": ("MissingAuthenticationToken", 403),
        "incomplete": ("IncompleteSignature", 400),
        "mismatch": ("AuthFailure", 401),
        "skewed": ("RequestExpired", 400),
        "expired": ("RequestExpired", 400),
        "key": ("AuthFailure", 401),
    },
    "object": {
        "missing": ("AccessDenied", 403),
        "incomplete": ("AuthorizationHeaderMalformed", 400),
        "mismatch": ("SignatureDoesNotMatch", 403),
        "skewed": ("RequestTimeTooSkewed", 403),
        "expired": ("AccessDenied", 403),
        "key": ("InvalidAccessKeyId", 403),
    },
}
_FAMILIES = {"query": "query", "ec2": "ec2", "rest-xml": "query"}


class Verified(NamedTuple):
    """Who signed a request. The session token is for the caller to check: its signature is good."""

    scope: CredentialScope
    session_token: str | None
    presigned: bool


class _Claim(NamedTuple):
    """What a request says of its signature."""

    scope: CredentialScope
    stamp: str
    signed: tuple[str, ...]
    signature: str
    token: str | None
    expires_s: int | None  # of a presigned request


class _RefusalError(Exception):
    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


def _refuse(kind: str, text: str) -> NoReturn:
    raise _RefusalError(kind, text)


def verify(
    request: HttpRequest,
    secret_for: Callable[[str], str | None],
    now: float,
    *,
    protocol: str = "json",
    host_header: str | None = None,
    plain_path: bool = False,
    skew_s: float = 300,
    payload: str | None = None,
) -> Verified:
    """Check a request's signature and return who signed it; raise ApiError with the protocol's code.

    `secret_for` maps an access key to its secret, or None. `host_header` replaces the Host header where a proxy changed
    it. `plain_path` says that the path is signed as it stands, and presigned bodies are not signed (S3 signs so; it
    also allows 900 s of skew). `payload` is the body's hash, in hexadecimal, where the body itself is not at hand; what
    X-Amz-Content-Sha256 says of it is then for the caller to hold against the body.
    """
    try:
        claim = _presigned(request) if _is_presigned(request) else _from_header(request)
        _check_time(claim, now, skew_s)
        secret = secret_for(claim.scope.access_key)
        if secret is None:
            _refuse("key", "The security token included in the request is invalid.")
        _check_signed_headers(request, claim)
        payloads = _payload_hashes(request, claim, plain_path=plain_path) if payload is None else [payload]
        if not _matches(request, claim, secret, host_header, payloads, plain_path=plain_path):
            _refuse(
                "mismatch",
                "The request signature we calculated does not match the signature you provided. "
                "Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
            )
    except _RefusalError as refusal:
        family = "object" if plain_path else _FAMILIES.get(protocol, "json")
        code, status = _CODES[family][refusal.kind]
        if protocol in ("rest-json", "smithy-rpc-v2-cbor") and not plain_path:
            status = 403
        raise ApiError(code, str(refusal), status=status) from None
    return Verified(claim.scope, claim.token, claim.expires_s is not None)


def chunk_key(request: HttpRequest, secret: str) -> ChunkKey:
    """What the signatures of a body's chunks are made with, for a request whose head was verified."""
    claim = _from_header(request)
    scope = claim.scope
    key = _signing_key(secret, scope.date, scope.region, scope.service)
    return ChunkKey(key, claim.stamp, f"{scope.date}/{scope.region}/{scope.service}/aws4_request", claim.signature)


def _is_presigned(request: HttpRequest) -> bool:
    return "authorization" not in request.headers and "X-Amz-Signature=" in request.query


def _from_header(request: HttpRequest) -> _Claim:
    header = request.headers.get("authorization")
    if not header:
        _refuse("missing", "Request is missing Authentication Token")
    algorithm, _, rest = header.strip().partition(" ")
    if algorithm != ALGORITHM:
        _refuse("incomplete", f"Unsupported signing algorithm {algorithm[:64]!r}: sign with {ALGORITHM}.")
    pairs = [part.strip().partition("=") for part in rest.split(",")]
    fields = {name: value for name, _, value in pairs}
    if len(fields) != len(pairs):
        _refuse("incomplete", "A parameter of the Authorization header is given twice.")
    for name in ("Credential", "SignedHeaders", "Signature"):
        if not fields.get(name):
            _refuse("incomplete", f"Authorization header requires '{name}' parameter.")
    stamp = request.headers.get("x-amz-date") or _http_date(request.headers.get("date"))
    token = request.headers.get("x-amz-security-token")
    return _claim(fields["Credential"], stamp, fields["SignedHeaders"], fields["Signature"], token, None)


def _presigned(request: HttpRequest) -> _Claim:
    fields: dict[str, str] = {}
    for raw_name, raw_value in _query_pairs(request.query):
        key = raw_name.decode("utf-8", "replace")
        if key.startswith("X-Amz-") and key in fields:
            _refuse("incomplete", f"The parameter {key[:64]} is given twice.")
        fields[key] = raw_value.decode("utf-8", "replace")
    if fields.get("X-Amz-Algorithm") != ALGORITHM:
        _refuse("incomplete", f"X-Amz-Algorithm must be {ALGORITHM}.")
    for name in ("X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Signature"):
        if not fields.get(name):
            _refuse("incomplete", f"The query string requires the parameter {name}.")
    expires = fields.get("X-Amz-Expires", "900")
    if not re.fullmatch(r"\d{1,7}", expires, re.ASCII) or not 0 < int(expires) <= MAX_PRESIGNED_S:
        _refuse("incomplete", f"X-Amz-Expires must be a number of seconds from 1 to {MAX_PRESIGNED_S}.")
    return _claim(
        fields["X-Amz-Credential"],
        fields["X-Amz-Date"],
        fields["X-Amz-SignedHeaders"],
        fields["X-Amz-Signature"],
        fields.get("X-Amz-Security-Token"),
        int(expires),
    )


def _claim(
    credential: str, stamp: str | None, signed: str, signature: str, token: str | None, expires_s: int | None
) -> _Claim:
    scope = split_scope(credential)
    if scope is None:
        _refuse(
            "incomplete",
            "Credential must have exactly 5 slash-delimited elements: KEY/DATE/REGION/SERVICE/aws4_request.",
        )
    if not stamp or not _STAMP.fullmatch(stamp):
        _refuse("incomplete", "The request needs a date, like X-Amz-Date: 20260131T120000Z.")
    if scope.date != stamp[:8]:
        text = "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP"
        _refuse("mismatch", f"{text}: '{scope.date[:16]}' != '{stamp[:8]}'.")
    if not _HEX.fullmatch(signature):
        _refuse("mismatch", "The signature must be 64 hexadecimal digits.")
    names = tuple(sorted(name.lower() for name in signed.split(";") if name))
    return _Claim(scope, stamp, names, signature, token, expires_s)


def _http_date(text: str | None) -> str | None:
    """Return a Date header as a stamp."""
    if not text:
        return None
    if _STAMP.fullmatch(text):
        return text
    try:
        moment = parsedate_to_datetime(text)
        return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    except (ValueError, TypeError, OverflowError):
        return None


def _check_time(claim: _Claim, now: float, skew_s: float) -> None:
    signed_at = _moment(claim.stamp)
    if signed_at is None:
        _refuse("incomplete", "The request's date is no date.")
    if signed_at > now + skew_s:
        text = f"{claim.stamp} is still later than {_stamp(now)} (plus {skew_s:.0f} s)."
        _refuse("skewed", f"Signature not yet current: {text}")
    if claim.expires_s is not None:
        if now > signed_at + claim.expires_s:
            _refuse("expired", f"Request has expired: it was signed at {claim.stamp} for {claim.expires_s} seconds.")
    elif signed_at < now - skew_s:
        text = f"{claim.stamp} is now earlier than {_stamp(now)} (minus {skew_s:.0f} s)."
        _refuse("skewed", f"Signature expired: {text}")


@functools.lru_cache(maxsize=256)
def _moment(stamp: str) -> float | None:
    """Seconds since 1970; None for what is no date. Remembered: those who sign within a second sign the same one."""
    try:
        return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def _stamp(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y%m%dT%H%M%SZ}"


def _check_signed_headers(request: HttpRequest, claim: _Claim) -> None:
    """Demand that what decides about the request is under the signature."""
    needed = ["host"]
    if claim.expires_s is None:
        needed.append("x-amz-date" if "x-amz-date" in request.headers else "date")
    needed += [name for name in ("x-amz-target", "x-amz-security-token") if name in request.headers]
    for name in needed:
        if name not in claim.signed:
            _refuse("mismatch", f"'{name}' must be a 'SignedHeader' in the request's signature.")


def _matches(
    request: HttpRequest,
    claim: _Claim,
    secret: str,
    host_header: str | None,
    payloads: list[str],
    *,
    plain_path: bool,
) -> bool:
    scope = claim.scope
    key = _signing_key(secret, scope.date, scope.region, scope.service)
    good = False
    for payload in payloads:
        canonical = _canonical(request, claim, host_header, payload, plain_path=plain_path)
        digest = hashlib.sha256(canonical).hexdigest()
        text = f"{ALGORITHM}\n{claim.stamp}\n{scope.date}/{scope.region}/{scope.service}/aws4_request\n{digest}"
        expected = hmac.new(key, text.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()
        good |= hmac.compare_digest(expected, claim.signature)
    return good


@functools.lru_cache(maxsize=1024)
def _signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    key = ("AWS4" + secret).encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.new(key, part.encode("utf-8", "surrogateescape"), hashlib.sha256).digest()
    return key


def _payload_hashes(request: HttpRequest, claim: _Claim, *, plain_path: bool) -> list[str]:
    """Return the payload hashes under which a signature may stand."""
    actual = hashlib.sha256(request.body).hexdigest()
    stated = request.headers.get("x-amz-content-sha256")
    if stated is None:
        return [actual, UNSIGNED] if claim.expires_s is not None and plain_path else [actual]
    if stated == UNSIGNED:
        return [UNSIGNED]
    if stated.startswith("STREAMING-"):
        _refuse("mismatch", "Signed chunks are not supported: send the payload in one piece.")
    if not hmac.compare_digest(stated.encode("utf-8", "surrogateescape"), actual.encode()):
        _refuse("mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")
    return [actual]


def _canonical(
    request: HttpRequest, claim: _Claim, host_header: str | None, payload: str, *, plain_path: bool
) -> bytes:
    lines = []
    for name in claim.signed:
        value = host_header if name == "host" and host_header is not None else request.headers.get(name, "")
        lines.append(f"{name}:{_BLANKS.sub(' ', value.strip())}")
    parts = [
        request.method,
        canonical_path(request.path, plain=plain_path),
        canonical_query(request.query),
        *lines,
        "",
        ";".join(claim.signed),
        payload,
    ]
    return "\n".join(parts).encode("utf-8", "surrogateescape")


def canonical_path(raw: str, *, plain: bool) -> str:
    """Return the path as it is signed: as it stands, or without dot segments and encoded once more."""
    if plain:
        return quote(unquote_to_bytes(raw), safe="/-_.~") or "/"
    kept: list[str] = []
    for part in raw.split("/"):
        if part == "..":
            if kept:
                kept.pop()
        elif part not in (".", ""):
            kept.append(part)
    path = "/" + "/".join(kept) + ("/" if kept and raw.endswith("/") else "")
    return quote(path, safe="/-_.~")


def canonical_query(raw: str) -> str:
    """Return the query as it is signed: sorted, and without the signature."""
    pairs = [
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in _query_pairs(raw)
        if name != b"X-Amz-Signature"
    ]
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _query_pairs(raw: str) -> list[tuple[bytes, bytes]]:
    pairs = []
    for part in raw.split("&"):
        if part:
            name, _, value = part.partition("=")
            pairs.append((unquote_to_bytes(name.replace("+", " ")), unquote_to_bytes(value.replace("+", " "))))
    return pairs

"""Signature checks against what botocore's own signers make."""

from __future__ import annotations

import calendar
import time
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from longshore.wire.errors import ApiError
from longshore.wire.http import HttpRequest
from longshore.wire.sigv4 import verify

KEYS = {"AKIDEXAMPLE": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}


def signed(
    auth: Any = SigV4Auth,
    *,
    method: str = "POST",
    url: str = "http://127.0.0.1:4566/",
    body: bytes = b"{}",
    headers: dict[str, str] | None = None,
    token: str | None = None,
    service: str = "ecs",
    **options: Any,
) -> tuple[HttpRequest, float]:
    credentials = Credentials("AKIDEXAMPLE", KEYS["AKIDEXAMPLE"], token)
    request = AWSRequest(method=method, url=url, data=body, headers=headers or {})
    auth(credentials, service, "eu-west-1", **options).add_auth(request)
    prepared = request.prepare()
    parts = urlsplit(prepared.url)
    plain = {
        name.lower(): value.decode() if isinstance(value, bytes) else str(value)
        for name, value in prepared.headers.items()
    }
    plain.setdefault("host", parts.netloc)
    stamp = plain.get("x-amz-date") or dict(p.split("=") for p in parts.query.split("&") if "=" in p)["X-Amz-Date"]
    now = float(calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ")))
    return HttpRequest(prepared.method, parts.path or "/", parts.query, plain, body), now


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("POST", "http://127.0.0.1:4566/", b"{}"),
        ("POST", "http://127.0.0.1:4566/", b""),
        ("GET", "http://127.0.0.1:4566/clusters/a%20b%2Fc/x?b=2&a=1&a=0&c=%2F%20x&d", b""),
        ("GET", "http://127.0.0.1:4566//a/./b/../c//d/", b""),
        ("GET", "http://127.0.0.1:4566/%E2%82%AC?%E2%82%AC=%C3%A9&x=~", b""),
    ],
)
def test_header_signature_of_botocore_is_accepted(method: str, url: str, body: bytes) -> None:
    request, now = signed(method=method, url=url, body=body, headers={"X-Amz-Target": "a.B", "X-Odd": " a   b "})
    verified = verify(request, KEYS.get, now)
    assert verified.scope == ("AKIDEXAMPLE", request.headers["x-amz-date"][:8], "eu-west-1", "ecs")
    assert (verified.session_token, verified.presigned) == (None, False)


def test_session_token_is_passed_through() -> None:
    request, now = signed(token="t" * 40)  # no secret
    assert verify(request, KEYS.get, now).session_token == "t" * 40


def test_presigned_request_is_accepted_until_it_expires() -> None:
    request, now = signed(SigV4QueryAuth, method="GET", body=b"", url="http://h/?Action=GetCallerIdentity", expires=60)
    assert verify(request, KEYS.get, now + 60, protocol="query").presigned
    with pytest.raises(ApiError) as caught:
        verify(request, KEYS.get, now + 61, protocol="query")
    assert caught.value.code == "RequestExpired"


def test_object_store_signs_paths_as_they_stand() -> None:
    url = "http://h/bucket/a%20b//c/../d%2Be"
    request, now = signed(S3SigV4Auth, method="PUT", url=url, body=b"data", service="s3")
    assert verify(request, KEYS.get, now, plain_path=True).scope.service == "s3"
    request, now = signed(S3SigV4QueryAuth, method="PUT", url=url, body=b"", service="s3", expires=60)
    assert verify(request._replace(body=b"other"), KEYS.get, now, plain_path=True).presigned


def test_unsigned_payload_is_accepted_when_stated() -> None:
    request, now = signed(headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"})
    verify(request._replace(body=b"anything"), KEYS.get, now)


def test_host_behind_a_proxy_may_be_given() -> None:
    request, now = signed(url="http://public.example/")
    changed = request._replace(headers={**request.headers, "host": "10.0.0.1:4566"})
    verify(changed, KEYS.get, now, host_header="public.example")
    with pytest.raises(ApiError):
        verify(changed, KEYS.get, now)


@pytest.mark.parametrize(
    ("change", "json_code", "query_code", "ec2_code"),
    [
        ("body", "InvalidSignatureException", "SignatureDoesNotMatch", "AuthFailure"),
        ("path", "InvalidSignatureException", "SignatureDoesNotMatch", "AuthFailure"),
        ("query", "InvalidSignatureException", "SignatureDoesNotMatch", "AuthFailure"),
        ("target", "InvalidSignatureException", "SignatureDoesNotMatch", "AuthFailure"),
        ("key", "UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure"),
        ("none", "MissingAuthenticationTokenException", "MissingAuthenticationToken", "MissingAuthenticationToken"),
        ("part", "IncompleteSignatureException", "IncompleteSignature", "IncompleteSignature"),
        ("algorithm", "IncompleteSignatureException", "IncompleteSignature", "IncompleteSignature"),
        ("late", "InvalidSignatureException", "SignatureDoesNotMatch", "RequestExpired"),
        ("early", "InvalidSignatureException", "SignatureDoesNotMatch", "RequestExpired"),
    ],
)
def test_bad_signatures_are_refused_with_the_codes_of_the_protocol(
    change: str, json_code: str, query_code: str, ec2_code: str
) -> None:
    request, now = signed()
    headers = dict(request.headers)
    if change == "body":
        request = request._replace(body=b"{ }")
    elif change == "path":
        request = request._replace(path="/other")
    elif change == "query":
        request = request._replace(query="a=b")
    elif change == "target":
        headers["x-amz-target"] = "a.Sneaked"
    elif change == "key":
        headers["authorization"] = headers["authorization"].replace("AKIDEXAMPLE", "AKIDOTHER")
    elif change == "none":
        del headers["authorization"]
    elif change == "part":
        headers["authorization"] = headers["authorization"].replace("SignedHeaders=", "Nope=")
    elif change == "algorithm":
        headers["authorization"] = headers["authorization"].replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256")
    now += {"late": 301, "early": -301}.get(change, 0)
    for protocol, code in (("json", json_code), ("query", query_code), ("ec2", ec2_code)):
        with pytest.raises(ApiError) as caught:
            verify(request._replace(headers=headers), KEYS.get, now, protocol=protocol)
        assert caught.value.code == code
        assert caught.value.status in (400, 401, 403)

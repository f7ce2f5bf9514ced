"""Makes a request that was meant for this host into one that AWS takes: its host, its signature, its plain body.

The credentials are those that botocore finds in Longshore's own environment (variables, profile, instance role).
Called by `forward.py`, in a thread: credentials may have to be fetched, and a body is read to be unpacked.
"""

import re
import tempfile
from typing import Any, BinaryIO, cast
from urllib.parse import parse_qsl, quote, urlsplit

import botocore.session
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config

from longshore.drivers.ports import PassedRequest, ProviderRefused
from longshore.wire.aws_chunked import is_chunked, unpack
from longshore.wire.virtual_host import bucket_in

OBJECTS = frozenset({"s3", "s3express", "s3-outposts", "s3-object-lambda"})
"""Signing names of the services whose paths are signed as they stand."""
MEMORY_BYTES = 8 * 1024 * 1024
NO_CREDENTIALS = (
    "To forward to AWS, requests are signed anew, and no AWS credentials were found for that: set AWS_ACCESS_KEY_ID "
    "and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, in the environment of `longshore up`."
)
_AWS = re.compile(r"(^|\.)amazonaws\.com(\.cn)?$")
_REGION = re.compile(r"(?:^|[.-])([a-z]{2}(?:-[a-z]+)+-\d)\.(?:amazonaws|vpce)\.com")
_OLD = frozenset(
    {
        *("host", "authorization", "x-amz-date", "date", "x-amz-security-token", "x-amz-content-sha256"),
        *("content-length", "x-amz-decoded-content-length", "x-amz-trailer", "expect", "connection"),
    }
)
"""Headers that are made anew, or that belong to how the body was encoded."""


def is_aws(url: str) -> bool:
    """Whether a URL is one of AWS's own endpoints."""
    return bool(_AWS.search(urlsplit(url.replace("{region}", "us-east-1")).hostname or ""))


class Signer:
    """Signs with the credentials of Longshore's own environment."""

    def __init__(self) -> None:
        self._credentials: Any = None

    def open(self) -> None:
        """Find credentials. Raises ProviderRefused where there are none."""
        self._credentials = botocore.session.Session().get_credentials()
        if self._credentials is None:
            raise ProviderRefused(NO_CREDENTIALS)

    def signed(self, request: PassedRequest, base: str) -> PassedRequest:
        """The request as AWS takes it at `base`."""
        host = urlsplit(base).netloc
        region = _REGION.search(host)
        headers = {name: value for name, value in request.headers if name not in _OLD}
        body, size = request.body, request.size
        if is_chunked(dict(request.headers)):
            body, trailers = _unpacked(request.body)
            size = body.seek(0, 2)
            body.seek(0)
            headers.update({name: value for name, value in trailers.items() if name.startswith("x-amz-")})
            headers = _without_chunks(headers)
        path, query = request.path, _without_signature(request.query)
        objects = request.signing_name in OBJECTS
        bucket = bucket_in(dict(request.headers).get("host", "")) if objects else ""
        if bucket:  # AWS is asked with it in the path
            path = f"/{bucket}{path}"
        url = f"{base}{path}" + (f"?{query}" if query else "")
        asked = AWSRequest(method=request.method, url=url, headers={**headers, "host": host})
        if not objects:
            asked.data = body.read()
            body.seek(0)
        else:  # over TLS, as it is for AWS, an object's own checksum says enough
            asked.context["client_config"] = Config(s3={"payload_signing_enabled": False})
        auth = S3SigV4Auth if objects else SigV4Auth
        auth(
            self._credentials.get_frozen_credentials(), request.signing_name, region[1] if region else "us-east-1"
        ).add_auth(asked)
        made = [(name.lower(), value) for name, value in asked.headers.items()]
        return request._replace(path=path, query=query, headers=made, body=body, size=size)


def _unpacked(source: BinaryIO) -> tuple[BinaryIO, dict[str, str]]:
    sink = cast("BinaryIO", tempfile.SpooledTemporaryFile(MEMORY_BYTES))  # noqa: SIM115  closed when it is forgotten
    return sink, unpack(source, sink)


def _without_chunks(headers: dict[str, str]) -> dict[str, str]:
    encodings = [each.strip() for each in headers.pop("content-encoding", "").split(",")]
    kept = ",".join(each for each in encodings if each and each != "aws-chunked")
    return {**headers, "content-encoding": kept} if kept else headers


def _without_signature(query: str) -> str:
    """The query of a presigned request without what signed it; any other as it came."""
    if "X-Amz-" not in query:
        return query
    gone = {"algorithm", "credential", "date", "expires", "signedheaders", "signature", "security-token"}
    kept = [
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
        for name, value in parse_qsl(query, keep_blank_values=True)
        if not (name.startswith("X-Amz-") and name.removeprefix("X-Amz-").lower() in gone)
    ]
    return "&".join(kept)

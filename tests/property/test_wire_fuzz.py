"""Whatever bytes arrive, the wire answers with ApiError or parameters, and every error can be rendered."""

from __future__ import annotations

import random
from typing import Any
from urllib.parse import quote

import cbor2
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from longshore.wire.catalog import Catalog, Target
from longshore.wire.errors import ApiError
from longshore.wire.http import HttpRequest
from longshore.wire.pagination import decode_token, encode_token, page
from longshore.wire.sigv4 import verify
from longshore.wire.timestamps import from_text, to_text
from tests.support.hostile import hostile_bodies
from tests.support.wire_samples import Sampler, client_request, service_model

CATALOG = Catalog(("ecs", "sts", "ec2", "cloudwatch", "route53", "eks", "s3"), unwrapped_errors={"s3"})
RELAXED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["cluster", "tasks", "tags", "key", "containerDefinitions", "name"]), inner)
    ),
    max_leaves=12,
)
OPERATIONS = [
    ("ecs", "RegisterTaskDefinition", "json"),
    ("ecs", "CreateService", "json"),
    ("cloudwatch", "PutMetricData", "smithy-rpc-v2-cbor"),
    ("cloudwatch", "PutMetricAlarm", "query"),
    ("ec2", "RunInstances", "ec2"),
    ("route53", "ChangeResourceRecordSets", "rest-xml"),
    ("eks", "CreateCluster", "rest-json"),
    ("s3", "PutBucketLifecycleConfiguration", "rest-xml"),
]


def survives(request: HttpRequest) -> None:
    target: Target | None = None
    try:
        target = CATALOG.identify(request)
        CATALOG.parse(target, request)
        CATALOG.unknown_members(target, request)
    except ApiError as error:
        response = CATALOG.error(target, request, error, "request-1")
        assert 400 <= response.status < 500
    CATALOG.error(None, request, ApiError("Some", "error \x00 \ud800".encode("utf-8", "replace").decode()), "request-1")


@RELAXED
@given(body=st.binary(max_size=200), operation=st.sampled_from(OPERATIONS))
def test_arbitrary_bytes_as_body(body: bytes, operation: tuple[str, str, str]) -> None:
    survives(valid(operation)._replace(body=body))


def valid(operation: tuple[str, str, str]) -> HttpRequest:
    service, name, protocol = operation
    model = service_model(service).operation_model(name)
    return client_request(service, model, Sampler(name, full=True).structure(model.input_shape), protocol)


VALID = {operation: valid(operation) for operation in OPERATIONS}


@RELAXED
@given(seed=st.integers(0, 2**32), operation=st.sampled_from(OPERATIONS))
def test_valid_bodies_with_bytes_changed(seed: int, operation: tuple[str, str, str]) -> None:
    chance = random.Random(seed)
    body = bytearray(VALID[operation].body)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(body))
        action = chance.randint(0, 3)
        if action == 0:
            body[at] = chance.randrange(256)
        elif action == 1:
            del body[at : at + chance.randint(1, 40)]
        elif action == 2:
            body[at:at] = body[at : at + chance.randint(1, 200)]
        else:
            body[at:at] = chance.choice(
                [b"{", b"[", b"null", b"-1e400", b"<!DOCTYPE a>", b".999999999", b"%ff", b"\xff"]
            )
        body = body or bytearray(b"x")
    survives(VALID[operation]._replace(body=bytes(body)))


@pytest.mark.parametrize("operation", OPERATIONS, ids=[f"{service}-{name}" for service, name, _ in OPERATIONS])
def test_bodies_made_to_hurt(operation: tuple[str, str, str]) -> None:
    """Also in the protocols that no declared service speaks yet."""
    for name, request in hostile_bodies(VALID[operation], operation[2], random.Random(operation[1])):
        try:
            survives(request)
        except Exception as error:
            raise AssertionError(f"{name}: {request.body[:2000]!r}") from error


@RELAXED
@given(document=JSON, operation=st.sampled_from(["RegisterTaskDefinition", "RunTask", "DescribeTasks", "TagResource"]))
def test_arbitrary_documents(document: Any, operation: str) -> None:
    headers = {"x-amz-target": f"AmazonEC2ContainerServiceV20141113.{operation}"}
    survives(HttpRequest("POST", "/", "", headers, msgspec.json.encode(document)))
    path = "/service/GraniteServiceVersion20100801/operation/PutMetricData"
    survives(HttpRequest("POST", path, "", {"smithy-protocol": "rpc-v2-cbor"}, cbor2.dumps(document)))


@RELAXED
@given(
    names=st.lists(
        st.text("Filter.VpcIdmembr0129Nae=&%", max_size=30) | st.sampled_from(["Filter.1.Name", "Filter.1", "Filter"]),
        max_size=8,
    )
)
def test_arbitrary_forms(names: list[str]) -> None:
    body = "Action=DescribeVpcs&Version=2016-11-15&" + "&".join(f"{quote(name)}=x" for name in names)
    headers = {"content-type": "application/x-www-form-urlencoded"}
    survives(HttpRequest("POST", "/", "", headers, body.encode()))


@RELAXED
@given(
    method=st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD", "X"]),
    path=st.text("/abclusteroz%20fe2013-.", max_size=40).map(lambda text: "/" + text),
    query=st.text("abcX-Amz=&%25+ction", max_size=40),
    headers=st.dictionaries(
        st.sampled_from(
            ["authorization", "x-amz-target", "content-type", "content-encoding", "smithy-protocol", "date"]
        ),
        st.text(max_size=40)
        | st.sampled_from(["AWS4-HMAC-SHA256 Credential=", "gzip", "rpc-v2-cbor", "application/x-www-form-urlencoded"]),
    ),
)
def test_arbitrary_requests(method: str, path: str, query: str, headers: dict[str, str]) -> None:
    request = HttpRequest(method, path, query, headers, b"x")
    survives(request)
    with pytest.raises(ApiError):
        verify(request, lambda _key: None, 1e9)


@given(text=st.text(max_size=30))
def test_texts_are_timestamps_or_value_errors(text: str) -> None:
    try:
        from_text(text)
    except ValueError:
        return


@given(seconds=st.integers(-62135596800, 253402300799), micros=st.integers(0, 999_999))
def test_timestamps_come_back_from_text(seconds: int, micros: int) -> None:
    assert from_text(to_text(seconds, "iso8601")) == seconds
    if seconds >= -2_000_000_000:  # mail's rules give years of two digits a century
        assert from_text(to_text(seconds, "rfc822")) == seconds
    if 0 <= seconds < 2**32:
        assert abs(from_text(to_text(seconds + micros / 1e6, "iso8601")) - (seconds + micros / 1e6)) < 2e-6


@given(
    keys=st.lists(st.text(max_size=5), unique=True, max_size=30).map(sorted),
    removed=st.sets(st.integers(0, 29)),
    limit=st.integers(1, 7),
)
def test_pages_meet_every_lasting_item_once(keys: list[str], removed: set[int], limit: int) -> None:
    lasting = [key for index, key in enumerate(keys) if index not in removed]
    shown, token = page(keys, str, limit, None, operation="x")
    seen = list(shown)
    while token:
        shown, token = page(lasting, str, limit, token, operation="x")
        seen += shown
    assert [key for key in seen if key in lasting] == lasting
    assert len(seen) == len(set(seen))


@given(operation=st.text(max_size=9), key=st.text(max_size=40), scope=st.text(max_size=9))
def test_tokens_carry_any_key(operation: str, key: str, scope: str) -> None:
    assert decode_token(operation, encode_token(operation, key, scope=scope), code="X", scope=scope) == key

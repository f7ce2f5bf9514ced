"""Whatever is asked of the registry's protocol: never a fault of ours, and what is there stays as it is.

Requests are drawn from a seed that a failure prints, and go to a real registry. Texts of manifests and names of images
are drawn by Hypothesis.
"""

from __future__ import annotations

import json
import os
import random
import socket
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from longshore.api.registry.routes import route
from longshore.domain.ecr.image_name import NAME, image_name, repository_uri, scoped_name
from longshore.domain.ecr.manifest import read_manifest
from longshore.domain.ecr.repository import Repository
from longshore.domain.record import Scope
from tests.support.ecr import digest, manifest
from tests.support.serving import ACCOUNT, REGION, Serving

if TYPE_CHECKING:
    from pathlib import Path

ROUNDS = int(os.environ.get("LONGSHORE_FUZZ_ROUNDS", "12")) * 25
HOME = Scope(ACCOUNT, REGION)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
PARTS = (
    *("app", ACCOUNT, REGION, "other", "", ".", "..", "%2e%2e", "%2F", "%00", "%ff", "A" * 300, "blobs", "uploads"),
    *(
        "manifests",
        "tags",
        "list",
        "referrers",
        "v1",
        "_catalog",
        digest("layer x"),
        "sha256:",
        "a b".replace(" ", "%20"),
    ),
    "00000000-0000-0000-0000-000000000000",
)
SHAPES = (
    "/v2/app/manifests/{}",
    "/v2/app/blobs/{}",
    "/v2/app/blobs/uploads/{}",
    "/v2/{}/blobs/uploads/",
    "/v2/app/referrers/{}",
    "/v2/{}/tags/list",
    "/v2/{}/{}/{}",
)
QUERIES = (
    "",
    "n=1",
    "n=-1",
    "n=99999999999999",
    "last=%00",
    "mount=sha256:a&from=app",
    "digest=x",
    "token=x",
    "_state=x",
)
HEADERS = (
    "content-type: application/vnd.docker.distribution.manifest.v2+json",
    "content-type: application/x-www-form-urlencoded",
    "content-range: 0-99999999999",
    "content-range: x",
    "range: bytes=5-1",
    "range: bytes=-99999999999999999999",
    "authorization: Basic !!!",
    "accept: */*",
    "if-none-match: x",
    "host: 123456789012.dkr.ecr.us-east-1.amazonaws.com",
    "expect: 100-continue",
)
BODIES = (
    b"",
    b"{}",
    b"[" * 5000,
    b"\xff\xfe",
    manifest("x").encode(),
    b'{"schemaVersion": 2, "layers": 3}',
    b'{"schemaVersion": 2, "manifests": [], "artifactType": "\\ud800"}',
    b"a=b&c=d",
)


def drawn(chance: random.Random) -> bytes:
    """A request as it is sent."""
    shape = chance.choice(SHAPES)
    path = shape.format(*(chance.choice(PARTS) for _ in range(shape.count("{}"))))
    query = chance.choice(QUERIES)
    headers = [header for header in HEADERS if chance.random() < 0.2]
    if not any(header.startswith("host:") for header in headers):
        headers.append("host: localhost")
    body = chance.choice(BODIES)
    if chance.random() < 0.3:
        headers.append("transfer-encoding: chunked")
        body = b"".join((f"{len(body):x}\r\n".encode(), body, b"\r\n0\r\n\r\n")) if body else b"0\r\n\r\n"
    else:
        headers.append(f"content-length: {len(body)}")
    head = f"{chance.choice(METHODS)} {path}{'?' if query else ''}{query} HTTP/1.1\r\n"
    return (head + "\r\n".join([*headers, "connection: close"]) + "\r\n\r\n").encode() + body


def status_of(port: int, request: bytes) -> int:
    """The status of the last answer on a connection that ends with it."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    answer = answer.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert answer, f"no answer to {request[:200]!r}"
    return int(answer.split(b" ", 2)[1])


@pytest.mark.registry
def test_requests_of_any_kind_are_answered_and_change_nothing(tmp_path: Path) -> None:
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    with Serving(registry=tmp_path) as serving:
        ecr = serving.client("ecr")
        for name in ("app", "other"):
            ecr.create_repository(repositoryName=name)
        before = serving.store.revision
        for number in range(ROUNDS):
            request = drawn(chance)
            status = status_of(serving.port, request)
            assert status < 500, f"{status} to {request!r} (seed {seed}, request {number})"
        assert serving.store.revision == before


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(digest("x")),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(("digest", "size", "mediaType")), inner)
    ),
    max_leaves=8,
)
DOCUMENTS = st.fixed_dictionaries(
    {"schemaVersion": st.just(2) | JSON},
    optional={
        **dict.fromkeys(("mediaType", "config", "layers", "manifests", "subject", "artifactType"), JSON),
    },
)


@given(DOCUMENTS | JSON, st.text(max_size=20))
def test_a_text_is_a_manifest_or_is_refused_with_a_sentence(document: Any, media_type: str) -> None:
    try:
        read = read_manifest(json.dumps(document), media_type)
    except ValueError:
        return
    assert all(blob.digest.startswith("sha256:") and blob.size_bytes >= 0 for blob in read.blobs)
    msgspec.json.encode([read.media_type, read.artifact_media_type, read.blobs])


@given(st.text(alphabet="ab/:@.-_%09", max_size=40))
def test_a_name_of_an_image_is_read_without_fault(text: str) -> None:
    for host in ("localhost:4566", f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com"):
        named = image_name(f"{host}/{text}", "localhost:4566", HOME)
        assert named is not None
    assert image_name(text, "localhost:4566", HOME) is None
    route(f"/v2/{text}")


@given(
    st.from_regex(NAME, fullmatch=True).filter(lambda name: len(name) < 200),
    st.sampled_from((ACCOUNT, "210987654321")),
    st.sampled_from((REGION, "eu-west-1", "local")),
    st.sampled_from((":v1", "", f"@{digest('x')}")),
)
def test_a_repositorys_uri_means_that_repository(name: str, account: str, region: str, reference: str) -> None:
    made = Repository(account=account, region=region, name=name, repository_id="r", created_at=0.0)
    uri = repository_uri(made, "localhost:4566")
    named = image_name(uri + reference, "localhost:4566", HOME)
    assert named is not None
    assert (named.scope, named.repository) == ((account, region), name)
    assert named.reference == (reference[1:] or "latest")
    assert scoped_name(uri.partition("/")[2], HOME) == ((account, region), name)

"""The registry's protocol with a real registry behind it: pushes, pulls, tags, refusals, and what a crash leaves."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from longshore.api.callers.credentials import KeyPair
from longshore.domain.ecr.manifest import DOCKER_LIST, DOCKER_MANIFEST, OCI_MANIFEST
from longshore.domain.ecr.repository import Image, ImageTag
from longshore.drivers.ports import Permanent, RegistryRequest
from longshore.drivers.registry import files
from longshore.drivers.registry.driver import DockerRegistry
from longshore.system import SystemClock
from tests.support.ecr import digest
from tests.support.serving import ACCOUNT, REGION, Serving

pytestmark = pytest.mark.registry

OCTETS = {"content-type": "application/octet-stream"}
BASE = f"/v2/{ACCOUNT}/{REGION}/app"
SECRET = "of uploads"  # noqa: S105  no password: it signs the registry's own URLs
LARGE = 24 * 1024 * 1024
"""More than any request to an AWS API may have."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("registry")


@pytest.fixture(scope="module")
def serving(folder: Path) -> Iterator[Serving]:
    with Serving(registry=folder) as made:
        yield made


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with Serving(registry=tmp_path_factory.mktemp("signed"), auth=True) as made:
        made.client("ecr").create_repository(repositoryName="app")
        yield made


@pytest.fixture
def ecr(serving: Serving) -> Iterator[Any]:
    client = serving.client("ecr")
    client.create_repository(repositoryName="app")
    yield client
    client.delete_repository(repositoryName="app", force=True)


@pytest.fixture
def http(serving: Serving, ecr: Any) -> Iterator[httpx.Client]:
    assert ecr
    with httpx.Client(base_url=serving.url, timeout=30, trust_env=False) as client:
        yield client


def push_blob(http: httpx.Client, content: bytes, base: str = BASE) -> str:
    """As Docker does it: a new upload, its content in a piece, its end."""
    begun = http.post(f"{base}/blobs/uploads/")
    assert begun.status_code == 202, begun.text
    piece = http.patch(begun.headers["location"], content=iter([content]), headers=OCTETS)
    assert piece.status_code == 202, piece.text
    assert piece.headers["range"] == f"0-{max(0, len(content) - 1)}"
    location, name = piece.headers["location"], digest(content)
    done = http.put(f"{location}&digest={name}")
    assert (done.status_code, done.headers["docker-content-digest"]) == (201, name), done.text
    assert done.headers["location"] == f"{base}/blobs/{name}"
    return name


def test_a_piece_that_does_not_go_on_where_the_upload_is_is_refused(http: httpx.Client) -> None:
    location = http.post(f"{BASE}/blobs/uploads/").headers["location"]

    def piece(location: str, content: bytes, place: str) -> httpx.Response:
        return http.patch(location, content=content, headers={**OCTETS, "content-range": place})

    assert error_of(piece(location, b"later", "5-9")) == (416, "BLOB_UPLOAD_INVALID")
    first = piece(location, b"first", "0-4")
    assert first.status_code == 202
    location = first.headers["location"]
    for place in ("6-10", "4-8", "0-4"):
        refused = piece(location, b"later", place)
        assert error_of(refused) == (416, "BLOB_UPLOAD_INVALID")
        assert refused.headers["range"] == "0-4"
    assert error_of(piece(location, b"later", "five")) == (400, "BLOB_UPLOAD_INVALID")
    second = piece(location, b"later", "5-9")
    assert second.status_code == 202
    done = http.put(f"{second.headers['location']}&digest={digest(b'firstlater')}")
    assert done.status_code == 201, done.text


def image_of(http: httpx.Client, word: str, base: str = BASE) -> str:
    """A manifest whose layers are in the registry."""
    config, layer = f"config {word}".encode(), f"layer {word}".encode()
    document = {
        "schemaVersion": 2,
        "mediaType": DOCKER_MANIFEST,
        "config": {"mediaType": "c", "size": len(config), "digest": push_blob(http, config, base)},
        "layers": [{"mediaType": "l", "size": len(layer), "digest": push_blob(http, layer, base)}],
    }
    return json.dumps(document)


def push(
    http: httpx.Client, text: str, reference: str, kind: str = DOCKER_MANIFEST, base: str = BASE
) -> httpx.Response:
    return http.put(f"{base}/manifests/{reference}", content=text, headers={"content-type": kind})


def error_of(answer: httpx.Response) -> tuple[int, str]:
    [error] = answer.json()["errors"]
    return answer.status_code, error["code"]


# Pushes and pulls


def test_an_image_is_pushed_and_pulled_by_tag_and_digest(http: httpx.Client, ecr: Any) -> None:
    assert http.get("/v2/").json() == {}
    text = image_of(http, "one")
    pushed = push(http, text, "v1")
    assert (pushed.status_code, pushed.headers["docker-content-digest"]) == (201, digest(text))
    assert pushed.headers["location"] == f"{BASE}/manifests/{digest(text)}"
    for reference in ("v1", digest(text)):
        pulled = http.get(f"{BASE}/manifests/{reference}")
        assert (pulled.text, pulled.headers["content-type"]) == (text, DOCKER_MANIFEST)
        looked = http.head(f"{BASE}/manifests/{reference}")
        assert (looked.content, looked.headers["content-length"]) == (b"", str(len(text)))
        assert looked.headers["docker-content-digest"] == digest(text)
    layer = json.loads(text)["layers"][0]["digest"]
    assert http.get(f"{BASE}/blobs/{layer}").content == b"layer one"
    looked = http.head(f"{BASE}/blobs/{layer.replace(':', '%3A')}")
    assert (looked.content, looked.headers["content-length"]) == (b"", "9")
    [found] = ecr.describe_images(repositoryName="app")["imageDetails"]
    assert (found["imageTags"], found["imageDigest"]) == (["v1"], digest(text))
    assert found["lastRecordedPullTime"]


def test_in_the_default_account_and_region_a_name_will_do(http: httpx.Client) -> None:
    text = image_of(http, "short", "/v2/app")
    assert push(http, text, "v1", base="/v2/app").status_code == 201
    assert http.get(f"{BASE}/manifests/v1").text == text
    aws = {"host": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"}
    assert http.get("/v2/app/manifests/v1", headers=aws).text == text
    other = {"host": f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com"}
    assert error_of(http.get("/v2/app/manifests/v1", headers=other)) == (404, "NAME_UNKNOWN")


def test_layers_of_any_size_pass_through(http: httpx.Client) -> None:
    content = os.urandom(LARGE)
    name = push_blob(http, content)
    assert hashlib.sha256(http.get(f"{BASE}/blobs/{name}").content).hexdigest() == name.removeprefix("sha256:")
    part = http.get(f"{BASE}/blobs/{name}", headers={"range": "bytes=1000-1999"})
    assert (part.status_code, part.content) == (206, content[1000:2000])


def test_an_upload_goes_on_where_it_was(http: httpx.Client) -> None:
    location = http.post(f"{BASE}/blobs/uploads/").headers["location"]
    location = http.patch(location, content=b"half ", headers=OCTETS).headers["location"]
    at = http.get(location)
    assert (at.status_code, at.headers["range"]) == (204, "0-4")
    done = http.put(f"{at.headers['location']}&digest={digest('half whole')}", content=b"whole")
    assert done.status_code == 201, done.text
    other = http.post(f"{BASE}/blobs/uploads/").headers["location"]
    assert http.delete(other).status_code == 204
    assert error_of(http.get(other)) == (404, "BLOB_UPLOAD_UNKNOWN")


def test_a_form_is_a_body_like_any_other(http: httpx.Client) -> None:
    location = http.post(f"{BASE}/blobs/uploads/").headers["location"]
    form = {"content-type": "application/x-www-form-urlencoded"}
    done = http.put(f"{location}&digest={digest('a=b')}", content=b"a=b", headers=form)
    assert done.status_code == 201, done.text


def test_a_list_of_images_and_what_speaks_of_one(http: httpx.Client, ecr: Any) -> None:
    text = image_of(http, "listed")
    push(http, text, digest(text))
    entry = {"mediaType": DOCKER_MANIFEST, "size": len(text), "digest": digest(text)}
    index = json.dumps({"schemaVersion": 2, "mediaType": DOCKER_LIST, "manifests": [entry]})
    assert push(http, index, "all", DOCKER_LIST).status_code == 201
    missing = json.dumps({**json.loads(index), "manifests": [{**entry, "digest": digest("x")}]})
    assert error_of(push(http, missing, "none", DOCKER_LIST)) == (404, "MANIFEST_BLOB_UNKNOWN")
    empty = push_blob(http, b"{}")
    signature = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": "a/b",
            "config": {"mediaType": "application/vnd.oci.empty.v1+json", "size": 2, "digest": empty},
            "layers": [{"mediaType": "application/vnd.oci.empty.v1+json", "size": 2, "digest": empty}],
            "subject": entry,
        }
    )
    pushed = push(http, signature, digest(signature), OCI_MANIFEST)
    assert pushed.headers["oci-subject"] == digest(text), pushed.text
    [found] = http.get(f"{BASE}/referrers/{digest(text)}").json()["manifests"]
    assert (found["digest"], found["artifactType"]) == (digest(signature), "a/b")
    assert http.get(f"{BASE}/referrers/{digest(text)}?artifactType=c").json()["manifests"] == []
    assert len(ecr.list_images(repositoryName="app")["imageIds"]) == 3


def test_a_layer_comes_from_another_repository_where_that_is_wanted(http: httpx.Client, ecr: Any) -> None:
    name = push_blob(http, b"shared")
    ecr.create_repository(repositoryName="other")
    try:
        other = BASE.replace("/app", "/other")
        wish = f"{other}/blobs/uploads/?mount={name}&from={BASE.removeprefix('/v2/')}"
        assert http.post(wish).status_code == 202
        ecr.put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
        mounted = http.post(wish)
        assert (mounted.status_code, mounted.headers["location"]) == (201, f"{other}/blobs/{name}")
        assert http.get(f"{other}/blobs/{name}").content == b"shared"
        elsewhere = wish.replace(f"from={ACCOUNT}", "from=210987654321")
        assert http.post(elsewhere).status_code == 202
    finally:
        ecr.put_account_setting(name="BLOB_MOUNTING", value="DISABLED")
        ecr.delete_repository(repositoryName="other", force=True)


def test_lists_page(http: httpx.Client) -> None:
    text = image_of(http, "tags")
    for number in range(5):
        push(http, text, f"v{number}")
    first = http.get(f"{BASE}/tags/list?n=2")
    assert first.json() == {"name": BASE.removeprefix("/v2/"), "tags": ["v0", "v1"]}
    second = http.get(first.headers["link"].partition(">")[0].removeprefix("<"))
    assert second.json()["tags"] == ["v2", "v3"]
    assert http.get(f"{BASE}/tags/list?last=v3").json()["tags"] == ["v4"]
    assert error_of(http.get(f"{BASE}/tags/list?n=x")) == (400, "PAGINATION_NUMBER_INVALID")
    assert http.get("/v2/_catalog").json() == {"repositories": [BASE.removeprefix("/v2/")]}


# What is refused


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("POST", "/v2/none/blobs/uploads/", (404, "NAME_UNKNOWN")),
        ("GET", "/v2/none/manifests/v1", (404, "NAME_UNKNOWN")),
        ("GET", "/v2/UPPER/manifests/v1", (404, "NAME_UNKNOWN")),
        ("GET", "/v2/app%2F..%2Fapp/manifests/v1", (404, "NAME_UNKNOWN")),
        ("GET", f"{BASE}/manifests/none", (404, "MANIFEST_UNKNOWN")),
        ("GET", f"{BASE}/manifests/{digest('x')}", (404, "MANIFEST_UNKNOWN")),
        ("DELETE", f"{BASE}/manifests/{digest('x')}", (405, "UNSUPPORTED")),
        ("DELETE", f"{BASE}/blobs/{digest('x')}", (405, "UNSUPPORTED")),
        ("GET", f"{BASE}/blobs/{digest('x')}", (404, "BLOB_UNKNOWN")),
        ("GET", f"{BASE}/blobs/sha256:x", (400, "DIGEST_INVALID")),
        ("GET", f"{BASE}/blobs/{digest('x')}?token=none", (403, "DENIED")),
        ("GET", f"{BASE}/nothing", (404, "NOT_FOUND")),
        ("PATCH", f"{BASE}/blobs/uploads/", (405, "UNSUPPORTED")),
        ("PATCH", f"{BASE}/blobs/uploads/00000000-0000-0000-0000-000000000000", (404, "BLOB_UPLOAD_INVALID")),
        ("PATCH", f"{BASE}/blobs/uploads/x", (404, "BLOB_UPLOAD_UNKNOWN")),
        ("PUT", f"{BASE}/manifests/-x", (400, "TAG_INVALID")),
        ("PUT", f"{BASE}/manifests/v1", (400, "MANIFEST_INVALID")),
        ("PUT", f"{BASE}/manifests/{digest('x')}", (400, "DIGEST_INVALID")),
        ("POST", "/v2/", (405, "UNSUPPORTED")),
    ],
)
def test_what_cannot_be_is_said_in_the_protocols_codes(
    http: httpx.Client, method: str, path: str, answer: tuple[int, str]
) -> None:
    assert error_of(http.request(method, path)) == answer


def test_a_missing_repository_is_said_in_ecrs_words(http: httpx.Client) -> None:
    [error] = http.post("/v2/none/blobs/uploads/").json()["errors"]
    assert error["message"] == f"The repository with name 'none' does not exist in the registry with id '{ACCOUNT}'"


def test_a_manifest_needs_its_layers(http: httpx.Client, serving: Serving) -> None:
    text = json.dumps({**json.loads(image_of(http, "torn")), "layers": [{"size": 1, "digest": digest("none")}]})
    assert error_of(push(http, text, "v1")) == (400, "MANIFEST_BLOB_UNKNOWN")
    assert list(serving.store.all(ImageTag)) == []
    for broken in ("{", "[]", '{"schemaVersion": 1}', "\xff"):
        assert error_of(push(http, broken, "v1")) == (400, "MANIFEST_INVALID")
    assert http.put(f"{BASE}/manifests/v1", content=b"\xff").status_code == 400
    assert error_of(push(http, "x" * (5 << 20), "v1")) == (413, "MANIFEST_INVALID")
    assert list(serving.store.all(Image)) == []


def test_a_tag_that_may_not_move_stays(http: httpx.Client, ecr: Any) -> None:
    ecr.put_image_tag_mutability(repositoryName="app", imageTagMutability="IMMUTABLE")
    first, second = image_of(http, "first"), image_of(http, "second")
    assert push(http, first, "v1").status_code == 201
    assert push(http, first, "v1").status_code == 201
    refused = push(http, second, "v1")
    assert error_of(refused) == (400, "TAG_INVALID")
    assert "cannot be overwritten because the tag is immutable" in refused.text
    assert http.get(f"{BASE}/manifests/v1").text == first
    assert push(http, second, "v2").status_code == 201


def test_a_page_of_another_site_gets_nothing(http: httpx.Client) -> None:
    for headers in (
        {"origin": "https://example.com"},
        {"host": "rebound.example.com"},
        {"sec-fetch-site": "cross-site"},
    ):
        assert error_of(http.get("/v2/", headers=headers)) == (403, "DENIED")


def test_requests_to_aws_services_are_none_of_its(serving: Serving) -> None:
    signature = {"authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/apigateway/aws4_request"}
    answer = httpx.get(f"{serving.url}/v2/apis", headers=signature, trust_env=False)
    assert "errors" not in answer.text
    assert "docker-distribution-api-version" not in answer.headers


# Passwords


def password(serving: Serving, keys: KeyPair | None = None) -> tuple[str, str]:
    [data] = serving.client("ecr", keys=keys).get_authorization_token()["authorizationData"]
    user, _, secret = base64.b64decode(data["authorizationToken"]).decode().partition(":")
    return user, secret


def test_where_requests_are_signed_a_password_is_asked_for(signed: Serving) -> None:
    for path in ("/v2/", f"{BASE}/manifests/v1", "/v2/_catalog"):
        answer = httpx.get(f"{signed.url}{path}", trust_env=False)
        assert error_of(answer) == (401, "UNAUTHORIZED")
        assert answer.headers["www-authenticate"].startswith('Basic realm="')
    login = password(signed)
    assert httpx.get(f"{signed.url}/v2/", auth=login, trust_env=False).status_code == 200
    assert httpx.get(f"{signed.url}/v2/", auth=("AWS", "x"), trust_env=False).status_code == 403
    assert httpx.get(f"{signed.url}/v2/", auth=("me", login[1]), trust_env=False).status_code == 403
    odd = {"authorization": "Basic %%%"}
    assert httpx.get(f"{signed.url}/v2/", headers=odd, trust_env=False).status_code == 401
    other = httpx.get(f"{signed.url}/v2/210987654321/{REGION}/app/manifests/v1", auth=login, trust_env=False)
    assert error_of(other) == (403, "DENIED")


def test_a_password_ends_after_twelve_hours(signed: Serving) -> None:
    login = password(signed)
    signed.clock.shift_s = 12 * 3600 + 1
    try:
        answer = httpx.get(f"{signed.url}/v2/", auth=login, trust_env=False)
    finally:
        signed.clock.shift_s = 0.0
    assert error_of(answer) == (403, "DENIED")
    assert "has expired" in answer.text


def test_a_layers_url_needs_no_password(signed: Serving) -> None:
    with httpx.Client(base_url=signed.url, auth=password(signed), trust_env=False) as http:
        text = image_of(http, "url")
        assert push(http, text, "v1").status_code == 201
    layer = json.loads(text)["layers"][0]["digest"]
    url = signed.client("ecr").get_download_url_for_layer(repositoryName="app", layerDigest=layer)["downloadUrl"]
    path = url.partition("4566")[2]
    assert httpx.get(f"{signed.url}{path}", trust_env=False).content == b"layer url"
    assert httpx.get(f"{signed.url}{path}x", trust_env=False).status_code == 403


# The process and its files


def test_a_registry_that_was_killed_is_started_again(http: httpx.Client, serving: Serving) -> None:
    text = image_of(http, "before")
    push(http, text, "v1")
    registry = serving.registry
    assert registry is not None
    before = registry.pid
    assert before is not None
    os.kill(before, signal.SIGKILL)
    layer = json.loads(text)["layers"][0]["digest"]
    answers = [http.get(f"{BASE}/blobs/{layer}").status_code for _ in range(20)]
    assert answers[-1] == 200
    assert set(answers) <= {200, 503}
    assert registry.pid != before


def test_what_a_client_that_leaves_had_begun_does_no_harm(http: httpx.Client, serving: Serving) -> None:
    location = http.post(f"{BASE}/blobs/uploads/").headers["location"]

    def torn() -> Iterator[bytes]:
        yield b"x" * 100_000
        raise ConnectionError("left")

    with pytest.raises(ConnectionError):
        http.patch(location, content=torn(), headers=OCTETS)
    push_blob(http, b"after")
    assert serving.registry is not None


async def test_without_the_program_the_answer_says_what_to_install(tmp_path: Path) -> None:
    registry = DockerRegistry(tmp_path, tmp_path / "files", SystemClock(), secret=SECRET, program="no-such-program")
    with pytest.raises(Permanent, match="install the package docker-registry"):
        async with registry.exchange(RegistryRequest("GET", "/v2/", "", {})):
            pass
    await registry.close()


def test_links_that_a_crash_cut_off_are_whole_again(tmp_path: Path) -> None:
    one, two = digest("one").removeprefix("sha256:"), digest("two").removeprefix("sha256:")
    links = [
        tmp_path / files.ROOT / "repositories/r/_layers/sha256" / one / "link",
        tmp_path / files.ROOT / "repositories/r/_manifests/revisions/sha256" / two / "link",
    ]
    for link, text in zip(links, ("", f"sha256:{two}"), strict=True):
        link.parent.mkdir(parents=True)
        link.write_text(text)
    assert files.mend(tmp_path) == 1
    assert [link.read_text() for link in links] == [f"sha256:{one}", f"sha256:{two}"]
    assert files.mend(tmp_path) == 0
    assert files.manifests(tmp_path, "r") == {f"sha256:{two}"}
    files.remove_repository(tmp_path, "r")
    assert files.repositories(tmp_path) == frozenset()


def read_while_killed(http: httpx.Client, path: str, registry: DockerRegistry) -> None:
    """Read an answer to its end; the registry is killed after its first piece."""
    with http.stream("GET", path) as answer:
        assert answer.status_code == 200
        pieces = answer.iter_raw(1 << 16)
        next(pieces)
        assert registry.pid is not None
        os.kill(registry.pid, signal.SIGKILL)
        for _ in pieces:
            pass


def test_an_answer_that_breaks_off_is_not_taken_for_a_whole_one(http: httpx.Client, serving: Serving) -> None:
    path = f"{BASE}/blobs/{push_blob(http, os.urandom(LARGE))}"
    assert serving.registry is not None
    with pytest.raises(httpx.TransportError):
        read_while_killed(http, path, serving.registry)
    assert len(http.get(path).content) == LARGE


def test_docker_tries_tls_first_and_is_told_that_this_is_http(
    serving: Serving, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_connection(("127.0.0.1", serving.port), timeout=10) as connection:
        connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500))
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert caplog.records == []


def test_a_users_policies_say_what_its_password_opens(signed: Serving) -> None:
    iam = signed.client("iam")
    iam.create_user(UserName="puller")
    allowed = ["ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    statement = {"Effect": "Allow", "Action": allowed, "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="puller", PolicyName="pull", PolicyDocument=policy)
    key = iam.create_access_key(UserName="puller")["AccessKey"]
    pair = KeyPair(key["AccessKeyId"], key["SecretAccessKey"])
    with httpx.Client(base_url=signed.url, auth=password(signed), trust_env=False) as root:
        text = image_of(root, "policies")
        assert push(root, text, "policies").status_code == 201
    login = password(signed, pair)
    with httpx.Client(base_url=signed.url, auth=login, trust_env=False) as http:
        assert http.get(f"{BASE}/manifests/policies").text == text
        layer = json.loads(text)["layers"][0]["digest"]
        assert http.get(f"{BASE}/blobs/{layer}").content == b"layer policies"
        refused = http.post(f"{BASE}/blobs/uploads/")
        assert error_of(refused) == (403, "DENIED")
        assert "user/puller is not authorized to perform: ecr:InitiateLayerUpload on resource: arn:" in refused.text
        for method, path in (
            ("PUT", "manifests/v2"),
            ("DELETE", "manifests/policies"),
            ("GET", "tags/list"),
            ("HEAD", f"blobs/{layer}"),
            ("PATCH", "blobs/uploads/x"),
        ):
            assert http.request(method, f"{BASE}/{path}").status_code == 403
        assert error_of(http.get("/v2/_catalog")) == (403, "DENIED")
        iam.delete_user_policy(UserName="puller", PolicyName="pull")
        assert error_of(http.get(f"{BASE}/manifests/policies")) == (403, "DENIED")


def test_a_layer_is_mounted_from_where_its_pusher_may_read_alone(signed: Serving) -> None:
    iam, ecr = signed.client("iam"), signed.client("ecr")
    ecr.put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
    ecr.create_repository(repositoryName="mine")
    iam.create_user(UserName="pusher")
    key = iam.create_access_key(UserName="pusher")["AccessKey"]
    login = password(signed)
    with httpx.Client(base_url=signed.url, auth=login, trust_env=False) as root:
        name = push_blob(root, b"not for everybody")
    wish = f"{BASE.replace('/app', '/mine')}/blobs/uploads/?mount={name}&from={BASE.removeprefix('/v2/')}"

    def mount(*on: str) -> int:
        push = {"Effect": "Allow", "Action": "ecr:*", "Resource": [f"arn:aws:ecr:*:*:repository/{each}" for each in on]}
        enter = {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [push, enter]})
        iam.put_user_policy(UserName="pusher", PolicyName="push", PolicyDocument=policy)
        pair = KeyPair(key["AccessKeyId"], key["SecretAccessKey"])
        return httpx.post(f"{signed.url}{wish}", auth=password(signed, pair), trust_env=False).status_code

    assert mount("mine") == 202  # it may send the layer itself
    assert mount("mine", "app") == 201

"""The parts of handing requests on: which service, the body in chunks, the signature for AWS, the settings."""

import importlib.util
import io
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from longshore.api.callers.credentials import KeyPair
from longshore.api.http.spool import spooled
from longshore.cli.up import forward_pairs
from longshore.config import Config
from longshore.drivers.elsewhere.forward import Forward
from longshore.drivers.elsewhere.moto import Moto
from longshore.drivers.elsewhere.resign import Signer, is_aws
from longshore.drivers.ports import PassedRequest, ProviderRefused
from longshore.providers import Providers
from longshore.wire.atlas import Atlas
from longshore.wire.aws_chunked import unpack
from longshore.wire.errors import ApiError
from longshore.wire.http import HttpRequest
from longshore.wire.sigv4 import verify
from tests.support.object_chunks import signed_upload

ATLAS = Atlas()
FORM = {"content-type": "application/x-www-form-urlencoded"}
KEYS = KeyPair("AKIDEXAMPLE", "secret")


def signed_for(service: str) -> dict[str, str]:
    claim = f"Credential=AKIA/20260131/eu-west-1/{service}/aws4_request"
    return {"authorization": f"AWS4-HMAC-SHA256 {claim}, SignedHeaders=host, Signature=a"}


@pytest.mark.parametrize(
    ("service", "request_"),
    [
        ("dynamodb", HttpRequest("POST", "/", "", {"x-amz-target": "DynamoDB_20120810.ListTables"}, b"{}")),
        (
            "dynamodbstreams",
            HttpRequest(
                "POST",
                "/",
                "",
                {"x-amz-target": "DynamoDBStreams_20120810.ListStreams", **signed_for("dynamodb")},
                b"{}",
            ),
        ),
        ("dynamodb", HttpRequest("POST", "/", "", {"x-amz-target": "Nope.Op", **signed_for("dynamodb")}, b"{}")),
        ("s3", HttpRequest("GET", "/bucket/key", "", signed_for("s3"), b"")),
        ("s3", HttpRequest("GET", "/key", "", {"host": "bucket.s3.eu-west-1.amazonaws.com"}, b"")),
        ("sqs", HttpRequest("GET", "/1/q", "", {"host": "sqs.localhost:4566"}, b"")),
        ("lambda", HttpRequest("GET", "/2015-03-31/functions", "", signed_for("lambda"), b"")),
        ("sns", HttpRequest("POST", "/", "", FORM, b"Action=ListTopics&Version=2010-03-31")),
        ("sns", HttpRequest("POST", "/", "", {**FORM, **signed_for("sns")}, b"Action=ListTopics&Version=1999-01-01")),
        (
            "elb",
            HttpRequest(
                "POST",
                "/",
                "",
                {**FORM, **signed_for("elasticloadbalancing")},
                b"Action=DescribeLoadBalancers&Version=2012-06-01",
            ),
        ),
        ("ses", HttpRequest("POST", "/", "", {**FORM, **signed_for("ses")}, b"")),  # its head alone
        ("ses", HttpRequest("POST", "/", "", {**FORM, **signed_for("ses")}, b"Action=X&Version=2010-12-01")),
        ("sesv2", HttpRequest("GET", "/v2/email/account", "", signed_for("ses"), b"")),
        ("pinpoint-email", HttpRequest("GET", "/v1/email/account", "", signed_for("ses"), b"")),
        ("bedrock-runtime", HttpRequest("POST", "/model/m/invoke", "", signed_for("bedrock"), b"{}")),
        ("s3control", HttpRequest("GET", "/v20180820/jobs", "", signed_for("s3"), b"")),
        ("sagemaker-runtime", HttpRequest("POST", "/endpoints/e/invocations", "", signed_for("sagemaker"), b"")),
        (None, HttpRequest("POST", "/", "", {**FORM, **signed_for("rds")}, b"Action=X&Version=1999-01-01")),
        (None, HttpRequest("GET", "/bucket/key", "", {"host": "localhost"}, b"")),
        (None, HttpRequest("GET", "/", "", signed_for("nothing"), b"")),
        (None, HttpRequest("POST", "/", "", {"x-amz-target": "nodots"}, b"")),
    ],
)
def test_atlas_finds_the_service_by_its_most_telling_mark(service: str | None, request_: HttpRequest) -> None:
    found = ATLAS.find(request_)
    assert (found.service if found else None) == service


def test_atlas_names_services_as_botocore_and_as_signatures_do() -> None:
    assert {card.service for card in ATLAS.named("s3")} == {"s3", "s3control"}
    assert {card.service for card in ATLAS.named("monitoring")} == {"cloudwatch"}
    assert {card.service for card in ATLAS.named("elb")} == {"elb"}
    assert ATLAS.named("dynamo") == []


# ------------------------------------------------------------------------------------------------- bodies in chunks


def unpacked(body: bytes) -> tuple[bytes, dict[str, str]]:
    sink = io.BytesIO()
    trailers = unpack(io.BytesIO(body), sink)
    return sink.getvalue(), trailers


def test_chunks_are_put_together_and_trailers_read() -> None:
    body = b"3\r\nabc\r\nA;chunk-signature=x\r\n0123456789\r\n0\r\nx-amz-checksum-crc32: DUoRhQ==\r\n\r\n"
    assert unpacked(body) == (b"abc0123456789", {"x-amz-checksum-crc32": "DUoRhQ=="})
    assert unpacked(b"0\r\n\r\n") == (b"", {})
    assert unpacked(b"1\r\na\r\n0\r\n") == (b"a", {})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"3",
        b"3\r\nab",
        b"3\r\nabcd\r\n0\r\n\r\n",
        b"z\r\n",
        b"-1\r\n",
        b"+1\r\na\r\n0\r\n\r\n",
        b"fffffffffff\r\n",
        b"\r\n",
        b"1" * 9000,
        b"0\r\n" + b"a:b\r\n" * 2,
        b"0\r\n" + b"".join(b"a%d:b\r\n" % number for number in range(20)),
        b"0\r\nno end",
    ],
)
def test_broken_chunks_are_refused(body: bytes) -> None:
    with pytest.raises(ApiError) as caught:
        unpacked(body)
    assert caught.value.code == "IncompleteBody"


async def test_a_body_is_kept_whole_however_large_and_refused_beyond_its_limit() -> None:
    pieces = [b"a" * 5_000_000] * 3
    spool = await spooled(_sending(pieces), 15_000_000)
    assert (spool.size, spool.file.read()) == (15_000_000, b"".join(pieces))
    with pytest.raises(ApiError) as caught:
        await spooled(_sending(pieces), 14_999_999)
    assert (caught.value.code, caught.value.status) == ("EntityTooLarge", 413)
    with pytest.raises(ConnectionError):
        await spooled(_sending([b"a"], end=False), 100)


def _sending(pieces: list[bytes], *, end: bool = True) -> Any:
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    messages.append({"type": "http.request", "body": b""} if end else {"type": "http.disconnect"})
    waiting = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(waiting)

    return receive


# --------------------------------------------------------------------------------------------------- to AWS itself


def passed(service: str, path: str, query: str, headers: dict[str, str], body: bytes) -> PassedRequest:
    return PassedRequest(
        service=service,
        signing_name=service,
        account="123456789012",
        region="eu-west-1",
        method="PUT",
        path=path,
        query=query,
        headers=list(headers.items()),
        body=io.BytesIO(body),
        size=len(body),
    )


@pytest.fixture
def signer(monkeypatch: pytest.MonkeyPatch) -> Signer:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEYS.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEYS.secret_access_key)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    made = Signer()
    made.open()
    return made


def proved(made: PassedRequest, base: str, *, plain_path: bool) -> str:
    """The region for which a request is signed; its signature is right."""
    headers = dict(made.headers)
    assert headers["host"] == base.removeprefix("https://")
    assert headers["x-amz-security-token"] == "token"
    body = made.body.read()
    assert len(body) == made.size
    payload = headers.get("x-amz-content-sha256") if plain_path else None
    request = HttpRequest(made.method, made.path, made.query, headers, body)
    now = datetime.now(UTC).timestamp()  # noqa: TID251  botocore signs with the clock of this machine
    found = verify(request, {KEYS.access_key_id: "secret"}.get, now, plain_path=plain_path, payload=payload)
    return found.scope.region


@pytest.mark.parametrize(
    ("base", "region"),
    [
        ("https://s3.eu-west-1.amazonaws.com", "eu-west-1"),
        ("https://s3.amazonaws.com", "us-east-1"),
        ("https://s3.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
    ],
)
def test_objects_for_aws_are_signed_anew_for_its_host_and_region(signer: Signer, base: str, region: str) -> None:
    headers = {"host": "localhost:4566", "x-amz-date": "19990101T000000Z", "x-amz-meta-a": "b", **signed_for("s3")}
    made = signer.signed(passed("s3", "/bucket/a%20b%2Bc", "x-id=PutObject", headers, b"body"), base)
    assert proved(made, base, plain_path=True) == region
    assert (made.path, made.query) == ("/bucket/a%20b%2Bc", "x-id=PutObject")
    assert dict(made.headers)["x-amz-meta-a"] == "b"


def test_other_services_for_aws_are_signed_anew_with_their_body(signer: Signer) -> None:
    base = "https://lambda.us-west-2.amazonaws.com"
    made = signer.signed(passed("lambda", "/2015-03-31/functions/a:b", "", {"host": "localhost"}, b"{}"), base)
    assert proved(made, base, plain_path=False) == "us-west-2"


def test_signed_chunks_and_presigned_queries_become_plain_for_aws(signer: Signer) -> None:
    base = "https://s3.eu-west-1.amazonaws.com"
    trailer = ("x-amz-checksum-crc32", "DUoRhQ==")
    headers, body = signed_upload("http://localhost/b/k", KEYS, [b"hello ", b"world"], 1e9, trailer=trailer)
    headers["content-encoding"] = "gzip,aws-chunked"
    query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00&partNumber=1&X-Amz-Expires=60&response-type=a%2Fb"
    made = signer.signed(passed("s3", "/b/k", query, headers, body), base)
    sent = dict(made.headers)
    assert proved(made, base, plain_path=True) == "eu-west-1"
    assert made.query == "partNumber=1&response-type=a%2Fb"
    assert (sent["content-encoding"], sent["x-amz-checksum-crc32"]) == ("gzip", "DUoRhQ==")
    assert not {"x-amz-decoded-content-length", "x-amz-trailer"} & set(sent)
    made.body.seek(0)
    assert made.body.read() == b"hello world"


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("localhost:4566", "/k"),
        ("127.0.0.1", "/k"),
        ("s3.localhost", "/k"),
        ("s3.eu-west-1.localhost.localstack.cloud", "/k"),
        ("files.localhost:4566", "/files/k"),
        ("files.s3.localhost", "/files/k"),
        ("my.files.s3.localhost.localstack.cloud:4566", "/my.files/k"),
        ("my.files.localhost", "/my.files/k"),
        ("files.s3.eu-west-1.localhost", "/files/k"),
    ],
)
def test_a_bucket_in_the_host_name_goes_into_the_path(signer: Signer, host: str, path: str) -> None:
    made = signer.signed(passed("s3", "/k", "", {"host": host}, b""), "https://s3.eu-west-1.amazonaws.com")
    assert made.path == path


def test_forwarding_to_aws_without_credentials_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(ProviderRefused, match="AWS_PROFILE"):
        Signer().open()


def test_which_urls_are_aws_s_own() -> None:
    assert is_aws("https://s3.eu-west-1.amazonaws.com")
    assert is_aws("https://sqs.{region}.amazonaws.com/")
    assert is_aws("https://s3.cn-north-1.amazonaws.com.cn")
    assert not is_aws("http://localhost:9000")
    assert not is_aws("https://amazonaws.com.example")


# ----------------------------------------------------------------------------------------------------- the settings


def test_forwards_are_read_from_the_command_line() -> None:
    assert forward_pairs(["s3=http://localhost:9000", "sqs=https://sqs.{region}.amazonaws.com/"]) == (
        ("s3", "http://localhost:9000"),
        ("sqs", "https://sqs.{region}.amazonaws.com/"),
    )


@pytest.mark.parametrize(
    "text", ["", "s3", "s3=", "=http://a", "s3=ftp://a", "s3=http://a?b", "s3=localhost:9000", "s3=http://"]
)
def test_forwards_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(SystemExit, match="SERVICE=URL"):
        forward_pairs([text])


def test_a_service_is_forwarded_once() -> None:
    with pytest.raises(SystemExit, match="only once"):
        forward_pairs(["s3=http://a", "s3=http://b"])


def test_a_service_that_is_none_is_named_with_what_was_meant() -> None:
    with pytest.raises(ProviderRefused, match=r"'dynamo'.*dynamodb"):
        Providers(Config(state=None, forwards=(("dynamo", "http://a"),)))
    providers = Providers(Config(state=None, forwards=(("s3", "http://a"),), moto=True))
    assert set(providers.forwards) == {"s3", "s3control"}
    assert all(isinstance(each, Forward) for each in providers.forwards.values())
    assert isinstance(providers.everything_else, Moto)


async def test_without_the_extra_moto_is_refused_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(ProviderRefused, match=r"longshore\[moto\]"):
        await Moto().open()


ENDLESS = """
import asyncio, io, threading
from longshore.drivers.elsewhere.moto import Moto
from longshore.drivers.ports import PassedRequest

asked = threading.Event()

def app(environ, start_response):
    asked.set()
    threading.Event().wait()

async def main():
    moto = Moto()
    moto._app = app
    request = PassedRequest("sqs", "sqs", "1", "us-east-1", "POST", "/", "", [], io.BytesIO(), 0)
    poll = asyncio.create_task(moto.answer(request))
    await asyncio.to_thread(asked.wait)
    poll.cancel()

asyncio.run(main())
"""


def test_a_poll_that_does_not_end_holds_up_no_end_of_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", ENDLESS], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")

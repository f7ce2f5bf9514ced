"""Who may call: signatures where they are checked, hosts and origins where they are not. With boto3 and plain HTTP."""

import base64
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from longshore.api.callers.credentials import TASK_CREDENTIALS_S, KeyPair
from tests.support.serving import ACCOUNT, REGION, Serving

TASK = f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/default/0123456789abcdef0123456789abcdef"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/service-role/web"
WRONG = KeyPair("AKIAAAAAAAAAAAAAAAAA", "wrong")


@pytest.fixture(scope="module")
def signed() -> Iterator[Serving]:
    with Serving(auth=True) as serving:
        yield serving


@pytest.fixture(scope="module")
def trusting() -> Iterator[Serving]:
    with Serving() as serving:
        yield serving


@pytest.fixture(autouse=True)
def clock_as_it_is(signed: Serving) -> Iterator[None]:
    yield
    signed.clock.shift_s = 0.0


def error_of(caught: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def task_client(serving: Serving, service: str, **changes: str) -> Any:
    made = serving.credentials.for_task(TASK, ROLE, serving.clock.now()) | changes
    pair = KeyPair(made["AccessKeyId"], made["SecretAccessKey"])
    return serving.client(service, keys=pair, aws_session_token=made["Token"])


def test_root_key_pair_signs(signed: Serving) -> None:
    assert signed.client("sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"
    assert signed.client("ecs").create_cluster(clusterName="a")["cluster"]["status"] == "ACTIVE"
    assert signed.client("ec2").describe_regions()["Regions"]


@pytest.mark.parametrize(
    ("service", "operation", "code", "status"),
    [
        ("ecs", "list_clusters", "UnrecognizedClientException", 400),
        ("sts", "get_caller_identity", "InvalidClientTokenId", 403),
        ("ec2", "describe_regions", "AuthFailure", 401),
    ],
)
def test_unknown_key_is_refused_in_the_protocols_words(
    signed: Serving, service: str, operation: str, code: str, status: int
) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(signed.client(service, keys=WRONG), operation)()
    assert error_of(caught) == (code, status)


@pytest.mark.parametrize(
    ("service", "operation", "code", "status"),
    [
        ("ecs", "list_clusters", "InvalidSignatureException", 400),
        ("sts", "get_caller_identity", "SignatureDoesNotMatch", 403),
        ("ec2", "describe_regions", "AuthFailure", 401),
    ],
)
def test_wrong_secret_is_refused(signed: Serving, service: str, operation: str, code: str, status: int) -> None:
    pair = KeyPair(signed.credentials.root().access_key_id, "wrong")
    with pytest.raises(ClientError) as caught:
        getattr(signed.client(service, keys=pair), operation)()
    assert error_of(caught) == (code, status)


def test_unsigned_request_is_refused(signed: Serving) -> None:
    target = {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": "AmazonEC2ContainerServiceV20141113.ListTasks",
    }
    answer = httpx.post(signed.url, content=b"{}", headers=target)
    assert answer.status_code == 400
    assert answer.json()["__type"] == "MissingAuthenticationTokenException"


def test_twelve_digit_access_key_is_no_account_where_signatures_are_checked(signed: Serving) -> None:
    with pytest.raises(ClientError) as caught:
        signed.client("sts", keys=KeyPair("999988887777", "any")).get_caller_identity()
    assert error_of(caught) == ("InvalidClientTokenId", 403)


def test_late_signature_is_refused(signed: Serving) -> None:
    signed.clock.shift_s = 3600.0
    with pytest.raises(ClientError) as caught:
        signed.client("ecs").list_clusters()
    assert error_of(caught) == ("InvalidSignatureException", 400)
    assert "expired" in caught.value.response["Error"]["Message"]


def test_presigned_request_is_good_until_it_expires(signed: Serving) -> None:
    url = signed.client("sts").generate_presigned_url("get_caller_identity", ExpiresIn=600, HttpMethod="GET")
    answer = httpx.get(url)
    assert answer.status_code == 200
    assert f"arn:aws:iam::{ACCOUNT}:root" in answer.text
    signed.clock.shift_s = 601.0
    assert httpx.get(url).status_code == 400
    assert "RequestExpired" in httpx.get(url).text


def test_presigned_request_that_was_changed_is_refused(signed: Serving) -> None:
    url = signed.client("sts").generate_presigned_url("get_caller_identity", HttpMethod="GET")
    assert "SignatureDoesNotMatch" in httpx.get(url.replace("X-Amz-Expires=3600", "X-Amz-Expires=36000")).text


def test_task_credentials_speak_as_the_tasks_role(signed: Serving) -> None:
    told = task_client(signed, "sts").get_caller_identity()
    assert told["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/web/{TASK.rpartition('/')[2]}"
    assert told["Account"] == ACCOUNT


def test_task_with_a_role_of_another_account_speaks_in_its_own(signed: Serving) -> None:
    made = signed.credentials.for_task(TASK, "arn:aws:iam::000000000000:role/web", signed.clock.now())
    pair = KeyPair(made["AccessKeyId"], made["SecretAccessKey"])
    assert signed.client("sts", keys=pair, aws_session_token=made["Token"]).get_caller_identity()["Account"] == ACCOUNT


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("ecs", "list_clusters", "ExpiredTokenException"),
        ("sts", "get_caller_identity", "ExpiredToken"),
        ("ec2", "describe_regions", "RequestExpired"),
    ],
)
def test_expired_task_credentials_are_refused(signed: Serving, service: str, operation: str, code: str) -> None:
    issued = signed.clock.now() - TASK_CREDENTIALS_S - 10
    made = signed.credentials.for_task(TASK, ROLE, issued)
    pair = KeyPair(made["AccessKeyId"], made["SecretAccessKey"])
    with pytest.raises(ClientError) as caught:
        getattr(signed.client(service, keys=pair, aws_session_token=made["Token"]), operation)()
    assert error_of(caught)[0] == code


def forged(serving: Serving) -> str:
    """The task's token with a later end."""
    raw = base64.b64decode(serving.credentials.for_task(TASK, ROLE, serving.clock.now())["Token"])
    return base64.b64encode(raw[:32] + raw[32:].replace(b'"until":1', b'"until":9')).decode()


@pytest.mark.parametrize("token", ["", "AAAA", "not base64!", "forged", "another's"])
def test_forged_session_token_is_refused(signed: Serving, token: str) -> None:
    if token == "forged":  # noqa: S105  a case's name
        token = forged(signed)
    elif token == "another's":  # noqa: S105  as above
        token = signed.credentials.for_task(TASK.replace("0123", "3210"), ROLE, signed.clock.now())["Token"]
    with pytest.raises(ClientError) as caught:
        task_client(signed, "ecs", Token=token).list_clusters()
    assert error_of(caught) == ("UnrecognizedClientException", 400)


def test_health_alone_needs_no_signature(signed: Serving) -> None:
    assert httpx.get(f"{signed.url}/_longshore/health").status_code == 200
    assert httpx.get(f"{signed.url}/metrics").status_code == 403
    assert httpx.post(f"{signed.url}/_longshore/reset").status_code == 403


def test_any_keys_are_good_on_a_trusting_listener(trusting: Serving) -> None:
    assert trusting.client("sts", keys=WRONG).get_caller_identity()["Account"] == ACCOUNT


REGIONS = "/?Action=DescribeRegions&Version=2016-11-15"


@pytest.mark.parametrize("host", ["localhost", "x.y.localhost:4566", "127.0.0.1", "[::1]:4566", "host.docker.internal"])
def test_own_host_names_are_answered(trusting: Serving, host: str) -> None:
    assert httpx.get(trusting.url + REGIONS, headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "evil-localhost", "127.0.0.1.nip.io", "", "locälhost"]
)
@pytest.mark.parametrize("path", [REGIONS, "/metrics", "/moto-api/reset"])
def test_foreign_host_is_refused(trusting: Serving, host: str, path: str) -> None:
    answer = httpx.request(
        "POST" if "reset" in path else "GET", trusting.url + path, headers=[(b"host", host.encode("latin-1"))]
    )
    assert answer.status_code == 403
    assert "host name" in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://93.184.216.34"},
        {"origin": "http://localhost.evil.example"},
        {"sec-fetch-site": "cross-site"},
    ],
    ids=lambda headers: next(iter(headers.values())),
)
def test_foreign_page_is_refused(trusting: Serving, headers: dict[str, str]) -> None:
    answer = httpx.get(trusting.url + REGIONS, headers=headers)
    assert answer.status_code == 403
    assert "web pages" in answer.text


def test_page_of_this_machine_may_call_but_not_read(trusting: Serving) -> None:
    answer = httpx.get(trusting.url + REGIONS, headers={"origin": "http://localhost:3000"})
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers

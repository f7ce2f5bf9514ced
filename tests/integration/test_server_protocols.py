"""boto3 and plain HTTP against the request chain behind its real server: protocols, errors, bounds, isolation."""

import asyncio
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from longshore.api.app import MAX_BODY_BYTES
from longshore.api.callers.credentials import KeyPair
from longshore.api.operation import Call, Operation
from longshore.domain.ecs.cluster import Cluster
from longshore.wire.errors import ApiError
from tests.support.serving import ACCOUNT, REGION, Serving

JSON = "application/x-amz-json-1.1"
ECS = "AmazonEC2ContainerServiceV20141113"


def put_cluster(call: Call) -> None:
    call.tx.put(Cluster(account=call.scope.account, region=call.scope.region, name="half", created_at=call.now))


def broken(call: Call) -> dict[str, Any]:
    put_cluster(call)
    raise RuntimeError("a bug")


def refusing(call: Call) -> dict[str, Any]:
    put_cluster(call)
    raise ApiError("ClusterContainsTasksException", "There are tasks.")


def unsayable(call: Call) -> dict[str, Any]:
    put_cluster(call)
    return {"noSuchMember": 1}


def buses(call: Call) -> dict[str, Any]:
    return {"EventBuses": [{"Name": call.params["NamePrefix"]}]}


@pytest.fixture(scope="module")
def serving() -> Iterator[Serving]:
    operations = {
        "ecs": {
            "DeleteService": Operation(broken),
            "DeleteCluster": Operation(refusing),
            "DeleteAttributes": Operation(unsayable),
        },
        "eventbridgev2": {"ListEventBuses": Operation(buses)},  # which speaks CBOR alone
    }
    with Serving(operations) as running:
        yield running


def post(serving: Serving, body: bytes, **headers: str) -> httpx.Response:
    sent = {"content-type": JSON, "x-amz-target": f"{ECS}.ListClusters"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(serving.url, content=body, headers=sent)


def clusters(serving: Serving) -> list[str]:
    return [cluster.name for cluster in serving.store.all(Cluster)]


def test_json_service_answers_boto3(serving: Serving) -> None:
    answer = serving.client("ecs").create_cluster(clusterName="json")
    assert answer["cluster"]["clusterArn"] == f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/json"
    assert answer["ResponseMetadata"]["RequestId"]
    assert answer["ResponseMetadata"]["HTTPHeaders"]["x-amzn-requestid"] == answer["ResponseMetadata"]["RequestId"]


def test_query_service_answers_boto3(serving: Serving) -> None:
    assert serving.client("sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"


def test_ec2_service_answers_boto3(serving: Serving) -> None:
    names = [region["RegionName"] for region in serving.client("ec2").describe_regions()["Regions"]]
    assert REGION in names


def test_cbor_service_answers_boto3(serving: Serving) -> None:
    client = serving.client("eventbridgev2")
    answer = client.list_event_buses(NamePrefix="n")
    assert answer["EventBuses"][0]["Name"] == "n"
    assert answer["ResponseMetadata"]["HTTPHeaders"]["content-type"] == "application/cbor"
    with pytest.raises(ClientError) as caught:
        client.list_event_sources()
    assert caught.value.response["Error"]["Code"] == "UnknownOperationException"


def test_modelled_error_reaches_boto3_with_its_class(serving: Serving) -> None:
    client = serving.client("ecs")
    with pytest.raises(client.exceptions.ClusterNotFoundException):
        client.list_tasks(cluster="nowhere")


def test_region_comes_from_the_signature(serving: Serving) -> None:
    made = serving.client("ecs", region="eu-west-1").create_cluster(clusterName="there")["cluster"]
    assert made["clusterArn"] == f"arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/there"
    assert made["clusterArn"] not in serving.client("ecs").list_clusters()["clusterArns"]


def test_twelve_digit_access_key_names_the_account(serving: Serving) -> None:
    keys = KeyPair("999988887777", "any")
    made = serving.client("ecs", keys=keys).create_cluster(clusterName="theirs")["cluster"]
    assert made["clusterArn"] == f"arn:aws:ecs:{REGION}:999988887777:cluster/theirs"
    assert serving.client("sts", keys=keys).get_caller_identity()["Account"] == "999988887777"


@pytest.mark.parametrize("region", ["us:east", "US-EAST-1", "-", "a" * 40])
def test_odd_region_is_refused(serving: Serving, region: str) -> None:
    claim = f"Credential=AKIAX/20260101/{region}/ecs/aws4_request, SignedHeaders=a, Signature=b"
    answer = post(serving, b"{}", authorization=f"AWS4-HMAC-SHA256 {claim}")
    assert answer.status_code == 400
    assert answer.json()["__type"] == "InvalidSignatureException"
    assert "valid region" in answer.json()["message"]


def test_service_that_is_not_served_is_named(serving: Serving) -> None:
    with pytest.raises(ClientError) as caught:
        serving.client("dynamodb").list_tables()
    assert caught.value.response["Error"]["Code"] == "UnknownOperationException"
    assert "'dynamodb'" in caught.value.response["Error"]["Message"]
    assert "It serves: " in caught.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("service", "operation", "params", "code"),
    [
        ("ecs", "list_container_instances", {}, "UnknownOperationException"),
        ("sts", "get_web_identity_token", {"Audience": ["a"], "SigningAlgorithm": "RS256"}, "InvalidAction"),
        ("ec2", "describe_images", {}, "InvalidAction"),
    ],
)
def test_operation_that_is_not_served_is_named(
    serving: Serving, service: str, operation: str, params: dict[str, Any], code: str
) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(serving.client(service), operation)(**params)
    assert caught.value.response["Error"]["Code"] == code
    assert "doesn't serve" in caught.value.response["Error"]["Message"]


def test_input_that_the_model_forbids_is_refused(serving: Serving) -> None:
    answer = post(serving, b'{"maxResults": "many"}')
    assert answer.status_code == 400
    assert answer.json()["__type"] == "SerializationException"


@pytest.mark.parametrize(
    ("operation", "params", "status", "code"),
    [
        ("delete_service", {"service": "x"}, 500, "InternalFailure"),
        ("delete_cluster", {"cluster": "x"}, 400, "ClusterContainsTasksException"),
        ("delete_attributes", {"attributes": [{"name": "x"}]}, 500, "InternalFailure"),
    ],
    ids=["bug in a handler", "modelled error", "answer that the model lacks"],
)
def test_error_after_a_write_leaves_no_change(
    serving: Serving, operation: str, params: dict[str, Any], status: int, code: str
) -> None:
    revision = serving.store.revision
    with pytest.raises(ClientError) as caught:
        getattr(serving.client("ecs"), operation)(**params)
    assert caught.value.response["Error"]["Code"] == code
    metadata = caught.value.response["ResponseMetadata"]
    assert metadata["HTTPStatusCode"] == status
    if status == 500:
        assert metadata["RequestId"] in caught.value.response["Error"]["Message"]
    assert "half" not in clusters(serving)
    assert serving.store.revision == revision


def test_fault_is_followed_by_service_as_usual(serving: Serving) -> None:
    client = serving.client("ecs")
    with pytest.raises(ClientError):
        client.delete_service(service="x")
    assert client.create_cluster(clusterName="after")["cluster"]["status"] == "ACTIVE"


def test_oversized_body_is_refused_and_the_connection_survives(serving: Serving) -> None:
    with httpx.Client(base_url=serving.url) as client:
        headers = {"content-type": JSON, "x-amz-target": f"{ECS}.ListClusters"}
        answer = client.post("/", content=b" " * (MAX_BODY_BYTES + 1), headers=headers)
        assert answer.status_code == 413
        assert answer.json()["__type"] == "RequestEntityTooLargeException"
        assert client.post("/", content=b"{}", headers=headers).status_code == 200


def test_body_of_the_largest_size_is_read(serving: Serving) -> None:
    body = b"{}" + b" " * (MAX_BODY_BYTES - 2)
    assert post(serving, body).status_code == 200


def test_chunked_body_without_a_length_is_bounded(serving: Serving) -> None:
    answer = httpx.post(
        serving.url,
        content=(b" " * 65536 for _ in range(MAX_BODY_BYTES // 65536 + 1)),
        headers={"content-type": JSON, "x-amz-target": f"{ECS}.ListClusters"},
    )
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1]", b'"x"', b"\xff\xfe", b"{}{}", b'{"a":' * 20_000], ids=lambda body: repr(body[:8])
)
def test_malformed_json_is_a_client_error(serving: Serving, body: bytes) -> None:
    answer = post(serving, body)
    assert answer.status_code == (200 if body == b"" else 400)


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /" + b"a" * 400_000,
        b"GET / HTTP/1.1\r\nX: " + b"a" * 400_000,
        b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 80_000,
    ],
    ids=["TLS", "no path", "odd length", "two lengths", "endless path", "endless header", "endless headers"],
)
def test_what_is_not_http_is_answered_400_and_cut_off(serving: Serving, raw: bytes) -> None:
    assert b" 400 " in exchange(serving, raw)
    assert httpx.get(f"{serving.url}/_longshore/health").status_code == 200


def test_request_cut_short_is_not_carried_out(serving: Serving) -> None:
    body = b'{"clusterName": "short"}'
    head = (
        f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: {JSON}\r\nX-Amz-Target: {ECS}.CreateCluster\r\n"
        f"Content-Length: {len(body) + 1}\r\n\r\n"
    )
    assert exchange(serving, head.encode() + body, half_close=True) == b""
    assert "short" not in clusters(serving)


def exchange(serving: Serving, raw: bytes, *, half_close: bool = False) -> bytes:
    with socket.create_connection(("127.0.0.1", serving.port), timeout=20) as connection:
        try:
            connection.sendall(raw)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
        except ConnectionError:
            pass
        received = b""
        try:
            while part := connection.recv(65536):
                received += part
        except ConnectionResetError:
            pass
        return received


def test_pipelined_requests_are_answered_in_order(serving: Serving) -> None:
    one = (
        f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: {JSON}\r\nX-Amz-Target: {ECS}.%s\r\n"
        "Content-Length: 2\r\n%s\r\n{}"
    )
    raw = one % ("ListClusters", "") + one % ("Nothing", "Connection: close\r\n")
    received = exchange(serving, raw.encode())
    assert received.index(b" 200 ") < received.index(b" 400 ")


def test_many_requests_at_once_are_each_answered_with_their_own(serving: Serving) -> None:
    client = serving.client("ecs")

    def make(number: int) -> str:
        name: str = client.create_cluster(clusterName=f"many-{number}")["cluster"]["clusterName"]
        return name

    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(make, range(200)))
    assert made == [f"many-{number}" for number in range(200)]
    assert {f"many-{number}" for number in range(200)} <= set(clusters(serving))


def test_websocket_upgrade_gets_no_websocket(serving: Serving) -> None:
    answer = httpx.get(serving.url, headers={"connection": "upgrade", "upgrade": "websocket"})
    assert answer.status_code in {400, 404}


async def test_slow_body_does_not_hold_up_others(serving: Serving) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", serving.port)
    writer.write(
        f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: {JSON}\r\nX-Amz-Target: {ECS}.ListClusters\r\n"
        "Content-Length: 2\r\n\r\n{".encode()
    )
    await writer.drain()
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{serving.url}/_longshore/health")).status_code == 200
    writer.write(b"}")
    assert b" 200 " in await reader.readline()
    writer.close()
    await writer.wait_closed()


def test_health_and_metrics_tell_what_happened(serving: Serving) -> None:
    serving.client("sts").get_caller_identity()
    health = httpx.get(f"{serving.url}/_longshore/health").json()
    assert (health["status"], health["engine"]) == ("ok", "sim")
    page = httpx.get(f"{serving.url}/metrics").text
    assert 'longshore_requests_total{code="OK",operation="GetCallerIdentity",service="sts"}' in page
    assert "longshore_request_seconds_bucket" in page
    assert "longshore_store_revision" in page


def test_reset_is_refused_with_real_containers(serving: Serving) -> None:
    for path in ("/_longshore/reset", "/moto-api/reset"):
        answer = httpx.post(serving.url + path)
        assert answer.status_code == 403
        assert "sim engine" in answer.json()["message"]


def test_reset_resets_by_post_alone() -> None:
    with Serving(resettable=True) as serving:
        assert httpx.get(f"{serving.url}/moto-api/reset").status_code == 405
        assert serving.resets == 0
        assert httpx.post(f"{serving.url}/moto-api/reset").json() == {"status": "ok"}
        assert serving.resets == 1


def test_log_line_has_no_secrets(serving: Serving, capfd: pytest.CaptureFixture[str]) -> None:
    keys = KeyPair("AKIAEXAMPLEEXAMPLE12", "very-secret")
    serving.client("ecs", keys=keys, aws_session_token="very-private").create_cluster(  # noqa: S106  made up
        clusterName="logged", tags=[{"key": "password", "value": "hunter2"}]
    )
    said = "".join(capfd.readouterr())
    assert "CreateCluster" in said
    for secret in ("very-secret", "very-private", "hunter2", "Signature="):
        assert secret not in said


def test_error_body_is_json_with_type_and_message(serving: Serving) -> None:
    answer = post(serving, b"{}", x_amz_target=f"{ECS}.Nothing")
    assert answer.status_code == 400
    assert set(json.loads(answer.content)) == {"__type", "message"}

"""The whole of Longshore on the sim engine, started as a user starts it: state, refusals, reset, stop and kill."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

ACCOUNT = "123456789012"
DOCUMENT: dict[str, Any] = {
    "family": "web",
    "networkMode": "awsvpc",
    "requiresCompatibilities": ["FARGATE"],
    "cpu": "256",
    "memory": "512",
    "containerDefinitions": [{"name": "app", "image": "app"}],
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Process:
    """`longshore up --engine sim` in a `with` block, from its first answer on."""

    def __init__(self, state: Path, *options: str, port: int | None = None) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = (state.parent / f"log-{self.port}").open("wb")
        self.process = subprocess.Popen(command(state, self.port, *options), stderr=self._log, env=environment())

    def __enter__(self) -> Self:
        transport = httpx.HTTPTransport(retries=8)  # backs off from 0.5 s on, so for about a minute
        with httpx.Client(transport=transport, timeout=60, trust_env=False) as client:
            assert client.get(f"{self.url}/_longshore/health").status_code == 200
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._log.close()

    def client(self, service: str = "ecs", key: str = "x", secret: str = "x", region: str = "us-east-1") -> Any:  # noqa: S107
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            config=Config(retries={"total_max_attempts": 1}),
        )

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LONGSHORE_"))}


def command(state: Path, port: int, *options: str) -> list[str]:
    words = ["up", "--engine", "sim", "--state", str(state), "--port", str(port), *options]
    return [sys.executable, "-m", "longshore.cli.app", *words]


def refusal(state: Path, port: int, *options: str) -> str:
    """What a start says that must fail; never a traceback."""
    ended = subprocess.run(
        command(state, port, *options), stderr=subprocess.PIPE, text=True, env=environment(), timeout=60, check=False
    )
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    return ended.stderr


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with Process(tmp_path_factory.mktemp("longshore") / "state") as process:
        yield process


def subnets(process: Process, region: str = "us-east-1", key: str = "x") -> list[str]:
    found = process.client("ec2", region=region, key=key).describe_subnets()["Subnets"]
    return [subnet["SubnetId"] for subnet in found]


def make_service(process: Process) -> None:
    ecs = process.client()
    ecs.create_cluster(clusterName="default")
    ecs.register_task_definition(**DOCUMENT)
    ecs.create_service(
        serviceName="web",
        taskDefinition="web",
        desiredCount=2,
        networkConfiguration={"awsvpcConfiguration": {"subnets": subnets(process)}},
    )
    ecs.get_waiter("services_stable").wait(services=["web"], WaiterConfig={"Delay": 1, "MaxAttempts": 60})


def test_service_runs_and_is_cleared_by_a_reset(running: Process) -> None:
    make_service(running)
    ecs = running.client()
    [service] = ecs.describe_services(services=["web"])["services"]
    assert service["runningCount"] == 2
    assert httpx.post(f"{running.url}/moto-api/reset").json() == {"status": "ok"}
    assert ecs.list_clusters()["clusterArns"] == []
    assert ecs.list_task_definitions()["taskDefinitionArns"] == []
    assert httpx.get(f"{running.url}/_longshore/health").json()["live_tasks"] == 0
    make_service(running)
    assert ecs.describe_services(services=["web"])["services"][0]["taskDefinition"].endswith("web:1")
    httpx.post(f"{running.url}/_longshore/reset")


def test_every_account_and_region_has_a_default_vpc_of_its_own(running: Process) -> None:
    places = [("us-east-1", "x"), ("eu-west-1", "x"), ("us-east-1", "999988887777")]
    found = [frozenset(subnets(running, region, key)) for region, key in places]
    assert all(found)
    assert len(frozenset.union(*found)) == sum(len(each) for each in found)
    assert [frozenset(subnets(running, region, key)) for region, key in places] == found


def test_request_that_fails_leaves_nothing_of_a_new_account(running: Process) -> None:
    commits = httpx.get(f"{running.url}/_longshore/health").json()["commits"]
    with pytest.raises(ClientError):
        running.client(key="111122223333").list_tasks(cluster="nowhere")
    assert httpx.get(f"{running.url}/_longshore/health").json()["commits"] == commits


def test_state_outlives_an_orderly_stop_and_a_kill(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with Process(state) as process:
        process.client().create_cluster(clusterName="one")
        assert process.end(signal.SIGTERM) == 0
    with Process(state) as process, ThreadPoolExecutor(8) as pool:
        client = process.client()
        list(pool.map(lambda number: client.create_cluster(clusterName=f"many-{number}"), range(40)))
        process.end(signal.SIGKILL)
    with Process(state) as process:
        arns = process.client().list_clusters(maxResults=100)["clusterArns"]
        assert {arn.rpartition("/")[2] for arn in arns} == {"one", *(f"many-{number}" for number in range(40))}
        assert process.end(signal.SIGINT) == 0


def test_limit_of_load_balancers_is_what_the_last_start_says_even_after_a_reset(tmp_path: Path) -> None:
    for options, wanted in ((("--lb-limit", "77"), "77"), ((), "50")):
        with Process(tmp_path / "state", *options) as process:
            httpx.post(f"{process.url}/_longshore/reset")
            limits = process.client("elbv2").describe_account_limits()["Limits"]
            assert {"Name": "application-load-balancers", "Max": wanted} in limits


def test_state_folder_is_its_owners_alone(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with Process(state):
        assert state.stat().st_mode & 0o777 == 0o700
        assert (state / "secret.key").stat().st_mode & 0o777 == 0o600
        assert "in use" in refusal(state, free_port())


def test_port_in_use_is_said_in_a_sentence(running: Process, tmp_path: Path) -> None:
    said = refusal(tmp_path / "other", running.port)
    assert "already in use" in said
    assert "--port" in said


def test_wide_address_without_authentication_is_refused(tmp_path: Path) -> None:
    assert "--auth" in refusal(tmp_path / "state", free_port(), "--listen", "0.0.0.0")  # noqa: S104  refused


def test_state_folder_that_cannot_be_made_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "state folder" in refusal(tmp_path / "file" / "state", free_port())


def test_damaged_state_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    tmp_path.joinpath("state.db").write_bytes(b"not a database" * 100)
    assert "state.db" in refusal(tmp_path, free_port())
    assert tmp_path.joinpath("state.db").read_bytes() == b"not a database" * 100


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--lb-ports", "80"),
        ("--lb-ports", "80:x"),
        ("--lb-ports", "0:80"),
        ("--lb-ports", "80:65536"),
        ("--lb-ports", "80:80,80:443"),
        ("--lb-ports", "80:80,8080:80"),
        ("--lb-address", "nonsense"),
        ("--lb-address", "10.0.0.0/8"),
        ("--security-groups", "nonsense"),
        ("--egress", "nonsense"),
    ],
)
def test_wrong_setting_is_said_in_a_sentence(tmp_path: Path, option: str, value: str) -> None:
    said = refusal(tmp_path / "state", free_port(), option, value)
    assert option in said
    assert repr(value) in said or repr(value.partition(",")[0]) in said


def test_docker_that_does_not_answer_is_said_in_a_sentence(tmp_path: Path) -> None:
    said = refusal(tmp_path, free_port(), "--engine", "docker", "--docker-url", f"unix://{tmp_path}/none.sock")
    assert "Docker" in said


def test_keys_of_the_command_sign_where_signatures_are_checked(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with Process(state, "--auth") as process:
        told = subprocess.run(
            [sys.executable, "-m", "longshore.cli.app", "keys", "--state", str(state)],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            env=environment(),
        ).stdout
        words = dict(line.removeprefix("export ").split("=", 1) for line in told.split("\n") if "=" in line)
        client = process.client("sts", words["AWS_ACCESS_KEY_ID"], words["AWS_SECRET_ACCESS_KEY"])
        assert client.get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"
        with pytest.raises(ClientError, match="InvalidClientTokenId"):
            process.client("sts").get_caller_identity()


def test_moto_is_started_reset_and_gone_with_the_process(tmp_path: Path) -> None:
    with Process(tmp_path / "state", "--with", "moto", "--forward", "sqs=http://127.0.0.1:1") as running:
        s3 = running.client("s3")
        s3.create_bucket(Bucket="files")
        assert len(s3.list_buckets()["Buckets"]) == 1
        with pytest.raises(ClientError, match="hands sqs on, without success"):
            running.client("sqs").list_queues()
        httpx.post(f"{running.url}/_longshore/reset")
        assert s3.list_buckets()["Buckets"] == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--with", "localstack"), "--with takes moto"),
        (("--forward", "s3"), "--forward takes SERVICE=URL"),
        (("--forward", "dynamo=http://a"), "Did you mean dynamodb"),
    ],
)
def test_others_that_are_none_are_said_in_a_sentence(tmp_path: Path, options: tuple[str, ...], sentence: str) -> None:
    done = subprocess.run(
        command(tmp_path / "state", free_port(), *options),
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert sentence in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr

"""What a task sees: its environment, its metadata, its credentials, and the AWS APIs, which it must sign for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.support import images
from tests.support.identities import TASKS, allow, document
from tests.support.server import ACCOUNT, REGION, STAY, Server, address, sh, until

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.docker

ROLE = f"arn:aws:iam::{ACCOUNT}:role/reader"
INSIDE_CALLS = Path(__file__).parents[1] / "support" / "inside_calls.py"
HOST = "169.254.170.2"
ASK = f"http-get {HOST} 80"


def inside(server: Server, script: str, **fields: Any) -> tuple[dict[str, Any], list[str]]:
    """Run a script in a task to its end; the task and what it printed."""
    task = server.run_to_end(server.define("inside", sh("app", script), **fields))
    return task, server.lines(task["taskArn"])


def credentials_of(server: Server, **fields: Any) -> dict[str, str]:
    """What the credentials endpoint tells a task."""
    task, lines = inside(server, f"{ASK} $AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", **fields)
    assert task["containers"][0]["exitCode"] == 0, lines
    found: dict[str, str] = json.loads("".join(lines))
    return found


def clients_keys(credentials: dict[str, str]) -> dict[str, str]:
    return {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["Token"],
    }


def make_roles(server: Server, *names: str) -> None:
    """Roles that tasks can have."""
    for name in names:
        server.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TASKS)


def test_environment_points_at_this_longshore(server: Server) -> None:
    _, lines = inside(server, "env")
    environment = dict(line.split("=", 1) for line in lines if "=" in line)
    assert environment["AWS_ENDPOINT_URL"] == f"http://{HOST}:4566"
    assert environment["AWS_REGION"] == environment["AWS_DEFAULT_REGION"] == REGION
    assert environment["ECS_CONTAINER_METADATA_URI_V4"].startswith(f"http://{HOST}/v4/")
    assert environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"].startswith("/v2/credentials/")
    assert environment["AWS_EXECUTION_ENV"] == "AWS_ECS_FARGATE"


def test_metadata_tells_a_task_about_itself(server: Server) -> None:
    path = f"${{ECS_CONTAINER_METADATA_URI_V4#http://{HOST}}}"
    arn = server.run(server.define("asks", sh("app", f"sleep 1; {ASK} {path}/task; echo; {ASK} {path}; echo; {STAY}")))
    whole, own = map(json.loads, until(lambda: lines if len(lines := server.lines(arn)) == 2 else None, "answers"))
    task = server.task(arn)
    assert (whole["TaskARN"], whole["Family"], whole["KnownStatus"]) == (arn, "asks", "RUNNING")
    assert whole["Cluster"] == task["clusterArn"]
    assert [container["Name"] for container in whole["Containers"]] == ["app"]
    assert own["DockerId"] == task["containers"][0]["runtimeId"]
    assert own["Networks"][0]["IPv4Addresses"] == [address(task)]
    server.ecs.stop_task(task=arn)


def test_credentials_from_inside_sign_calls_as_the_task_role(launch: Callable[..., Server]) -> None:
    server = launch("--auth")
    make_roles(server, "execution", "reader")
    server.client("iam").attach_role_policy(RoleName="reader", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    credentials = credentials_of(server, taskRoleArn=ROLE)
    assert credentials["RoleArn"] == ROLE
    sts = server.client("sts", **clients_keys(credentials))
    assert sts.get_caller_identity()["Arn"].startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/")
    assert server.client("ecs", **clients_keys(credentials)).list_clusters()["clusterArns"]

    unknown = {"aws_access_key_id": "AKIAAAAAAAAAAAAAAAAA", "aws_secret_access_key": "x"}
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        server.client("sts", **unknown).get_caller_identity()
    forged = clients_keys(credentials) | {"aws_secret_access_key": "x"}
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        server.client("sts", **forged).get_caller_identity()


def test_a_task_may_what_its_role_says_and_no_more(launch: Callable[..., Server]) -> None:
    server = launch("--auth")
    image = images.python_image(server.docker_url)
    iam = server.client("iam")
    make_roles(server, "execution", "lister")
    iam.put_role_policy(RoleName="lister", PolicyName="own", PolicyDocument=document(allow("ecs:ListClusters")))
    role = f"arn:aws:iam::{ACCOUNT}:role/lister"
    command = ["python3", "-c", INSIDE_CALLS.read_text(), "ListClusters", "ListTasks", "DescribeClusters"]
    definition = server.define("lists", sh("app", "", image=image, command=command), taskRoleArn=role)
    task = server.run_to_end(definition)
    listed, tasks, described = server.lines(task["taskArn"])
    assert listed.startswith("ListClusters 200 ")
    assert "cluster/default" in listed
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/lister/{task['taskArn'].rpartition('/')[2]}"
    assert tasks.startswith("ListTasks 400 ")
    assert f"User: {session} is not authorized to perform: ecs:ListTasks on resource: *" in tasks
    assert described.startswith("DescribeClusters 400 ")
    assert "AccessDeniedException" in described
    assert "cluster/default because no identity-based policy allows the ecs:DescribeClusters action" in described
    iam.put_role_policy(RoleName="lister", PolicyName="own", PolicyDocument=document(allow("ecs:*")))
    again = server.lines(server.run_to_end(definition)["taskArn"])
    assert [line.split()[1] for line in again] == ["200", "200", "200"]


def test_where_roles_must_exist_a_task_without_one_has_no_credentials(launch: Callable[..., Server]) -> None:
    server = launch("--iam", "enforce")
    make_roles(server, "execution")
    _, lines = inside(server, "env")
    assert not any("CREDENTIALS" in line for line in lines)
    definition = server.define("missing", sh("app", STAY), taskRoleArn=ROLE)
    with pytest.raises(ClientError, match=f"ECS was unable to assume the role '{ROLE}'"):
        server.run(definition)
    server.ecs.create_service(
        serviceName="missing",
        taskDefinition=definition,
        desiredCount=1,
        launchType="FARGATE",
        networkConfiguration=server.network,
    )
    stopped = until(lambda: server.tasks_of("missing", "STOPPED"), "a task that can't start")
    assert stopped[0]["stoppedReason"].startswith(f"ECS was unable to assume the role '{ROLE}'")
    server.unserve("missing")


def test_unsigned_call_from_inside_is_refused_even_where_the_host_need_not_sign(server: Server) -> None:
    body = "Action=GetCallerIdentity&Version=2011-06-15"
    head = (
        f"POST / HTTP/1.0\\r\\nHost: {HOST}:4566\\r\\nContent-Type: application/x-www-form-urlencoded\\r\\n"
        f"Content-Length: {len(body)}\\r\\n\\r\\n{body}"
    )
    _, lines = inside(server, f"printf '{head}' | nc -w 5 {HOST} 4566")
    assert " 403 " in lines[0]
    assert any("MissingAuthenticationToken" in line for line in lines), lines


def test_credentials_of_another_task_cannot_be_guessed(server: Server) -> None:
    task, _ = inside(server, f"{ASK} ${{AWS_CONTAINER_CREDENTIALS_RELATIVE_URI%??}}xx")
    assert task["containers"][0]["exitCode"] == 1


def test_names_need_no_setting(server: Server) -> None:
    look = "look() { ping -c1 -W1 $1 2>&1 | head -1; }"
    script = f"{look}; look ip-10-5-6-7.ec2.internal; look x.localhost; look nobody.us-east-1.elb.localhost"
    _, (private, local, nobody) = inside(server, script)
    assert "(10.5.6.7)" in private
    assert "(127.0.0.1)" in local
    assert "bad address" in nobody

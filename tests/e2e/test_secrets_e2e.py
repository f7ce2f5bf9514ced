"""Secrets in real containers: by JSON key and by parameter, rotated by a deployment, nowhere on Longshore's disk."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.server import Server, answer, container_of, sh, until, web

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.docker

MARK = "marker-of-the-end-to-end-test"


def secret(server: Server, name: str, value: str) -> str:
    """A new secret's ARN."""
    arn: str = server.client("secretsmanager").create_secret(Name=name, SecretString=value)["ARN"]
    return arn


def wants(**references: str) -> dict[str, Any]:
    """What a container definition says of its secrets."""
    return {"secrets": [{"name": name, "valueFrom": reference} for name, reference in references.items()]}


def written(server: Server) -> bytes:
    """All that Longshore has written: its state folder, and its log."""
    files = [path for path in server.state.rglob("*") if path.is_file()]
    return b"".join(path.read_bytes() for path in (*files, server.log))


def test_a_container_has_secrets_and_parameters_in_its_environment(server: Server) -> None:
    arn = secret(server, "app/db", json.dumps({"user": "me", "password": f"{MARK}-1"}))
    store = server.client("ssm")
    store.put_parameter(Name="/app/key", Value=f"{MARK}-2", Type="SecureString")
    store.put_parameter(Name="plain", Value="three", Type="String")
    references = {
        "USER_NAME": f"{arn}:user::",
        "PASSWORD": f"{arn}:password:AWSCURRENT:",
        "KEY": "/app/key",
        "PLAIN": f"arn:aws:ssm:us-east-1:{arn.split(':')[4]}:parameter/plain",
    }
    script = 'echo "$USER_NAME $PLAIN ${#PASSWORD} ${#KEY} $OWN"'
    own = [{"name": "OWN", "value": "set"}]
    done = server.run_to_end(server.define("env", sh("app", script, environment=own, **wants(**references))))
    assert container_of(done, "app")["exitCode"] == 0
    length = len(MARK) + 2
    assert server.lines(done["taskArn"]) == [f"me three {length} {length} set"]
    assert MARK not in json.dumps(done, default=str)
    assert MARK.encode() not in written(server)


def test_a_new_deployment_brings_a_rotated_secret(server: Server) -> None:
    arn = secret(server, "rotates", "blue")
    server.serve("rotates", server.define("rotates", web("$COLOUR", **wants(COLOUR=arn))))
    old = server.tasks_of("rotates")
    assert [answer(task) for task in old] == ["blue", "blue"]
    server.client("secretsmanager").put_secret_value(SecretId=arn, SecretString="green")
    assert [answer(task) for task in old] == ["blue", "blue"]
    server.ecs.update_service(service="rotates", forceNewDeployment=True)
    server.stable("rotates")
    assert [answer(task) for task in server.tasks_of("rotates")] == ["green", "green"]
    server.unserve("rotates")


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("arn:aws:secretsmanager:us-east-1:{account}:secret:missing-AbCdEf", "can't find the specified secret"),
        ("arn:aws:secretsmanager:us-east-1:{account}:secret:wrong:password::", "did not contain json key password"),
        ("arn:aws:secretsmanager:us-east-1:{account}:secret:deleted", "was marked for deletion"),
        ("/missing", "unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid ssm"),
    ],
)
def test_a_task_that_can_not_have_its_secret_does_not_start(server: Server, reference: str, reason: str) -> None:
    manager = server.client("secretsmanager")
    for name in ("wrong", "deleted"):
        made = manager.create_secret(Name=name, SecretString=json.dumps({"user": "me"}))
        account = made["ARN"].split(":")[4]
    manager.delete_secret(SecretId="deleted")
    try:
        container = sh("app", "true", **wants(X=reference.format(account=account)))
        ended = server.run_to_end(server.define("fails", container))
    finally:
        for name in ("wrong", "deleted"):
            manager.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    assert ended["stopCode"] == "TaskFailedToStart"
    assert ended["stoppedReason"].startswith("ResourceInitializationError: unable to pull secrets or registry auth: ")
    assert reason in ended["stoppedReason"]
    assert "runtimeId" not in ended["containers"][0]


def test_secrets_outlive_a_kill_and_tasks_go_on(launch: Callable[..., Server]) -> None:
    server = launch()
    arn = secret(server, "stays", json.dumps({"word": MARK}))
    server.client("ssm").put_parameter(Name="/stays", Value=f"{MARK}-too", Type="SecureString")
    definition = server.define("stays", web("$WORD $KEY", **wants(WORD=f"{arn}:word::", KEY="/stays")))
    server.serve("stays", definition, count=1)
    (before,) = server.tasks_of("stays")
    server.restart(kill=True)
    (after,) = server.tasks_of("stays")
    assert after["taskArn"] == before["taskArn"]
    assert answer(after) == f"{MARK} {MARK}-too"
    server.kill_container(after)
    server.stopped(after["taskArn"])
    server.stable("stays")

    def replaced() -> dict[str, Any] | None:
        tasks = [task for task in server.tasks_of("stays") if task["lastStatus"] == "RUNNING"]
        return tasks[0] if tasks else None

    assert answer(until(replaced, "the task in its place")) == f"{MARK} {MARK}-too"
    assert MARK.encode() not in written(server)

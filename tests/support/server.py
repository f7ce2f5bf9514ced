"""A real `longshore up` on the real Docker Engine, in a process of its own, and the documents that tests give it.

Called by the fixtures of tests/e2e/conftest.py and by the tests there. It imports nothing of longshore: what it knows
of the server is what a user knows.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
import httpx
from botocore.config import Config

from tests.support import data_plane, engine, images

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

REGION = "us-east-1"
ACCOUNT = "123456789012"
LOG_GROUP = "/e2e"
LIMIT_S = 60.0
QUICK = {"Delay": 1, "MaxAttempts": 60}
"""For boto3's waiters, whose own delay is 6 or 15 seconds."""

T = TypeVar("T")


class Server:
    """`longshore up` with a state folder, a port and a VPC range that outlive its process."""

    def __init__(self, folder: Path, cidr: str, *options: str, docker_url: str | None = None) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.log = folder / "log"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.docker_url = docker_url or engine.docker_url()
        self.lb_port = free_port()
        """Where this host answers for load balancers' listeners at port 80."""
        self._options = ("--vpc-cidr", cidr, "--lb-ports", f"{self.lb_port}:80", *options)
        self._keys = ("x", "x")
        self.variables: dict[str, str] = {}
        """Further ones of its process's environment."""
        self._ecs: tuple[tuple[str, str], Any] | None = None
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)

    # ------------------------------------------------------------------------------------------------- the process

    def start(self) -> None:
        """Start it and wait for its first answer."""
        self.spawn()
        until(self._answers, f"an answer of the server; its output: {self.log}")

    def spawn(self) -> None:
        """Start it."""
        words = [program(), "up", "--state", str(self.state), "--port", str(self.port), *self._options]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(words, stdout=log, stderr=log, env=self.environment() | self.variables)

    def kill9(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        return self._end(signal.SIGTERM)

    def restart(self, *, kill: bool = False) -> None:
        """End it, one way or the other, and start it again."""
        if kill:
            self.kill9()
        else:
            assert self.stop() == 0, self.log.read_text()
        self.start()

    @property
    def instance(self) -> str:
        """Its id on the Docker Engine."""
        return (self.state / "instance").read_text().strip()

    def environment(self) -> dict[str, str]:
        """For its process and for command lines that speak to it: nothing of ours leaks in."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LONGSHORE_"))}
        access_key, secret = self._keys
        return {
            **kept,
            "DOCKER_HOST": self.docker_url,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": access_key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_PAGER": "",
            "COLUMNS": "200",
        }

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"longshore up ended: {self.log.read_text()}"
        try:
            return httpx.get(f"{self.url}/_longshore/health", timeout=5, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    def _end(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(30)

    # -------------------------------------------------------------------------------------------------- the clients

    def sign_with(self, access_key_id: str, secret_access_key: str) -> None:
        """Use this key pair from now on."""
        self._keys = (access_key_id, secret_access_key)

    def client(self, service: str, **changes: Any) -> Any:
        """A boto3 client that never tries again."""
        settings: dict[str, Any] = {
            "endpoint_url": self.url,
            "region_name": REGION,
            "aws_access_key_id": self._keys[0],
            "aws_secret_access_key": self._keys[1],
            "config": Config(
                retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=30, inject_host_prefix=False
            ),
        }
        return boto3.client(service, **{**settings, **changes})

    @property
    def ecs(self) -> Any:
        """A client for ECS; the same as long as the keys are, for making one takes a while."""
        if self._ecs is None or self._ecs[0] != self._keys:
            self._ecs = (self._keys, self.client("ecs"))
        return self._ecs[1]

    def aws(self, *words: str) -> Any:
        """What the AWS CLI answers, as JSON (None where it says nothing)."""
        said = self.aws_text(*words, "--output", "json")
        return json.loads(said) if said.strip() else None

    def aws_text(self, *words: str) -> str:
        """What the AWS CLI prints."""
        done = subprocess.run(
            [str(Path(sys.executable).with_name("aws")), *words],
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def registry_host(self) -> str:
        """What the URIs of its repositories begin with."""
        return f"localhost:{self.port}"

    def longshore(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The `longshore` command, pointed at this server."""
        return command(*words, environment=self.environment())

    # ------------------------------------------------------------------------------------------------ what users do

    def prepare(self) -> None:
        """A cluster and a log group, as every user makes them."""
        self.ecs.create_cluster(clusterName="default")
        self.client("logs").create_log_group(logGroupName=LOG_GROUP)

    def define(self, family: str, *containers: Mapping[str, Any], **fields: Any) -> str:
        """Register a task definition for Fargate; its ARN."""
        document = {
            "networkMode": "awsvpc",
            "requiresCompatibilities": ["FARGATE"],
            "cpu": "256",
            "memory": "512",
            "executionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/execution",
            "containerDefinitions": list(containers),
            **fields,
        }
        arn: str = self.ecs.register_task_definition(family=family, **document)["taskDefinition"]["taskDefinitionArn"]
        return arn

    @property
    def network(self) -> dict[str, Any]:
        """A networkConfiguration with all subnets of the default VPC."""
        subnets = self.client("ec2").describe_subnets()["Subnets"]
        return {"awsvpcConfiguration": {"subnets": [subnet["SubnetId"] for subnet in subnets]}}

    def run(self, definition: str, **changes: Any) -> str:
        """Run one task; its ARN."""
        request = {"taskDefinition": definition, "launchType": "FARGATE", "networkConfiguration": self.network}
        answer = self.ecs.run_task(**{**request, **changes})
        assert answer["failures"] == []
        arn: str = answer["tasks"][0]["taskArn"]
        return arn

    def run_to_end(self, definition: str, **changes: Any) -> dict[str, Any]:
        """Run one task until it has stopped."""
        return self.stopped(self.run(definition, **changes))

    def task(self, arn: str) -> dict[str, Any]:
        """A task as it is."""
        found: dict[str, Any] = self.ecs.describe_tasks(tasks=[arn])["tasks"][0]
        return found

    def running(self, arn: str) -> dict[str, Any]:
        """A task once it is RUNNING."""
        self.reached(arn, "RUNNING")
        return self.task(arn)

    def stopped(self, arn: str) -> dict[str, Any]:
        """A task once it is STOPPED."""
        return self.reached(arn, "STOPPED")

    def reached(self, arn: str, status: str) -> dict[str, Any]:
        """A task once it has that status."""

        def there() -> dict[str, Any] | None:
            task = self.task(arn)
            assert status == "STOPPED" or task["lastStatus"] != "STOPPED", task
            return task if task["lastStatus"] == status else None

        return until(there, f"{arn} to be {status}")

    def serve(self, name: str, definition: str, count: int = 2, **changes: Any) -> None:
        """Create a service and wait until it is stable."""
        request = {"launchType": "FARGATE", "networkConfiguration": self.network, **changes}
        self.ecs.create_service(serviceName=name, taskDefinition=definition, desiredCount=count, **request)
        self.stable(name)

    def stable(self, name: str) -> None:
        """Wait for a service as boto3 does."""
        self.ecs.get_waiter("services_stable").wait(cluster="default", services=[name], WaiterConfig=QUICK)

    def unserve(self, name: str) -> None:
        """Delete a service and wait until it is gone."""
        self.ecs.delete_service(service=name, force=True)
        self.ecs.get_waiter("services_inactive").wait(cluster="default", services=[name], WaiterConfig=QUICK)

    def service(self, name: str) -> dict[str, Any]:
        """A service as it is."""
        found: dict[str, Any] = self.ecs.describe_services(services=[name])["services"][0]
        return found

    def tasks_of(self, name: str, desired_status: str = "RUNNING") -> list[dict[str, Any]]:
        """The tasks of a service, oldest first."""
        arns = self.ecs.list_tasks(serviceName=name, desiredStatus=desired_status)["taskArns"]
        tasks: list[dict[str, Any]] = self.ecs.describe_tasks(tasks=arns)["tasks"] if arns else []
        return sorted(tasks, key=lambda task: task["createdAt"])

    def lines(self, arn: str, container: str = "app") -> list[str]:
        """What a container printed until now, as CloudWatch Logs has it."""
        logs = self.client("logs")
        stream = f"t/{container}/{arn.rpartition('/')[2]}"
        try:
            pages = logs.get_paginator("filter_log_events").paginate(logGroupName=LOG_GROUP, logStreamNames=[stream])
            return [event["message"] for page in pages for event in page["events"]]
        except logs.exceptions.ResourceNotFoundException:
            return []

    # --------------------------------------------------------------------------------------------- the Docker Engine

    def containers(self, *, every: bool = True) -> list[dict[str, Any]]:
        """All its containers in the Docker Engine, or those that run."""
        filters = json.dumps({"label": [f"longshore.instance={self.instance}"]})
        with engine.client(self.docker_url) as http:
            found = http.get("/containers/json", params={"all": str(every).lower(), "filters": filters})
            found.raise_for_status()
            containers: list[dict[str, Any]] = found.json()
            return containers

    def kill_container(self, task: Mapping[str, Any]) -> None:
        """Kill a task's first container behind Longshore's back."""
        with engine.client(self.docker_url) as http:
            http.post(f"/containers/{task['containers'][0]['runtimeId']}/kill").raise_for_status()

    def execute(self, task: Mapping[str, Any], *words: str) -> None:
        """Run a command in a task's first container."""
        with engine.client(self.docker_url) as http:
            made = http.post(f"/containers/{task['containers'][0]['runtimeId']}/exec", json={"Cmd": words})
            made.raise_for_status()
            http.post(f"/exec/{made.json()['Id']}/start", json={"Detach": True}).raise_for_status()

    # ------------------------------------------------------------------------------------------------------- the end

    def empty(self) -> None:
        """Delete load balancers and services, stop all tasks; no container is left and nothing more to be removed."""
        elb = self.client("elbv2")
        for balancer in elb.describe_load_balancers()["LoadBalancers"]:
            elb.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
        ecs = self.ecs
        for cluster in ecs.list_clusters()["clusterArns"]:
            for arn in ecs.list_services(cluster=cluster, maxResults=100)["serviceArns"]:
                ecs.delete_service(cluster=cluster, service=arn, force=True)
            for arn in ecs.list_tasks(cluster=cluster)["taskArns"]:
                ecs.stop_task(cluster=cluster, task=arn)
        until(lambda: not self.containers(), "all containers to be removed")
        health = f"{self.url}/_longshore/health"
        until(lambda: httpx.get(health, trust_env=False).json()["live_tasks"] == 0, "the tasks' cgroups to be removed")

    def close(self) -> None:
        """Empty it, end it, and remove its networks, which Longshore keeps for its next start."""
        if self.process is None:
            return
        try:
            if self.process.poll() is None:
                self.empty()
                until(lambda: data_plane.running(self.instance) is None, "HAProxy to end with its last load balancer")
                until(lambda: not data_plane.guarded(self.instance), "the firewall to go with the last address")
        finally:
            if self.process.poll() is None:
                self.kill9()
            data_plane.end(self.instance)
            found = engine.labelled(self.docker_url, "longshore.instance")
            own = frozenset(thing for thing in found if thing.instance == self.instance)
            engine.remove(self.docker_url, own)
        left = [thing for thing in own if thing.kind != "networks"]
        assert not left, f"left behind: {left}"


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def program() -> str:
    """The `longshore` command beside this Python."""
    return str(Path(sys.executable).with_name("longshore"))


def command(*words: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the `longshore` command to its end."""
    return subprocess.run(
        [program(), *words], env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )


def until(look: Callable[[], T | None], what: str, limit_s: float = LIMIT_S) -> T:
    """Look again and again until there is something to see; what was seen."""
    deadline = time.monotonic() + limit_s
    while not (seen := look()):
        assert time.monotonic() < deadline, f"waited {limit_s:.0f} s in vain for {what}"
        time.sleep(0.1)
    return seen


def sh(name: str, script: str, **fields: Any) -> dict[str, Any]:
    """A container definition that runs a shell script and logs to the group that `prepare` made."""
    return {
        "name": name,
        "image": images.BUSYBOX,
        "command": ["sh", "-c", script],
        "essential": True,
        "stopTimeout": 2,
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {"awslogs-group": LOG_GROUP, "awslogs-region": REGION, "awslogs-stream-prefix": "t"},
        },
        **fields,
    }


STAY = "trap 'exit 0' TERM; sleep 100000 & wait"
"""The end of a script: stay until told to stop, then end at once with 0."""


def web(text: str = "hello", port: int = 80, **fields: Any) -> dict[str, Any]:
    """A container `app` that answers every GET of / with `text`, in which $VARIABLES are its environment's."""
    script = f'echo "{text}" >/www/index.html; httpd -p {port} -h /www; {STAY}'
    return sh("app", script, portMappings=[{"containerPort": port}], **fields)


def address(task: Mapping[str, Any]) -> str:
    """The address in the task's ENI attachment; empty before it has one."""
    details: Sequence[Mapping[str, str]] = task["attachments"][0]["details"]
    return next((detail["value"] for detail in details if detail["name"] == "privateIPv4Address"), "")


def answer(task: Mapping[str, Any], port: int = 80) -> str:
    """What the task answers, asked at its own address from this host."""
    return engine.wait_http(f"http://{address(task)}:{port}/").strip()


def runtime_ids(tasks: Sequence[Mapping[str, Any]]) -> set[str]:
    """The Docker ids of tasks' containers."""
    return {container["runtimeId"] for task in tasks for container in task["containers"]}


def container_of(task: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A container of a task, by name."""
    return next(dict(container) for container in task["containers"] if container["name"] == name)

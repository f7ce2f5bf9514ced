"""Images of repositories: docker login, push and pull, and the tasks that run them, on a real Engine and registry."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.support import docker_cli
from tests.support.docker_cli import DockerCli, registries
from tests.support.server import ACCOUNT, REGION, Server, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.docker, pytest.mark.registry, docker_cli.NEEDED]

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
AWS = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"


@pytest.fixture
def docker(server: Server, tmp_path: Path) -> Iterator[DockerCli]:
    made = DockerCli(server, tmp_path / "docker")
    yield made
    made.clean()


@pytest.fixture
def repository(server: Server, request: pytest.FixtureRequest) -> Iterator[str]:
    """A repository's name, and its name alone: the server's are made for one test each."""
    ecr = server.client("ecr")
    name = f"team/{request.node.name.replace('_', '-')[:40].strip('-')}"
    ecr.create_repository(repositoryName=name)
    yield name
    ecr.delete_repository(repositoryName=name, force=True)


def uri(server: Server, repository: str) -> str:
    found = server.client("ecr").describe_repositories(repositoryNames=[repository])["repositories"][0]
    return str(found["repositoryUri"])


def container(image: str) -> dict[str, Any]:
    return {"name": "app", "image": image, "command": ["true"]}


def digest_of(server: Server, repository: str, tag: str) -> str:
    ids = [{"imageTag": tag}]
    found = server.client("ecr").describe_images(repositoryName=repository, imageIds=ids)["imageDetails"]
    return str(found[0]["imageDigest"])


def test_what_is_pushed_runs_by_its_name_on_aws(server: Server, docker: DockerCli, repository: str) -> None:
    docker.login()
    ours, aws = uri(server, repository), f"{AWS}/{repository}:v1"
    docker.make(f"{ours}:v1", "one")
    docker("push", f"{ours}:v1")
    digest = digest_of(server, repository, "v1")
    docker.forget(f"{ours}:v1")
    for image in (aws, f"{ours}:v1", f"{AWS}/{repository}@{digest}"):
        docker.clean()
        task = server.run_to_end(server.define("pushed", container(image)))
        [ran] = task["containers"]
        assert (ran.get("reason"), ran["exitCode"], ran["image"], ran["imageDigest"]) == (None, 0, image, digest)
    docker.clean()
    task = server.running(server.run(server.define("stays", {**container(aws), "command": ["sleep", "1000"]})))
    assert [c["Image"] for c in server.containers() if "~pause" not in str(c["Labels"])] == [aws]
    server.ecs.stop_task(task=task["taskArn"])


def test_the_next_task_runs_what_was_pushed_last(server: Server, docker: DockerCli, repository: str) -> None:
    ours, definition = uri(server, repository), server.define("latest", container(f"{AWS}/{repository}"))
    ran = []
    for word in ("one", "two"):
        docker.make(ours, word)
        docker("push", ours)
        ran.append(server.run_to_end(definition)["containers"][0]["imageDigest"])
        assert ran[-1] == digest_of(server, repository, "latest")
    assert ran[0] != ran[1]
    docker.make(f"{AWS}/{repository}:latest", "here-alone")
    assert server.run_to_end(definition)["containers"][0]["imageDigest"] == ran[1]


def test_docker_says_why_a_push_is_refused(server: Server, docker: DockerCli, repository: str) -> None:
    ours, ecr = uri(server, repository), server.client("ecr")
    docker.make(f"{ours}-none:v1")
    said = docker("push", f"{ours}-none:v1", code=None)
    text = f"The repository with name '{repository}-none' does not exist in the registry with id '{ACCOUNT}'"
    assert f"name unknown: {text}" in said
    ecr.put_image_tag_mutability(repositoryName=repository, imageTagMutability="IMMUTABLE")
    docker.make(f"{ours}:v1", "one")
    docker("push", f"{ours}:v1")
    docker("push", f"{ours}:v1")
    before = digest_of(server, repository, "v1")
    docker.make(f"{ours}:v1", "two")
    said = docker("push", f"{ours}:v1", code=None)
    text = f"The image tag 'v1' already exists in the '{repository}' repository and cannot be overwritten because"
    assert f"tag invalid: {text}" in said
    assert digest_of(server, repository, "v1") == before


def test_an_image_deleted_by_the_api_is_not_pulled_any_more(server: Server, docker: DockerCli, repository: str) -> None:
    ours = uri(server, repository)
    docker.make(f"{ours}:v1")
    docker("push", f"{ours}:v1")
    server.client("ecr").batch_delete_image(repositoryName=repository, imageIds=[{"imageTag": "v1"}])
    docker.clean()
    assert "Requested image not found" in docker("pull", f"{ours}:v1", code=None)
    task = server.run_to_end(server.define("gone", container(f"{AWS}/{repository}:v1")))
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith("CannotPullContainerError: ")
    assert "manifest unknown: Requested image not found" in task["stoppedReason"]


def test_two_accounts_and_regions_have_repositories_of_their_own(
    server: Server, docker: DockerCli, repository: str
) -> None:
    other = server.client("ecr", region_name="eu-west-1", aws_access_key_id="210987654321")
    made = other.create_repository(repositoryName=repository)["repository"]["repositoryUri"]
    docker.make(f"{made}:v1", "other")
    docker("push", f"{made}:v1")
    assert len(other.list_images(repositoryName=repository)["imageIds"]) == 1
    assert server.client("ecr").list_images(repositoryName=repository)["imageIds"] == []
    digest = other.describe_images(repositoryName=repository)["imageDetails"][0]["imageDigest"]
    docker.clean()
    aws = f"210987654321.dkr.ecr.eu-west-1.amazonaws.com/{repository}:v1"
    task = server.run_to_end(server.define("other", container(aws)))
    assert task["containers"][0]["imageDigest"] == digest
    other.delete_repository(repositoryName=repository, force=True)


def test_images_outlive_kills_of_longshore_and_of_the_registry(launch: Callable[..., Server], tmp_path: Path) -> None:
    server = launch()
    docker = DockerCli(server, tmp_path / "docker")
    ours = server.client("ecr").create_repository(repositoryName="app")["repository"]["repositoryUri"]
    try:
        for word in ("one", "two", "three"):
            docker.make(f"{ours}:{word}", word)
            docker("push", f"{ours}:{word}")
            server.restart(kill=True)
        until(lambda: not registries(server), "the killed servers' registries to end", limit_s=10)
        docker.clean()
        for word in ("one", "two", "three"):
            task = server.run_to_end(server.define(word, container(f"{AWS}/app:{word}")))
            assert task["containers"][0]["imageDigest"] == digest_of(server, "app", word)
        [process] = registries(server)
        os.kill(process, signal.SIGKILL)
        docker.clean()
        until(lambda: "Digest: " in docker("pull", f"{ours}:one", code=0), "a pull after the registry was killed")
    finally:
        docker.clean()


def test_where_requests_are_signed_docker_logs_in_and_tasks_need_not(
    launch: Callable[..., Server], tmp_path: Path
) -> None:
    server = launch("--auth")
    docker = DockerCli(server, tmp_path / "docker")
    ours = server.client("ecr").create_repository(repositoryName="app")["repository"]["repositoryUri"]
    try:
        docker.make(f"{ours}:v1")
        assert "no basic auth credentials" in docker("push", f"{ours}:v1", code=None)
        docker.login()
        docker("push", f"{ours}:v1")
        docker("logout", server.registry_host)
        server.client("iam").create_role(RoleName="execution", AssumeRolePolicyDocument=json.dumps(TRUST))
        docker.clean()
        assert "no basic auth credentials" in docker("pull", f"{ours}:v1", code=None)
        task = server.run_to_end(server.define("signed", container(f"{AWS}/app:v1")))
        assert task["containers"][0]["exitCode"] == 0
        assert httpx.get(f"{server.url}/v2/", trust_env=False).status_code == 401
    finally:
        docker.clean()

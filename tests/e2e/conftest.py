"""Fixtures: a `longshore up` for each file of tests, and fresh ones for tests that stop and kill theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import engine
from tests.support.server import Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, docker_url: str, busybox_image: str) -> Iterator[Server]:
    """A running server with a cluster and a log group; it must be able to remove all that a file's tests made."""
    assert busybox_image
    made = Server(tmp_path_factory.mktemp("longshore"), engine.free_cidr(docker_url, 16))
    try:
        made.start()
        made.prepare()
        yield made
    finally:
        made.close()


@pytest.fixture
def simulated(tmp_path: Path) -> Iterator[Server]:
    """A server whose tasks, and load balancers, only seem to run."""
    server = Server(tmp_path / "longshore", "172.31.0.0/16", "--engine", "sim", docker_url="unix:///nowhere")
    server.start()
    yield server
    server.kill9()


@pytest.fixture
def launch(
    tmp_path_factory: pytest.TempPathFactory, docker_url: str, busybox_image: str, own_instances: set[str]
) -> Iterator[Callable[..., Server]]:
    """`launch(*options)`: a running server of this test's own, with a cluster and a log group."""
    assert busybox_image
    made: list[Server] = []

    def start(*options: str) -> Server:
        server = Server(tmp_path_factory.mktemp("longshore"), engine.free_cidr(docker_url, 16), *options)
        made.append(server)
        server.start()
        own_instances.add(server.instance)
        if "--auth" in options:
            keys = server.longshore("keys", "--state", str(server.state)).stdout.split()
            server.sign_with(*(word.partition("=")[2] for word in keys if "=" in word))
        server.prepare()
        return server

    yield start
    for server in made:
        server.close()

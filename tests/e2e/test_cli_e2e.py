"""The `longshore` command beside real containers, and how `longshore up` refuses what cannot work."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.support.server import STAY, Server, address, command, free_port, sh, until, web

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.docker


def refusal(server: Server, *options: str) -> str:
    """What `longshore up` says as it ends with exit code 1: one sentence or a few, in one line, and no traceback."""
    done = command("up", *options, environment=server.environment())
    said = [line for line in done.stderr.splitlines() if " s  " not in line]  # without the timed lines of its start
    assert done.returncode == 1, done
    assert "Traceback" not in done.stderr
    assert len(said) == 1, done.stderr
    return said[0]


def test_status_shows_what_runs_and_why_something_does_not(server: Server) -> None:
    server.serve("shown", server.define("shown", web()), count=1)
    (task,) = server.tasks_of("shown")
    absent = web() | {"image": "127.0.0.1:1/absent:1"}
    server.ecs.create_service(
        serviceName="broken",
        taskDefinition=server.define("broken", absent),
        desiredCount=1,
        launchType="FARGATE",
        networkConfiguration=server.network,
    )
    until(lambda: server.tasks_of("broken", "STOPPED"), "a failure")
    status = server.longshore("status")
    assert status.returncode == 0, status.stderr
    (row,) = [line for line in status.stdout.splitlines() if "shown:1" in line]
    assert row.split()[:2] == ["shown", "ACTIVE"]
    assert "1/1" in row
    assert address(task) in status.stdout
    assert any("broken: its last task" in line and "CannotPull" in line for line in status.stdout.splitlines())
    server.unserve("broken")
    server.unserve("shown")


def test_logs_of_a_service_and_of_a_task(server: Server) -> None:
    server.serve("says", server.define("says", sh("app", f"echo [bold]; echo up; {STAY}")), 1)
    (task,) = server.tasks_of("says")
    until(lambda: server.lines(task["taskArn"]) == ["[bold]", "up"], "the lines")
    task_id = task["taskArn"].rpartition("/")[2]
    for name in ("says", task_id, task_id[:6]):
        told = server.longshore("logs", name)
        assert told.returncode == 0, told.stderr
        assert [line.split()[-1] for line in told.stdout.splitlines()] == ["[bold]", "up"]
    nothing = server.longshore("logs", "nobody")
    assert nothing.returncode == 1
    assert "'nobody'" in nothing.stderr
    assert "longshore status" in nothing.stderr
    server.unserve("says")


def test_commands_say_when_no_server_answers(server: Server) -> None:
    for words in (("status",), ("logs", "x")):
        done = command(*words, "--endpoint", f"http://127.0.0.1:{free_port()}", environment=server.environment())
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert "longshore up" in " ".join(done.stderr.split())


def test_doctor_finds_the_engine_and_the_server(server: Server) -> None:
    well = server.longshore("doctor", "--port", str(server.port))
    assert well.returncode == 0, well.stdout
    assert "Docker Engine" in well.stdout
    assert "is running" in well.stdout


def test_doctor_says_what_to_do(server: Server) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ill = server.longshore("doctor", "--port", str(port), "--docker-url", "unix:///nowhere.sock")
    assert ill.returncode == 1
    assert "systemctl start docker" in ill.stdout
    assert "--port" in ill.stdout


def test_dns_says_how_the_host_resolves_names(server: Server) -> None:
    # Another Longshore of this machine may have the address, and end between two questions: then this one takes it.
    told = until(lambda: done if (done := server.longshore("dns")).returncode == 0 else None, "an answer for names")
    assert "nameserver 169.254.170.2" in told.stdout


def test_keys_are_those_of_the_state_folder(launch: Callable[..., Server], tmp_path: Path) -> None:
    server = launch("--auth")  # signs with what `longshore keys` prints
    assert server.client("sts").get_caller_identity()["Arn"].endswith(":root")
    status = server.longshore("status")
    assert status.returncode == 0, status.stderr
    other = server.longshore("keys", "--state", str(tmp_path / "other")).stdout
    assert other.startswith("export AWS_ACCESS_KEY_ID=")
    assert server.environment()["AWS_SECRET_ACCESS_KEY"] not in other


def test_up_refuses_a_port_that_is_taken(server: Server, tmp_path: Path) -> None:
    said = refusal(server, "--state", str(tmp_path / "state"), "--port", str(server.port))
    assert str(server.port) in said
    assert "--port" in said


def test_up_refuses_a_state_folder_in_use(server: Server) -> None:
    said = refusal(server, "--state", str(server.state), "--port", str(free_port()))
    assert str(server.state) in said
    assert server.ecs.list_services()["serviceArns"] == []  # and the server that has it goes on


def test_up_refuses_other_addresses_without_auth(server: Server, tmp_path: Path) -> None:
    said = refusal(server, "--state", str(tmp_path / "state"), "--listen", "0.0.0.0", "--port", str(free_port()))  # noqa: S104  refused
    assert "--auth" in said


def test_up_refuses_a_corrupt_state_file_and_leaves_it_as_it_is(server: Server, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "state.db").write_bytes(b"this is no database" * 1000)
    said = refusal(server, "--state", str(state), "--port", str(free_port()))
    assert str(state / "state.db") in said
    assert (state / "state.db").read_bytes() == b"this is no database" * 1000


def test_up_says_when_there_is_no_docker_engine(server: Server, tmp_path: Path) -> None:
    options = ("--state", str(tmp_path / "state"), "--port", str(free_port()), "--docker-url", "unix:///nowhere.sock")
    assert "longshore doctor" in refusal(server, *options)

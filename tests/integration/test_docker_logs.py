"""What containers print: live, complete, in order, whole lines."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from longshore.domain.log import LogTarget
from tests.support import engine
from tests.support.docker_rig import SLEEP, RecordingSink, Rig, make_rig, sh, task

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("busybox_image")]


@pytest.fixture
async def rig(docker_instance: str, docker_url: str) -> AsyncIterator[Rig]:
    rig = await make_rig(docker_instance, docker_url, RecordingSink())
    yield rig
    await rig.engine.purge()
    await rig.close()


async def test_lines_arrive_while_the_task_runs(rig: Rig) -> None:
    await rig.engine.start(task(sh("app", f"echo out; echo err >&2; {SLEEP}")))
    await rig.sink.until("app", "out")
    await rig.sink.until("app", "err")
    assert not rig.reports["1" * 32][-1].ended


async def test_everything_is_delivered_before_the_task_is_removed(rig: Rig) -> None:
    await rig.run_to_end(task(sh("app", "seq 1 20000")))
    await rig.engine.remove("1" * 32)
    assert rig.sink.lines("app") == [str(number) for number in range(1, 20001)]
    stamps = [event.timestamp_ms for event in rig.sink.streams["app"]]
    assert stamps == sorted(stamps)


@pytest.mark.parametrize("terminal", [False, True])
async def test_long_lines_are_joined_up_to_the_size_of_an_event(rig: Rig, terminal: bool) -> None:
    script = "head -c 100000 /dev/zero | tr '\\0' a; echo; head -c 300000 /dev/zero | tr '\\0' b; echo; printf end"
    await rig.run_to_end(task(sh("app", script, pseudo_terminal=terminal)))
    await rig.engine.remove("1" * 32)
    assert [(line[:3], len(line)) for line in rig.sink.lines("app")] == [
        ("aaa", 100000),
        ("bbb", 262144),
        ("bbb", 300000 - 262144),
        ("end", 3),
    ]


async def test_multiline_pattern_joins_lines_to_events(rig: Rig) -> None:
    target = LogTarget(group="group", stream="app", region="eu-west-1", multiline_pattern="^ERROR|^INFO")
    await rig.run_to_end(task(sh("app", "echo ERROR one; echo ' at x'; echo ' at y'; echo INFO two", log=target)))
    await rig.engine.remove("1" * 32)
    assert rig.sink.lines("app") == ["ERROR one\n at x\n at y", "INFO two"]


async def test_multiline_event_is_delivered_although_nothing_follows(rig: Rig) -> None:
    target = LogTarget(group="group", stream="app", region="eu-west-1", multiline_pattern="^ERROR")
    await rig.engine.start(task(sh("app", f"echo ERROR one; echo ' at x'; {SLEEP}", log=target)))
    await rig.sink.until("app", "ERROR one\n at x")


async def test_log_goes_on_after_a_restart_without_gap_or_double(docker_instance: str, docker_url: str) -> None:
    """The first Longshore vanishes while the container prints; the second goes on where the first ended."""
    sink = RecordingSink()
    first = await make_rig(docker_instance, docker_url, sink)
    launch = task(sh("app", "for i in $(seq 1 3000); do echo $i; test $((i % 50)) = 0 && sleep 0.02; done"))
    await first.engine.start(launch)
    await sink.until("app", "700")
    first.abandon()
    second = await make_rig(docker_instance, docker_url, sink)
    assert await second.engine.adopt([launch]) == {launch.task_id}
    await second.ended(launch.task_id)
    await second.engine.remove(launch.task_id)
    await second.engine.purge()
    await second.close()
    await first.close()
    assert sink.lines("app") == [str(number) for number in range(1, 3001)]


async def test_container_stays_until_what_it_printed_is_on_disk(rig: Rig, docker_url: str) -> None:
    seen = await rig.run_to_end(task(sh("app", "echo last words")))
    rig.sink.on_disk.clear()
    removing = asyncio.create_task(rig.engine.remove("1" * 32))
    await asyncio.wait_for(rig.sink.asked.wait(), 10)
    with engine.client(docker_url) as http:
        path = f"/containers/{seen.containers[0].runtime_id}/json"
        assert http.get(path).status_code == 200
        rig.sink.on_disk.set()
        await removing
        assert http.get(path).status_code == 404
    assert rig.sink.lines("app") == ["last words"]

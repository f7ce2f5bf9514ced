"""Simulated worlds: every promise holds in each, and the checkers do see a broken one."""

from typing import Any

import pytest

from longshore.api import logs
from longshore.control.ec2.firewall import FirewallController
from longshore.control.ecs import tasks as control_tasks
from longshore.control.names.connect import ConnectController
from longshore.decide.ecs.rollout import rolling
from longshore.decide.ecs.task import released
from longshore.domain.log import LogGroup
from longshore.drivers.sim.machine import SimMachine
from longshore.wire.errors import ApiError
from sim import play as stories
from sim.checks import Violation
from sim.disk import SimJournal
from sim.play import play
from sim.secrets import SecretStory
from sim.stack import StackStory

WORLDS = 1000
SECRET_WORLDS = 40
STACK_WORLDS = 200
SHARE = 20
"""Worlds per test, so that two processes share the work."""

REGRESSIONS: list[int] = [5, 27, 139, 171, 1868]
"""Seeds that once broke a promise."""


@pytest.mark.parametrize("first", range(0, WORLDS, SHARE))
def test_every_promise_holds(first: int) -> None:
    for seed in range(first, first + SHARE):
        play(seed)


@pytest.mark.parametrize("seed", REGRESSIONS)
def test_seed_that_once_failed(seed: int) -> None:
    play(seed)


@pytest.mark.parametrize("first", range(0, SECRET_WORLDS, SHARE))
def test_every_promise_holds_where_containers_have_a_secret(first: int) -> None:
    for seed in range(first, first + SHARE):
        play(seed, SecretStory)


@pytest.mark.parametrize("first", range(0, STACK_WORLDS, SHARE))
def test_every_promise_holds_where_users_build_stacks(first: int) -> None:
    for seed in range(first, first + SHARE):
        play(seed, StackStory)


def test_checkers_see_containers_without_their_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_tasks, "task_secrets", lambda *_: {})
    with pytest.raises(Violation, match="began with"):
        play(0, SecretStory)


def noticed(seeds: int, words: str, kind: type[stories.Story] = stories.Story) -> bool:
    """Whether a world notices, in these words."""
    for seed in range(seeds):
        try:
            play(seed, kind)
        except Violation as violation:
            if words in str(violation):
                return True
    return False


def test_checkers_see_a_scheduler_that_ignores_the_minimum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rolling, "floor_of", lambda *_: 0)
    assert noticed(20, "our own stops took it")


def test_checkers_see_a_scheduler_that_ignores_the_maximum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rolling, "ceiling_of", lambda desired, _percent: desired * 9)
    assert noticed(20, "our own starts took it")


def test_checkers_see_tasks_that_start_before_their_security_groups_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(_controller: Any) -> None:
        """As if all were in force."""

    monkeypatch.setattr(FirewallController, "in_force", at_once)
    assert noticed(10, "was told to start while nothing guarded")


def test_checkers_see_addresses_that_are_never_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def keep(tx: Any, task: Any, now: float) -> None:
        tx.put(released(task, now))

    monkeypatch.setattr(control_tasks, "release", keep)
    assert noticed(10, "addresses held by no live task")


def test_checkers_see_proxies_that_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ConnectController, "withdrawn", lambda _self, _task: True)
    assert noticed(20, "sends it requests")


def test_checkers_see_proxies_that_are_not_told_of_new_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ConnectController, "_answered", lambda *_: None)
    assert noticed(20, "the proxy of")


def test_checkers_see_a_machine_that_starts_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    def begin(self: SimMachine, launch: Any) -> None:
        self.tasks.pop(launch.task_id, None)
        original(self, launch)

    original = SimMachine.begin
    monkeypatch.setattr(SimMachine, "begin", begin)
    assert noticed(20, "was started 2 times")


@pytest.mark.parametrize(("kind", "words"), [(stories.Story, "acknowledged and lost"), (StackStory, "after a crash")])
def test_checkers_see_an_answer_given_before_the_disk_has_it(
    monkeypatch: pytest.MonkeyPatch, kind: type[stories.Story], words: str
) -> None:
    async def hasty(self: stories.Story, *arguments: Any) -> dict[str, Any]:
        store = self.plane.store
        monkeypatch.setattr(store, "durable", _at_once)
        try:
            return await original(self, *arguments)
        finally:
            monkeypatch.delattr(store, "durable")

    original = stories.Story.ask
    monkeypatch.setattr(stories.Story, "ask", hasty)
    assert noticed(40, words, kind)


def test_checkers_see_an_error_behind_which_something_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(self: stories.Story, operation: str, *arguments: Any) -> dict[str, Any]:
        answer = await original(self, operation, *arguments)
        if operation == "TagPolicy":
            raise ApiError("ServiceFailure", "It is done, and this is not so.")
        return answer

    original = stories.Story.ask
    monkeypatch.setattr(stories.Story, "ask", refuse)
    assert noticed(40, "was refused", StackStory)


def test_checkers_see_an_acknowledged_create_that_kept_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def forget(self: stories.Story, operation: str, *arguments: Any) -> dict[str, Any]:
        answer = await original(self, operation, *arguments)
        if operation == "CreateLogGroup":
            _lose_log_groups(self)
        return answer

    original = stories.Story.ask
    monkeypatch.setattr(stories.Story, "ask", forget)
    assert noticed(20, "CreateLogGroup was acknowledged and kept nothing", StackStory)


def test_checkers_see_an_acknowledged_end_that_only_changed_something(monkeypatch: pytest.MonkeyPatch) -> None:
    async def spare(self: stories.Story, operation: str, handler: Any, params: dict[str, Any]) -> dict[str, Any]:
        if operation == "DeleteLogGroup":
            tag = logs.SERVICE.operations["TagLogGroup"].handler
            return await original(self, operation, tag, {**params, "tags": {"still": "here"}})
        return await original(self, operation, handler, params)

    original = stories.Story.ask
    monkeypatch.setattr(stories.Story, "ask", spare)
    assert noticed(20, "DeleteLogGroup was acknowledged", StackStory)


def test_checkers_see_a_crash_that_tears_a_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    def tear(self: SimJournal) -> None:
        self._queue = [(revision, rows[:1]) for revision, rows in self._queue]
        original(self)

    original = SimJournal.crash
    monkeypatch.setattr(SimJournal, "crash", tear)
    assert noticed(60, "was cut off", StackStory)


def test_checkers_see_what_is_lost_without_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    async def heal(self: stories.Story) -> None:
        await original(self)
        _lose_log_groups(self)

    original = stories.Story.heal
    monkeypatch.setattr(stories.Story, "heal", heal)
    assert noticed(20, "in the end", StackStory)


def _lose_log_groups(story: stories.Story) -> None:
    with story.plane.store.transaction() as tx:
        for group in story.plane.store.all(LogGroup):
            tx.delete(LogGroup, group.key)


async def _at_once(_revision: int | None = None) -> None:
    """No waiting."""

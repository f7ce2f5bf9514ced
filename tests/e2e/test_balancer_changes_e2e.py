"""A minute of load on a load balancer while all that can change behind it and on it does; nothing may be lost."""

from __future__ import annotations

import functools
import itertools
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.live_balancer import Balancer, balancer
from tests.support.server import Server, address, until, web
from tests.support.wrk import wrk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

pytestmark = [pytest.mark.docker, pytest.mark.haproxy]

LOAD_S = 60
WITHIN_S = 45.0
"""In which all changes are made; the rest is for what they set off."""
TARGET_CHANGES, RULE_CHANGES = 50, 20


def test_minute_of_load_loses_nothing_to_targets_rules_and_a_deployment(server: Server, tmp_path: Path) -> None:
    it = balancer(server, "busy")
    it.group("side")
    for group in it.groups.values():
        # A target of any age may leave: what it has begun is soon answered.
        attributes = [{"Key": "deregistration_delay.timeout_seconds", "Value": "10"}]
        it.elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=attributes)
    server.serve("busy", server.define("busy", web("one")), 2, loadBalancers=it.use("busy"))
    definitions = [server.define(text, web(text)) for text in ("side", "guest", "guest")]
    side, *guests = others = [server.running(server.run(definition)) for definition in definitions]
    it.elb.register_targets(TargetGroupArn=it.groups["side"], Targets=[{"Id": address(side)}])
    aside = [{"Field": "path-pattern", "Values": ["/side*"]}]
    it.elb.create_rule(ListenerArn=it.listener, Priority=20, Conditions=aside, Actions=_to(it, "side"))
    until(lambda: it.health("side") == ["healthy"], "the target of the second group")

    url = f"http://{it.address}/"
    revision = server.define("busy", web("two"))
    with (
        wrk(tmp_path, url, duration_s=LOAD_S, keep_alive=True) as kept,
        wrk(tmp_path, url, duration_s=LOAD_S, keep_alive=False) as closed,
    ):
        targets = Changes(_target_changes(it, guests), TARGET_CHANGES)
        rules = Changes(_rule_changes(it), RULE_CHANGES)
        server.ecs.update_service(service="busy", taskDefinition=revision)
        server.stable("busy")
        targets.finish()
        rules.finish()
        assert kept.process.poll() is None, "the changes took longer than the load"
        kept.wait()
        closed.wait()

    assert (kept.lost, closed.lost) == ({}, {})
    assert kept.bodies == closed.bodies == {"one", "two", "side", "guest"}
    assert {task["taskDefinitionArn"] for task in server.tasks_of("busy")} == {revision}
    server.unserve("busy")
    for task in others:
        server.ecs.stop_task(task=task["taskArn"])
    until(lambda: it.health("busy") == [], "the targets to be gone")
    it.delete()


class Changes:
    """Calls made one after another in a thread of its own, evenly over `WITHIN_S`."""

    def __init__(self, calls: Iterable[Callable[[], Any]], count: int) -> None:
        self._calls = list(itertools.islice(calls, count))
        self._errors: list[Exception] = []
        self._thread = threading.Thread(target=self._make, daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Wait for the last; raises what one of them did."""
        self._thread.join(LOAD_S)
        assert not self._thread.is_alive()
        if self._errors:
            raise self._errors[0]

    def _make(self) -> None:
        try:
            for call in self._calls:
                call()
                time.sleep(WITHIN_S / len(self._calls))
        except Exception as error:  # noqa: BLE001  for the test's own thread
            self._errors.append(error)


def _target_changes(it: Balancer, tasks: list[dict[str, Any]]) -> Iterable[Callable[[], Any]]:
    """Each task comes into the service's group and leaves it, over and over."""
    elb, group = it.elb, it.groups["busy"]
    for task in itertools.cycle(tasks):
        target = [{"Id": address(task), "Port": 80}]
        yield functools.partial(elb.register_targets, TargetGroupArn=group, Targets=target)
        yield functools.partial(elb.deregister_targets, TargetGroupArn=group, Targets=target)


def _rule_changes(it: Balancer) -> Iterable[Callable[[], Any]]:
    """A rule that takes all requests to the other group: made, changed twice, and deleted, over and over."""
    elb, both = it.elb, _to(it, "busy", "side")
    every, some = ([{"Field": "path-pattern", "Values": [pattern]}] for pattern in ("*", "/some*"))
    made: list[str] = []

    def create() -> None:
        rule = elb.create_rule(ListenerArn=it.listener, Priority=10, Conditions=every, Actions=_to(it, "side"))[
            "Rules"
        ][0]
        made.append(rule["RuleArn"])

    while True:
        yield create
        yield lambda: elb.modify_rule(RuleArn=made[-1], Actions=both)
        yield lambda: elb.modify_rule(RuleArn=made[-1], Conditions=some)
        yield lambda: elb.delete_rule(RuleArn=made.pop())


def _to(it: Balancer, *names: str) -> list[dict[str, Any]]:
    """An action that forwards to groups of equal weight."""
    shares = [{"TargetGroupArn": it.groups[name], "Weight": 1} for name in names]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": shares}}]

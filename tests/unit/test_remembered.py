"""What is remembered: the same answer for the same records and for no others, and not without end."""

from __future__ import annotations

import pytest

from longshore.api.ecs import task_view, tasks
from longshore.domain.ecs.task import Task
from longshore.domain.ecs.task_definition import TaskDefinition
from longshore.domain.remembered import Remembered
from longshore.wire.catalog import Catalog
from longshore.wire.kept import Kept
from tests.support.api import Api, awsvpc

calls: list[tuple[object, ...]] = []


def noted(*arguments: object) -> int:
    """How often it was called."""
    calls.append(arguments)
    return len(calls)


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    calls.clear()


def test_the_same_objects_are_asked_for_once_and_equal_ones_apart() -> None:
    known = Remembered(noted, most=10)
    one, equal = [1], [1]
    assert (known(one, True), known(one, True), known(one, False), known(equal, True)) == (1, 1, 2, 3)


def test_only_the_ones_used_last_are_kept() -> None:
    known = Remembered(noted, most=2)
    first, second, third = [1], [2], [3]
    for each in (first, second, first, third):
        known(each)
    assert len(known) == 2
    known(first)
    assert len(calls) == 3
    known(second)
    assert len(calls) == 4


def test_an_object_that_takes_the_place_of_another_in_memory_is_not_taken_for_it() -> None:
    known = Remembered(lambda some: some[0], most=1000)
    assert [known([number]) for number in range(500)] == list(range(500))


def test_arguments_by_name_are_no_way_around_it() -> None:
    with pytest.raises(TypeError, match="position"):
        Remembered(lambda one: one, most=1)(one=1)


def test_a_task_is_shown_as_it_is_after_every_change() -> None:
    api = Api(tasks.OPERATIONS)
    api.define()
    [made] = api("RunTask", taskDefinition="web", networkConfiguration=awsvpc(), tags=[{"key": "a", "value": "b"}])[
        "tasks"
    ]
    name = made["taskArn"]

    def shown(**params: object) -> dict[str, object]:
        [only] = api("DescribeTasks", tasks=[name], **params)["tasks"]
        answer: dict[str, object] = only
        return answer

    first = shown()
    assert shown() is first
    assert first["tags"] == []
    assert shown(include=["TAGS"])["tags"] == [{"key": "a", "value": "b"}]
    [task] = api.store.all(Task)
    api.put(task.but(last_status="RUNNING"))
    assert (first["lastStatus"], shown()["lastStatus"]) == ("PROVISIONING", "RUNNING")
    api.put(task)
    [definition] = api.store.all(TaskDefinition)
    assert shown() == first == task_view.task(task, definition)


VIEW = {"taskArn": "arn", "createdAt": 1.5, "version": 3, "containers": [{"name": "a", "exitCode": 0}]}


@pytest.mark.parametrize("protocol", ["json", "smithy-rpc-v2-cbor"])
def test_a_part_that_is_kept_is_written_as_any_other_each_time(protocol: str) -> None:
    catalog = Catalog(["ecs"])
    target = catalog.target("ecs", "DescribeTasks", "json")._replace(protocol=protocol)
    plain = catalog.serialize(target, {"tasks": [VIEW, VIEW]}, "r").body
    kept = Kept(dict(VIEW))
    for _ in range(2):
        assert catalog.serialize(target, {"tasks": [kept, kept]}, "r").body == plain


def test_a_part_that_is_kept_is_checked_like_any_other() -> None:
    catalog = Catalog(["ecs"])
    target = catalog.target("ecs", "DescribeTasks", "json")
    wrong = Kept({"taskArn": "arn", "version": "three"})
    for _ in range(2):
        with pytest.raises(TypeError, match="long"):
            catalog.serialize(target, {"tasks": [wrong]}, "r")
    with pytest.raises(TypeError, match="no member"):
        catalog.serialize(target, {"tasks": [Kept({"size": 1})]}, "r")

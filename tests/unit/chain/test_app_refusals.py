"""Refused members: what counts as used, at any depth."""

from typing import Any

import pytest

from longshore.api.operation import Call, Operation
from longshore.api.refusals import compile_refusals
from longshore.wire.errors import ApiError


def nothing(_call: Call) -> dict[str, Any]:
    return {}


def refused(path: str, params: dict[str, Any], *allowed: Any) -> bool:
    operation = Operation(nothing, refuses={path: "Not served."}, allowed={path: allowed} if allowed else {})
    check = compile_refusals(operation, "InvalidParameterException")
    assert check is not None
    try:
        check(params)
    except ApiError as error:
        return (error.code, error.message) == ("InvalidParameterException", f"{path}: Not served.")
    return False


@pytest.mark.parametrize("value", [1, 0, "x", True, False, ["x"], {"x": 1}, 0.0, b"x"])
def test_any_value_counts_as_used(value: Any) -> None:
    assert refused("member", {"member": value})


@pytest.mark.parametrize("params", [{}, {"member": None}, {"member": ""}, {"member": []}, {"member": {}}, {"other": 1}])
def test_absent_and_empty_do_not(params: dict[str, Any]) -> None:
    assert not refused("member", params)


def test_allowed_values_pass_and_others_do_not() -> None:
    assert not refused("type", {"type": "ECS"}, "ECS", "NONE")
    assert not refused("enabled", {"enabled": False}, False)
    assert refused("enabled", {"enabled": True}, False)
    assert refused("type", {"type": "ecs"}, "ECS")


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("a.b", {"a": {"b": 1}}),
        ("a[].b", {"a": [{"c": 1}, {"b": 1}]}),
        ("a[].b[].c", {"a": [{"b": []}, {"b": [{}, {"c": "x"}]}]}),
        ("a[]", {"a": ["", "x"]}),
        ("a.b[]", {"a": {"b": [1]}}),
    ],
)
def test_paths_reach_into_structures_and_lists(path: str, params: dict[str, Any]) -> None:
    assert refused(path, params)


@pytest.mark.parametrize(
    ("path", "params"),
    [("a.b", {"a": {}}), ("a.b", {"a": None}), ("a[].b", {"a": []}), ("a[].b", {"a": [{}, {"b": None}]})],
)
def test_paths_that_end_before_their_member_refuse_nothing(path: str, params: dict[str, Any]) -> None:
    assert not refused(path, params)


def test_operation_that_refuses_nothing_has_no_check() -> None:
    assert compile_refusals(Operation(nothing), "X") is None

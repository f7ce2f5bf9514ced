"""Pagination tokens: stable, opaque, and bound to their operation."""

from __future__ import annotations

import pytest

from longshore.wire.errors import ApiError
from longshore.wire.pagination import decode_token, encode_token, page


def test_pages_hold_all_items_once_and_end() -> None:
    items = [f"{number:03d}" for number in range(25)]
    seen: list[str] = []
    token = None
    for _ in range(3):
        shown, token = page(items, str, 10, token, operation="ecs.ListTasks")
        seen += shown
    assert seen == items
    assert token is None


def test_full_last_page_has_no_token() -> None:
    assert page(["a", "b"], str, 2, None, operation="x") == (["a", "b"], None)


def test_inserts_and_deletes_between_pages_neither_repeat_nor_skip() -> None:
    _, token = page(["b", "d", "f"], str, 2, None, operation="x")
    assert page(["a", "b", "c", "e", "f"], str, 2, token, operation="x") == (["e", "f"], None)


def test_descending_pages_continue_downwards() -> None:
    shown, token = page(["f", "d", "b"], str, 1, None, operation="x", descending=True)
    assert shown == ["f"]
    assert page(["g", "f", "e", "b"], str, 5, token, operation="x", descending=True) == (["e", "b"], None)


@pytest.mark.parametrize("token", ["", "garbage", "!!!", "é", "A" * 5000, "AQ", encode_token("other", "k"), "\ud800"])
def test_garbage_and_foreign_tokens_are_refused(token: str) -> None:
    with pytest.raises(ApiError) as caught:
        decode_token("mine", token, code="InvalidNextToken")
    assert caught.value.code == "InvalidNextToken"


def test_token_of_another_scope_is_refused() -> None:
    token = encode_token("mine", "k", scope="cluster-a")
    assert decode_token("mine", token, code="X", scope="cluster-a") == "k"
    with pytest.raises(ApiError):
        decode_token("mine", token, code="X", scope="cluster-b")


def test_token_survives_a_restart() -> None:
    assert encode_token("ecs.ListTasks", "arn:1") == encode_token("ecs.ListTasks", "arn:1")

"""The loop that carries lifecycle policies out: when it looks, what it deletes, what it leaves."""

from __future__ import annotations

import json
from typing import Any

import pytest

from longshore.api import ecr
from longshore.control.ecr.lifecycle import SETTLE_S, LifecycleController
from longshore.domain.ecr.repository import Image, ImageTag, Repository
from tests.support.api import SCOPE, Api
from tests.support.ecr import digest, index, manifest, pushed
from tests.support.services import ClockOf

DAY_S = 86_400.0
APP = {"repositoryName": "app"}


@pytest.fixture
def api() -> Api:
    made = Api(ecr.SERVICE.operations, service="ecr")
    made("CreateRepository", **APP)
    return made


@pytest.fixture
def lifecycle(api: Api) -> LifecycleController:
    return LifecycleController(api.store, ClockOf(api))


def put_policy(api: Api, status: str, count_type: str, number: int, **more: Any) -> None:
    days = {"countUnit": "days"} if count_type == "sinceImagePushed" else {}
    selection = {"tagStatus": status, "countType": count_type, "countNumber": number, **days, **more}
    rule = {"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}
    api("PutLifecyclePolicy", **APP, lifecyclePolicyText=json.dumps({"rules": [rule]}))


def tags(api: Api) -> list[str]:
    return sorted(tag.tag for tag in api.store.all(ImageTag))


async def look(lifecycle: LifecycleController) -> float | None:
    return await lifecycle._reconcile((*SCOPE, "app"))


async def test_images_beyond_the_count_go_with_their_tags(api: Api, lifecycle: LifecycleController) -> None:
    for number in range(4):
        pushed(api, "app", manifest(str(number)), f"v{number}", f"w{number}")
        api.now += SETTLE_S
    put_policy(api, "any", "imageCountMoreThan", 2)
    assert await look(lifecycle) is None
    assert tags(api) == ["v2", "v3", "w2", "w3"]
    assert {image.digest for image in api.store.all(Image)} == {digest(manifest("2")), digest(manifest("3"))}
    assert api("GetLifecyclePolicy", **APP)["lastEvaluatedAt"] == api.now


async def test_what_was_just_pushed_is_left_alone_and_the_others_are_not(
    api: Api, lifecycle: LifecycleController
) -> None:
    for number in range(4):
        pushed(api, "app", manifest(str(number)), f"v{number}")
        api.now += SETTLE_S / 2
    put_policy(api, "any", "imageCountMoreThan", 1)
    assert await look(lifecycle) == api.now + SETTLE_S / 2
    assert tags(api) == ["v2", "v3"]
    api.now += SETTLE_S / 2
    assert await look(lifecycle) is None
    assert tags(api) == ["v3"]


async def test_it_looks_again_when_the_next_image_is_due(api: Api, lifecycle: LifecycleController) -> None:
    put_policy(api, "untagged", "sinceImagePushed", 7)
    pushed(api, "app", manifest("old"))
    first = api.now
    api.now += DAY_S
    pushed(api, "app", manifest("new"))
    api.now += SETTLE_S
    assert await look(lifecycle) == first + 7 * DAY_S
    api.now = first + 7 * DAY_S
    assert await look(lifecycle) == first + 8 * DAY_S
    assert [image.digest for image in api.store.all(Image)] == [digest(manifest("new"))]
    api.now = first + 8 * DAY_S
    assert await look(lifecycle) is None
    assert list(api.store.all(Image)) == []


async def test_a_list_that_is_being_pushed_keeps_its_images(api: Api, lifecycle: LifecycleController) -> None:
    """They come first, without tags, and would be too many."""
    put_policy(api, "untagged", "imageCountMoreThan", 1)
    children = [manifest(str(number)) for number in range(3)]
    for child in children:
        pushed(api, "app", child)
        await look(lifecycle)
    pushed(api, "app", index(*children), "all")
    api.now += SETTLE_S
    await look(lifecycle)
    assert len(list(api.store.all(Image))) == 4


async def test_without_a_policy_or_a_repository_there_is_nothing_to_do(
    api: Api, lifecycle: LifecycleController
) -> None:
    pushed(api, "app", manifest("one"))
    api.now += SETTLE_S
    before = api.store.revision
    assert await look(lifecycle) is None
    api("DeleteRepository", **APP, force=True)
    assert await look(lifecycle) is None
    assert api.store.revision == before + 1


async def test_what_wakes_it(api: Api, lifecycle: LifecycleController) -> None:
    pushed(api, "app", manifest("one"), "v1")
    assert lifecycle.loop.depth == 0
    put_policy(api, "any", "imageCountMoreThan", 1)
    assert lifecycle.loop.depth == 1
    again = LifecycleController(api.store, ClockOf(api))
    pushed(api, "app", manifest("two"), "v2")
    assert again.loop.depth == 1
    last = LifecycleController(api.store, ClockOf(api))
    last.resume()
    assert last.loop.depth == 1


async def test_a_policy_of_a_newer_version_deletes_nothing(api: Api, lifecycle: LifecycleController) -> None:
    pushed(api, "app", manifest("one"))
    api.now += SETTLE_S
    found = api.store.get(Repository, (*SCOPE, "app"))
    assert found is not None
    api.put(found.but(lifecycle_policy='{"rules": [{"new": 1}]}'))
    assert await look(lifecycle) is None
    assert len(list(api.store.all(Image))) == 1

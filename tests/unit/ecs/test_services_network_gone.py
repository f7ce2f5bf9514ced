"""A service whose subnets or security groups a user has deleted: it says so, and goes on when told where."""

from typing import Any

import pytest

from longshore.domain.ec2.network import SecurityGroup, Subnet
from longshore.domain.record import Record
from tests.support.api import SCOPE, awsvpc
from tests.support.services import ServiceApi

GROUP = SecurityGroup(
    account=SCOPE.account, region=SCOPE.region, group_id="sg-web", vpc_id="vpc-1", name="web", description="d"
)


@pytest.fixture
def api() -> ServiceApi:
    made = ServiceApi()
    made.put(GROUP)
    return made


def remove(api: ServiceApi, cls: type[Record], name: str) -> None:
    with api.transaction() as tx:
        tx.delete(cls, (*SCOPE, name))


@pytest.mark.parametrize(
    ("cls", "name", "reason"),
    [
        (Subnet, "subnet-a", "The subnet ID 'subnet-a' does not exist"),
        (SecurityGroup, "sg-web", "The security group 'sg-web' does not exist"),
    ],
)
async def test_it_says_what_is_gone_and_goes_on_elsewhere(
    api: ServiceApi, cls: type[Record], name: str, reason: str
) -> None:
    api.create(networkConfiguration=awsvpc("subnet-a", groups=("sg-web",)))
    remove(api, cls, name)
    await api.turn()
    assert api.live() == []
    events: list[dict[str, Any]] = api.described()["events"]
    assert events[0]["message"] == f"(service web) was unable to place a task. Reason: {reason}."
    await api.turn()
    assert len(api.described()["events"]) == len(events), "said once"
    api("UpdateService", service="web", networkConfiguration=awsvpc("subnet-b"))
    await api.settle()
    assert {task.attachment.subnet_id for task in api.live() if task.attachment} == {"subnet-b"}


async def test_a_subnet_that_is_left_takes_all_tasks(api: ServiceApi) -> None:
    api.create(networkConfiguration=awsvpc("subnet-a", "subnet-b"))
    remove(api, Subnet, "subnet-a")
    await api.settle()
    assert [task.attachment.subnet_id for task in api.live() if task.attachment] == ["subnet-b"] * 2

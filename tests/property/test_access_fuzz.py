"""What a request asks for can be told of any request that the models allow, whether its operation is served or not.

Where it can't be told, a policy can't be asked: so nothing that is drawn may break the tables of `api/access`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from longshore.api.access.access import needs
from longshore.api.access.asking import Ask
from longshore.api.access.tags import request_tags, values_of
from longshore.domain.arn import Arn
from longshore.domain.record import Scope
from tests.property.test_api_fuzz import Drawer
from tests.support.house import ACCOUNT, REGION, House
from tests.support.wire_samples import SERVICES, service_model

ME = f"arn:aws:iam::{ACCOUNT}:user/me"
ROUNDS = 4


def operations(service: str) -> Iterator[str]:
    names = list(service_model(service).operation_names)
    yield from names if len(names) < 300 else random.Random(service).sample(names, 200)


@pytest.mark.parametrize("service", [service for service in SERVICES if service != "s3"])
async def test_needs_can_be_told_of_every_request(service: str) -> None:
    house = House()
    await house.start_again()
    known = house.known()
    for operation in operations(service):
        shape = service_model(service).operation_model(operation).input_shape
        for number in range(ROUNDS):
            key = f"{service} {operation} {number}"
            drawer = Drawer(key, known, full=number % 2 == 0, wild=number > 1)
            params = drawer.structure(shape) if shape is not None else {}
            ask = Ask(house.store, Scope(ACCOUNT, REGION), service, operation, params, ME)
            found = list(needs(ask))
            assert found, key
            for need in found:
                assert ":" in need.action, key
                assert need.resource == "*" or need.resource.startswith("arn:"), (key, need)
                assert isinstance(values_of(house.store, need.resource, ACCOUNT), dict)
                for name, values in need.values.items():
                    assert name == name.lower(), (key, name)
                    assert all(isinstance(value, str) for value in values), (key, values)
            assert all(isinstance(value, tuple) for value in request_tags(ask).values())


def test_any_arn_is_looked_up_without_a_fault() -> None:
    house = House()
    chance = random.Random(1)
    services = ("ecs", "iam", "ec2", "elasticloadbalancing", "logs", "servicediscovery", "acm", "route53", "x")
    kinds = ("cluster", "service", "task", "task-definition", "role", "vpc", "listener", "namespace", "hostedzone", "")
    for _ in range(3000):
        path = "/".join(chance.choices(("a", "", "*", "web:1", "web:x", "é", "a:b"), k=chance.randint(0, 5)))
        arn = str(Arn(chance.choice(services), Scope(ACCOUNT, REGION), f"{chance.choice(kinds)}/{path}"))
        assert not any("resourcetag" in key for key in values_of(house.store, arn, ACCOUNT))

"""The tables of what is served: true to AWS's models, and shown as they are in docs/coverage.md."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from longshore.api.coverage import page
from longshore.api.operation import Operation
from longshore.api.services import SERVICES
from longshore.decide.ecs.served import ALLOWED, INERT, UNSERVED, UNSERVED_OVERRIDES
from longshore.wire.models import Shelf

PAGE = Path(__file__).parents[3] / "docs" / "coverage.md"
SHELF = Shelf(service.name for service in SERVICES)
TABLES = [
    pytest.param(service.name, name, operation, id=f"{service.name} {name}")
    for service in SERVICES
    for name, operation in service.operations.items()
]


def input_shape(service: str, operation: str) -> Any:
    return SHELF.service(service).model.operation_model(operation).input_shape


def astray(shape: Any, paths: Iterator[str]) -> list[str]:
    """The paths that lead nowhere in a shape, or mark a list (or nothing) as what it is not."""
    return [path for path in paths if not leads_somewhere(shape, path)]


def leads_somewhere(shape: Any, path: str) -> bool:
    for step in path.split("."):
        name = step.removesuffix("[]")
        if shape.type_name == "map":
            shape = shape.value
        elif shape.type_name == "structure" and name in shape.members:
            shape = shape.members[name]
        else:
            return False
        if step.endswith("[]"):
            if shape.type_name != "list":
                return False
            shape = shape.member
    return True


def test_coverage_page_is_current() -> None:
    assert PAGE.read_text() == page(), "run `make coverage-page`"


@pytest.mark.parametrize(("service", "name", "operation"), TABLES)
def test_every_path_of_an_operation_leads_to_a_member_of_its_input(
    service: str, name: str, operation: Operation
) -> None:
    assert name in SHELF.service(service).operations
    paths = (*operation.refuses, *operation.inert, *operation.allowed)
    if paths:
        assert astray(input_shape(service, name), iter(paths)) == []
    assert set(operation.allowed) <= set(operation.refuses)


def test_every_path_of_the_task_definition_tables_leads_to_a_field() -> None:
    definition = input_shape("ecs", "RegisterTaskDefinition")
    assert astray(definition, iter((*UNSERVED, *ALLOWED, *INERT))) == []
    assert astray(input_shape("ecs", "RunTask").members["overrides"], iter(UNSERVED_OVERRIDES)) == []
    assert set(ALLOWED) <= set(UNSERVED)


def test_every_sentence_is_one() -> None:
    tables = [operation for service in SERVICES for operation in service.operations.values()]
    sentences = [text for table in tables for text in (*table.refuses.values(), *table.inert.values())]
    assert [text for text in sentences if not text.endswith(".") or "\n" in text] == []

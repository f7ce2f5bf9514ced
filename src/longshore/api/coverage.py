"""Writes `docs/coverage.md`: what is served of each service and operation, from the tables beside the handlers.

`python -m longshore.api.coverage` writes the page to standard output; a test compares it with the file.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping

from longshore.api.operation import Operation, Service
from longshore.api.services import SERVICES
from longshore.decide.ecs.served import ALLOWED, UNSERVED, UNSERVED_OVERRIDES
from longshore.domain.elbv2.balancer_attributes import LOAD_BALANCER, TARGET_GROUP, Attribute
from longshore.domain.elbv2.listener_attributes import LISTENER
from longshore.wire.models import Shelf

LISTED_MOST = 200
"""Of EC2's eight hundred operations the ones that are served say enough."""
HEAD = """\
# What is served

Made from the source by `make coverage-page`; don't edit it.

A member of an input that is not listed here is served. A *refused* member is answered with an error that has the
sentence shown, unless it is absent, empty, or one of the values shown as accepted; one that is *refused in part*, only
where the sentence says. An *inert* member is taken, and answered where AWS answers it, but has no effect. An operation
that is not served is answered with an error that names it, and so is a service. `[]` in a path stands for each element
of a list.
"""


def page(services: Iterable[Service] = SERVICES) -> str:
    """The whole page."""
    tables = sorted(services, key=lambda service: service.name)
    shelf = Shelf(service.name for service in tables)
    names = {service.name: sorted(shelf.service(service.name).model.operation_names) for service in tables}
    parts = [HEAD, "\n".join(_summary(tables, names))]
    for service in tables:
        parts.append("\n".join(_service(service, names[service.name])))
        if service.name == "ecs":
            parts.append("\n".join(_task_definitions()))
        if service.name == "elbv2":
            parts.append("\n".join(_attributes("load balancers", LOAD_BALANCER)))
            parts.append("\n".join(_attributes("target groups", TARGET_GROUP)))
            parts.append("\n".join(_attributes("listeners", LISTENER)))
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _summary(tables: Iterable[Service], names: Mapping[str, list[str]]) -> Iterator[str]:
    yield "| service | operations | what |"
    yield "|---|---|---|"
    for service in tables:
        served = len(service.operations)
        yield f"| [{service.name}](#{service.name}) | {served} of {len(names[service.name])} | {service.summary} |"


def _service(service: Service, names: list[str]) -> Iterator[str]:
    yield f"## {service.name}\n"
    whole = [name for name in sorted(service.operations) if not _has_limits(service.operations[name])]
    if whole:
        yield f"Served: {_listed(whole)}.\n"
    for name, operation in sorted(service.operations.items()):
        if _has_limits(operation):
            yield f"### {service.name} {name}\n"
            yield from _members(operation.refuses, operation.allowed, operation.inert)
            yield from (f"| `{path}` | refused in part | {_cell(text)} |" for path, text in operation.partly.items())
            yield ""
    missing = [name for name in names if name not in service.operations]
    if len(missing) > LISTED_MOST:
        yield "No other operation is served."
    elif missing:
        yield f"<details><summary>Not served: {len(missing)} operations</summary>\n\n{_listed(missing)}\n\n</details>"


def _task_definitions() -> Iterator[str]:
    yield "### Task definitions\n"
    yield (
        "Every field is kept and answered. RunTask, CreateService and UpdateService refuse to run a definition that "
        "uses one of these fields; those without effect are listed at RegisterTaskDefinition.\n"
    )
    yield from _members(UNSERVED, ALLOWED, {})
    yield "\nIn `overrides` of RunTask:\n"
    yield from _members(UNSERVED_OVERRIDES, {}, {})


def _attributes(of: str, table: Iterable[Attribute]) -> Iterator[str]:
    """The attributes that are kept without effect, or served at their default alone."""
    yield f"### Attributes of {of}\n"
    limited = [each for each in table if each.refused or each.inert]
    if not limited:
        yield "All of them are served."
        return
    yield "An attribute that is not listed here is served.\n"
    yield "| attribute | | |"
    yield "|---|---|---|"
    for each in limited:
        key = f"`{each.key}`" + ("" if len(each.types) > 1 else f" ({each.types[0]})")
        if each.refused:
            yield f"| {key} | refused (accepted: `{each.default}`) | {_cell(each.refused)} |"
        else:
            yield f"| {key} | inert | {_cell(each.inert)} |"


def _members(
    refuses: Mapping[str, str], allowed: Mapping[str, tuple[object, ...]], inert: Mapping[str, str]
) -> Iterator[str]:
    yield "| member | | |"
    yield "|---|---|---|"
    for path, sentence in refuses.items():
        accepted = ", ".join(f"`{_shown(value)}`" for value in allowed.get(path, ()))
        note = f" (accepted: {accepted})" if accepted else ""
        yield f"| `{path}` | refused{note} | {_cell(sentence)} |"
    for path, sentence in inert.items():
        yield f"| `{path}` | inert | {_cell(sentence)} |"


def _has_limits(operation: Operation) -> bool:
    return bool(operation.refuses or operation.inert or operation.partly)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(page())

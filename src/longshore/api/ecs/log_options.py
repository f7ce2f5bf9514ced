"""Rules on a `logConfiguration`, whoever it is for: a container or a Service Connect proxy. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

AWSLOGS_NEEDS = ("awslogs-group", "awslogs-region")
AWSLOGS_VALUES = {"awslogs-create-group": ("true", "false"), "mode": ("blocking", "non-blocking")}
AWSLOGS_OPTIONS = frozenset(
    {
        *AWSLOGS_NEEDS,
        "awslogs-stream-prefix",
        "awslogs-create-group",
        "awslogs-datetime-format",
        "awslogs-multiline-pattern",
        "mode",
        "max-buffer-size",
    }
)


def log_problem(configuration: Mapping[str, Any] | None) -> str:
    """What ECS has against the options of the driver `awslogs`; empty if nothing. Other drivers are not looked into."""
    if configuration is None or configuration["logDriver"] != "awslogs":
        return ""
    return next(_problems(configuration.get("options") or {}), "")


def _problems(options: Mapping[str, str]) -> Iterator[str]:
    missing = [name for name in AWSLOGS_NEEDS if not options.get(name)]
    if missing:
        yield f"Log driver awslogs requires options: {', '.join(missing)}"
    unknown = sorted(options.keys() - AWSLOGS_OPTIONS)
    if unknown:
        yield f"Log driver awslogs disallows options: {', '.join(unknown)}"
    if options.get("awslogs-datetime-format") and options.get("awslogs-multiline-pattern"):
        yield "Log driver awslogs takes awslogs-datetime-format or awslogs-multiline-pattern, not both"
    for name, values in AWSLOGS_VALUES.items():
        if options.get(name) is not None and options[name].lower() not in values:
            yield f"Log driver awslogs takes {' or '.join(values)} for {name}, not '{options[name]}'"
    pattern = options.get("awslogs-multiline-pattern")
    if pattern and not _compiles(pattern):
        yield f"awslogs-multiline-pattern is no regular expression: '{pattern}'"


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return False
    return True

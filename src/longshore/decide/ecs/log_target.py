"""Where a container's output goes, by the options of its `awslogs` driver. Pure; part of `decide/ecs/launch.py`."""

import re
from collections.abc import Mapping
from typing import Any

from longshore.domain.log import LogTarget

# What `awslogs-datetime-format` may hold (strftime), as regular expressions; the driver of Docker has the same list.
DATETIME_PARTS = {
    "%a": r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)",
    "%A": r"(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)",
    "%b": r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)",
    "%B": r"(?:January|February|March|April|May|June|July|August|September|October|November|December)",
    "%d": r"\d{2}",
    "%f": r"\d{6}",
    "%H": r"\d{2}",
    "%I": r"\d{2}",
    "%j": r"\d{3}",
    "%L": r"\.\d{3}",
    "%m": r"\d{2}",
    "%M": r"\d{2}",
    "%p": r"[A-Z]{2}",
    "%S": r"\d{2}",
    "%w": r"\d",
    "%y": r"\d{2}",
    "%Y": r"\d{4}",
    "%z": r"[+-]\d{4}",
    "%Z": r"[A-Z]{1,4}T",
    "%%": "%",
}


def log_target(container: Mapping[str, Any], *, task_id: str, region: str, container_id: str) -> LogTarget | None:
    """The stream of a container definition, or None where it does not log to CloudWatch Logs.

    The stream is `PREFIX/CONTAINER/TASK`; without a prefix the container's id.
    """
    configuration = container.get("logConfiguration")
    if configuration is None or configuration["logDriver"] != "awslogs":
        return None
    options = configuration.get("options") or {}
    prefix = options.get("awslogs-stream-prefix")
    pattern = options.get("awslogs-multiline-pattern", "")
    if not pattern and options.get("awslogs-datetime-format"):
        pattern = datetime_pattern(options["awslogs-datetime-format"])
    return LogTarget(
        group=options["awslogs-group"],
        stream=f"{prefix}/{container['name']}/{task_id}" if prefix else container_id,
        region=options.get("awslogs-region") or region,
        create_group=options.get("awslogs-create-group", "").lower() == "true",
        multiline_pattern=pattern,
    )


def datetime_pattern(text: str) -> str:
    """A strftime format as the regular expression of a line that begins an event."""
    parts = re.split(r"(%.)", text, flags=re.DOTALL)
    return "".join(DATETIME_PARTS.get(part, re.escape(part)) for part in parts)

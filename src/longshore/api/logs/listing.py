"""ListLogGroups: names, ARNs and classes of groups, found by a pattern of their names, a class, or tags."""

import re

from longshore.api.logs.lookup import Answer, group_arn
from longshore.api.operation import Call
from longshore.domain.log import LogGroup
from longshore.wire.pagination import page

PAGE = 50


def list_log_groups(call: Call) -> Answer:
    """Groups in the order of their names."""
    params = call.params
    pattern, wanted = params.get("logGroupNamePattern"), params.get("logGroupClass")
    # The model lets nothing into a pattern but letters of names, `^` at a beginning and `|` between alternatives.
    named = re.compile("|".join(_alternative(each) for each in pattern.split("|"))) if pattern else None
    tags = params.get("logGroupTags") or ()
    found = [
        group
        for group in call.tx.select(LogGroup, "scope", call.scope)
        if (named is None or named.search(group.name))
        and wanted in (None, group.log_group_class)
        and all(_tagged(group, each) for each in tags)
    ]
    shown, more = page(
        sorted(found, key=lambda group: group.name),
        lambda group: group.name,
        params.get("limit") or PAGE,
        params.get("nextToken"),
        operation="ListLogGroups",
        scope=f"{pattern} {wanted} {tags}",
    )
    views = [
        {"logGroupName": group.name, "logGroupArn": group_arn(group), "logGroupClass": group.log_group_class}
        for group in shown
    ]
    return {"logGroups": views, "nextToken": more}


def _alternative(text: str) -> str:
    return f"^{re.escape(text[1:])}" if text.startswith("^") else re.escape(text)


def _tagged(group: LogGroup, asked: Answer) -> bool:
    value, values = group.tags.get(asked.get("key", "")), asked.get("values") or ()
    return value is not None and (not values or value in values)

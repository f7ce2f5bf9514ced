"""Schedules as Application Auto Scaling writes them: `at(...)`, `rate(...)` and six-field `cron(...)`.

Here is what a schedule may say; which moments it means is for whoever acts on it. See "Scheduled scaling" in the
Application Auto Scaling user guide.
"""

import re
from datetime import datetime

_RATE = re.compile(r"rate\(\s*([0-9]{1,9})\s+(minutes?|hours?|days?)\s*\)")
_AT = re.compile(r"at\(\s*(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\s*\)", re.ASCII)
_CRON = re.compile(r"cron\((.*)\)")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minutes", 0, 59, ()),
    ("hours", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of week", 1, 7, _DAYS),
    ("year", 1970, 2199, ()),
)
_OF_MONTH, _OF_WEEK = 2, 4
_SPECIAL = {
    _OF_MONTH: re.compile(r"\?|L|LW|L-([1-9]|[12][0-9]|30)|([1-9]|[12][0-9]|3[01])W"),
    _OF_WEEK: re.compile(r"\?|L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(L|#[1-5])"),
}
"""What only days may be: any (the other field says which), the last, the nearest weekday, the nth of a month."""


def fault_in(schedule: str) -> str | None:
    """What is wrong with a schedule, as a sentence; None if nothing is."""
    if schedule.startswith("rate("):
        found = _RATE.fullmatch(schedule)
        if found is None or int(found[1]) < 1:
            return "A rate is a number from 1 on and minutes, hours or days, such as rate(5 minutes)."
        return None
    if schedule.startswith("at("):
        found = _AT.fullmatch(schedule)
        return None if found is not None and _is_time(found[1]) else "A time is written as at(yyyy-mm-ddThh:mm:ss)."
    found = _CRON.fullmatch(schedule)
    if found is None:
        return "A schedule is at(yyyy-mm-ddThh:mm:ss), rate(value unit) or cron(fields)."
    return _fault_in_fields(found[1].split())


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _fault_in_fields(fields: list[str]) -> str | None:
    if len(fields) != len(_FIELDS):
        return "A cron expression has six fields: minutes, hours, day of month, month, day of week, year."
    if (fields[_OF_MONTH] == "?") == (fields[_OF_WEEK] == "?"):
        return "In a cron expression, exactly one of day of month and day of week is a question mark."
    for position, text in enumerate(fields):
        name = _FIELDS[position][0]
        if not all(_is_part(part, position) for part in text.upper().split(",")):
            return f"The {name} of the cron expression can't be {text[:64]!r}."
    return None


def _is_part(part: str, position: int) -> bool:
    """Whether one part of a field is a value, a range, a step or what only days have."""
    special = _SPECIAL.get(position)
    if special is not None and special.fullmatch(part):
        return True
    _, low, high, names = _FIELDS[position]
    span, slash, step = part.partition("/")
    if slash and not (re.fullmatch(r"[0-9]{1,4}", step) and 1 <= int(step) <= high):
        return False
    if span == "*":
        return True
    bounds = [_value(bound, names) for bound in span.split("-")]
    if len(bounds) > 2 or not all(bound is not None and low <= bound <= high for bound in bounds):
        return False
    return len(bounds) == 1 or position == _OF_WEEK or (bounds[0] or 0) <= (bounds[1] or 0)


def _value(text: str, names: tuple[str, ...]) -> int | None:
    if text in names:
        return names.index(text) + 1
    return int(text) if re.fullmatch(r"[0-9]{1,4}", text) else None

"""Timestamps between epoch seconds and the three texts of the AWS protocols.

Readers raise ValueError for what is no timestamp or lies outside years 1 to 9999.
"""

import math
import re
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

_EARLIEST_S = -62135596800
_LATEST_S = 253402300799.999999
_ISO = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[Tt ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,12})?)?(?:[Zz]|[+-]\d{2}:?\d{2})?)?", re.ASCII
)
_NUMBER = re.compile(r"[+-]?\d{1,15}(?:\.\d{1,12})?(?:[eE]\+?\d{1,2})?", re.ASCII)


def from_number(value: float) -> float:
    """Check epoch seconds."""
    number = float(value)
    if not math.isfinite(number) or not _EARLIEST_S <= number <= _LATEST_S:
        raise ValueError("the timestamp lies outside years 1 to 9999")
    return number


def from_text(text: str) -> float:
    """Read ISO 8601, an HTTP date or epoch seconds, whichever the text is; AWS takes all three everywhere."""
    text = text.strip()
    if len(text) > 64:
        raise ValueError("the timestamp is too long")
    try:
        if _NUMBER.fullmatch(text):
            return from_number(float(text))
        if _ISO.fullmatch(text):
            moment = datetime.fromisoformat(text.upper().replace(",", "."))
        else:
            moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        raise ValueError("the text is no timestamp") from error


def epoch_s(value: Any) -> float | int:
    """Return the epoch seconds of a handler's value: a number, or a datetime with a zone."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise TypeError("a datetime in a result needs a time zone")
        return value.timestamp()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"a timestamp in a result must be epoch seconds or a datetime, not {type(value).__name__}")
    return value


def to_text(value: Any, form: str) -> str:
    """Write a handler's value as iso8601, rfc822 or unixtimestamp."""
    seconds = epoch_s(value)
    form = form.lower()
    if form == "unixtimestamp":
        return str(int(seconds)) if float(seconds).is_integer() else repr(float(seconds))
    if form == "rfc822":
        return format_datetime(datetime.fromtimestamp(math.floor(seconds), UTC), usegmt=True)
    moment = datetime.fromtimestamp(seconds, UTC)
    if moment.microsecond == 0:
        return f"{moment:%Y-%m-%dT%H:%M:%S}Z".rjust(20, "0")
    digits = f"{moment.microsecond:06d}"
    fraction = digits[:3] if digits.endswith("000") else digits
    return f"{moment:%Y-%m-%dT%H:%M:%S}".rjust(19, "0") + f".{fraction}Z"

"""Conditions of rules: checked, and put into the form in which ELBv2 answers them.

Limits: docs.aws.amazon.com, "Condition types for listener rules" and "Quotas for your Application Load Balancers".
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from longshore.api.elbv2.errors import invalid
from longshore.api.elbv2.regexes import check_regex
from longshore.decide.elbv2.balancing_rules import FIELD_CONFIGS

Document = dict[str, Any]

MAX_VALUES = 5
MAX_WILDCARDS = 6
MAX_LENGTH = 128
MAX_NAME = 40
ONCE = ("host-header", "path-pattern", "http-request-method", "source-ip")
"""Fields of which a rule has one condition at most."""
DOUBLED = ("host-header", "path-pattern")
"""Fields whose values stand both in the condition itself and in its configuration."""
WITH_REGEX = ("host-header", "path-pattern", "http-header")

_HOST = re.compile(r"[A-Za-z0-9._*?-]+")
_PATH = re.compile(r"[A-Za-z0-9_.$/~\"'@:+;&*?-]+")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_METHOD = re.compile(r"[A-Z_-]+")
_WILDCARD = re.compile(r"(?<!\\)(?:\\\\)*[*?]")


def checked_conditions(given: Iterable[Document]) -> tuple[Document, ...]:
    """The conditions of a rule as they are kept. Raises ValidationError."""
    conditions = tuple(_checked(condition) for condition in given)
    if not conditions:
        raise invalid("A rule must have at least one condition")
    fields = [condition["Field"] for condition in conditions]
    for field in ONCE:
        if fields.count(field) > 1:
            raise invalid(f"A rule can have only one '{field}' condition")
    values = [value for condition in conditions for value in _values(condition)]
    regexes = sum(len(_config(condition).get("RegexValues") or ()) for condition in conditions)
    if len(values) + regexes > MAX_VALUES:
        raise invalid(f"A rule can have at most {MAX_VALUES} condition values in all")
    if sum(len(_WILDCARD.findall(text)) for value in values for text in value) > MAX_WILDCARDS:
        raise invalid(f"A rule can have at most {MAX_WILDCARDS} wildcards in all its conditions")
    return conditions


def visible(text: str) -> bool:
    """Whether all is visible ASCII: neither spaces nor control characters."""
    return text.isascii() and text.isprintable() and " " not in text


def _config(condition: Document) -> Document:
    config: Document = condition[FIELD_CONFIGS[condition["Field"]]]
    return config


def _values(condition: Document) -> list[tuple[str, ...]]:
    """The texts of each value in which `*` and `?` may be wildcards."""
    found = _config(condition).get("Values") or ()
    if condition["Field"] == "query-string":
        return [(pair.get("Key") or "", pair["Value"]) for pair in found]
    return [(value,) for value in found]


def _checked(condition: Document) -> Document:
    field = _field(condition)
    name = FIELD_CONFIGS[field]
    for other in FIELD_CONFIGS.values():
        if other != name and condition.get(other):
            raise invalid(f"'{other}' can't be specified for a '{field}' condition")
    config = _merged(condition, field)
    values, regexes = config.get("Values") or [], config.get("RegexValues") or []
    if not values and not regexes:
        raise invalid(f"A condition value must be specified for the '{field}' condition")
    if values and regexes:
        raise invalid(f"A '{field}' condition can have Values or RegexValues, not both")
    kept: Document = {}
    if field == "http-header":
        kept["HttpHeaderName"] = _header_name(config.get("HttpHeaderName"))
    if regexes:
        for pattern in regexes:
            check_regex(pattern, f"a '{field}' condition", MAX_LENGTH)
        kept["RegexValues"] = regexes
    else:
        kept["Values"] = [_CHECKS[field](value) for value in values]
    doubled: Document = {key: kept[key] for key in ("Values", "RegexValues") if key in kept} if field in DOUBLED else {}
    return {"Field": field, **doubled, name: kept}


def _field(condition: Document) -> str:
    """The field, which a configuration alone may tell."""
    given: str | None = condition.get("Field")
    if given is not None and given not in FIELD_CONFIGS:
        raise invalid(f"Condition field '{given}' must be one of '[{', '.join(FIELD_CONFIGS)}]'")
    told = [field for field, name in FIELD_CONFIGS.items() if condition.get(name)]
    if given is None and len(told) != 1:
        raise invalid("A condition field must be specified")
    return told[0] if given is None else given


def _merged(condition: Document, field: str) -> Document:
    """The configuration of a condition, from wherever its values stand."""
    given: Document = condition.get(FIELD_CONFIGS[field]) or {}
    config = {key: given[key] for key in ("HttpHeaderName", "Values", "RegexValues") if given.get(key)}
    for key in ("Values", "RegexValues"):
        outer = condition.get(key)
        if not outer:
            continue
        if field not in DOUBLED:
            raise invalid(f"'{key}' can't be specified for a '{field}' condition: use {FIELD_CONFIGS[field]}")
        if config.get(key) and config[key] != outer:
            raise invalid(f"'{key}' and '{FIELD_CONFIGS[field]}' of a '{field}' condition say different things")
        config[key] = outer
    if config.get("RegexValues") and field not in WITH_REGEX:
        raise invalid(f"'RegexValues' can't be specified for a '{field}' condition")
    return config


def _header_name(name: str | None) -> str:
    if not name or len(name) > MAX_NAME or not _TOKEN.fullmatch(name):
        raise invalid(f"An HTTP header name must have 1 to {MAX_NAME} of the characters that RFC 7230 allows in one")
    if name.lower() == "host":
        raise invalid("The host header can't be used in an 'http-header' condition: use a 'host-header' condition")
    return name


def _text(field: str, pattern: re.Pattern[str], limit: int = MAX_LENGTH) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not value or len(value) > limit:
            raise invalid(f"A condition value of '{field}' must have between 1 and {limit} characters")
        if not pattern.fullmatch(value):
            raise invalid(f"The condition value '{value}' of '{field}' contains characters that are not valid there")
        return value

    return check


def _host(value: str) -> str:
    if "." not in _text("host-header", _HOST)(value):
        raise invalid(f"The condition value '{value}' of 'host-header' must contain at least one '.'")
    return value


def _printable(text: str, what: str) -> str:
    if len(text) > MAX_LENGTH or not text.isascii() or not text.isprintable():
        raise invalid(f"A condition value of '{what}' must have at most {MAX_LENGTH} printable ASCII characters")
    return text


def _header_value(value: str) -> str:
    if not value:
        raise invalid("A condition value of 'http-header' must not be empty")
    return _printable(value, "http-header")


def _pair(pair: Document) -> Document:
    key, value = pair.get("Key"), pair.get("Value")
    if not value:
        raise invalid("A 'query-string' condition must have a value")
    kept = {"Value": _printable(value, "query-string")}
    return {"Key": _printable(key, "query-string"), **kept} if key else kept


def _network(value: str) -> str:
    address, slash, length = value.partition("/")
    try:
        if not slash or not length.isdigit():
            raise ValueError
        ipaddress.ip_network((address, int(length)), strict=False)
    except ValueError:
        raise invalid(f"The source IP '{value}' must be a block in CIDR notation, such as 192.0.2.1/32") from None
    return value


_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "host-header": _host,
    "path-pattern": _text("path-pattern", _PATH),
    "http-header": _header_value,
    "http-request-method": _text("http-request-method", _METHOD, MAX_NAME),
    "query-string": _pair,
    "source-ip": _network,
}

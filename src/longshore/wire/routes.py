"""Finds the REST operation of a method and a path, per service, from the models' URI templates.

Where several templates fit, the most literal wins, then the one whose own query keys, required query members and
required headers are all there (S3 tells operations apart by these alone), then the one that is not deprecated.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from longshore.wire.models import Service

_LABEL = re.compile(r"\{(.*?)\}")


class Route(NamedTuple):
    """One operation's template."""

    operation: str
    pattern: re.Pattern[str]
    labels: tuple[str, ...]
    literals: int
    query: tuple[tuple[str, str | None], ...]
    wanted_query: tuple[str, ...]
    wanted_headers: tuple[str, ...]
    deprecated: bool


class Match(NamedTuple):
    """The operation found, and its labels, still percent-encoded."""

    operation: str
    labels: dict[str, str]
    literals: int = 0
    """How many parts of the path the template has letter by letter."""


class Routes:
    """All routes of one service."""

    def __init__(self, service: Service) -> None:
        self._by_method: dict[str, list[Route]] = {}
        for name in service.model.operation_names:
            model = service.model.operation_model(name)
            route = _compile(name, model)
            self._by_method.setdefault(model.http.get("method", "POST"), []).append(route)

    def match(self, method: str, path: str, query: Mapping[str, Any], headers: Mapping[str, str]) -> Match | None:
        """Return the best route of a request."""
        best: tuple[tuple[int, ...], Match] | None = None
        for route in self._by_method.get(method, ()):
            found = route.pattern.fullmatch(path)
            if found is None or not _has_own_query(route, query):
                continue
            missing = sum(name not in query for name in route.wanted_query)
            missing += sum(name not in headers for name in route.wanted_headers)
            wanted = len(route.wanted_query) + len(route.wanted_headers)
            rank = (route.literals, -missing, len(route.query), wanted, -len(route.labels), not route.deprecated)
            if best is None or rank > best[0]:
                labels = dict(zip(route.labels, found.groups(), strict=True))
                best = (rank, Match(route.operation, labels, route.literals))
        return best[1] if best else None


def _has_own_query(route: Route, query: Mapping[str, Any]) -> bool:
    return all(key in query and (value is None or value in query[key]) for key, value in route.query)


def _compile(name: str, model: Any) -> Route:
    template, _, own_query = model.http["requestUri"].partition("?")
    labels: list[str] = []
    pattern, literals, position = "", 0, 0
    for label in _LABEL.finditer(template):
        literal = template[position : label.start()]
        pattern += re.escape(literal)
        literals += sum(1 for part in literal.split("/") if part)
        greedy = label.group(1).endswith("+")
        pattern += "(.+)" if greedy else "([^/]+)"
        labels.append(label.group(1).rstrip("+"))
        position = label.end()
    tail = template[position:]
    literals += sum(1 for part in tail.split("/") if part)
    pattern += re.escape(tail.rstrip("/")) + ("" if labels and template.endswith("+}") else "/?")
    wanted_query, wanted_headers = [], []
    shape = model.input_shape
    for member_name in shape.required_members if shape is not None else ():
        member = shape.members[member_name]
        location, wire = member.serialization.get("location"), member.serialization.get("name", member_name)
        if location == "querystring":
            wanted_query.append(wire)
        elif location == "header":
            wanted_headers.append(wire.lower())
    pairs = [part.partition("=") for part in own_query.split("&") if part]
    own = tuple((key, value if equals else None) for key, equals, value in pairs)
    return Route(
        name,
        re.compile(pattern, re.DOTALL),
        tuple(labels),
        literals,
        own,
        tuple(wanted_query),
        tuple(wanted_headers),
        bool(model.deprecated),
    )


def decode_query(raw: str) -> dict[str, list[str]]:
    """Decode a query string into lists of values; raises UnicodeDecodeError for what is not UTF-8."""
    out: dict[str, list[str]] = {}
    for pair in raw.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            out.setdefault(_unquote(name.replace("+", " ")), []).append(_unquote(value.replace("+", " ")))
    return out


def unquote_label(raw: str) -> str:
    """Decode a label of a path; raises UnicodeDecodeError for what is not UTF-8."""
    return _unquote(raw)


def _unquote(raw: str) -> str:
    return unquote_to_bytes(raw).decode("utf-8")

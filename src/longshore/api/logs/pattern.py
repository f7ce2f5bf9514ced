"""The filter pattern language of CloudWatch Logs: text terms, JSON patterns and space-delimited patterns. Pure.

`compile_pattern(text)` gives a predicate over messages, or raises PatternError. Called by FilterLogEvents.
Source: "Filter pattern syntax for metric filters, subscription filters, filter log events, and Live Tail" in the
CloudWatch Logs user guide. What the guide leaves open is decided in docs/logs.md.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from longshore.api.logs.matching import MISSING, PatternError, Test, compare, regex, search, text_of

MAX_PATTERN = 1024
MAX_DEPTH = 32
MAX_REGEXES = 2
"""Per JSON or space-delimited pattern, as on AWS."""

Predicate = Callable[[str], bool]

_TERM = re.compile(r'([?-]?)(?:"((?:[^"\\]|\\.)*)"|%([^%]*)%|([^\s"%]+))(?=\s|$)', re.DOTALL)
_PLAIN = re.compile(r"\w+")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)

_TOKEN = re.compile(
    r"""\s*(?:
      "(?P<string>(?:[^"\\]|\\.)*)"
    | %(?P<regex>[^%]*)%
    | (?P<selector>\$(?:\.?\[\s*(?:\d+|\*|'[^']*'|"[^"]*")\s*\]|\.[^\s.\[\]()=<>!&|,"%]+)*)
    | (?P<operator>!=|<=|>=|=|<|>)
    | (?P<joint>&&|\|\||[(),])
    | (?P<word>[^\s()=<>!&|,"%]+)
    )""",
    re.VERBOSE | re.DOTALL,
)
_STEP = re.compile(r"""\[\s*(?:(\d+)|(\*)|'([^']*)'|"([^"]*)")\s*\]|\.([^\s.\[\]]+)""")
_PLAIN_FIELD = re.compile(r"\S+")
_CLOSING = {"[": "]", '"': '"'}


class Token(NamedTuple):
    """A piece of a JSON or space-delimited pattern."""

    kind: str
    text: str


def compile_pattern(text: str) -> Predicate:
    """The predicate that a filter pattern is; an empty one accepts every message."""
    if len(text) > MAX_PATTERN:
        raise PatternError(f"it is longer than {MAX_PATTERN} characters")
    text = text.strip()
    if text.startswith("{"):
        return _json_pattern(text)
    if text.startswith("["):
        return _space_pattern(text)
    return _text_pattern(text)


def extractor(text: str) -> Callable[[str], dict[str, str]]:
    """What a pattern names in a message that it matches: `$.field` of a JSON one, `$name` of a space-delimited one."""
    text = text.strip()
    if text.startswith("{"):
        return _json_extractor(text)
    if text.startswith("["):
        return _space_extractor(text)
    return lambda _message: {}


# Terms -----------------------------------------------------------------------------------------------------------


def _text_pattern(text: str) -> Predicate:
    required: list[Predicate] = []
    excluded: list[Predicate] = []
    optional: list[Predicate] = []
    at = 0
    while at < len(text):
        found = _TERM.match(text, at)
        if found is None:
            raise PatternError(f"a quote or percent sign is not closed, or stands inside a term, at {text[at:][:32]!r}")
        sign = found[1]
        {"": required, "-": excluded, "?": optional}[sign].append(_term(found))
        at = found.end()
        while at < len(text) and text[at].isspace():
            at += 1
    if required or excluded:
        # As on AWS, optional terms have no effect beside others.
        return lambda message: all(t(message) for t in required) and not any(t(message) for t in excluded)
    if optional:
        return lambda message: any(t(message) for t in optional)
    return lambda _message: True


def _term(found: re.Match[str]) -> Predicate:
    _, phrase, source, word = found.groups()
    if source is not None:
        return regex(source)
    if word is not None and not _PLAIN.fullmatch(word):
        raise PatternError(f"Invalid character(s) in term '{word[:64]}': put it in double quotes")
    wanted = word if word is not None else _ESCAPE.sub(r"\1", phrase)
    return lambda message: wanted in message


# Expressions: shared by JSON and space-delimited patterns -----------------------------------------------------------


class _Parser:
    """Reads `a && (b || c)`, where `leaf` reads one comparison. Operators bind as in most languages: && first."""

    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.at = 0
        self.depth = 0
        self.regexes = 0

    def peek(self, ahead: int = 0) -> Token:
        at = self.at + ahead
        return self.tokens[at] if at < len(self.tokens) else Token("end", "the end")

    def take(self, *kinds: str) -> Token:
        token = self.peek()
        if token.kind not in kinds:
            raise PatternError(f"{' or '.join(kinds)} expected, not {token.text[:32]!r}")
        self.at += 1
        return token

    def accept(self, text: str) -> bool:
        if self.peek() == Token("joint", text):
            self.at += 1
            return True
        return False

    def either(self, leaf: Callable[[], Test]) -> Test:
        parts = [self.both(leaf)]
        while self.accept("||"):
            parts.append(self.both(leaf))
        return parts[0] if len(parts) == 1 else lambda value: any(part(value) for part in parts)

    def both(self, leaf: Callable[[], Test]) -> Test:
        parts = [self.group(leaf)]
        while self.accept("&&"):
            parts.append(self.group(leaf))
        return parts[0] if len(parts) == 1 else lambda value: all(part(value) for part in parts)

    def group(self, leaf: Callable[[], Test]) -> Test:
        if not self.accept("("):
            return leaf()
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise PatternError(f"parentheses are nested more than {MAX_DEPTH} deep")
        inner = self.either(leaf)
        if not self.accept(")"):
            raise PatternError("a parenthesis is not closed")
        self.depth -= 1
        return inner

    def comparison(self) -> Test:
        operator = self.take("operator").text
        operand = self.take("string", "regex", "word")
        if operand.kind != "regex":
            return compare(operator, operand.text, quoted=operand.kind == "string")
        self.regexes += 1
        if self.regexes > MAX_REGEXES:
            raise PatternError(f"there are more than {MAX_REGEXES} regular expressions")
        return search(operand.text, operator)


def _tokens(text: str) -> list[Token]:
    tokens = []
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            if text[at:].isspace():
                break
            raise PatternError(f"it is not clear what {text[at:].strip()[:32]!r} means")
        kind = str(found.lastgroup)
        body = found[kind]
        tokens.append(Token(kind, _ESCAPE.sub(r"\1", body) if kind == "string" else body))
        at = found.end()
    return tokens


# JSON --------------------------------------------------------------------------------------------------------------


def _json_pattern(text: str) -> Predicate:
    if not text.endswith("}"):
        raise PatternError("the closing brace is missing")
    parser = _Parser(text[1:-1])

    def leaf() -> Test:
        steps = _steps(parser.take("selector").text)
        test = _state(parser) or parser.comparison()
        return lambda document: any(test(value) for value in _values(document, steps))

    test = parser.either(leaf)
    parser.take("end")

    def match(message: str) -> bool:
        if not message.lstrip().startswith(("{", "[")):
            return False
        try:
            document = msgspec.json.decode(message)
        except (ValueError, RecursionError):
            return False
        return test(document)

    return match


_STATES: dict[tuple[str, str], Test] = {
    ("IS", "NULL"): lambda value: value is None,
    ("IS", "TRUE"): lambda value: value is True,
    ("IS", "FALSE"): lambda value: value is False,
    ("NOT", "EXISTS"): lambda value: value is MISSING,
}


def _state(parser: _Parser) -> Test | None:
    """`IS NULL`, `IS TRUE`, `IS FALSE`, `NOT EXISTS`; None where a comparison follows."""
    if parser.peek().kind != "word":
        return None
    words = (parser.peek().text.upper(), parser.peek(1).text.upper())
    if words not in _STATES:
        raise PatternError(f"an operator, IS NULL, IS TRUE, IS FALSE or NOT EXISTS expected, not {words[0][:32]!r}")
    parser.at += 2
    return _STATES[words]


def _steps(selector: str) -> list[str | int | None]:
    """A selector as names, positions, and None for every element."""
    steps: list[str | int | None] = []
    for position, every, single, double, name in _STEP.findall(selector):
        if position:
            steps.append(int(position[:18]))
        else:
            steps.append(None if every else single or double or name)
    return steps


def _values(document: Any, steps: Sequence[str | int | None]) -> list[Any]:
    """What a selector finds: one value (MISSING where there is none), or several for `[*]`."""
    found = [document]
    for step in steps:
        if step is None:
            found = [element for value in found if isinstance(value, list) for element in value] or [MISSING]
        else:
            found = [_child(value, step) for value in found]
    return found


def _child(value: Any, step: str | int) -> Any:
    if isinstance(step, int):
        return value[step] if isinstance(value, list) and step < len(value) else MISSING
    return value.get(step, MISSING) if isinstance(value, dict) else MISSING


def _json_extractor(text: str) -> Callable[[str], dict[str, str]]:
    selectors = dict.fromkeys(token.text for token in _tokens(text[1:-1]) if token.kind == "selector")
    found = {selector: _steps(selector) for selector in selectors}

    def extract(message: str) -> dict[str, str]:
        document = msgspec.json.decode(message)
        values = {selector: _values(document, steps)[0] for selector, steps in found.items()}
        return {selector: text_of(value) for selector, value in values.items() if value is not MISSING}

    return extract


# Space-delimited -----------------------------------------------------------------------------------------------------


def _space_pattern(text: str) -> Predicate:
    if not text.endswith("]"):
        raise PatternError("the closing bracket is missing")
    parser = _Parser(text[1:-1])
    head: list[Test] = []
    tail: list[Test] | None = None
    while True:
        if parser.peek() == Token("word", "..."):
            parser.at += 1
            if tail is not None:
                raise PatternError("an ellipsis can stand once only")
            tail = []
        else:
            (head if tail is None else tail).append(_column(parser))
        if not parser.accept(","):
            break
    parser.take("end")
    return _columns(head, tail)


def _columns(head: Sequence[Test], tail: Sequence[Test] | None) -> Predicate:
    least = len(head) + len(tail or ())

    def match(message: str) -> bool:
        fields = split_fields(message)
        if len(fields) < least or (tail is None and len(fields) > least):
            return False
        first = all(test(field) for test, field in zip(head, fields, strict=False))
        last = fields[len(fields) - len(tail or ()) :]
        return first and all(test(field) for test, field in zip(tail or (), last, strict=True))

    return match


def _column(parser: _Parser) -> Test:
    """One field: nothing, a name, or conditions on its name."""
    ahead = parser.peek()
    if ahead.kind == "end" or ahead == Token("joint", ","):
        return lambda _field: True
    if ahead.kind in {"word", "selector"} and parser.peek(1).kind != "operator":
        parser.at += 1
        return lambda _field: True
    names: set[str] = set()

    def leaf() -> Test:
        names.add(parser.take("word", "selector").text)
        return parser.comparison()

    test = parser.either(leaf)
    if len(names) > 1:
        raise PatternError(f"conditions of one field must use one name, not {', '.join(sorted(names))[:64]}")
    return test


def _space_extractor(text: str) -> Callable[[str], dict[str, str]]:
    """Fields without a name are called by their position, and so are those that an ellipsis stands for."""
    columns: list[str] = [""]
    for token in _tokens(text[1:-1]):
        if token == Token("joint", ","):
            columns.append("")
        elif token.kind in {"word", "selector"} and not columns[-1]:
            columns[-1] = token.text.removeprefix("$")
    at = columns.index("...") if "..." in columns else None

    def extract(message: str) -> dict[str, str]:
        fields = split_fields(message)
        names = columns
        if at is not None:
            names = [*columns[:at], *[""] * (len(fields) - len(columns) + 1), *columns[at + 1 :]]
        return {
            f"${name or position}": field for position, (name, field) in enumerate(zip(names, fields, strict=True), 1)
        }

    return extract


def split_fields(message: str) -> list[str]:
    """The fields of a line: separated by spaces, but what stands in brackets or double quotes is one.

    A bracket or quote that is never closed is an ordinary character. Linear in the length of the line.
    """
    fields = []
    at, open_ended = 0, set()
    while (found := _PLAIN_FIELD.search(message, at)) is not None:
        closing = _CLOSING.get(message[found.start()])
        end = message.find(closing, found.start() + 1) if closing and closing not in open_ended else -1
        if end >= 0:
            fields.append(message[found.start() + 1 : end])
            at = end + 1
            continue
        if closing:
            open_ended.add(closing)  # looked for once: not looked for again
        fields.append(found[0])
        at = found.end()
    return fields

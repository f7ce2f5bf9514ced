"""Filter patterns: the examples of AWS's guide, what is refused, and that no text does harm."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longshore.api.logs.matching import PatternError
from longshore.api.logs.pattern import compile_pattern, split_fields

ERRORS = [
    "[ERROR 400] BAD REQUEST",
    "[ERROR 401] UNAUTHORIZED REQUEST",
    "[ERROR 419] MISSING ARGUMENTS",
    "[ERROR 420] INVALID ARGUMENTS",
]


def matching(pattern: str, messages: list[str]) -> list[str]:
    return [message for message in messages if compile_pattern(pattern)(message)]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("", ERRORS),
        ("ERROR", ERRORS),
        ("ERROR ARGUMENTS", ERRORS[2:]),
        ('"INVALID ARGUMENTS"', ERRORS[3:]),
        ("ERROR -ARGUMENTS", ERRORS[:2]),
        ("-ARGUMENTS", ERRORS[:2]),
        ("?MISSING ?UNAUTHORIZED", [ERRORS[1], ERRORS[2]]),
        ("?MISSING REQUEST", ERRORS[:2]),  # beside others optional terms have no effect, as on AWS
        ('-"BAD REQUEST" REQUEST', [ERRORS[1]]),
        ("%4[0-1][0-9]%", ERRORS[:3]),
        ("error", []),
        ("REQ", ERRORS[:2]),
    ],
)
def test_terms(pattern: str, expected: list[str]) -> None:
    assert matching(pattern, ERRORS) == expected


EVENT = """{
  "eventType": "UpdateTrail", "sourceIPAddress": "111.111.111.111", "arrayKey": ["value", "another value"],
  "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}], "SomeObject": null, "ThisFlag": true,
  "cluster.name": "c", "latency": 250.5, "code": 404, "text": "404", "deep": {"level": {"x": "y"}}
}"""


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ('{ $.eventType = "UpdateTrail" }', True),
        ("{ $.eventType = UpdateTrail }", True),
        ("{ $.eventType = Update* }", True),
        ('{ $.eventType = "*date*" }', True),
        ("{ $.eventType = %Trail$% }", True),
        ("{ $.eventType != %Trail$% }", False),
        ("{ $.sourceIPAddress != 123.123.* }", True),
        ("{ $.sourceIPAddress = 111.111.* }", True),
        ('{ $.arrayKey[0] = "value" }', True),
        ('{ $.arrayKey[1] = "value" }', False),
        ("{ $.arrayKey[9] = * }", False),
        ('{ $.arrayKey[*] = "another value" }', True),
        ("{ $.objectList[1].id = 2 }", True),
        ("{ $.objectList[*].id > 1 }", True),
        ("{ $.SomeObject IS NULL }", True),
        ("{ $.Missing IS NULL }", False),
        ("{ $.SomeOtherObject NOT EXISTS }", True),
        ("{ $.SomeObject NOT EXISTS }", False),
        ("{ $.ThisFlag IS TRUE }", True),
        ("{ $.ThisFlag IS FALSE }", False),
        ("{ $.['cluster.name'] = \"c\" }", True),
        ("{ $.latency > 250 && $.latency <= 250.5 }", True),
        ("{ $.latency >= 2.505e2 }", True),
        ("{ $.latency < 1e2 }", False),
        ("{ $.code = 404 }", True),
        ("{ $.code != 404 }", False),
        ("{ $.text = 404 }", True),
        ("{ $.deep.level.x = y }", True),
        ("{ $.deep.level = * }", True),
        ("{ $.nothing != 1 }", False),
        ("{ $.code = 1 || $.code = 404 && $.ThisFlag IS TRUE }", True),
        ("{ ($.code = 404 || $.code = 1) && ($.ThisFlag IS FALSE) }", False),
        ('{($.eventType="UpdateTrail")&&($.code=404)}', True),
    ],
)
def test_json_patterns(pattern: str, expected: bool) -> None:
    assert compile_pattern(pattern)(EVENT) is expected


def test_json_patterns_pass_over_what_is_not_json() -> None:
    matches = compile_pattern("{ $.a NOT EXISTS }")
    assert [matches(text) for text in ("plain", "{broken", "[" * 100_000, '{"b": 1}', "{}")] == [
        *(False, False, False, True, True)
    ]


LINE = '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("[ip, id, user, timestamp, request, status_code, size]", True),
        ("[ip, id, user, timestamp, request, status_code]", False),
        ("[ip, id, user, timestamp, request, status_code = 4*, size]", True),
        ("[ip, id, user, timestamp, request = *.html*, status_code = 4*, size > 1000]", True),
        ("[..., request = *.html*, status_code = 5*, size]", False),
        ("[..., size >= 1534]", True),
        ("[ip, ...]", True),
        ("[ip = 127.*, ..., size < 2000]", True),
        ("[ip, , user = frank, ...]", True),
        ("[..., status_code = 404 || status_code = 410, size]", True),
        ("[..., status_code != 404 && status_code != 410, size]", False),
        ("[ip, id, user, timestamp = %Oct/2000%, ...]", True),
        ("[ip=%127\\.0\\.0\\.[1-9]%, ...]", True),
        ('[ip, id, user = "frank", ...]', True),
        ("[ip, id, user > 3, ...]", False),
    ],
)
def test_space_delimited_patterns(pattern: str, expected: bool) -> None:
    assert compile_pattern(pattern)(LINE) is expected


def test_fields_in_brackets_and_quotes_are_one() -> None:
    assert split_fields(LINE)[3:5] == ["10/Oct/2000:13:25:15 -0700", "GET /index.html HTTP/1.0"]
    assert split_fields('an "open quote') == ["an", '"open', "quote"]
    assert split_fields('a "" b') == ["a", "", "b"]


@pytest.mark.parametrize(
    "pattern",
    [
        "foo-bar",
        "[ERROR",
        "{ $.a = 1",
        "{ }",
        "{ a = 1 }",
        "{ $.a = }",
        "{ $.a IS MAYBE }",
        "{ $.a < abc }",
        "{ $.a = 1 && }",
        "{ ($.a = 1 }",
        "{ $.a < %x% }",
        "{ $.a = 1 $.b = 2 }",
        "{" + "(" * 500 + "$.a = 1" + ")" * 500 + "}",
        "[a, ..., b, ...]",
        "[a = 1 && b = 2]",
        '"open',
        "%open",
        "%(a)%",
        "%a!%",
        "%[%",
        "%%",
        "{ $.a = %a% && $.b = %b% && $.c = %c% }",
        "x" * 1025,
    ],
)
def test_what_is_not_a_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        compile_pattern(pattern)


PIECES = st.sampled_from(
    [*'{}[]()"%?-*\\$., =<>!&|', "$.a", "&&", "||", "IS", "NULL", "NOT EXISTS", "...", "a", "1", "x*", "%a+%", "[0]"]
)


@given(st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=40).map("".join)), st.text(max_size=100))
@settings(max_examples=500, deadline=None)
def test_any_text_is_a_pattern_or_is_refused(pattern: str, message: str) -> None:
    try:
        matches = compile_pattern(pattern)
    except PatternError:
        return
    for text in (message, '{"a": "x", "b": [1, {"a": null}]}', "a b [c d] 1"):
        assert matches(text) in {True, False}


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("%a*a*a*a*a*a*a*a*a*b%", "a" * 250_000),
        ("%.*.*.*.*x%", "y" * 250_000),
        ("{ $.a = *a*a*a*a*a*b }", '{"a": "' + "a" * 250_000 + '"}'),
        ("[a, b]", "[ " * 125_000),
        ("[a, b]", '[x]y "' * 40_000),
        ("{ $.a = 1 }", "[" * 250_000),
        ("{ $.a = 1 }", '{"a": 1' + "0" * 250_000 + "}"),
        ("{ $.a = x* }", '{"a": 1' + "0" * 30 + "}"),
        ("{ $.a = x* }", '{"a": 1' + "0" * 5000 + "}"),
    ],
)
def test_hostile_patterns_and_messages_end(pattern: str, message: str) -> None:
    # With backtracking any of these would take hours, and the suite's time limit would end it.
    assert compile_pattern(pattern)(message) in {True, False}

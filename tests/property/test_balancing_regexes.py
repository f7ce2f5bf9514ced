"""What is taken as a regular expression of a rule compiles where it is run: with PCRE2."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from longshore.api.elbv2.regexes import check_regex
from longshore.wire.errors import ApiError
from tests.support import pcre

PIECES = st.sampled_from(
    [
        *"abz09./-_ ^$|?*+,:=&",
        *("(", ")", "(?:", "(?i)", "(?s:", "(?P<n>", "(?<n>", "(?=", "(?!", "(?>", "(?#", "(*"),
        *("[", "]", "[^", "[]", "[[:alpha:]]", "[:alpha:]", "[.", ".]", "[=", "=]", "-", "a-z", "{", "}"),
        *("{2}", "{2,}", "{2,3}", "{,3}", "{1000}", "{ 2 }", "{}", "*?", "++"),
        *("\\d", "\\W", "\\b", "\\z", "\\A", "\\.", "\\/", "\\[", "\\]", "\\\\", "\\x41", "\\x{41}", "\\1", "\\12"),
        *("\\Q", "\\E", "\\C", "\\K", "\\pL", "\\p{L}", "\\u0041", "\\c", "\\h", "\\R", "\\Z", "\\G", "é"),
    ]
)
PATTERNS = st.lists(PIECES, min_size=1, max_size=14).map("".join)

needs_pcre = pytest.mark.skipif(pcre.library() is None, reason="the machine has no PCRE2 library")


def accepted(pattern: str) -> bool:
    try:
        check_regex(pattern, "a test", 1024)
    except ApiError:
        return False
    return True


@needs_pcre
@settings(max_examples=1500, deadline=None)
@given(PATTERNS)
@example("(?:[ab][cd][ef][gh]){375}")
@example("(" * 199 + "a" + ")" * 199)
@example("[^:alpha:]")
@example("[a[:alpha:]]")
@example("[0-[:alpha:]]")
@example(r"[\w-.]")
@example("a(?i)?")
def test_what_is_taken_compiles_with_pcre(pattern: str) -> None:
    if accepted(pattern):
        assert pcre.compiles(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "^/api/v[0-9]+/(users|orders)/?$",
        r"^mywebsite-(.+)\.com$",
        "[.-]",
        "[^/]+",
        "(?i)mozilla.*firefox",
        r"\d{2,4}",
        "[[:alnum:]]+",
        r"a\{,3\}",
    ],
)
def test_usual_expressions_are_taken(pattern: str) -> None:
    assert accepted(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        *("", "a" * 1025, "é", "a\n", "(", "a**", "(?=a)", "(?!a)", "(?<=a)", r"(a)\1", "(?>a)", "a++", r"\p{L}"),
        *("(?P<name>a)", "[:alpha:]", "a{,3}", "(?:a{1000}){2}", "(?:[ab][cd][ef][gh]){999}", r"\Qa\E", "(?R)"),
    ],
)
def test_what_elbv2_or_the_data_plane_lacks_is_refused(pattern: str) -> None:
    assert not accepted(pattern)


def test_groups_are_counted() -> None:
    assert check_regex("(a)(?:b)(c(d))", "a test", 128) == 3

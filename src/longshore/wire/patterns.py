"""The models' regular expressions, which are Java's, as Python can run them.

Patterns match the whole value, as AWS's own validation does. A few need translating; one that still does not compile
is skipped knowingly (`compiled` returns None and tests list them). Matching has a time limit: some patterns backtrack
without end on hostile values, which then count as not matching.
"""

import functools

import regex

LIMIT_S = 0.25
# Java writes the planes above the first as surrogate pairs; an anchor in mid-pattern could never match.
_REWRITES = (("/^.", "/."), (r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF"), (r"\w-\/", r"\w\-\/"))


@functools.lru_cache(maxsize=4096)
def compiled(pattern: str) -> "regex.Pattern[str] | None":
    """Compile a model's pattern, or return None if it has no Python form."""
    for java, python in _REWRITES:
        pattern = pattern.replace(java, python)
    try:
        return regex.compile(pattern, regex.ASCII if r"\p" not in pattern else 0)
    except (regex.error, OverflowError, ValueError):
        return None


def matches(pattern: "regex.Pattern[str]", value: str) -> bool:
    """Tell whether the whole value matches."""
    try:
        return pattern.fullmatch(value, timeout=LIMIT_S) is not None
    except TimeoutError:
        return False

"""Regular expressions of rules: what ELBv2 takes, and the data plane can run.

ELBv2 has no lookaround, backreferences, atomic groups, possessive quantifiers, recursion or Unicode classes. Those are
the limits of RE2, which compiles every expression here; HAProxy runs it with PCRE2, so the few things that PCRE2
refuses or reads differently are refused as well.
"""

import re

import re2

from longshore.wire.errors import ApiError

MAX_PROGRAM = 1500
"""Of RE2's instructions: PCRE2 compiles to at most 64 KiB, in which a class of characters takes 33 bytes."""
MAX_GROUPS = 200
"""PCRE2 nests no deeper than 250."""

_ESCAPES = frozenset("dDwWsSbBtnrfvaAz")
_TOKEN = re.compile(
    r"(?P<escape>\\(?:x[0-9A-Fa-f]{2}|.))"
    r"|(?P<set>\[\^?\]?(?:\[:\^?[a-z]+:\]|\\.|[^\]\\])*\])"
    r"|(?P<repeat>\{[\d\s,]*\})"
    r"|(?P<flags>\(\?[a-zA-Z-]+\))"
    r"|(?P<other>\(\?P?<|.)"
)
_POSIX_NAME = re.compile(r"\[([.:=]).*\1\]")
"""`[:alpha:]` that is no part of a class: PCRE2 takes it for a mistake."""
_CLASS_IN_RANGE = re.compile(r"(?:\\[dDwWsS]|:\])-[^\]]|-(?:\\[dDwWsS]|\[:)")
_REPEAT = re.compile(r"\{\d+(,\d*)?\}")
_ANCHORS = frozenset(("^", "$", "\\b", "\\B", "\\A", "\\z"))


def check_regex(pattern: str, what: str, limit: int) -> int:
    """How many groups a regular expression has. Raises ValidationError, in which `what` names its place."""
    if not pattern or len(pattern) > limit:
        raise _invalid(what, pattern, f"it must have between 1 and {limit} characters")
    if not pattern.isascii() or not pattern.isprintable():
        raise _invalid(what, pattern, "it must be of printable ASCII characters")
    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0]
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise _invalid(what, pattern, text) from None
    strange = _strange_to_pcre(pattern)
    if strange:
        raise _invalid(what, pattern, strange)
    if compiled.programsize > MAX_PROGRAM or pattern.count("(") > MAX_GROUPS:
        raise _invalid(what, pattern, "it has too many repetitions or groups")
    return int(compiled.groups)


def _strange_to_pcre(pattern: str) -> str:
    """What RE2 takes and PCRE2 doesn't, or takes for something else; empty for nothing."""
    before = ""
    for found in _TOKEN.finditer(pattern):
        text = found[0]
        if (before in _ANCHORS or before.startswith("(?")) and (text in "*+?" or found.lastgroup == "repeat"):
            return f"{before} can't be repeated"
        strange = _strange(text, found.lastgroup or "")
        if strange:
            return f"{text} {strange}"
        before = text
    return ""


def _strange(token: str, kind: str) -> str:
    strange = ""
    match kind:
        case "escape" if len(token) == 2 and token[1].isalnum() and token[1] not in _ESCAPES:
            strange = "is not supported"
        case "set" if _POSIX_NAME.fullmatch(token) or "[." in token[1:] or "[=" in token[1:]:
            strange = "is not supported; escape the brackets within brackets"
        case "set" if _CLASS_IN_RANGE.search(token):
            strange = "has a hyphen beside a class; put the hyphen last"
        case "repeat" if not _REPEAT.fullmatch(token):
            strange = "is not a repetition; escape the brace"
        case "other" if len(token) > 1:
            strange = "begins a named group, which is not supported"
    return strange


def _invalid(what: str, pattern: str, reason: str) -> ApiError:
    return ApiError("ValidationError", f"The regular expression '{pattern[:128]}' of {what} is not valid: {reason}")

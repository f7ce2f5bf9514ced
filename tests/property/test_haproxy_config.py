"""Whatever users write into rules, HAProxy takes the configuration, and nothing in it but quoted words is theirs."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longshore.domain.elbv2.balancing import Condition, FixedResponse, Forward, Redirect, Rewrite, WeightedGroup
from longshore.drivers.haproxy.render import Settings, render
from longshore.drivers.haproxy.slots import EMPTY, Slot
from longshore.drivers.program import find
from tests.support.plans import balancer, check, group, listener, plan, rule

if TYPE_CHECKING:
    from longshore.domain.elbv2.balancing import GroupPlan, RulePlan

pytestmark = pytest.mark.haproxy

GROUP_IDS = ("0a", "0b", "0c")
SLOTS = (Slot("10.0.0.1", 80, serving=True, registered=True), Slot("10.0.0.2", 80, registered=True), EMPTY)
PIECES = st.sampled_from(
    [
        *("\n", "\r\n", "\t", " ", "\x01", "\x7f", "é", "\u2028", "𝄞"),
        *('"', "'", "\\", "`", "$", "${HOME}", "$HOME", "#", "%", "%%", "%[src]", "%[env(HOME)]", "%ci"),
        *("{", "}", "[", "]", "(", ")", "!", ",", ";", "|", "-i", "--", "-f /etc/passwd", "if", "unless", "or"),
        *("*", "?", "\\*", "\\?", "a", "b.c", "/", "&", "=", "\n    server x 1.1.1.1:1", "\nglobal\n", "' if TRUE"),
    ]
)
TEXTS = st.lists(PIECES, min_size=1, max_size=8).map("".join)
HEADER_NAMES = st.text("abcXYZ019!#$%&'*+-.^_`|~", min_size=1, max_size=12)
STATUSES = st.integers(200, 599).filter(lambda status: status // 100 != 3)
"""What ELBv2 takes for a fixed response: 2XX, 4XX and 5XX."""
REGEXES = st.sampled_from(["^/a(.*)", "[\"'`$%{}]+", "a|b, c", "\\.\\\\\\'", "(é)|#(x)"])
FILLED = st.lists(st.one_of(PIECES, st.sampled_from(["#{host}", "#{path}", "#{query}"])), max_size=6).map("".join)
FIRST_WORDS = frozenset(
    [
        "acl",
        "bind",
        "http-request",
        "http-response",
        "http-after-response",
        "option",
        "tcp-request",
        "timeout",
        "use_backend",
    ]
)
QUOTED = re.compile(r'"[^"\\$`\n]*(?:\\x[0-9a-f]{2}[^"\\$`\n]*)*"')


def several(values: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(values, min_size=1, max_size=3).map(tuple)


CONDITIONS = st.one_of(
    st.builds(
        Condition,
        field=st.sampled_from(["host-header", "path-pattern"]),
        values=several(TEXTS),
        regexes=st.lists(REGEXES, max_size=1).map(tuple),
    ),
    st.builds(Condition, field=st.just("http-header"), name=HEADER_NAMES, values=several(TEXTS)),
    st.builds(
        Condition,
        field=st.just("http-request-method"),
        values=several(st.one_of(TEXTS, st.sampled_from(["GET", "-f", "-M", "/etc/passwd"]))),
    ),
    st.builds(
        Condition,
        field=st.just("query-string"),
        pairs=st.lists(st.tuples(st.one_of(st.just(""), TEXTS), TEXTS), min_size=1, max_size=3).map(tuple),
    ),
)
ACTIONS = st.one_of(
    st.builds(
        Forward,
        groups=st.lists(
            st.builds(WeightedGroup, group_id=st.sampled_from(GROUP_IDS), weight=st.integers(0, 3)),
            min_size=1,
            max_size=3,
            unique_by=lambda share: share.group_id,
        ).map(tuple),
        stickiness_s=st.sampled_from([0, 60]),
    ),
    st.builds(
        Redirect,
        host=FILLED,
        path=FILLED.map("/".__add__),
        query=FILLED,
        status=st.sampled_from([301, 302]),
    ),
    st.builds(
        FixedResponse,
        status=st.one_of(st.sampled_from([200, 204, 404, 503]), STATUSES),
        content_type=st.sampled_from(["", "text/html"]),
        body=st.one_of(st.just(""), TEXTS),
    ),
)
REWRITES = st.lists(
    st.builds(Rewrite, what=st.sampled_from(["host-header", "url"]), regex=REGEXES, replacement=TEXTS), max_size=2
).map(tuple)
RULES = st.builds(
    lambda action, conditions, rewrites: rule(action, *conditions, rewrites=rewrites),
    ACTIONS,
    st.lists(CONDITIONS, min_size=1, max_size=3),
    REWRITES,
)


def group_of(group_id: str) -> st.SearchStrategy[GroupPlan]:
    return st.builds(
        lambda path, name, **fields: group(group_id, check=check(path=f"/{path}"), cookie_name=name, **fields),
        TEXTS,
        HEADER_NAMES,
        stickiness=st.sampled_from(["", "lb_cookie", "app_cookie"]),
        stickiness_s=st.just(60),
        algorithm=st.sampled_from(["round_robin", "least_outstanding_requests", "weighted_random"]),
        slow_start_s=st.sampled_from([0, 30]),
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(RULES, max_size=5),
    ACTIONS,
    st.tuples(*map(group_of, GROUP_IDS)),
    st.fixed_dictionaries(
        {},
        optional={
            "forwarded_for": st.sampled_from(["append", "preserve", "remove"]),
            "forwarded_for_port": st.booleans(),
            "access_log_bucket": st.just("logs"),
            "drop_invalid_headers": st.just(True),
        },
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "response_headers": TEXTS.map(lambda value: (("X-Frame-Options", value),)),
            "server_header": st.just(False),
        },
    ),
)
def test_haproxy_takes_what_is_rendered_and_only_quoted_words_are_the_users(
    rules: list[RulePlan],
    last: Forward,
    groups: tuple[GroupPlan, ...],
    attributes: dict[str, Any],
    headers: dict[str, Any],
) -> None:
    front = balancer("127.0.0.1", listener(8080, *rules, rule(last), **headers), **attributes)
    with tempfile.TemporaryDirectory(prefix="ls-") as folder:
        known = Settings(folder=folder, cookie_key="key", access_logs=True)
        rendered = render(plan([front], groups), dict.fromkeys(GROUP_IDS, SLOTS), known)
        file = Path(folder, "haproxy.cfg")
        file.write_text(rendered.text)
        said = subprocess.run([find("haproxy") or "", "-c", "-f", file], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    (own,) = (section for section in rendered.sections if section.text.startswith("frontend "))
    for line in own.text.splitlines()[1:]:
        first, *_ = line.split()
        assert line.startswith(f"    {first}")
        assert first in FIRST_WORDS | {"log", "log-format"}
        assert QUOTED.sub("", line).isascii()
        assert not set('"`$#') & set(QUOTED.sub("", line))

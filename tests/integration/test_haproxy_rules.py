"""Rules, headers, cookies and answers of the load balancer itself, as a client and a target see them."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from longshore.domain.elbv2.balancing import (
    Condition,
    FixedResponse,
    Forward,
    GroupPlan,
    Redirect,
    Rewrite,
    RulePlan,
    TargetPlan,
    WeightedGroup,
)
from longshore.drivers.haproxy.access_log import LogFolder
from tests.support.access_logs import lines_below
from tests.support.clock import HandClock
from tests.support.haproxy_cases import HOSTILE
from tests.support.haproxy_rig import NET, planned, rig
from tests.support.plans import balancer, check, forward, group, listener, path, plan, rule, text
from tests.support.targets import Target, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
    from pathlib import Path

pytestmark = pytest.mark.haproxy
ADDRESS = f"{NET}.3.1"
URL = f"http://{ADDRESS}:8080"


@asynccontextmanager
async def behind(
    *rules: RulePlan, groups: Sequence[GroupPlan] = (group(),), targets: int = 1, **attributes: Any
) -> AsyncIterator[tuple[httpx.AsyncClient, list[Target]]]:
    """A client, and targets `0a1`, `0a2` …, `0b1` … of groups behind a listener with these rules."""
    made = {
        one.group_id: [Target(f"{one.group_id}{n}", f"{NET}.4.{10 * index + n}", 8000) for n in range(1, targets + 1)]
        for index, one in enumerate(groups)
    }
    every = [target for some in made.values() for target in some]
    async with rig() as it, serving(*every), httpx.AsyncClient(base_url=URL) as client:
        problems = await it.driver.apply(plan([balancer(ADDRESS, listener(8080, *rules), **attributes)], groups))
        assert problems == {}
        await it.healthy(*(planned(target, group_id) for group_id, some in made.items() for target in some))
        yield client, every


def host(*patterns: str) -> Condition:
    return Condition(field="host-header", values=patterns)


def header(name: str, *patterns: str, regexes: tuple[str, ...] = ()) -> Condition:
    return Condition(field="http-header", name=name, values=patterns, regexes=regexes)


def query(*pairs: tuple[str, str]) -> Condition:
    return Condition(field="query-string", pairs=pairs)


def source(*cidrs: str) -> Condition:
    return Condition(field="source-ip", values=cidrs)


def method(*names: str) -> Condition:
    return Condition(field="http-request-method", values=names)


YES, NO = True, False
ODD = "a\"b'c $HOME %[src] # {x} `y`"
MATCHES: Sequence[tuple[tuple[Condition, ...], str, str, Mapping[str, str], bool]] = [
    ((path("/api/*"),), "GET", "/api/x", {}, YES),
    ((path("/api/*"),), "GET", "/API/x", {}, NO),
    ((path("/api/*"),), "GET", "/apix", {}, NO),
    ((path("/a?c"),), "GET", "/abc", {}, YES),
    ((path("/a?c"),), "GET", "/ac", {}, NO),
    ((path("*.png"),), "GET", "/x/y.png", {}, YES),
    ((path("*.png"),), "GET", "/x/y.png.txt", {}, NO),
    ((path("/a*b*c"),), "GET", "/a-b-c", {}, YES),
    ((path("/a.c"),), "GET", "/abc", {}, NO),
    ((path("/one", "/two"),), "GET", "/two?x=/one", {}, YES),
    ((path("/x"),), "GET", "/y?x=/x", {}, NO),
    ((Condition(field="path-pattern", regexes=("^/v[0-9]+/",)),), "GET", "/v12/x", {}, YES),
    ((Condition(field="path-pattern", regexes=("^/v[0-9]+/",)),), "GET", "/vx/x", {}, NO),
    ((host("Example.com"),), "GET", "/", {"host": "example.COM:8080"}, YES),
    ((host("*.example.com"),), "GET", "/", {"host": "a.b.example.com"}, YES),
    ((host("*.example.com"),), "GET", "/", {"host": "example.com"}, NO),
    ((host("www.?x.com"),), "GET", "/", {"host": "www.ax.com"}, YES),
    ((Condition(field="host-header", regexes=("^[a-z]+\\.test$",)),), "GET", "/", {"host": "Abc.test"}, YES),
    ((header("X-Kind", "*beta*"),), "GET", "/", {"x-kind": "The BETA one"}, YES),
    ((header("X-Kind", "beta"),), "GET", "/", {"x-kind": "betas"}, NO),
    ((header("X-Kind", "beta"),), "GET", "/", {}, NO),
    ((header("X-Kind", regexes=("^a,b$",)),), "GET", "/", {"x-kind": "a,b"}, YES),
    ((header("X-It's", f"*{ODD}*"),), "GET", "/", {"x-it's": f"1{ODD}2"}, YES),
    ((method("PUT", "DELETE"),), "DELETE", "/", {}, YES),
    ((method("PUT"),), "GET", "/", {}, NO),
    ((query(("version", "v1")),), "GET", "/?a=b&Version=V1", {}, YES),
    ((query(("version", "v1")),), "GET", "/?version=v10", {}, NO),
    ((query(("version", "v1")),), "GET", "/?xversion=v1", {}, NO),
    ((query(("", "v?")),), "GET", "/?b=v7", {}, YES),
    ((query(("", "*example*")),), "GET", "/?q=an+example+here&z=1", {}, YES),
    ((query(("q", "a\\*")),), "GET", "/?q=a*", {}, YES),
    ((query(("q", "a\\*")),), "GET", "/?q=ab", {}, NO),
    ((source("127.0.0.0/8"),), "GET", "/", {}, YES),
    ((source("10.0.0.0/8", "192.0.2.1/32"),), "GET", "/", {"x-forwarded-for": "10.0.0.1"}, NO),
    ((path("/a"), method("GET"), query(("k", "v"))), "GET", "/a?k=v", {}, YES),
    ((path("/a"), method("GET"), query(("k", "v"))), "GET", "/a?k=w", {}, NO),
]


async def test_conditions_choose_the_first_rule_that_holds() -> None:
    rules: list[RulePlan] = []
    for number, (conditions, *_) in enumerate(MATCHES):
        rules.append(rule(text("yes"), header("x-case", str(number)), *conditions))
    wrong = []
    async with rig() as it, httpx.AsyncClient(base_url=URL) as client:
        every = plan([balancer(ADDRESS, listener(8080, *rules, rule(text("no"))))], [])
        assert await it.driver.apply(every) == {}
        for number, (_, verb, url, headers, expected) in enumerate(MATCHES):
            answer = await client.request(verb, url, headers={**headers, "x-case": str(number)})
            if answer.text != ("yes" if expected else "no"):
                wrong.append((MATCHES[number], answer.status_code, answer.text))
    assert wrong == []


async def test_earlier_rule_wins() -> None:
    async with rig() as it, httpx.AsyncClient(base_url=URL) as client:
        rules = (rule(text("first"), path("/*")), rule(text("second"), path("/a")), rule(text("default")))
        await it.driver.apply(plan([balancer(ADDRESS, listener(8080, *rules))], []))
        assert (await client.get("/a")).text == "first"


async def test_fixed_responses_are_exact() -> None:
    answers = [
        FixedResponse(status=200, content_type="application/json", body='{"a": "$HOME %[src] \\x41"}'),
        FixedResponse(status=404),
        FixedResponse(status=503, content_type="text/html", body=HOSTILE),
        FixedResponse(status=201, body="plain"),
        FixedResponse(status=404, content_type="application/json"),
    ]
    rules = [rule(answer, path(f"/{number}")) for number, answer in enumerate(answers)]
    async with rig() as it, httpx.AsyncClient(base_url=URL) as client:
        await it.driver.apply(plan([balancer(ADDRESS, listener(8080, *rules, rule(text(""))))], []))
        for number, expected in enumerate(answers):
            got = await client.get(f"/{number}")
            assert (got.status_code, got.content.decode()) == (expected.status, expected.body)
            assert got.headers["server"] == "awselb/2.0"
            if expected.content_type:
                assert got.headers["content-type"] == expected.content_type


async def test_a_fixed_response_whose_status_has_no_body_leaves_it_out() -> None:
    answer = FixedResponse(status=204, content_type="text/plain", body="never sent")
    async with rig() as it, httpx.AsyncClient(base_url=URL) as client:
        assert await it.driver.apply(plan([balancer(ADDRESS, listener(8080, rule(answer)))], [])) == {}
        for _ in range(2):  # over one connection, which a body would have put out of step
            got = await client.get("/")
            assert (got.status_code, got.content) == (204, b"")


async def test_no_character_of_a_text_means_anything_to_haproxy() -> None:
    characters = [chr(code) for code in range(1, 128)] + ["é", "\u2028", "𝄞"]
    bodies = [f"{character}a{character}{character}%[src]" for character in characters]
    rules = [rule(text(body), path(f"/{number}")) for number, body in enumerate(bodies)]
    async with rig() as it, httpx.AsyncClient(base_url=URL) as client:
        assert await it.driver.apply(plan([balancer(ADDRESS, listener(8080, *rules, rule(text("none"))))], [])) == {}
        for number, body in enumerate(bodies):
            assert (await client.get(f"/{number}")).content.decode() == body


@pytest.mark.parametrize(
    ("action", "location"),
    [
        (Redirect(protocol="HTTPS", port="443", status=301), "https://shop.test:443/a/b?c=d&e"),
        (Redirect(status=302, path="/new"), "http://shop.test:8080/new?c=d&e"),
        (
            Redirect(status=302, host="www.#{host}", path="/x/#{path}/100%", query="was=#{query}"),
            "http://www.shop.test:8080/x/a/b/100%?was=c=d&e",
        ),
        (Redirect(status=302, query=""), "http://shop.test:8080/a/b"),
    ],
)
async def test_redirects_fill_in_the_request(action: Redirect, location: str) -> None:
    async with rig() as it, httpx.AsyncClient(base_url=URL) as client:
        await it.driver.apply(plan([balancer(ADDRESS, listener(8080, rule(action)))], []))
        answer = await client.get("/a/b?c=d&e", headers={"host": "shop.test:8080"})
        assert (answer.status_code, answer.headers["location"]) == (action.status, location)
        assert (answer.headers["server"], answer.headers["content-type"]) == ("awselb/2.0", "text/html")
        title = {301: "301 Moved Permanently", 302: "302 Found"}[action.status]
        assert answer.text == (
            f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n"
            f"<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
        )


async def test_redirect_of_a_request_without_query_has_no_question_mark() -> None:
    async with rig() as it, httpx.AsyncClient(base_url=URL) as client:
        await it.driver.apply(
            plan([balancer(ADDRESS, listener(8080, rule(Redirect(protocol="HTTPS", status=301))))], [])
        )
        answer = await client.get("/a", headers={"host": "shop.test"})
        assert answer.headers["location"] == "https://shop.test:8080/a"


@pytest.mark.parametrize(
    "rewrite",
    [
        Rewrite(what="url", regex="^/(.*)", replacement="$1"),
        Rewrite(what="url", regex="^.*$", replacement=""),
        Rewrite(what="host-header", regex="^.*$", replacement=""),
    ],
)
async def test_rewrite_that_makes_no_request_of_it_is_a_500(rewrite: Rewrite) -> None:
    async with behind(rule(forward("0a"), rewrites=(rewrite,))) as (client, [target]):
        for _ in range(2):
            answer = await client.get("/a/b", headers={"host": "shop.test"})
            assert (answer.status_code, answer.headers["server"]) == (500, "awselb/2.0")
            assert "<title>500 Internal Server Error</title>" in answer.text
        assert target.requests == []


async def test_rewrites_change_what_the_target_sees() -> None:
    rewrites = (
        Rewrite(what="host-header", regex="^(.*)\\.public\\.test", replacement="$1.inner.test"),
        Rewrite(what="url", regex="^/api/('\"|,|x)(.*)$", replacement="/$2\\$1"),
    )
    async with behind(rule(forward("0a"), rewrites=rewrites)) as (client, _):
        seen = (await client.get("/api/xyz?a=1", headers={"host": "shop.public.test:8080"})).json()
        assert (seen["path"], seen["headers"]["host"]) == ("/yz?a=1\\x", "shop.inner.test:8080")
        seen = (await client.get("/other/api/xyz", headers={"host": "else.test:8080"})).json()
        assert (seen["path"], seen["headers"]["host"]) == ("/other/api/xyz", "else.test:8080")
        asterisk = client.build_request("OPTIONS", "/", extensions={"target": b"*"})
        assert (await client.send(asterisk)).json()["path"] == "*"


async def test_headers_tell_the_target_of_the_client() -> None:
    async with behind() as (client, _):
        seen = (await client.get("/", headers={"host": "a.test"})).json()["headers"]
        assert (seen["x-forwarded-for"], seen["x-forwarded-proto"], seen["x-forwarded-port"]) == (
            "127.0.0.1",
            "http",
            "8080",
        )
        assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", seen["x-amzn-trace-id"])
        assert seen["host"] == "a.test:8080"
        given = {"x-forwarded-for": "192.0.2.9", "x-amzn-trace-id": "Root=1-2-3;Self=old;Sampled=1"}
        seen = (await client.get("/", headers=given)).json()["headers"]
        assert seen["x-forwarded-for"] == "192.0.2.9, 127.0.0.1"
        assert re.fullmatch(r"Self=1-[0-9a-f]{8}-[0-9a-f]{24};Root=1-2-3;Sampled=1", seen["x-amzn-trace-id"])


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"forwarded_for": "preserve"}, "192.0.2.9"),
        ({"forwarded_for": "remove"}, None),
        ({"forwarded_for_port": True}, r"192\.0\.2\.9, 127\.0\.0\.1:\d+"),
    ],
)
async def test_forwarded_for_is_treated_as_configured(attributes: dict[str, Any], expected: str | None) -> None:
    async with behind(**attributes) as (client, _):
        seen = (await client.get("/", headers={"x-forwarded-for": "192.0.2.9"})).json()["headers"]
        if expected is None:
            assert "x-forwarded-for" not in seen
        else:
            assert re.fullmatch(expected, seen["x-forwarded-for"])


async def test_address_of_the_client_gets_a_line_of_its_own_beside_several() -> None:
    async with behind() as (client, (one,)):
        await client.get("/", headers=[("x-forwarded-for", "192.0.2.1"), ("x-forwarded-for", "192.0.2.2")])
        lines = [value for name, value in one.requests[-1].headers if name.lower() == "x-forwarded-for"]
        assert lines == ["192.0.2.1", "192.0.2.2", "127.0.0.1"]


async def test_each_rule_keeps_to_its_group_healthy_or_not() -> None:
    groups = (group("0a", check=check(interval_s=1, timeout_s=1)), group("0b"))
    rules = (rule(forward("0a"), path("/a*"), host("a.*", "b.*")), rule(forward("0b")))
    async with behind(*rules, groups=groups) as (client, (a, _)):

        async def asked(url: str, host: str) -> str:
            answer = await client.get(url, headers={"host": host})
            return str(answer.json()["target"]) if answer.status_code == httpx.codes.OK else str(answer.status_code)

        wanted = [("/a", "b.test", "0a1"), ("/a", "c.test", "0b1"), ("/b", "b.test", "0b1")]
        assert [await asked(url, host) for url, host, _ in wanted] == [name for *_, name in wanted]
        a.health = 500
        a.checked.clear()
        async with asyncio.timeout(30):
            for _ in range(3):
                await a.checked.wait()
                a.checked.clear()
        assert [await asked(url, host) for url, host, _ in wanted] == [name for *_, name in wanted]


async def test_condition_on_a_header_reads_what_the_client_sent() -> None:
    groups = (group("0a"), group("0b"))
    rules = (rule(forward("0a"), header("X-Forwarded-Proto", "https")), rule(forward("0b")))
    async with behind(*rules, groups=groups) as (client, _):
        told = (await client.get("/", headers={"x-forwarded-proto": "https"})).json()
        assert (told["target"], told["headers"]["x-forwarded-proto"]) == ("0a1", "http")
        assert (await client.get("/")).json()["target"] == "0b1"


async def test_host_header_and_odd_headers_are_treated_as_configured() -> None:
    async with behind(preserve_host=True, drop_invalid_headers=True) as (client, _):
        seen = (await client.get("/", headers={"host": "a.test", "x_odd": "1", "x-even": "2"})).json()["headers"]
        assert (seen["host"], seen.get("x_odd"), seen["x-even"]) == ("a.test", None, "2")


async def test_requests_have_as_much_room_for_headers_as_on_aws() -> None:
    cookies = {f"x-{number}": "c" * 12_000 for number in range(5)}
    async with behind(rule(forward("0a"))) as (client, [target]):
        got = await client.get("/", headers={**cookies, "x-last": "c" * 4_500})
        assert got.status_code == 200
        assert sum(len(name) + len(value) for name, value in target.requests[-1].headers) > 64_000
        target.respond = lambda _request: (200, {"x-large": "c" * 31_000}, b"")
        assert len((await client.get("/")).headers["x-large"]) == 31_000


async def test_headers_of_every_answer_are_the_listeners() -> None:
    rules = (rule(text("own"), path("/own")), rule(forward("0a")))
    policy = "default-src 'self'; img-src *%{x}"
    front = listener(
        8080,
        *rules,
        response_headers=(("X-Frame-Options", "DENY"), ("Content-Security-Policy", policy)),
        server_header=False,
    )
    async with (
        rig() as it,
        serving(one := Target("one", f"{NET}.4.97", 8000)),
        httpx.AsyncClient(base_url=URL) as client,
    ):
        assert await it.driver.apply(plan([balancer(ADDRESS, front)], [group()])) == {}
        assert "server" not in (await client.get("/")).headers  # without a target
        await it.healthy(planned(one))
        one.respond = lambda _request: (200, {"x-frame-options": "SAMEORIGIN", "server": "mine"}, b"")
        for url, server in (("/", "mine"), ("/own", None)):
            answer = await client.get(url)
            assert answer.headers.get_list("x-frame-options") == ["DENY"]
            assert answer.headers["content-security-policy"] == policy
            assert answer.headers.get("server") == server


async def test_weights_share_out_requests() -> None:
    groups = (group("0a"), group("0b"))
    shares = Forward(groups=(WeightedGroup(group_id="0a", weight=3), WeightedGroup(group_id="0b", weight=1)))
    async with behind(rule(shares), groups=groups) as (client, _):
        names = [(await client.get("/")).json()["target"] for _ in range(400)]
        assert 230 < names.count("0a1") < 370
        assert names.count("0a1") + names.count("0b1") == 400


async def test_group_without_weight_gets_nothing_and_none_at_all_is_503() -> None:
    groups = (group("0a"), group("0b"))
    one = Forward(groups=(WeightedGroup(group_id="0a", weight=0), WeightedGroup(group_id="0b", weight=1)))
    none = Forward(groups=(WeightedGroup(group_id="0a", weight=0),))
    async with behind(rule(one, path("/one")), rule(none), groups=groups) as (client, _):
        assert {(await client.get("/one")).json()["target"] for _ in range(10)} == {"0b1"}
        answer = await client.get("/")
        assert (answer.status_code, answer.headers["server"]) == (503, "awselb/2.0")
        assert "<title>503 Service Temporarily Unavailable</title>" in answer.text


async def test_client_stays_with_its_group() -> None:
    groups = (group("0a"), group("0b"))
    async with behind(rule(forward("0a", "0b", stickiness_s=60)), groups=groups) as (client, _):
        first = await client.get("/")
        assert "AWSALBTG=" in first.headers["set-cookie"]
        assert {(await client.get("/")).json()["target"] for _ in range(20)} == {first.json()["target"]}
        client.cookies.clear()
        seen = set()
        for _ in range(40):
            seen.add((await client.get("/")).json()["target"])
            client.cookies.clear()
        assert seen == {"0a1", "0b1"}


async def test_load_balancer_cookie_keeps_a_client_at_its_target() -> None:
    sticky = group(stickiness="lb_cookie", stickiness_s=60)
    async with behind(groups=(sticky,), targets=4) as (client, _):
        first = await client.get("/")
        assert {"AWSALB", "AWSALBCORS"} <= set(first.cookies)
        assert {(await client.get("/")).json()["target"] for _ in range(20)} == {first.json()["target"]}
        client.cookies.clear()
        seen = set()
        for _ in range(8):
            seen.add((await client.get("/")).json()["target"])
            client.cookies.clear()
        assert len(seen) == 4


async def test_application_cookie_binds_once_the_application_sets_it() -> None:
    sticky = group(stickiness="app_cookie", stickiness_s=60, cookie_name="SID")
    async with behind(groups=(sticky,), targets=4) as (client, targets):
        names = set()
        for _ in range(4):
            answer = await client.get("/")
            names.add(answer.json()["target"])
            assert "AWSALBAPP-0" not in answer.cookies
        assert len(names) == 4
        for target in targets:
            target.respond = lambda request, name=target.name: (
                200,
                {"set-cookie": "SID=1; path=/"} if request.path == "/login" else {},
                name.encode(),
            )
        login = await client.get("/login")
        assert "AWSALBAPP-0" in login.cookies
        assert {(await client.get("/")).text for _ in range(12)} == {login.text}
        client.cookies.delete("SID")
        assert len({(await client.get("/")).text for _ in range(12)}) == 4


async def test_own_error_pages_are_those_of_elbv2() -> None:
    async with behind(rule(forward("0a")), idle_timeout_s=2, groups=(group(idle_timeout_s=1),)) as (client, (one,)):
        one.hold.clear()
        late = await client.get("/")
        assert (late.status_code, late.headers["server"]) == (504, "awselb/2.0")
        assert "<head><title>504 Gateway Time-out</title></head>" in late.text
        one.hold.set()
        await one.stop()
        refused = await client.get("/")
        assert (refused.status_code, refused.headers["server"]) == (502, "awselb/2.0")
        assert "<head><title>502 Bad Gateway</title></head>" in refused.text


@contextlib.contextmanager
def swallowing(address: str) -> Iterator[TargetPlan]:
    """A target that neither takes nor refuses connections: its queue is full, and nobody takes anything out of it."""
    with contextlib.ExitStack() as stack:
        mute = stack.enter_context(socket.create_server((address, 8000), backlog=0))
        with contextlib.suppress(TimeoutError):
            while True:
                stack.enter_context(socket.create_connection(mute.getsockname(), timeout=0.5))
        yield TargetPlan(group_id="0a", address=address, port=8000)


async def test_target_that_swallows_connections_is_504_and_says_so() -> None:
    async with rig() as it, httpx.AsyncClient(base_url=URL, timeout=60) as client:
        with swallowing(f"{NET}.4.98") as mute:
            unchecked = group(check=check(enabled=False))
            assert await it.driver.apply(plan([balancer(ADDRESS, listener(8080))], [unchecked])) == {}
            await it.healthy(mute)
            answer = await client.get("/")
        assert (answer.status_code, answer.headers["server"]) == (504, "awselb/2.0")
        assert "<head><title>504 Gateway Time-out</title></head>" in answer.text
        await it.driver.remove(mute)
        assert "<head><title>503 Service Temporarily Unavailable</title></head>" in (await client.get("/")).text


async def test_without_targets_the_answer_is_503_and_a_targets_own_503_is_its_own() -> None:
    async with rig() as it, httpx.AsyncClient(base_url=URL) as client:
        await it.driver.apply(plan([balancer(ADDRESS, listener(8080))], [group()]))
        answer = await client.get("/")
        assert (answer.status_code, answer.headers["server"]) == (503, "awselb/2.0")
        assert "<title>503 Service Temporarily Unavailable</title>" in answer.text
    async with behind() as (client, (one,)):
        one.respond = lambda _request: (503, {"server": "mine"}, b"busy")
        answer = await client.get("/")
        assert (answer.status_code, answer.headers["server"], answer.text) == (503, "mine", "busy")


async def test_least_outstanding_requests_go_where_nothing_waits() -> None:
    least = group(algorithm="least_outstanding_requests")
    async with behind(groups=(least,), targets=2) as (client, (one, two)):
        one.hold.clear()
        held = [asyncio.create_task(client.get("/")) for _ in range(2)]
        await one.asked.wait()
        names = {(await client.get("/")).json()["target"] for _ in range(10)}
        one.hold.set()
        await asyncio.gather(*held)
        assert names == {two.name}


async def test_access_log_has_a_line_for_each_request(tmp_path: Path) -> None:
    one = Target("one", f"{NET}.4.99", 8000)
    rules = (
        rule(Redirect(status=302, path="/new"), path("/old")),
        rule(text("no", 403), path("/no")),
        rule(forward("0a")),
    )
    front = balancer(ADDRESS, listener(8080, *rules), access_log_bucket="logs")
    clock = HandClock(1_764_374_690.5)
    async with (
        rig(access_logs=LogFolder(tmp_path, clock, lambda: "0a1b2c3d")) as it,
        serving(one),
        httpx.AsyncClient(base_url=URL, headers={"user-agent": 'a"\tb'}) as client,
    ):
        await it.driver.apply(plan([front], [group(arn="arn:group")]))
        await it.healthy(planned(one))
        for url in ("/old", "/no", "/a?b=c"):
            await client.get(url)
        wanted = ("/old", "/no", "/a?b=c")
        async with asyncio.timeout(20):
            while len(lines := lines_below(tmp_path / "logs")) < len(wanted):  # noqa: ASYNC110  files say nothing
                await asyncio.sleep(0.1)
    for line, url, status in zip(lines, wanted, (302, 403, 200), strict=True):
        words = line.split(" ")
        assert (words[0], words[2], int(words[8])) == ("http", "app/web/b1", status)
        assert (
            words[1] == "2025-11-29T00:04:50.500000Z"
        )  # when its line came, however long the connection has been open
        assert f'"GET {URL}{url} HTTP/1.1" "a\\x22\\x09b"' in line
    assert f" {NET}.4.99:8000 " in lines[2]
    assert "arn:group" in lines[2]
    assert f'"redirect" "{URL}/new' in lines[0]
    assert '"fixed-response"' in lines[1]
    assert all('"Root=1-' in line for line in lines)

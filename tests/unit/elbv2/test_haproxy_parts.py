"""The driver's pure parts: what HAProxy says, slots, patterns, headers of HTTP/2, lines of the access log."""

from __future__ import annotations

import pytest

from longshore.domain.elbv2.balancing import TargetPlan
from longshore.drivers.haproxy import access_log, http2
from longshore.drivers.haproxy.health import verdict
from longshore.drivers.haproxy.process import refusal
from longshore.drivers.haproxy.render import Rendered, Section
from longshore.drivers.haproxy.render.access import FIELDS
from longshore.drivers.haproxy.render.text import name_of, quoted, wildcard
from longshore.drivers.haproxy.runtime import RuntimeFailure, Worker, parse_processes, parse_servers, parse_stat
from longshore.drivers.haproxy.slots import EMPTY, Slot, Slots, emptied
from tests.support.plans import balancer, forward, group, listener, path, plan, rule

SHOW_PROC = """#<PID>          <type>          <reloads>       <uptime>        <version>
27956           master          3 [failed: 1]   0d00h00m02s     2.6.12-1+deb12u4
# workers
28448           worker          0               0d00h00m00s     2.6.12-1+deb12u4
# old workers
27959           worker          1               0d00h00m02s     2.6.12-1+deb12u4
# programs
"""


def test_processes_tell_old_workers_from_the_newest() -> None:
    found = parse_processes(SHOW_PROC)
    assert (found.reloads, found.failed) == (3, 1)
    assert found.workers == (Worker(28448, current=True), Worker(27959, current=False))
    assert found.current == Worker(28448, current=True)
    with pytest.raises(RuntimeFailure, match="something else"):
        parse_processes("")


def test_stat_rows_of_several_answers_keep_quoted_commas_together() -> None:
    head = "# pxname,svname,status,last_chk,rtime"
    answer = f'{head}\ng-1,s1,UP,"a, ""b""",7\n\nNo such proxy.\n\n{head}\ng-2,s1,DOWN,,8\n'
    assert parse_stat(answer) == [
        {"pxname": "g-1", "svname": "s1", "status": "UP", "last_chk": 'a, "b"', "rtime": "7"},
        {"pxname": "g-2", "svname": "s1", "status": "DOWN", "last_chk": "", "rtime": "8"},
    ]
    assert parse_stat("Can't find proxy\n") == []


def test_servers_tell_maintenance() -> None:
    lines = (
        "4 g 1 s1 127.0.0.9 2 0 1 1 0 15 3 4 6 0 0 0 - 9001 - 0 0 - - 0",
        "4 g 2 s2 0.0.0.0 0 5 1 1 0 1 0 0 14 0 0 0 - 0 - 0 0 - - 0",
    )
    first, second = parse_servers("1\n# be_id be_name\n" + "\n".join(lines))
    assert (first.name, first.address, first.port, first.maintenance) == ("s1", "127.0.0.9", 9001, False)
    assert second.maintenance


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"status": "UP 1/2", "check_status": "L7STS"}, ""),
        ({"status": "no check"}, ""),
        ({"status": "DOWN", "check_status": "L7STS", "check_code": "503"}, "Target.ResponseCodeMismatch"),
        ({"status": "DOWN 1/2", "check_status": "* L4TOUT"}, "Target.Timeout"),
        ({"status": "DOWN", "check_status": "L4CON"}, "Target.FailedHealthChecks"),
        ({"status": "DOWN", "check_status": "L7STS", "check_code": "0"}, ""),  # by an earlier worker's checks
        ({"status": "DOWN", "check_status": "INI"}, ""),
        ({"status": "DOWN 1/2", "check_status": "L7OK", "check_code": "200"}, ""),
    ],
)
def test_row_is_a_state_in_the_words_of_elbv2(row: dict[str, str], reason: str) -> None:
    assert verdict(row).reason == reason


def test_refusal_names_the_lines() -> None:
    said = refusal(
        "[NOTICE]   (1) : haproxy version is 2.6\n"
        "[ALERT]    (1) : config : parsing [/run/x.cfg:12] : error detected.\n"
        "[ALERT]    (1) : config : parsing [/run/x.cfg:40] : another.\n"
    )
    assert said.lines == (12, 40)
    assert said.reason == "HAProxy refuses the configuration: error detected."


def test_line_of_the_whole_text_has_its_owner() -> None:
    rendered = Rendered((Section("", "global\n  a\n"), Section("b1", "frontend x\n  b\n"), Section("b2", "c\n")), {})
    lines = rendered.text.split("\n")
    assert rendered.owner_at(lines.index("  a") + 1) == ""
    assert rendered.owner_at(lines.index("frontend x") + 1) == "b1"
    assert rendered.owner_at(lines.index("  b") + 1) == "b1"
    assert rendered.owner_at(lines.index("c") + 1) == "b2"
    assert rendered.owner_at(99) == ""


def target(number: int) -> TargetPlan:
    return TargetPlan(group_id="g", address=f"10.0.0.{number}", port=80)


def test_slots_are_reused_and_double_when_full() -> None:
    slots = Slots()
    slots.add_group("g")
    placed = [slots.place(target(number), "probing") for number in range(4)]
    assert [placement.index for placement in placed] == [0, 1, 2, 3]
    assert len(slots.layout_of("g")) == 4
    slots.free(placed[1])
    assert slots.place(target(9), "serving").index == 1
    assert slots.place(target(10), "serving").index == 4
    assert len(slots.layout_of("g")) == 16
    slots.free(placed[1])  # long gone: whoever is in its slot now stays
    assert slots.get(target(9)) is not None


def test_layout_shows_who_gets_requests() -> None:
    slots = Slots()
    slots.add_group("g")
    slots.place(target(1), "serving")
    slots.place(target(2), "serving").down = True
    slots.place(target(3), "draining")
    assert slots.layout() == {
        "g": (
            Slot("10.0.0.1", 80, serving=True, registered=True),
            Slot("10.0.0.2", 80, serving=True, registered=True),
            Slot("10.0.0.3", 80, serving=False, registered=False),
            EMPTY,
        )
    }
    assert emptied(slots.layout()) == {"g": (EMPTY,) * 4}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("/a", ("str", "/a")),
        ("/a/*", ("beg", "/a/")),
        ("*.png", ("end", ".png")),
        ("*", ("reg", "^.*$")),
        ("/a?", ("reg", "^\\/a.$")),
        ("a\\*b", ("str", "a*b")),
        ("a\\*b*", ("beg", "a*b")),
        ("end\\", ("str", "end\\")),
    ],
)
def test_wildcards_become_the_cheapest_match(pattern: str, expected: tuple[str, str]) -> None:
    assert wildcard(pattern) == expected


def test_text_for_haproxy_is_quoted_or_refused() -> None:
    assert quoted('a $b "c" \\ é\n') == '"a \\x24b \\x22c\\x22 \\x5c \\xc3\\xa9\\x0a"'
    with pytest.raises(ValueError, match="zero byte"):
        quoted("a\0b")
    with pytest.raises(ValueError, match="can't be part"):
        name_of("a b")


def test_http2_headers_are_read_plain_indexed_and_in_huffman_code() -> None:
    name, digits = bytes.fromhex("889acac8b21234da8f"), bytes.fromhex("820bff")  # "grpc-status", and "12" as 5+5 bits
    huffman_12 = b"\x82" + int("0000100010111111", 2).to_bytes(2, "big")
    assert digits != huffman_12
    block = b"\x3f\xe1\x1f" + b"\x88" + b"\x00" + name + huffman_12 + b"\x48\x03503" + b"\x00\x01a\x01b"
    assert list(http2._headers(block)) == [
        (b":status", b"200"),
        (b"grpc-status", b"12"),
        (b":status", b"503"),
        (b"a", b"b"),
    ]
    for number in (0, 7, 39, 503, 1234567890):
        bits = "".join(code for digit in str(number) for code, d in http2.DIGITS.items() if d == digit)
        bits += "1" * (-len(bits) % 8)
        assert http2._decoded(int(bits, 2).to_bytes(len(bits) // 8, "big")) == str(number).encode()
    with pytest.raises(http2.ProtocolError, match="end early"):
        list(http2._headers(b"\x48\x05503"))


def test_access_log_line_is_elbv2s() -> None:
    rules = (rule(forward("0a"), path("/a"), rule_id="r1"), rule(forward("0a")))
    logged = balancer("10.0.0.9", listener(8080, *rules), access_log_bucket="logs", access_log_prefix="web")
    groups = {"g-0a": group("0a", arn="arn:tg")}
    told = dict.fromkeys(FIELDS, "-") | {
        "client": "192.0.2.1:5000",
        "target": "10.0.0.1:80",
        "request_ms": "0",
        "queue_ms": "0",
        "connect_ms": "1",
        "response_ms": "20",
        "total_ms": "25",
        "status": "200",
        "ended": "--",
        "answered": "1",
        "received": "100",
        "sent": "200",
        "method": "GET",
        "path": "%2Fa%3Fb%3D%22%09",
        "version": "HTTP/1.1",
        "agent": "curl%2F8",
        "asked": "a.test%3A8080",
        "upgrade": "",
        "group": "g-0a",
        "trace": "Root%3D1-2-3",
        "sni": "",
        "rule": "2",
        "location": "",
    }
    listeners = access_log.known_listeners(plan([logged], []))
    now = 1_795_642_824.065

    def line(**changes: str) -> access_log.Entry | None:
        fields = {**told, **changes}
        return access_log.entry(
            "\t".join(["e8080", *fields.values()]) + "\n", listeners, groups, {"0AB1": "arn:c"}, now
        )

    found = line()
    assert found is not None
    assert found.window.balancer == "b1"
    assert found.window.stem == (
        "logs/web/AWSLogs/123456789012/elasticloadbalancing/us-east-1/2026/11/25/"
        "123456789012_elasticloadbalancing_us-east-1_app.web.b1_20261125T2145Z_10.0.0.9_"
    )
    assert found.line.startswith(
        "http 2026-11-25T21:40:24.065000Z app/web/b1 192.0.2.1:5000 10.0.0.1:80 0.001 0.020 0.004 200 200 100 200 "
        '"GET http://a.test:8080/a?b=\\x22\\x09 HTTP/1.1" "curl/8" - - arn:tg "Root=1-2-3" "-" "-" 0 '
        '2026-11-25T21:40:24.040000Z "forward" "-" "-" "10.0.0.1:80" "200" "-" "-" TID_'
    )
    assert access_log.entry("unknown\tx", listeners, groups, {}, now) is None
    secure = line(certificate="0AB1", sni="a.test")
    assert secure is not None
    assert '"Root=1-2-3" "a.test" "arn:c" 0 ' in secure.line
    for changes, status in (
        ({"ended": "CD", "status": "-1", "answered": "-"}, "460 - "),
        ({"ended": "CH", "status": "400", "answered": "-"}, "460 - "),
        ({"ended": "CD", "status": "200", "answered": "1"}, "200 200 "),
        ({"ended": "CR", "status": "400", "answered": "-", "method": "<BADREQ>"}, "400 - "),
    ):
        told_so = line(**changes)
        assert told_so is not None
        assert f" {status}100 200 " in told_so.line

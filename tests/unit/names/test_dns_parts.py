"""The parts of the name server that need no socket: cache, fairness, resolv.conf, and how long an answer is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from longshore.drivers.dns.cache import Cache, Question
from longshore.drivers.dns.fair import Admission, FairQueue
from longshore.drivers.dns.message import CNAME, NOERROR, NXDOMAIN, SERVFAIL, SOA, Answer, Rr, name_wire
from longshore.drivers.dns.records import MAX_NEGATIVE_TTL_S, MAX_TTL_S, cacheable_s
from longshore.drivers.dns.resolv_conf import for_containers, nameservers, resolvers
from tests.support.clock import HandClock

if TYPE_CHECKING:
    from pathlib import Path

A = 1
NAME = name_wire("a.test")


def address(ttl_s: int, data: bytes = bytes(4)) -> Rr:
    return Rr(NAME, A, ttl_s, data)


def start(ttl_s: int, minimum_s: int) -> Rr:
    return Rr(name_wire("test"), SOA, ttl_s, bytes(18) + minimum_s.to_bytes(4, "big"))


@pytest.mark.parametrize(
    ("answer", "kept_s"),
    [
        (Answer(NOERROR, (address(60), address(5))), 5),
        (Answer(NOERROR, (address(0),)), 0),
        (Answer(NOERROR, (address(10**6),)), MAX_TTL_S),
        (Answer(NOERROR, (Rr(NAME, CNAME, 30, NAME), address(60))), 30),
        (Answer(NXDOMAIN, (), (start(60, 20),)), 20),
        (Answer(NXDOMAIN, (), (start(20, 60),)), 20),
        (Answer(NOERROR, (), (start(10**6, 10**6),)), MAX_NEGATIVE_TTL_S),
        (Answer(NXDOMAIN), 0),  # without an SOA nothing says for how long
        (Answer(NOERROR), 0),
        (Answer(NXDOMAIN, (Rr(NAME, CNAME, 30, NAME),), (start(60, 60),)), 30),
        (Answer(SERVFAIL, (), (start(60, 20),)), 0),
    ],
)
def test_answers_are_kept_as_long_as_their_shortest_time_to_live(answer: Answer, kept_s: int) -> None:
    assert cacheable_s(answer, A) == kept_s


def test_the_cache_forgets_what_was_used_longest_ago() -> None:
    cache = Cache(HandClock(1000.0), max_entries=3)
    questions = [Question(name_wire(f"n{number}.test"), A) for number in range(4)]
    for question in questions[:3]:
        cache.put(question, Answer(NOERROR, (address(60),)))
    assert cache.get(questions[0])
    cache.put(questions[3], Answer(NOERROR, (address(60),)))
    assert [cache.get(question) is not None for question in questions] == [True, False, True, True]


def test_the_cache_keeps_apart_what_was_asked_with_and_without_signatures() -> None:
    cache = Cache(HandClock(1000.0))
    cache.put(Question(NAME, A, dnssec_ok=True), Answer(NOERROR, (address(60),)))
    assert cache.get(Question(NAME, A)) is None
    assert cache.get(Question(NAME, A, dnssec_ok=True)) is not None


def test_the_cache_takes_no_answer_that_is_out_of_all_proportion() -> None:
    cache = Cache(HandClock(1000.0))
    cache.put(Question(NAME, A), Answer(NOERROR, tuple(address(60, bytes(4)) for _ in range(1000))))
    assert not len(cache)


def test_a_clock_that_was_set_back_makes_no_answer_live_longer() -> None:
    clock = HandClock(1000.0)
    cache = Cache(clock)
    cache.put(Question(NAME, A), Answer(NOERROR, (address(60),)))
    clock.time -= 1000
    assert cache.get(Question(NAME, A)) is None


def test_clients_are_served_in_turn_however_much_one_sends() -> None:
    queue: FairQueue[str] = FairQueue(per_client=3, in_all=5)
    assert [queue.put("flood", f"f{number}") for number in range(5)] == [True, True, True, False, False]
    assert queue.put("other", "o0")
    assert queue.put("third", "t0")
    assert not queue.put("fourth", "x0")  # all together have too much
    assert [queue.take() for _ in range(len(queue))] == ["f0", "o0", "t0", "f1", "f2"]
    assert queue.put("fourth", "x1")
    with pytest.raises(KeyError):
        [queue.take() for _ in range(2)]


def test_each_client_is_admitted_up_to_its_share_and_all_up_to_the_whole() -> None:
    door = Admission(per_client=2, in_all=3)
    assert [door.enter("a"), door.enter("a"), door.enter("a")] == [True, True, False]
    assert [door.enter("b"), door.enter("b")] == [True, False]
    door.leave("a")
    assert [door.enter("b"), door.enter("a")] == [True, False]


RESOLV_CONF = """\
# written by hand
search example.com
nameserver 169.254.170.2
nameserver 127.0.0.53
nameserver   192.0.2.1  # the first
nameserver 192.0.2.1
nameserver fe80::1%eth0
nameserver not-an-address
nameserver
nameserver 192.0.2.2
nameserver 192.0.2.3
options ndots:0
"""
OURS = {"169.254.170.2"}


def test_resolv_conf_is_read_as_the_usual_libraries_do() -> None:
    assert nameservers(RESOLV_CONF) == [
        "169.254.170.2",
        "127.0.0.53",
        "192.0.2.1",
        "fe80::1%eth0",
        "192.0.2.2",
        "192.0.2.3",
    ]


def test_the_hosts_resolvers_are_three_at_most_and_never_ourselves(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    ask = resolvers(file, tmp_path / "none", without=OURS)
    assert list(ask()) == []
    file.write_text(RESOLV_CONF)
    assert list(ask()) == ["127.0.0.53", "192.0.2.1", "fe80::1%eth0"]
    file.unlink()
    assert list(ask()) == []


def test_containers_get_the_resolvers_that_they_can_reach(tmp_path: Path) -> None:
    file, behind = tmp_path / "resolv.conf", tmp_path / "behind.conf"
    file.write_text(RESOLV_CONF)
    assert for_containers(file, behind, without=OURS) == ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
    file.write_text("nameserver 127.0.0.1\n")
    assert for_containers(file, behind, without=OURS) == []


def test_not_the_stub_of_systemd_is_asked_but_the_servers_behind_it(tmp_path: Path) -> None:
    """It may be told to ask us for names, and would wait for itself."""
    file, behind = tmp_path / "resolv.conf", tmp_path / "behind.conf"
    file.write_text("nameserver 127.0.0.53\n")
    ask = resolvers(file, behind, without=OURS)
    assert list(ask()) == ["127.0.0.53"]
    behind.write_text("nameserver 169.254.170.2\nnameserver 192.0.2.9\n")
    assert list(ask()) == for_containers(file, behind, without=OURS) == ["192.0.2.9"]
    behind.write_text("nameserver 169.254.170.2\n")
    assert list(ask()) == []

"""The firewall on real packets: nftables in a network namespace, with others on its bridge."""

from __future__ import annotations

import json
import socket
import threading
from typing import TYPE_CHECKING, Any, Self

import pytest

from longshore.domain.ec2.firewall import Acl, Allowance, Entry, Exit, GroupRules, Place, Ruleset, RulesetChange
from longshore.drivers.firewall.book import book_of
from longshore.drivers.firewall.nft import NftFirewall
from longshore.drivers.ports import Retryable
from tests.support.firewall_cases import CHANGES, TABLE, WHOLE, book, device
from tests.support.namespaces import ARRIVED_S
from tests.support.nft_rig import (
    BALANCER,
    BRIDGES,
    ELSEWHERE,
    ENDPOINT,
    GATEWAY,
    HOST,
    OUTSIDE,
    RESOLVERS,
    VPC,
    Rig,
    namespace_of,
    open_firewall,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.nft

WEB, OTHER, STRANGER, NOBODY = "10.9.0.4", "10.9.0.5", "10.9.0.6", "10.9.0.7"
ALL_OUT = (Allowance(cidrs=("0.0.0.0/0",)),)
TO_PORT_80 = Allowance(protocol=6, ports=(80, 80), group_id="sg-other")
EVERYBODY = GroupRules(inbound=ALL_OUT, outbound=ALL_OUT)
OPEN, CLOSED = GroupRules(inbound=(TO_PORT_80,), outbound=ALL_OUT), GroupRules(outbound=ALL_OUT)
PLACES = {
    "eni-web": Place(vpc_id=VPC, address=WEB, groups=("sg-web",)),
    "eni-other": Place(vpc_id=VPC, address=OTHER, groups=("sg-other",)),
    "eni-stranger": Place(vpc_id=VPC, address=STRANGER, groups=("sg-stranger",)),
}
GROUPS = {"sg-web": OPEN, "sg-other": CLOSED, "sg-stranger": CLOSED}
RULESET = Ruleset(frozenset({VPC}), GROUPS, PLACES)
"""OTHER may connect to port 80 of WEB; there is nothing else that anybody may."""


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    made = Rig(4, 5, 6, 7)
    yield made
    made.close()


@pytest.fixture
async def firewall(rig: Rig) -> Any:
    made = NftFirewall("test", BRIDGES.__getitem__)
    await open_firewall(rig, made)
    yield made
    with namespace_of(rig, HOST):
        await made.remove()


@pytest.fixture
def web(rig: Rig) -> Iterator[socket.socket]:
    with rig.listener(WEB, 80) as server, rig.listener(WEB, 81):
        yield server


async def replace(rig: Rig, firewall: NftFirewall, ruleset: Ruleset = RULESET) -> None:
    with namespace_of(rig, HOST):
        await firewall.replace(ruleset)


async def change(rig: Rig, firewall: NftFirewall, **fields: Any) -> None:
    with namespace_of(rig, HOST):
        await firewall.change(RulesetChange(**fields))


def balancer(*groups: str, public: bool = False) -> Place:
    return Place(vpc_id=VPC, address=BALANCER, groups=groups, on_host=True, public=public)


@pytest.mark.usefixtures("web")
async def test_only_the_group_that_a_rule_names_gets_in_and_only_to_its_ports(rig: Rig, firewall: NftFirewall) -> None:
    assert rig.connects(STRANGER, WEB, 80)  # nothing is in force yet
    await replace(rig, firewall)
    assert rig.connects(OTHER, WEB, 80)
    assert not rig.connects(OTHER, WEB, 81)
    assert not rig.connects(STRANGER, WEB, 80)


async def test_replies_need_no_rule_in_either_direction(rig: Rig, firewall: NftFirewall, web: socket.socket) -> None:
    silent = {**GROUPS, "sg-web": GroupRules(inbound=(TO_PORT_80,))}  # it may begin nothing itself
    await replace(rig, firewall, RULESET._replace(groups=silent))
    with rig.client(OTHER) as client:
        client.setblocking(True)
        client.connect((WEB, 80))
        served, _ = web.accept()
        with served:
            served.sendall(b"answer")
            assert client.recv(6) == b"answer"
    with rig.listener(OTHER, 90):
        assert not rig.connects(WEB, OTHER, 90)


@pytest.mark.usefixtures("web")
async def test_who_may_not_send_does_not_however_welcome(rig: Rig, firewall: NftFirewall) -> None:
    mute = GroupRules(outbound=(Allowance(protocol=6, ports=(443, 443), cidrs=("0.0.0.0/0",)),))
    await replace(rig, firewall, RULESET._replace(groups={**GROUPS, "sg-other": mute}))
    assert not rig.connects(OTHER, WEB, 80)


async def test_open_connection_outlives_its_rule_and_no_new_one_comes_about(
    rig: Rig, firewall: NftFirewall, web: socket.socket
) -> None:
    await replace(rig, firewall)
    with rig.client(OTHER) as client:
        client.setblocking(True)
        client.connect((WEB, 80))
        served, _ = web.accept()
        with served:
            await change(rig, firewall, groups={"sg-web": CLOSED})
            assert not rig.connects(OTHER, WEB, 80)
            client.sendall(b"still")
            assert served.recv(5) == b"still"
            await replace(rig, firewall, RULESET._replace(groups={**GROUPS, "sg-web": CLOSED}))  # as at a restart
            served.sendall(b"here")
            assert client.recv(4) == b"here"


@pytest.mark.usefixtures("web")
async def test_address_without_an_interface_can_neither_send_nor_get(rig: Rig, firewall: NftFirewall) -> None:
    anybody = GroupRules(inbound=ALL_OUT, outbound=ALL_OUT)
    await replace(rig, firewall, RULESET._replace(groups={**GROUPS, "sg-web": anybody}))
    assert not rig.connects(NOBODY, WEB, 80)
    with rig.listener(NOBODY, 80), rig.listener(HOST, 80):
        assert not rig.connects(WEB, NOBODY, 80)
        assert not rig.connects(NOBODY, GATEWAY, 80)
        assert rig.connects(WEB, GATEWAY, 80)


@pytest.mark.usefixtures("web")
async def test_interface_is_guarded_and_a_member_once_it_is_told(rig: Rig, firewall: NftFirewall) -> None:
    await replace(rig, firewall)
    newcomer = Place(vpc_id=VPC, address=NOBODY, groups=("sg-other", "sg-stranger"))
    await change(rig, firewall, places={"eni-new": newcomer})
    assert rig.connects(NOBODY, WEB, 80)
    assert not rig.connects(NOBODY, WEB, 81)
    await change(rig, firewall, places={"eni-new": None})
    assert not rig.connects(NOBODY, WEB, 80)


@pytest.mark.usefixtures("web")
async def test_host_reaches_every_task_and_tasks_reach_the_task_endpoint(rig: Rig, firewall: NftFirewall) -> None:
    closed = GroupRules()
    await replace(rig, firewall, RULESET._replace(groups=dict.fromkeys(GROUPS, closed)))
    assert rig.connects(HOST, WEB, 81)
    with rig.listener(HOST, 80):
        assert not rig.connects(WEB, GATEWAY, 80)
    with rig.listener(HOST, 80, ENDPOINT):
        assert rig.connects(WEB, ENDPOINT, 80)


@pytest.mark.usefixtures("web")
async def test_the_resolver_of_the_vpc_is_reached_whatever_groups_and_acls_say(rig: Rig, firewall: NftFirewall) -> None:
    groups = {**dict.fromkeys(GROUPS, GroupRules()), "sg-lb": GroupRules(inbound=ALL_OUT)}
    places = {**PLACES, "eni-lb": balancer("sg-lb")}
    await replace(rig, firewall, RULESET._replace(groups=groups, places=places))
    with rig.listener(HOST, 53, BALANCER), rig.listener(OUTSIDE, 53):
        assert not rig.connects(WEB, BALANCER, 53)
        assert not rig.connects(WEB, OUTSIDE, 53)
    await change(rig, firewall, acls=(Acl(acl_id="acl-deaf", subnets=("10.9.0.0/28",)),))
    for address in RESOLVERS:
        with rig.listener(HOST, 53, address), rig.listener(HOST, 80, address):
            assert rig.connects(WEB, address, 53)
            assert not rig.connects(WEB, address, 80)
        with rig.receiver(HOST, 53, address) as server, rig.client(WEB, kind=socket.SOCK_DGRAM) as client:
            server.settimeout(ARRIVED_S)
            client.settimeout(ARRIVED_S)
            client.sendto(b"question", (address, 53))
            server.sendto(b"answer", server.recvfrom(100)[1])
            assert client.recvfrom(100) == (b"answer", (address, 53))


@pytest.mark.usefixtures("web")
async def test_load_balancer_takes_what_its_groups_allow_and_speaks_as_their_member(
    rig: Rig, firewall: NftFirewall
) -> None:
    from_stranger = GroupRules(
        inbound=(Allowance(protocol=6, ports=(80, 80), group_id="sg-stranger"),),
        outbound=(Allowance(protocol=6, ports=(80, 80), group_id="sg-web"),),
    )
    places = {**PLACES, "eni-lb": balancer("sg-lb")}
    to_web = GroupRules(inbound=(Allowance(protocol=6, group_id="sg-lb"),))
    groups = {**GROUPS, "sg-web": to_web, "sg-lb": from_stranger}
    await replace(rig, firewall, RULESET._replace(groups=groups, places=places))
    with rig.listener(HOST, 80, BALANCER), rig.listener(OTHER, 80):
        assert rig.connects(STRANGER, BALANCER, 80)
        assert not rig.connects(OTHER, BALANCER, 80)
        assert rig.connects(HOST, BALANCER, 80)  # a developer's curl
        assert rig.connects(HOST, WEB, 80, source=BALANCER)
        assert not rig.connects(HOST, WEB, 81, source=BALANCER)
        assert not rig.connects(HOST, OTHER, 80, source=BALANCER)
        assert not rig.connects(OTHER, WEB, 80)


@pytest.mark.usefixtures("web")
async def test_load_balancer_without_groups_takes_anything_and_targets_see_its_address(
    rig: Rig, firewall: NftFirewall
) -> None:
    from_range = GroupRules(inbound=(Allowance(protocol=6, cidrs=(f"{BALANCER}/32",)),))
    places = {**PLACES, "eni-lb": balancer()}
    groups = {**GROUPS, "sg-web": from_range}
    await replace(rig, firewall, RULESET._replace(groups=groups, places=places))
    with rig.listener(HOST, 80, BALANCER), rig.listener(OTHER, 80):
        assert rig.connects(OTHER, BALANCER, 80)
        assert rig.connects(HOST, WEB, 80, source=BALANCER)
        assert not rig.connects(HOST, OTHER, 80, source=BALANCER)


ABROAD = Place(vpc_id="vpc-2", address=ELSEWHERE, groups=("sg-abroad",))


def two_vpcs(*, public: bool) -> Ruleset:
    """A load balancer that anybody may connect to and that may connect to anybody, and a task of another VPC."""
    places = {**PLACES, "eni-lb": balancer("sg-open", public=public), "eni-abroad": ABROAD}
    groups = {**GROUPS, "sg-open": EVERYBODY, "sg-abroad": EVERYBODY}
    return Ruleset(frozenset(BRIDGES), groups, places)


async def test_internal_load_balancer_is_reached_from_its_own_vpc_alone(rig: Rig, firewall: NftFirewall) -> None:
    with rig.listener(HOST, 80, BALANCER):
        assert rig.connects(ELSEWHERE, BALANCER, 80)  # nothing is in force yet
        await replace(rig, firewall, two_vpcs(public=False))
        assert not rig.connects(ELSEWHERE, BALANCER, 80)
        assert rig.connects(OTHER, BALANCER, 80)
        assert rig.connects(HOST, BALANCER, 80)
        assert rig.connects(OUTSIDE, BALANCER, 80)  # as this host does
        await change(rig, firewall, places={"eni-lb": balancer("sg-open", public=True)})
        assert rig.connects(ELSEWHERE, BALANCER, 80)
        await change(rig, firewall, places={"eni-lb": balancer("sg-open")})
        assert not rig.connects(ELSEWHERE, BALANCER, 80)


async def test_internet_facing_load_balancer_is_reached_from_subnets_of_other_vpcs_that_have_a_way_out(
    rig: Rig, firewall: NftFirewall
) -> None:
    with rig.listener(HOST, 80, BALANCER):
        await replace(rig, firewall, two_vpcs(public=True)._replace(exits=()))
        assert not rig.connects(ELSEWHERE, BALANCER, 80)
        assert rig.connects(OTHER, BALANCER, 80)  # its own VPC is no outside
        assert rig.connects(OUTSIDE, BALANCER, 80)
        await change(rig, firewall, exits=(Exit(subnets=("10.9.0.0/24",), reach=("0.0.0.0/0",)),))
        assert not rig.connects(ELSEWHERE, BALANCER, 80)
        await change(rig, firewall, exits=(Exit(subnets=("10.8.0.0/24",), reach=("0.0.0.0/0",)),))
        assert rig.connects(ELSEWHERE, BALANCER, 80)
        await change(rig, firewall, groups={"sg-open": CLOSED})  # its groups are asked all the same
        assert not rig.connects(ELSEWHERE, BALANCER, 80)


async def test_load_balancer_connects_to_nobody_in_another_vpc(rig: Rig, firewall: NftFirewall) -> None:
    with rig.listener(ELSEWHERE, 80):
        await replace(rig, firewall, two_vpcs(public=True))
        assert not rig.connects(HOST, ELSEWHERE, 80, source=BALANCER)
        assert rig.connects(HOST, ELSEWHERE, 80)  # this host itself does


async def test_answers_of_a_load_balancer_to_another_vpc_are_no_connections_of_its_own(
    rig: Rig, firewall: NftFirewall
) -> None:
    await replace(rig, firewall, two_vpcs(public=True))
    with rig.listener(HOST, 80, BALANCER) as server, rig.client(ELSEWHERE) as client:
        client.setblocking(True)
        client.connect((BALANCER, 80))
        served, _ = server.accept()
        with served:
            served.sendall(b"answer")
            assert client.recv(6) == b"answer"


async def test_ping_is_a_matter_of_icmp_rules(rig: Rig, firewall: NftFirewall) -> None:
    pinged = GroupRules(inbound=(Allowance(protocol=1, icmp=(8, -1), group_id="sg-other"),))
    await replace(rig, firewall, RULESET._replace(groups={**GROUPS, "sg-web": pinged}))
    assert rig.echoes(OTHER, WEB)
    assert not rig.echoes(STRANGER, WEB)


class Clients:
    """Connections all the time: some that must come about, and some that must not."""

    def __init__(self, rig: Rig, web: socket.socket) -> None:
        self.made = self.failed = self.slipped = 0
        self._rig, self._web = rig, web
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._repeat, args=(act,)) for act in (self._must, self._must_not)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, act: Callable[[], None]) -> None:
        while not self._over.is_set():
            act()

    def _must(self) -> None:
        if self._rig.connects(OTHER, WEB, 80, wait_s=ARRIVED_S):
            self._web.accept()[0].close()
            self.made += 1
        else:
            self.failed += 1

    def _must_not(self) -> None:
        self.slipped += self._rig.connects(STRANGER, WEB, 80, wait_s=0.001)
        self.slipped += self._rig.connects(OTHER, WEB, 81, wait_s=0.001)


async def test_rules_are_swapped_a_hundred_times_without_a_gap(
    rig: Rig, firewall: NftFirewall, web: socket.socket
) -> None:
    """Two rules that both allow one thing and forbid another: no swap lets the other through, or fails the one."""
    by_address = GroupRules(inbound=(Allowance(protocol=6, ports=(80, 80), cidrs=(f"{OTHER}/32",)),), outbound=ALL_OUT)
    await replace(rig, firewall)
    with Clients(rig, web) as clients:
        for number in range(100):
            if number % 10 == 9:
                await replace(rig, firewall)
            else:
                await change(rig, firewall, groups={"sg-web": by_address if number % 2 else OPEN})
    assert clients.failed == clients.slipped == 0
    assert clients.made > 10


async def test_outside_is_reached_and_reaches_in_as_groups_allow(rig: Rig, firewall: NftFirewall) -> None:
    from_outside = GroupRules(inbound=(Allowance(protocol=6, ports=(80, 80), cidrs=("198.51.100.0/24",)),))
    inside = GroupRules(outbound=(Allowance(cidrs=("10.9.0.0/24",)),))
    await replace(rig, firewall, RULESET._replace(groups={**GROUPS, "sg-web": from_outside, "sg-stranger": inside}))
    with rig.listener(OUTSIDE, 80), rig.listener(WEB, 80), rig.listener(OTHER, 80):
        assert rig.connects(OTHER, OUTSIDE, 80)
        assert not rig.connects(STRANGER, OUTSIDE, 80)
        assert rig.connects(OUTSIDE, WEB, 80)
        assert not rig.connects(OUTSIDE, OTHER, 80)


async def test_outside_is_reached_as_routes_say(rig: Rig, firewall: NftFirewall) -> None:
    await replace(rig, firewall, RULESET._replace(exits=()))
    web, everywhere = f"{WEB}/32", ("0.0.0.0/0",)
    with rig.listener(OUTSIDE, 80), rig.listener(WEB, 80):
        assert not rig.connects(WEB, OUTSIDE, 80)
        assert rig.connects(OTHER, WEB, 80)  # their VPC is no outside
        await change(rig, firewall, exits=(Exit(subnets=(web,), reach=everywhere),))
        assert rig.connects(WEB, OUTSIDE, 80)
        assert not rig.connects(OTHER, OUTSIDE, 80)
        elsewhere = Exit(subnets=(web, f"{OTHER}/32"), reach=("192.0.2.0/31", "198.51.100.0/31"))
        await change(rig, firewall, exits=(elsewhere,))
        assert not rig.connects(WEB, OUTSIDE, 80)
        await change(rig, firewall, exits=(elsewhere, Exit(subnets=(web,), reach=(f"{OUTSIDE}/32",))))
        assert rig.connects(WEB, OUTSIDE, 80)


GENEROUS = RULESET._replace(groups=dict.fromkeys(GROUPS, EVERYBODY))
"""Security groups hold nothing back."""
ANY, NOT = Entry(allows=True, what=ALL_OUT[0]), Entry(allows=False, what=ALL_OUT[0])


def tcp(first: int, last: int, cidr: str = "0.0.0.0/0", *, allows: bool = True) -> Entry:
    return Entry(allows=allows, what=Allowance(protocol=6, ports=(first, last), cidrs=(cidr,)))


def acl(inbound: tuple[Entry, ...], outbound: tuple[Entry, ...]) -> Acl:
    """Of the subnet in which WEB and OTHER are."""
    return Acl(acl_id="acl-a", subnets=("10.9.0.4/31",), inbound=inbound, outbound=outbound)


@pytest.mark.usefixtures("web")
async def test_first_entry_of_a_network_acl_that_speaks_of_a_packet_decides(rig: Rig, firewall: NftFirewall) -> None:
    await replace(rig, firewall, GENEROUS)
    assert rig.connects(STRANGER, WEB, 80)
    denied = tcp(80, 80, f"{STRANGER}/32", allows=False)
    await change(rig, firewall, acls=(acl((denied, ANY), (ANY,)),))
    assert not rig.connects(STRANGER, WEB, 80)
    assert rig.connects(STRANGER, WEB, 81)
    await change(rig, firewall, acls=(acl((ANY, denied), (ANY,)),))
    assert rig.connects(STRANGER, WEB, 80)
    await change(rig, firewall, acls=(acl((), (ANY,)),))
    assert not rig.connects(STRANGER, WEB, 81)
    await change(rig, firewall, acls=())
    assert rig.connects(STRANGER, WEB, 81)


@pytest.mark.usefixtures("web")
async def test_network_acls_ask_replies_too_and_nobody_within_a_subnet(rig: Rig, firewall: NftFirewall) -> None:
    await replace(rig, firewall, GENEROUS._replace(acls=(acl((ANY,), (tcp(1, 1023),)),)))
    assert not rig.connects(STRANGER, WEB, 80)  # the answer goes to a port above
    assert rig.connects(OTHER, WEB, 80)
    assert rig.connects(HOST, WEB, 80)  # what this host does for itself is nobody's traffic
    await change(rig, firewall, acls=(acl((ANY,), (tcp(1024, 65535),)),))
    assert rig.connects(STRANGER, WEB, 80)


async def test_network_acl_holds_back_what_is_under_way(rig: Rig, firewall: NftFirewall, web: socket.socket) -> None:
    await replace(rig, firewall, GENEROUS)
    with rig.client(STRANGER) as client:
        client.setblocking(True)
        client.connect((WEB, 80))
        served, _ = web.accept()
        with served:
            await change(rig, firewall, acls=(acl((NOT,), (ANY,)),))
            client.sendall(b"late")
            served.settimeout(ARRIVED_S)
            with pytest.raises(TimeoutError):
                served.recv(4)
            await change(rig, firewall, acls=())
            served.settimeout(10)
            assert served.recv(4) == b"late"  # TCP tries again


async def test_network_acls_stand_between_a_subnet_and_the_outside_and_load_balancers(
    rig: Rig, firewall: NftFirewall
) -> None:
    places = {**PLACES, "eni-lb": balancer("sg-other")}
    await replace(rig, firewall, GENEROUS._replace(places=places))
    with rig.listener(OUTSIDE, 80), rig.listener(WEB, 80), rig.listener(HOST, 90, BALANCER):
        assert rig.connects(WEB, OUTSIDE, 80)
        assert rig.connects(HOST, WEB, 80, source=BALANCER)
        assert rig.connects(WEB, BALANCER, 90)
        within = Entry(allows=True, what=Allowance(cidrs=("10.9.0.4/30",)))
        await change(rig, firewall, acls=(acl((ANY,), (within,)),))
        assert not rig.connects(WEB, OUTSIDE, 80)
        assert not rig.connects(OUTSIDE, WEB, 80)
        assert not rig.connects(HOST, WEB, 80, source=BALANCER)
        assert not rig.connects(WEB, BALANCER, 90)
        to_balancer = Entry(allows=True, what=Allowance(cidrs=(f"{BALANCER}/32",)))
        await change(rig, firewall, acls=(acl((ANY,), (to_balancer,)),))
        assert rig.connects(HOST, WEB, 80, source=BALANCER)
        assert rig.connects(WEB, BALANCER, 90)


async def test_rules_that_somebody_took_away_are_missed(rig: Rig, firewall: NftFirewall) -> None:
    await replace(rig, firewall)
    with namespace_of(rig, HOST):
        assert await firewall.intact()
        rig.nft("flush", "chain", *firewall.table.split(), "forward-gets")
        assert not await firewall.intact()
        await firewall.replace(RULESET)
        assert await firewall.intact()
        rig.nft("flush", "ruleset")
        assert not await firewall.intact()


@pytest.mark.usefixtures("web")
async def test_change_after_the_table_is_gone_makes_it_anew(rig: Rig, firewall: NftFirewall) -> None:
    await replace(rig, firewall)
    rig.nft("flush", "ruleset")
    await change(rig, firewall, groups={"sg-web": CLOSED})
    assert not rig.connects(OTHER, WEB, 80)
    await change(rig, firewall, groups={"sg-web": OPEN})
    assert rig.connects(OTHER, WEB, 80)
    assert not rig.connects(STRANGER, WEB, 80)


async def test_table_goes_with_the_last_address_and_comes_with_the_next(rig: Rig, firewall: NftFirewall) -> None:
    await replace(rig, firewall)
    await change(rig, firewall, places=dict.fromkeys(PLACES))
    assert rig.nft("list", "tables") == ""
    with namespace_of(rig, HOST):
        assert await firewall.intact()
    await change(rig, firewall, places=PLACES)
    assert firewall.table in rig.nft("list", "tables")


@pytest.mark.usefixtures("web")
async def test_what_nft_refuses_leaves_what_was(rig: Rig, firewall: NftFirewall) -> None:
    await replace(rig, firewall)
    nonsense = GroupRules(inbound=(Allowance(cidrs=("nonsense",)),))
    with pytest.raises(Retryable, match="nft refused"):
        await change(rig, firewall, groups={"sg-web": nonsense})
    assert rig.connects(OTHER, WEB, 80)
    assert not rig.connects(STRANGER, WEB, 80)
    with pytest.raises(Retryable):  # what is in force is not known to be what was told
        await change(rig, firewall, groups={"sg-web": OPEN})


def test_change_leaves_what_the_whole_would_be(rig: Rig) -> None:
    for name, each in CHANGES.items():
        changed = book()
        load(rig, changed.whole())
        load(rig, changed.take(each))
        after = contents(rig)
        load(rig, changed.whole())
        assert contents(rig) == after, name
    rig.nft("delete", "table", *TABLE.split())


def load(rig: Rig, commands: list[str]) -> None:
    rig.nft("-f", "-", given="\n".join([*commands, ""]))


def contents(rig: Rig) -> Any:
    """The table, without the order in which things came."""
    listed = json.loads(rig.nft("-j", "list", "table", *TABLE.split()))["nftables"]
    chains: dict[str, list[Any]] = {}
    others = []
    for entry in listed[1:]:
        kind, value = next(iter(entry.items()))
        value.pop("handle", None)
        if kind == "rule":
            chains.setdefault(value["chain"], []).append(value["expr"])
            continue
        if "elem" in value:
            value["elem"] = sorted(map(json.dumps, value["elem"]))
        others.append(json.dumps(entry, sort_keys=True))
    return sorted(others), chains


def test_whole_of_many_addresses_is_read_by_nft(rig: Rig) -> None:
    places = {
        f"eni-{number}": Place(vpc_id="vpc-1", address=f"10.8.{number // 250}.{number % 250}", groups=("sg-default",))
        for number in range(2000)
    }
    load(rig, book_of(WHOLE._replace(places=places), TABLE, device).whole())
    assert rig.nft("list", "set", *TABLE.split(), "of-sg-default").count("10.8.") == 2000
    rig.nft("delete", "table", *TABLE.split())

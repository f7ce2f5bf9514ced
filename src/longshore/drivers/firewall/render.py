"""PURE: a ruleset -> commands for `nft`, one a line: the whole table, or only what a change touches.

Names in the table: `gets-GROUP` and `sends-GROUP` are chains with a security group's inbound and outbound rules, which
accept or say nothing; `of-GROUP` is the set of its members' addresses; `gets-all-DIGEST` asks the chains of several
groups; `leaves` knows what subnets reach outside of their VPC, and `subnets` asks network ACLs, `gets-ACL` and
`sends-ACL`, of what comes into subnets and leaves them. The maps `gets` and `sends` lead from a bridge and an
address to the chain that judges; `lb-gets` and `lb-sends` do so for load balancers' addresses, which are the host's:
`lb-homes` says on which bridge each is, `lb-public` which are internet-facing, and `visits` asks for these two of what
comes from another VPC.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from longshore.domain.ec2.firewall import Acl, Allowance, Entry, Exit, GroupRules, Place
from longshore.domain.ec2.network import VPC_RESOLVER

Side = Literal["gets", "sends"]
SIDES: tuple[Side, Side] = ("gets", "sends")
Elements = dict[str, dict[str, str]]
"""Of each set and map: the values by key; those of sets are empty."""

TASK_ENDPOINT = "169.254.170.2"
"""Metadata, credentials, names and the APIs of AWS: always to be reached, as their like are on AWS."""
NAMES_ASKED = (
    f"meta l4proto {{ tcp, udp }} th dport 53 ip daddr {VPC_RESOLVER} accept",
    "meta l4proto { tcp, udp } th dport 53 fib daddr . iif type local ip daddr != @lb-addresses accept",
)
"""A VPC's resolver, which AWS's security groups don't filter either. One address is on the bridges of all VPCs, so that
it can't be told whose it is; the other is the bridge's own."""
REFUSES = "counter drop"
"""Counted, so that a user can see whether it is the rules that hold something back."""
CONTINUES = "ct state established,related accept"
BRIDGES = "vpc-bridges"
NAMES = {6: "tcp", 17: "udp"}
SENDS_FIRST = -2
"""Priority of the chains for what is sent; those for what is received come right behind, both before Docker's own."""
CHUNK = 500
"""Elements in one line."""


def _judge(side: Side, device: str) -> tuple[str, ...]:
    return f"{device} . ip {_own(side)} vmap @{side}", REFUSES


def _judge_balancer(side: Side) -> tuple[str, ...]:
    return f"ip {_own(side)} vmap @lb-{side}", f"ip {_own(side)} @lb-addresses {REFUSES}"


def _own(side: Side) -> str:
    """Where in a packet the address of the interface stands whose rules are asked."""
    return "daddr" if side == "gets" else "saddr"


def _peer(side: Side) -> str:
    return "saddr" if side == "gets" else "daddr"


NOT_FROM_A_VPC, NOT_TO_A_VPC = f"iifname != @{BRIDGES} accept", f"oifname != @{BRIDGES} accept"
CHAINS: Mapping[str, Sequence[str]] = {
    # What a task sends to another, or to elsewhere. An address that no network interface has is forged, and dropped.
    # Network ACLs look at every packet, those of open connections too, so that they are asked first.
    "forward-sends": [
        "jump subnets",
        NOT_FROM_A_VPC,
        CONTINUES,
        f"oifname != @{BRIDGES} jump leaves",
        *_judge("sends", "iifname"),
    ],
    "forward-gets": [NOT_TO_A_VPC, CONTINUES, *_judge("gets", "oifname")],
    # What comes to this host: from tasks, and, from wherever, for load balancers.
    "input-sends": [
        "ip daddr @lb-addresses jump subnets",
        NOT_FROM_A_VPC,
        CONTINUES,
        f"ip daddr {TASK_ENDPOINT} accept",
        *NAMES_ASKED,
        *_judge("sends", "iifname"),
    ],
    "input-gets": [
        'iifname "lo" accept',
        CONTINUES,
        f"iifname @{BRIDGES} ip daddr @lb-addresses iifname . ip daddr != @lb-homes jump visits",
        *_judge_balancer("gets"),
    ],
    # What this host sends: for a load balancer, as that may, and into its own VPC alone; for itself, anything.
    "output-sends": [
        'oifname "lo" accept',
        "ip saddr @lb-addresses jump subnets",
        CONTINUES,
        f"oifname @{BRIDGES} ip saddr @lb-addresses oifname . ip saddr != @lb-homes {REFUSES}",
        *_judge_balancer("sends"),
    ],
    "output-gets": [NOT_TO_A_VPC, CONTINUES, "ip saddr != @lb-addresses accept", *_judge("gets", "oifname")],
}
"""The chains where packets come in, `HOOK-SIDE`, and their rules."""

VISITS = (f"ip daddr != @lb-public {REFUSES}", "jump leaves")
"""To a load balancer of another VPC: by its public name, so that the way there leaves the sender's VPC."""


def base(table: str) -> Iterator[str]:
    """The table without a VPC, a group or an address. One that was there is replaced."""
    yield f"add table {table}"
    yield f"delete table {table}"
    yield f"add table {table}"
    yield f"add set {table} {BRIDGES} {{ type ifname; }}"
    yield f"add set {table} lb-addresses {{ type ipv4_addr; }}"
    yield f"add set {table} lb-homes {{ type ifname . ipv4_addr; }}"
    yield f"add set {table} lb-public {{ type ipv4_addr; }}"
    for side in SIDES:
        yield f"add map {table} {side} {{ type ifname . ipv4_addr : verdict; }}"
        yield f"add map {table} lb-{side} {{ type ipv4_addr : verdict; }}"
    yield f"add chain {table} leaves"
    yield f"add chain {table} subnets"
    yield f"add chain {table} visits"
    yield from (f"add rule {table} visits {rule}" for rule in VISITS)
    for chain, rules in CHAINS.items():
        hook = chain.partition("-")[0]
        priority = SENDS_FIRST if chain.endswith("-sends") else SENDS_FIRST + 1
        yield f"add chain {table} {chain} {{ type filter hook {hook} priority {priority}; policy accept; }}"
        for rule in rules:
            yield f"add rule {table} {chain} {rule}"


# --------------------------------------------------------------------------------------------------------- groups


def new_group(table: str, group_id: str) -> Iterator[str]:
    """What a group has, still without rules and members."""
    yield f"add set {table} of-{group_id} {{ type ipv4_addr; }}"
    for side in SIDES:
        yield f"add chain {table} {side}-{group_id}"


def gone_groups(table: str, group_ids: Sequence[str]) -> Iterator[str]:
    """The end of groups that may name each other, but that nothing else names any more."""
    chains = [f"chain {table} {side}-{group_id}" for group_id in group_ids for side in SIDES]
    yield from (f"flush {chain}" for chain in chains)
    yield from (f"delete {chain}" for chain in chains)
    yield from (f"delete set {table} of-{group_id}" for group_id in group_ids)


def rules_of_group(table: str, group_id: str, rules: GroupRules) -> Iterator[str]:
    """Its rules, in the place of those that it had."""
    for side in SIDES:
        yield f"flush chain {table} {side}-{group_id}"
        for allowance in rules.inbound if side == "gets" else rules.outbound:
            yield f"add rule {table} {side}-{group_id} {match(allowance, side)}accept"


def match(allowance: Allowance, side: Side) -> str:
    """What of a packet is looked at."""
    words = [*_match_peer(allowance, _peer(side)), *_match_protocol(allowance)]
    return "".join(f"{word} " for word in words)


def _match_peer(allowance: Allowance, field: str) -> Iterator[str]:
    if allowance.group_id:
        yield f"ip {field} @of-{allowance.group_id}"
    elif allowance.cidrs != ("0.0.0.0/0",):
        yield f"ip {field} {_ranges(allowance.cidrs)}"


def _ranges(cidrs: Sequence[str]) -> str:
    return cidrs[0] if len(cidrs) == 1 else f"{{ {', '.join(cidrs)} }}"


def _match_protocol(allowance: Allowance) -> Iterator[str]:
    if allowance.ports is not None and allowance.protocol is not None:
        first, last = allowance.ports
        yield f"{NAMES[allowance.protocol]} dport {first if first == last else f'{first}-{last}'}"
    elif allowance.icmp is not None:
        kind, code = allowance.icmp
        yield f"icmp type {kind}"
        if code >= 0:
            yield f"icmp code {code}"
    elif allowance.protocol is not None:
        yield f"ip protocol {allowance.protocol}"


def exits(table: str, wanted: Iterable[Exit]) -> Iterator[str]:
    """What may leave the VPCs, in the place of what might; nothing else does."""
    yield f"flush chain {table} leaves"
    for each in wanted:
        reach = "" if each.reach == ("0.0.0.0/0",) else f" ip daddr {_ranges(each.reach)}"
        yield f"add rule {table} leaves ip saddr {_ranges(each.subnets)}{reach} return"
    yield f"add rule {table} leaves {REFUSES}"


# --------------------------------------------------------------------------------------------------- network ACLs


def acls(table: str, before: Iterable[Acl], after: Sequence[Acl]) -> Iterator[str]:
    """All network ACLs, in the place of those before."""
    yield f"flush chain {table} subnets"
    kept = {acl.acl_id for acl in after}
    gone = [f"chain {table} {side}-{acl.acl_id}" for acl in before if acl.acl_id not in kept for side in SIDES]
    yield from (f"flush {chain}" for chain in gone)
    yield from (f"delete {chain}" for chain in gone)
    for acl in after:
        yield from _acl(table, acl)


def _acl(table: str, acl: Acl) -> Iterator[str]:
    """One: a packet from one of its subnets to another leaves the one and comes into the other."""
    for side in SIDES:
        chain = f"{side}-{acl.acl_id}"
        yield f"add chain {table} {chain}"
        yield f"flush chain {table} {chain}"
        for entry in acl.inbound if side == "gets" else acl.outbound:
            yield f"add rule {table} {chain} {match(entry.what, side)}{_says(entry)}"
        yield f"add rule {table} {chain} {REFUSES}"
        for cidr in acl.subnets:
            yield f"add rule {table} subnets ip {_own(side)} {cidr} ip {_peer(side)} != {cidr} jump {chain}"


def _says(entry: Entry) -> str:
    return "return" if entry.allows else REFUSES


# ------------------------------------------------------------------------------------------- groups of one interface


def verdict(side: Side, groups: Sequence[str]) -> str:
    """What judges an interface in these groups."""
    if not groups:
        return "accept"
    return f"jump {side}-{groups[0]}" if len(groups) == 1 else f"jump {_together(side, groups)}"


def _together(side: Side, groups: Sequence[str]) -> str:
    digest = hashlib.sha256(" ".join(groups).encode()).hexdigest()[:16]
    return f"{side}-all-{digest}"


def new_together(table: str, groups: Sequence[str]) -> Iterator[str]:
    """The chains that ask several groups."""
    for side in SIDES:
        yield f"add chain {table} {_together(side, groups)}"
        for group_id in groups:
            yield f"add rule {table} {_together(side, groups)} jump {side}-{group_id}"


def gone_together(table: str, groups: Sequence[str]) -> Iterator[str]:
    """The end of them."""
    for side in SIDES:
        yield f"flush chain {table} {_together(side, groups)}"
        yield f"delete chain {table} {_together(side, groups)}"


# ------------------------------------------------------------------------------------------------------- elements


def elements_of(place: Place, bridge: str) -> Iterator[tuple[str, str, str]]:
    """`(set or map, key, value)` of all that says where an interface is."""
    for group_id in place.groups:
        yield f"of-{group_id}", place.address, ""
    if place.on_host:
        yield "lb-addresses", place.address, ""
        yield "lb-homes", f'"{bridge}" . {place.address}', ""
        if place.public:
            yield "lb-public", place.address, ""
    for side in SIDES:
        if place.on_host:
            yield f"lb-{side}", place.address, verdict(side, place.groups)
        else:
            yield side, f'"{bridge}" . {place.address}', verdict(side, place.groups)


def changed_elements(table: str, before: Elements, after: Elements) -> tuple[list[str], list[str]]:
    """`(deletions, additions)`."""
    deletions: list[str] = []
    additions: list[str] = []
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name, {}), after.get(name, {})
        deletions += _in_lines(f"delete element {table} {name}", was.items() - now.items())
        additions += _in_lines(f"add element {table} {name}", now.items() - was.items())
    return deletions, additions


def _in_lines(command: str, elements: Iterable[tuple[str, str]]) -> Iterator[str]:
    texts = sorted(f"{key} : {value}" if value else key for key, value in elements)
    for first in range(0, len(texts), CHUNK):
        yield f"{command} {{ {', '.join(texts[first : first + CHUNK])} }}"

"""A firewall's contents and changes of them, for golden files and for nft itself. Each change is one of WHOLE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longshore.domain.ec2.firewall import Acl, Allowance, Entry, Exit, GroupRules, Place, Ruleset, RulesetChange
from longshore.drivers.firewall.book import Book, book_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TABLE = "inet longshore-0badcafe"
EVERYWHERE = ("0.0.0.0/0",)
ALL_OUT = (Allowance(cidrs=EVERYWHERE),)
DEFAULT = GroupRules(inbound=(Allowance(group_id="sg-default"),), outbound=ALL_OUT)
FRONT = GroupRules(inbound=(Allowance(protocol=6, ports=(80, 80), cidrs=EVERYWHERE),), outbound=ALL_OUT)
APP = GroupRules(
    inbound=(
        Allowance(protocol=6, ports=(8080, 8090), group_id="sg-front"),
        Allowance(protocol=17, ports=(53, 53), cidrs=("10.0.0.0/8", "192.168.0.0/16")),
        Allowance(protocol=1, icmp=(8, -1), cidrs=("10.9.0.0/24",)),
        Allowance(protocol=1, icmp=(3, 4), cidrs=EVERYWHERE),
        Allowance(protocol=47, group_id="sg-app"),
    ),
    outbound=(Allowance(protocol=6, ports=(443, 443), cidrs=EVERYWHERE),),
)
TASK = Place(vpc_id="vpc-1", address="10.9.0.4", groups=("sg-app",))
BOTH = Place(vpc_id="vpc-1", address="10.9.0.5", groups=("sg-app", "sg-default"))
APPLICATION = Place(vpc_id="vpc-1", address="10.9.0.8", groups=("sg-front",), on_host=True)
NETWORK = Place(vpc_id="vpc-1", address="10.9.0.9", on_host=True, public=True)
OPEN_ACL = Acl(
    acl_id="acl-open",
    subnets=("10.9.0.0/25",),
    inbound=(Entry(allows=True, what=Allowance(cidrs=EVERYWHERE)),),
    outbound=(
        Entry(allows=False, what=Allowance(protocol=6, ports=(22, 22), cidrs=EVERYWHERE)),
        Entry(allows=True, what=Allowance(cidrs=EVERYWHERE)),
    ),
)
SHUT_ACL = Acl(acl_id="acl-shut", subnets=("10.9.0.128/26", "10.9.0.192/26"))
WHOLE = Ruleset(
    vpcs=frozenset({"vpc-1"}),
    groups={"sg-app": APP, "sg-default": DEFAULT, "sg-front": FRONT},
    places={"eni-1": TASK, "eni-2": BOTH, "eni-3": APPLICATION, "eni-4": NETWORK},
)
CHANGES: dict[str, RulesetChange] = {
    "a-task-comes": RulesetChange(
        places={"eni-5": Place(vpc_id="vpc-1", address="10.9.0.6", groups=("sg-default",))},
    ),
    "a-task-goes": RulesetChange(places={"eni-1": None}),
    "the-last-in-two-groups-goes": RulesetChange(places={"eni-2": None}),
    "an-address-changes-hands": RulesetChange(
        places={"eni-1": None, "eni-5": Place(vpc_id="vpc-1", address="10.9.0.4", groups=("sg-default",))}
    ),
    "a-task-changes-groups": RulesetChange(
        places={"eni-1": Place(vpc_id="vpc-1", address="10.9.0.4", groups=("sg-app", "sg-front"))}
    ),
    "a-rule-comes": RulesetChange(
        groups={"sg-front": GroupRules(inbound=(*FRONT.inbound, Allowance(group_id="sg-app")), outbound=ALL_OUT)}
    ),
    "a-group-and-a-vpc-come": RulesetChange(
        vpcs=frozenset({"vpc-1", "vpc-2"}),
        groups={"sg-new": GroupRules(inbound=(Allowance(group_id="sg-new"),))},
    ),
    "routes-count-from-now-on": RulesetChange(
        exits=(
            Exit(subnets=("10.9.0.0/25", "10.10.0.0/24"), reach=EVERYWHERE),
            Exit(subnets=("10.9.0.128/25",), reach=("192.0.2.0/25", "198.51.100.0/24")),
        ),
    ),
    "nothing-leaves": RulesetChange(exits=()),
    "network-acls-come": RulesetChange(acls=(OPEN_ACL, SHUT_ACL)),
    "an-internet-facing-load-balancer-goes": RulesetChange(places={"eni-4": None}),
    "two-groups-that-name-each-other-go": RulesetChange(
        groups={"sg-app": None, "sg-front": None},
        places={"eni-1": None, "eni-2": None, "eni-3": None},
    ),
}


def device(vpc_id: str) -> str:
    """The bridge of a VPC."""
    return f"ls-{vpc_id}"


def book() -> Book:
    """One with WHOLE in it."""
    return book_of(WHOLE, TABLE, device)


def _without_acls() -> Sequence[str]:
    made = book()
    made.take(RulesetChange(acls=(OPEN_ACL, SHUT_ACL)))
    return made.take(RulesetChange(acls=(SHUT_ACL,)))


def _change(change: RulesetChange) -> Callable[[], Sequence[str]]:
    return lambda: book().take(change)


CASES: dict[str, Callable[[], Sequence[str]]] = {
    "whole": lambda: book().whole(),
    "a-network-acl-goes": _without_acls,
    **{name: _change(change) for name, change in CHANGES.items()},
}

"""PURE: what the table holds, and the commands that take it from there to what is wanted. Owned by the driver.

A change costs what it touches: an interface that comes or goes some elements of sets, a rule the two chains of its
group. All commands of one answer are meant for one transaction of `nft`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from longshore.domain.ec2.firewall import Acl, Exit, GroupRules, Place, Ruleset, RulesetChange
from longshore.drivers.firewall import render
from longshore.drivers.firewall.render import Elements

V = TypeVar("V")
BridgeOf = Callable[[str], str]
"""The device of a VPC's bridge, by the VPC's id."""


class Book:
    """The contents of one table."""

    def __init__(self, table: str, bridge_of: BridgeOf) -> None:
        self._table = table
        self._bridge_of = bridge_of
        self._vpcs: frozenset[str] = frozenset()
        self._groups: dict[str, GroupRules] = {}
        self._places: dict[str, Place] = {}
        self._exits: tuple[Exit, ...] | None = None
        self._acls: tuple[Acl, ...] = ()
        self._together: Counter[tuple[str, ...]] = Counter()
        """How many interfaces are in each combination of several groups."""

    @property
    def empty(self) -> bool:
        """Whether no address is guarded: then no table is needed."""
        return not self._places

    def take(self, change: RulesetChange) -> list[str]:
        """Note a change; the commands that put it in force."""
        table = self._table
        come = [name for name, rules in change.groups.items() if rules is not None and name not in self._groups]
        gone = [name for name, rules in change.groups.items() if rules is None and name in self._groups]
        rules = {name: rules for name, rules in change.groups.items() if rules != self._groups.get(name)}
        before = self._elements(change, self._vpcs, self._places)
        together_before, acls_before = set(self._together), self._acls
        self._note(change)
        after = self._elements(change, self._vpcs, self._places)
        deletions, additions = render.changed_elements(table, before, after)
        return [
            *(line for name in come for line in render.new_group(table, name)),
            *(line for name, each in rules.items() if each for line in render.rules_of_group(table, name, each)),
            *(render.exits(table, change.exits) if change.exits is not None else ()),
            *(render.acls(table, acls_before, self._acls) if self._acls != acls_before else ()),
            *(line for names in _new(self._together, together_before) for line in render.new_together(table, names)),
            *deletions,
            *additions,
            *(line for names in _new(together_before, self._together) for line in render.gone_together(table, names)),
            *render.gone_groups(table, gone),
        ]

    def whole(self) -> list[str]:
        """The commands that make the table anew, whatever it holds."""
        anew = Book(self._table, self._bridge_of)
        change = RulesetChange(self._vpcs, self._groups, self._places, self._exits, self._acls)
        return [*render.base(self._table), *anew.take(change)]

    def _note(self, change: RulesetChange) -> None:
        if change.vpcs is not None:
            self._vpcs = change.vpcs
        if change.exits is not None:
            self._exits = change.exits
        if change.acls is not None:
            self._acls = change.acls
        for group_id, rules in change.groups.items():
            _put(self._groups, group_id, rules)
        for interface_id, place in change.places.items():
            self._count(self._places.get(interface_id), -1)
            self._count(place, 1)
            _put(self._places, interface_id, place)

    def _count(self, place: Place | None, by: int) -> None:
        if place is not None and len(place.groups) > 1:
            self._together[place.groups] += by
            if not self._together[place.groups]:
                del self._together[place.groups]

    def _elements(self, change: RulesetChange, vpcs: Iterable[str], places: Mapping[str, Place]) -> Elements:
        """Those that the change may touch, as they are."""
        found: Elements = {}
        if change.vpcs is not None:
            found["vpc-bridges"] = {f'"{self._bridge_of(vpc_id)}"': "" for vpc_id in vpcs}
        for interface_id in change.places:
            place = places.get(interface_id)
            for name, key, value in render.elements_of(place, self._bridge_of(place.vpc_id)) if place else ():
                found.setdefault(name, {})[key] = value
        return found


def book_of(ruleset: Ruleset, table: str, bridge_of: BridgeOf) -> Book:
    """A book of all that is wanted."""
    book = Book(table, bridge_of)
    book.take(RulesetChange(*ruleset))
    return book


def _new(now: Iterable[tuple[str, ...]], before: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return sorted(set(now) - set(before))


def _put(kept: dict[str, V], key: str, value: V | None) -> None:
    if value is None:
        kept.pop(key, None)
    else:
        kept[key] = value

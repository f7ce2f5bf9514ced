"""A firewall that holds nothing back (ports.Firewall): it remembers what would be in force."""

from collections.abc import Mapping

from longshore.domain.ec2.firewall import GroupRules, Place, Ruleset, RulesetChange
from longshore.drivers.ports import Permanent, Retryable


class SimTable:
    """What a machine holds back; it outlives who put it there."""

    def __init__(self) -> None:
        self.rules: Ruleset | None = None
        """None: nothing is held back."""


class SimFirewall:
    """`refuses`: what it says to everything; `absent`: why there is none."""

    def __init__(self, absent: str = "", table: SimTable | None = None) -> None:
        self.absent = absent
        self.refuses = ""
        self.table = table or SimTable()
        self.changes = 0
        """How often only a part was told."""
        self._known = False
        """Whether what the table holds is what was told."""

    async def open(self) -> None:
        """See ports.Firewall."""
        if self.absent:
            raise Permanent(self.absent)

    async def replace(self, wanted: Ruleset) -> None:
        """See ports.Firewall."""
        self._require_answers()
        self.table.rules = wanted._replace(groups=dict(wanted.groups), places=dict(wanted.places))
        self._known = True

    async def change(self, change: RulesetChange) -> None:
        """See ports.Firewall."""
        self._require_answers()
        if self.table.rules is None or not self._known:
            raise Retryable("It is not known what the firewall holds.", 0.0)
        self.changes += 1
        vpcs, groups, places, exits, acls = self.table.rules
        self.table.rules = Ruleset(
            vpcs if change.vpcs is None else change.vpcs,
            _changed(groups, change.groups),
            _changed_places(places, change.places),
            exits if change.exits is None else change.exits,
            acls if change.acls is None else change.acls,
        )

    async def intact(self) -> bool:
        """See ports.Firewall."""
        return self.table.rules is not None

    async def remove(self) -> None:
        """See ports.Firewall."""
        self.table.rules = None

    def _require_answers(self) -> None:
        if self.refuses:
            raise Retryable(self.refuses)


def _changed(before: Mapping[str, GroupRules], changed: Mapping[str, GroupRules | None]) -> dict[str, GroupRules]:
    return {name: each for name, each in {**before, **changed}.items() if each is not None}


def _changed_places(before: Mapping[str, Place], changed: Mapping[str, Place | None]) -> dict[str, Place]:
    return {name: each for name, each in {**before, **changed}.items() if each is not None}

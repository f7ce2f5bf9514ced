"""A firewall that holds nothing back (ports.Firewall): it remembers what would be in force."""

from collections.abc import Mapping

from longshore.domain.firewall import GroupRules, Place, Ruleset, RulesetChange
from longshore.drivers.ports import Permanent, Retryable


class SimFirewall:
    """`refuses`: what it says to everything; `absent`: why there is none."""

    def __init__(self, absent: str = "") -> None:
        self.absent = absent
        self.refuses = ""
        self.wanted: Ruleset | None = None
        """What is in force; None: not known."""
        self.changes = 0
        """How often only a part was told."""

    async def open(self) -> None:
        """See ports.Firewall."""
        if self.absent:
            raise Permanent(self.absent)

    async def replace(self, wanted: Ruleset) -> None:
        """See ports.Firewall."""
        self._require_answers()
        self.wanted = Ruleset(wanted.vpcs, dict(wanted.groups), dict(wanted.places))

    async def change(self, change: RulesetChange) -> None:
        """See ports.Firewall."""
        self._require_answers()
        if self.wanted is None:
            raise Retryable("It is not known what the firewall holds.", 0.0)
        self.changes += 1
        vpcs, groups, places = self.wanted
        self.wanted = Ruleset(
            vpcs if change.vpcs is None else change.vpcs,
            _changed(groups, change.groups),
            _changed_places(places, change.places),
        )

    async def intact(self) -> bool:
        """See ports.Firewall."""
        return self.wanted is not None

    async def remove(self) -> None:
        """See ports.Firewall."""
        self.wanted = None

    def _require_answers(self) -> None:
        if self.refuses:
            raise Retryable(self.refuses)


def _changed(before: Mapping[str, GroupRules], changed: Mapping[str, GroupRules | None]) -> dict[str, GroupRules]:
    return {name: each for name, each in {**before, **changed}.items() if each is not None}


def _changed_places(before: Mapping[str, Place], changed: Mapping[str, Place | None]) -> dict[str, Place]:
    return {name: each for name, each in {**before, **changed}.items() if each is not None}

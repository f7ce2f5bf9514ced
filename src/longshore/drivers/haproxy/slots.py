"""Which target is in which slot. Pure bookkeeping; the driver says what changes, the renderer reads it.

A target group's backend has numbered servers, most of them empty: a target that comes is written into an empty one
through the runtime socket, so the configuration stays as it is. When a group runs out of them, the next reload has
twice as many.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from longshore.domain.elbv2.balancing import TargetObservation, TargetPlan

FEWEST = 4
Phase = Literal["probing", "serving", "draining"]


class Slot(NamedTuple):
    """What is rendered of a slot."""

    address: str = "0.0.0.0"  # noqa: S104  an empty slot's, never connected to
    port: int = 0
    serving: bool = False
    """Gets its share."""
    registered: bool = False
    """Gets requests when the group has no healthy target."""


class Shape(NamedTuple):
    """How a group is in a configuration, whatever is in its slots."""

    size: int
    """How many slots it has."""
    apart: bool
    """Twins, which have no checks, are in a backend of their own, and not beside the servers that they stand in for."""


EMPTY = Slot()
Layout = Mapping[str, tuple[Slot, ...]]
"""The slots of each group, by its id."""


class Placement:
    """A target in a slot."""

    def __init__(self, target: TargetPlan, index: int, phase: Phase) -> None:
        self.target = target
        self.index = index
        self.phase: Phase = phase
        self.down = False
        """Serving, but HAProxy's checks say no."""
        self.earlier = 0
        """How many checks in a row went against its state before the newest worker began: see carried.py."""
        self.healthy_since = -math.inf
        """When it last became healthy, in the event loop's time: slow start counts from there."""
        self.claimed = True
        """Somebody has spoken of it in this life."""
        self.withheld = phase == "draining"
        """Every worker has been told to send it nothing new: only from then on its connections are its last."""
        self.reported: TargetObservation | None = None

    @property
    def server(self) -> str:
        """The name of the server that has checks."""
        return server_name(self.index)

    def is_draining(self) -> bool:
        """Whether it waits for its last connection to end."""
        return self.phase == "draining"

    @property
    def slot(self) -> Slot:
        """As rendered. That a target is down, a new worker is told besides: see carried.py."""
        return Slot(
            self.target.address,
            self.target.port,
            serving=self.phase == "serving",
            registered=self.phase != "draining",
        )


class Slots:
    """All groups' slots."""

    def __init__(self) -> None:
        self._groups: dict[str, list[Placement | None]] = {}
        self._placed: dict[TargetPlan, Placement] = {}

    def __iter__(self) -> Iterator[Placement]:
        return iter(list(self._placed.values()))

    def get(self, target: TargetPlan) -> Placement | None:
        """Where a target is."""
        return self._placed.get(target)

    def of_group(self, group_id: str) -> list[Placement]:
        """The targets of a group."""
        return [placement for placement in self._groups.get(group_id, ()) if placement is not None]

    def add_group(self, group_id: str, size: int = FEWEST) -> None:
        """Give a group slots, if it has none."""
        self._groups.setdefault(group_id, [None] * size)

    def drop_group(self, group_id: str) -> list[Placement]:
        """Forget a group; returns the targets it had."""
        gone = self.of_group(group_id)
        del self._groups[group_id]
        for placement in gone:
            del self._placed[placement.target]
        return gone

    def groups(self) -> list[str]:
        """Ids of all groups."""
        return list(self._groups)

    def place(self, target: TargetPlan, phase: Phase, index: int | None = None) -> Placement:
        """Put a target into the lowest free slot, or the one given; a full group gets more."""
        slots = self._groups[target.group_id]
        if index is None:
            index = next((i for i, held in enumerate(slots) if held is None), len(slots))
        if index >= len(slots):
            slots.extend([None] * (_enough(index + 1) - len(slots)))
        placement = Placement(target, index, phase)
        slots[index] = placement
        self._placed[target] = placement
        return placement

    def free(self, placement: Placement) -> None:
        """Empty a slot. Does nothing for a placement that is not held any more."""
        if self._placed.get(placement.target) is placement:
            del self._placed[placement.target]
            self._groups[placement.target.group_id][placement.index] = None

    def layout(self) -> Layout:
        """As the renderer wants it."""
        return {group_id: self.layout_of(group_id) for group_id in self._groups}

    def layout_of(self, group_id: str) -> tuple[Slot, ...]:
        """Of one group."""
        return tuple(EMPTY if held is None else held.slot for held in self._groups[group_id])


def emptied(layout: Layout) -> Layout:
    """The same number of slots with nothing in them: what tells whether a reload is needed."""
    return {group_id: (EMPTY,) * len(slots) for group_id, slots in layout.items()}


def server_name(index: int) -> str:
    """The name of the server in a slot: `s1` for the first."""
    return f"s{index + 1}"


def twin_name(index: int, *, apart: bool) -> str:
    """The name of its twin: `o1` for the first, but `s1` again in a backend of its own."""
    return server_name(index) if apart else f"o{index + 1}"


def is_twin(name: str) -> bool:
    """Whether a server in a group's own backend is a twin."""
    return name.startswith("o")


def _enough(needed: int) -> int:
    """Slots for so many targets and as many again, a power of two: a deployment doubles a service for a while."""
    size = FEWEST
    while size < 2 * needed:
        size *= 2
    return size

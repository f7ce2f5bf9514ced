"""What servers are named, and what is said to HAProxy about a target in a slot, as commands for its socket. Pure.

A slot is two servers: the one with checks, and its twin, which is used when nothing is healthy. `apart` says where
twins are: see slots.Shape.
"""

from collections import Counter
from collections.abc import Collection
from typing import Protocol

from longshore.drivers.haproxy.render.text import group_backend, group_of, open_backend
from longshore.drivers.haproxy.slots import EMPTY, Placement, Shape, Slot, is_twin, server_name, twin_name

Name = tuple[str, str]
"""Of a server: its backend and its name in there."""


class Order(Protocol):
    """What makes commands of a placement."""

    def __call__(self, placement: Placement, *, apart: bool) -> list[str]:
        """The commands."""


def names(group_id: str, index: int, *, apart: bool) -> tuple[Name, Name]:
    """Of both servers of a slot."""
    backend = group_backend(group_id)
    twins = open_backend(group_id) if apart else backend
    return (backend, server_name(index)), (twins, twin_name(index, apart=apart))


def rows_of(placement: Placement) -> set[Name]:
    """Its rows in `show stat`, wherever twins are: an old worker may have them elsewhere."""
    group_id, index = placement.target.group_id, placement.index
    return {*names(group_id, index, apart=True), *names(group_id, index, apart=False)}


def shapes(servers: Collection[Name]) -> dict[str, Shape]:
    """What shape each group has in a process with these servers."""
    sizes = Counter(group_id for backend, name in servers if (group_id := group_of(backend)) and not is_twin(name))
    return {group_id: Shape(size, names(group_id, 0, apart=True)[1] in servers) for group_id, size in sizes.items()}


def ready(placement: Placement, *, apart: bool) -> list[str]:
    """It gets its share."""
    return _ready(_both(placement, apart=apart)[0])


def maintenance(placement: Placement, *, apart: bool) -> list[str]:
    """It gets nothing new."""
    return [f"set server {server} state maint" for server in _both(placement, apart=apart)]


def cut(placement: Placement, *, apart: bool) -> list[str]:
    """Its connections end now."""
    return [f"shutdown sessions server {server}" for server in _both(placement, apart=apart)]


def emptied(placement: Placement, *, apart: bool) -> list[str]:
    """The slot is free for another."""
    return [f"set server {server} addr {EMPTY.address}" for server in _both(placement, apart=apart)]


def taking_in(placement: Placement, *, apart: bool) -> list[str]:
    """It is in the slot; until its first success it gets requests only when nothing is healthy."""
    target = placement.target
    both = _both(placement, apart=apart)
    commands = [f"set server {server} addr {target.address} port {target.port}" for server in both]
    commands.append(f"set server {both[1]} state ready")  # a twin has no checks
    if placement.phase == "serving":
        commands.extend(ready(placement, apart=apart))
    return commands


def filled(group_id: str, index: int, slot: Slot, *, apart: bool) -> list[str]:
    """Make a slot what it should be, whatever it was."""
    commands = []
    for name, on in zip(names(group_id, index, apart=apart), (slot.serving, slot.registered), strict=True):
        server = "/".join(name)
        port = f" port {slot.port}" if slot.port else ""
        commands.append(f"set server {server} addr {slot.address}{port}")
        commands.extend(_ready(server) if on else [f"set server {server} state maint"])
    return commands


def healthy(placement: Placement, *, apart: bool) -> list[str]:
    """As healthy as can be: from here it takes a whole threshold of failed checks to bring it down."""
    return [f"set server {_both(placement, apart=apart)[0]} health up"]


def unhealthy(placement: Placement, *, apart: bool) -> list[str]:
    """Down, until a whole threshold of checks succeeds."""
    return [f"set server {_both(placement, apart=apart)[0]} health down"]


def _ready(server: str) -> list[str]:
    """What leaves maintenance would be down at its first failed check."""
    return [f"set server {server} state ready", f"set server {server} health up"]


def _both(placement: Placement, *, apart: bool) -> tuple[str, str]:
    checked, twin = names(placement.target.group_id, placement.index, apart=apart)
    return "/".join(checked), "/".join(twin)

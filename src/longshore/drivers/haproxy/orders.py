"""What is said to HAProxy about a target in a slot, as commands for the runtime socket. Pure.

A slot is a server in both backends of its group: the one with checks, and its twin for when nothing is healthy.
"""

from longshore.drivers.haproxy.render.text import group_backend, open_backend
from longshore.drivers.haproxy.slots import EMPTY, Placement, Slot, server_name


def both(placement: Placement) -> tuple[str, str]:
    """The servers' names, as commands have them."""
    group_id = placement.target.group_id
    return (f"{group_backend(group_id)}/{placement.server}", f"{open_backend(group_id)}/{placement.server}")


def rows_of(placement: Placement) -> list[tuple[str, str]]:
    """Its rows in `show stat`: backend and server."""
    group_id = placement.target.group_id
    return [(group_backend(group_id), placement.server), (open_backend(group_id), placement.server)]


def ready(placement: Placement) -> list[str]:
    """It gets its share."""
    return [f"set server {both(placement)[0]} state ready"]


def down(placement: Placement) -> list[str]:
    """Checked, and down until its checks succeed. What leaves maintenance is up: by way of `drain` nobody sees it."""
    server = both(placement)[0]
    return [f"set server {server} {state}" for state in ("state drain", "health down", "state ready")]


def maintenance(placement: Placement) -> list[str]:
    """It gets nothing new."""
    return [f"set server {server} state maint" for server in both(placement)]


def cut(placement: Placement) -> list[str]:
    """Its connections end now."""
    return [f"shutdown sessions server {server}" for server in both(placement)]


def emptied(placement: Placement) -> list[str]:
    """The slot is free for another."""
    return [f"set server {server} addr {EMPTY.address}" for server in both(placement)]


def taking_in(placement: Placement) -> list[str]:
    """It is in the slot; until its first success it gets requests only when nothing is healthy."""
    target = placement.target
    main, twin = both(placement)
    commands = [f"set server {server} addr {target.address} port {target.port}" for server in (main, twin)]
    commands.append(f"set server {twin} state ready")
    if placement.phase == "serving":
        commands.extend(ready(placement))
    return commands


def filled(group_id: str, index: int, slot: Slot) -> list[str]:
    """Make a slot what it should be, whatever it was."""
    commands = []
    for backend, on in ((group_backend(group_id), slot.serving), (open_backend(group_id), slot.registered)):
        server = f"{backend}/{server_name(index)}"
        port = f" port {slot.port}" if slot.port else ""
        commands.append(f"set server {server} addr {slot.address}{port}")
        commands.append(f"set server {server} state {'ready' if on else 'maint'}")
    return commands

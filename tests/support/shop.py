"""The shop of examples/shop in tests: its Terraform project, and what may be left of it in a state."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from longshore.domain.kinds import OF_THE_MACHINE
from tests.support import terraform

if TYPE_CHECKING:
    from tests.support.server import Server

SHOP = Path(__file__).parents[2] / "examples" / "shop"
HISTORY = {"cluster", "service", "deployment", "service_event", "task", "task_definition", "task_definition_family"}
"""Kinds of which something stays after everything was removed: ECS itself keeps it, INACTIVE or STOPPED."""
PENDING = {"kms_key", "nat_gateway", "zone_change", "naming_operation"}
"""Kinds that AWS shows for a while after they are gone."""
DEFAULTS = {
    *(kind.kind for kind in OF_THE_MACHINE),
    "dhcp_options",
    "kms_alias",
    "network_acl",
    "region_network",
    "route_table",
    "security_group",
    "security_group_rule",
    "subnet",
    "vpc",
    "internet_gateway",
}


def project(folder: Path, server: Server, **environment: str) -> terraform.Terraform:
    """The Terraform project in a folder of its own."""
    made = terraform.Terraform(folder / "shop" / "terraform", {**server.environment(), **environment}, limit_s=300.0)
    shutil.copy(SHOP / "app.py", folder / "shop")
    for source in (SHOP / "terraform").glob("*.tf"):
        shutil.copy(source, made.folder)
    made.init()
    return made


def left(server: Server) -> set[str]:
    """The kinds of what a server that was stopped has in its state, but for history and defaults."""
    with sqlite3.connect(server.state / "state.db") as database:
        kinds = {kind for (kind,) in database.execute("SELECT DISTINCT kind FROM objects WHERE kind != ''")}
    return kinds - HISTORY - PENDING - DEFAULTS

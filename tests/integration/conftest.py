"""Fixtures for tests against real outside things: address ranges that collide with nobody on this host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import engine

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def free_cidr(docker_url: str) -> Callable[[int], str]:
    """`free_cidr(24)`: a range of that prefix length which no Docker network and no route of this host uses."""
    return lambda prefix: engine.free_cidr(docker_url, prefix)

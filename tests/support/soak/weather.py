"""What happens to a machine: the server or dockerd is killed, at moments that chance chooses.

Each fault ends with everything up again. It returns in a few words what it did.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

    from tests.support.dockerd import OwnDocker
    from tests.support.server import Server

LATEST_S = 2.5
"""A fault comes within this time after the user has begun to work: starts, stops and rollouts take about as long."""
EARLY_S = 1.5
"""A start of the server takes about as long: a second kill comes within it."""


@dataclass
class Weather:
    """The faults of one machine."""

    server: Server
    chance: random.Random
    docker: OwnDocker | None = None
    """Where the Engine is the test's own."""

    def kill_server(self) -> str:
        """Kill the server; every third time again while it starts and adopts."""
        self._wait(LATEST_S)
        self.server.kill9()
        again = self.chance.random() < 1 / 3
        if again:
            self.server.spawn()
            self._wait(EARLY_S)
            self.server.kill9()
        self.server.start()
        return "server killed, and again while it started" if again else "server killed"

    def kill_engine(self) -> str:
        """Kill dockerd; every third time the server, too."""
        assert self.docker is not None
        self._wait(LATEST_S)
        both = self.chance.random() < 1 / 3
        self.docker.kill9()
        if both:
            self.server.kill9()
        self._wait(EARLY_S)
        self.docker.start()
        if both:
            self.server.start()
        return "dockerd and server killed" if both else "dockerd killed"

    def _wait(self, longest_s: float) -> None:
        time.sleep(self.chance.uniform(0, longest_s))

"""Faults in any number: `python -m tests.support.soak --kills 50 --engine-kills 10 --seed 1`; needs root and dockerd.

Each round: the user works, something is killed at a random moment, and everything must come right. The seed gives the
acts and the moments; the machine's own timing is not repeated, so a failure may need a few runs to come again.
"""

from __future__ import annotations

import argparse
import random
import secrets
import signal
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support import engine
from tests.support.dockerd import OwnDocker
from tests.support.server import Server
from tests.support.soak import OPTIONS
from tests.support.soak.aftermath import Aftermath
from tests.support.soak.user import User
from tests.support.soak.weather import Weather

ACTS = 8
"""Per round: with their starts they last as long as a kill may take to come."""


def main() -> int:
    """Run the rounds; 1 if one went wrong, whose folder is then kept."""
    options = _options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as Ctrl-C: everything is taken down
    say(f"{options.kills} kills of the server, {options.engine_kills} of dockerd, seed {options.seed}")
    folder = Path(tempfile.mkdtemp(prefix="longshore-soak-"))
    with OwnDocker(folder, live_restore=options.live_restore) as docker:
        server = Server(folder, engine.free_cidr(docker.url, 16), *OPTIONS, docker_url=docker.url)
        try:
            server.start()
            server.prepare()
            _rounds(server, docker, options)
        except AssertionError as wrong:
            say(f"WRONG with seed {options.seed}: {wrong}\n  kept: {folder}")
            return 1
        else:
            server.close()
        finally:
            if server.process is not None:
                server.process.kill()
    return 0


def say(text: str) -> None:
    """Tell whoever waits."""
    print(f"soak: {text}", flush=True)  # noqa: T201  a program for people


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.support.soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="of the server (50)")
    parser.add_argument("--engine-kills", type=int, default=10, help="of dockerd (10)")
    parser.add_argument("--live-restore", action="store_true", help="containers outlive dockerd")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32), help="of acts and moments (random)")
    return parser.parse_args()


def _rounds(server: Server, docker: OwnDocker, options: argparse.Namespace) -> None:
    user = User(server, random.Random(options.seed))
    weather = Weather(server, random.Random(options.seed + 1), docker)
    aftermath = Aftermath(server, user)
    user.prepare()
    faults = [weather.kill_server] * options.kills + [weather.kill_engine] * options.engine_kills
    with ThreadPoolExecutor(1) as working:
        for number, fault in enumerate(faults, 1):
            began = time.monotonic()
            work = working.submit(user.work, ACTS)
            said = fault()
            if fault == weather.kill_engine:
                aftermath.excuse()
            work.result()
            faulty_s = time.monotonic() - began
            aftermath.settle()
            settled_s = time.monotonic() - began - faulty_s
            say(f"{number:3} of {len(faults)}: {said}; right again after {settled_s:.1f} s")
    aftermath.all_acknowledged()
    say(f"all right; {len(user.runs)} tasks run, {len(user.services)} services")


if __name__ == "__main__":
    sys.exit(main())

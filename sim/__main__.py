"""Run worlds: `python -m sim --seeds 1000`, `python -m sim --seed 7`."""

import argparse
import logging
import sys
import time

import structlog

from sim.play import Story, play
from sim.secrets import SecretStory
from sim.stack import StackStory


def main() -> int:
    """Play the seeds asked for; the number of broken worlds is the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sim", description="Play simulated worlds.")
    parser.add_argument("--seeds", type=int, default=100, help="how many worlds")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="just this one")
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument("--secrets", action="store_true", help="worlds whose containers have a secret")
    kinds.add_argument("--stack", action="store_true", help="worlds whose users build whole stacks")
    arguments = parser.parse_args()
    kind, option = Story, ""
    if arguments.secrets:
        kind, option = SecretStory, " --secrets"
    elif arguments.stack:
        kind, option = StackStory, " --stack"
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    seeds = (
        [arguments.seed] if arguments.seed is not None else range(arguments.first, arguments.first + arguments.seeds)
    )
    broken, began = 0, time.monotonic()
    for number, seed in enumerate(seeds, 1):
        try:
            play(seed, kind, option)
        except Exception as error:
            broken += 1
            print(f"\n{error}\n", file=sys.stderr)
        if sys.stderr.isatty():
            print(f"\r{number} worlds, {broken} broken, {time.monotonic() - began:.0f} s", end="", file=sys.stderr)
    print(f"{len(seeds)} worlds, {broken} broken, {time.monotonic() - began:.0f} s")
    return min(broken, 100)


if __name__ == "__main__":
    sys.exit(main())

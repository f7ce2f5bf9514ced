"""`python -m bench [--only NAME]… [--quick]`: run the benchmarks, print the table, write bench/RESULTS.md.

With --only, or when a benchmark fails, the other rows of RESULTS.md stay as they were. --quick is for a look while
working: shorter, and nothing is written.
"""

import argparse
import sys
import time
import traceback
from collections.abc import Callable

from bench import balancer, dns, docker_tasks, idle, journal, placing, reads, rollout
from bench.table import Row, print_rows, progress, write_results

BENCHMARKS: dict[str, Callable[[bool], list[Row]]] = {
    "reads": reads.measure,
    "journal": journal.measure,
    "placing": placing.measure,
    "idle": idle.measure,
    "balancer": balancer.measure,
    "dns": dns.measure,
    "docker": docker_tasks.measure,
    "rollout": rollout.measure,
}


def main() -> int:
    """Run what was asked for; 1 if a benchmark could not be run."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--only", action="append", choices=sorted(BENCHMARKS), help="run this one (repeatable)")
    parser.add_argument("--quick", action="store_true", help="shorter and less exact; RESULTS.md is not written")
    asked = parser.parse_args()
    rows: dict[str, list[Row]] = {}
    failed = False
    for name in asked.only or BENCHMARKS:
        progress(f"{name} …")
        began = time.monotonic()
        try:
            rows[name] = BENCHMARKS[name](asked.quick)
        except Exception:  # noqa: BLE001  the other benchmarks can still be run; the traceback is shown
            traceback.print_exc()
            failed = True
        progress(f"{name}: {time.monotonic() - began:.0f} s")
    print_rows(rows)
    if not asked.quick:
        write_results(rows)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

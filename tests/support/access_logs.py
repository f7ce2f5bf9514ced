"""Access logs of load balancers as they are in their folder."""

import gzip
from pathlib import Path


def lines_below(folder: Path) -> list[str]:
    """All lines of all files below a folder."""
    return [line for file in sorted(folder.rglob("*.log.gz")) for line in gzip.open(file, "rt").read().splitlines()]

"""The table of results: on the terminal, and kept in bench/RESULTS.md with the machine it was measured on.

RESULTS.md is written a section per benchmark, so that one benchmark run alone replaces its own section only.
"""

import os
import platform
import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).with_name("RESULTS.md")
HEAD = ("measured", "Longshore", "baseline", "", "ratio", "wanted", "")
_console = Console(stderr=True)


@dataclass(frozen=True, slots=True)
class Row:
    """One thing measured. `ratio` is Longshore's number by the baseline's; without `bound` nothing is asked of it."""

    what: str
    ours: str
    baseline: str = ""
    baseline_name: str = ""
    ratio: float | None = None
    wanted: str = ""
    met: bool | None = None

    def cells(self) -> tuple[str, ...]:
        """As they stand in the table."""
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}x"
        met = "" if self.met is None else "yes" if self.met else "NO"
        return (self.what, self.ours, self.baseline, self.baseline_name, ratio, self.wanted, met)


def at_most(what: str, ours: float, baseline: float, unit: str, baseline_name: str, bound: float) -> Row:
    """A row in which less is better: ours may be `bound` times the baseline."""
    ratio = ours / baseline
    wanted = f"at most {bound:g}x"
    return Row(what, _with_unit(ours, unit), _with_unit(baseline, unit), baseline_name, ratio, wanted, ratio <= bound)


def at_least(what: str, ours: float, baseline: float, unit: str, baseline_name: str, bound: float) -> Row:
    """A row in which more is better: ours must be `bound` times the baseline."""
    ratio = ours / baseline
    wanted = f"at least {bound:g}x"
    return Row(what, _with_unit(ours, unit), _with_unit(baseline, unit), baseline_name, ratio, wanted, ratio >= bound)


def below(what: str, ours: float, unit: str, bound: float) -> Row:
    """A number that must stay below another, with no baseline."""
    return Row(what, _with_unit(ours, unit), wanted=f"under {bound:g} {unit}", met=ours < bound)


def above(what: str, ours: float, unit: str, bound: float) -> Row:
    """A number that must be at least another, with no baseline."""
    return Row(what, _with_unit(ours, unit), wanted=f"at least {bound:g} {unit}", met=ours >= bound)


def _with_unit(number: float, unit: str) -> str:
    digits = 0 if number >= 100 else 1 if number >= 10 else 2
    return f"{number:,.{digits}f} {unit}".rstrip()


def progress(text: str) -> None:
    """Say what is being done."""
    _console.print(f"bench: {text}", style="dim", highlight=False)


def print_rows(rows: Mapping[str, Sequence[Row]]) -> None:
    """Show the table."""
    table = Table(*HEAD)
    for name, section in rows.items():
        table.add_section()
        for row in section:
            table.add_row(*row.cells(), style="red" if row.met is False else None)
        table.caption = f"{table.caption or ''} {name}".strip()
    _console.print(table)


def write_results(rows: Mapping[str, Sequence[Row]]) -> None:
    """Put these sections into RESULTS.md."""
    old = RESULTS.read_text() if RESULTS.exists() else ""
    sections = dict(re.findall(r"^(## (?:\S+)\n)(.*?)(?=^## |\Z)", old, flags=re.MULTILINE | re.DOTALL))
    for name, section in rows.items():
        lines = [f"Measured {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC on {machine()}.", ""]
        lines += ["| " + " | ".join(HEAD) + " |", "|---|---:|---:|---|---:|---|---|"]
        lines += ["| " + " | ".join(row.cells()) + " |" for row in section]
        sections[f"## {name}\n"] = "\n" + "\n".join(lines) + "\n\n"
    intro = "# Results of the benchmarks\n\nWritten by `make bench`; what is behind the numbers is in NOTES.md.\n\n"
    RESULTS.write_text(intro + "".join(title + body for title, body in sections.items()).rstrip("\n") + "\n")


def machine() -> str:
    """The machine and its software, in a line."""
    models = re.findall(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), flags=re.MULTILINE)
    model = models[0] if models else platform.machine()
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    docker = subprocess.run(
        ["docker", "version", "--format", "{{.Server.Version}}"], capture_output=True, text=True, check=False
    )
    return (
        f"{model}, {os.cpu_count()} cores, {memory_gib:.0f} GiB, Linux {platform.release()}, "
        f"Python {platform.python_version()}, Docker {docker.stdout.strip() or 'absent'}"
    )

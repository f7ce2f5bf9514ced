"""Sizes of tasks: `cpu` and `memory` as people write them, and the pairs that Fargate offers.

Pure arithmetic, called by registration, by RunTask's overrides and by placement.
"""

import re

FARGATE_SIZES: dict[int, tuple[int, ...]] = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4096 + 1, 1024)),
    1024: tuple(range(2048, 8192 + 1, 1024)),
    2048: tuple(range(4096, 16384 + 1, 1024)),
    4096: tuple(range(8192, 30720 + 1, 1024)),
    8192: tuple(range(16384, 61440 + 1, 4096)),
    16384: tuple(range(32768, 122880 + 1, 8192)),
}
"""CPU units -> memory sizes in MiB."""

TASK_CPU_UNITS = range(128, 196608 + 1)
"""What a task outside Fargate may ask for."""

_CPU = re.compile(r"\s*(\d{1,9})\s*|\s*(\d{0,4}(?:\.\d{1,6})?)\s*vcpu\s*", re.IGNORECASE | re.ASCII)
_MEMORY = re.compile(r"\s*(\d{1,9})\s*|\s*(\d{0,6}(?:\.\d{1,6})?)\s*gb\s*", re.IGNORECASE | re.ASCII)


def cpu_units(text: str) -> int | None:
    """`"256"`, `".25 vCPU"` or `"1vcpu"` as CPU units; None if it is neither."""
    return _size(_CPU, text)


def memory_mib(text: str) -> int | None:
    """`"512"`, `"0.5GB"` or `"1 GB"` as MiB; None if it is neither."""
    return _size(_MEMORY, text)


def is_fargate_size(cpu: int | None, memory: int | None) -> bool:
    """Whether Fargate runs tasks of this size."""
    return cpu is not None and memory in FARGATE_SIZES.get(cpu, ())


def _size(pattern: re.Pattern[str], text: str) -> int | None:
    found = pattern.fullmatch(text)
    if found is None:
        return None
    plain, big = found.groups()
    if plain is not None:
        return int(plain)
    return round(float(big) * 1024) if big else None

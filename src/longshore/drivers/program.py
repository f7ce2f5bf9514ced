"""The system's short-lived programs (`nft`, `ip`, `iptables-restore`): found, run, and what they said."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple

SYSTEMS_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where they are; a user's PATH may lack some of it."""


class Said(NamedTuple):
    """What a program that has ended printed."""

    code: int
    output: str
    errors: str


def find(name: str) -> str | None:
    """Where a program is."""
    return shutil.which(name) or shutil.which(name, path=SYSTEMS_PATH)


async def run(*words: str, given: str = "") -> Said:
    """Run a program to its end. Raises OSError where it can't be begun.

    What it is given is a file in memory: uvloop raises, out of any task's reach, where a program ends before its input
    has been written to it, and nothing of it is on a disk, which may be full.
    """
    path = f"{os.environ.get('PATH', '')}:{SYSTEMS_PATH}"
    with _in_memory(given) as file:
        process = await asyncio.create_subprocess_exec(
            *words,
            stdin=file,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "PATH": path, "LC_ALL": "C"},
        )
    output, errors = await process.communicate()
    return Said(process.returncode or 0, output.decode(errors="replace"), errors.decode(errors="replace").strip())


@contextmanager
def _in_memory(text: str) -> Iterator[BinaryIO]:
    """A file to be read from its beginning."""
    with os.fdopen(os.memfd_create("given"), "w+b") as file:
        file.write(text.encode())
        file.seek(0)
        yield file

"""`python -m bench.recorded FILE up …`: Longshore, and in FILE at its end every group that its journal committed.

For `bench/journal.py`, which has SQLite write the same again. Keeping the groups takes time, so what is measured of
Longshore itself is measured of one without this.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from longshore.cli.app import main
from longshore.store.journal import Row
from longshore.store.sql import SqlJournal

Groups = list[list[Row]]
"""The rows of each SQL transaction. Of several writes to one record in it only the last one is there, as on disk."""


def read(path: Path) -> Groups:
    """What such a process has left."""
    groups: Groups = msgspec.msgpack.decode(path.read_bytes(), type=Groups)
    return groups


def _record(path: Path) -> None:
    kept: list[list[Sequence[Row]]] = []
    commit = SqlJournal._commit  # noqa: SLF001  nothing else knows the groups

    def commit_and_keep(self: SqlJournal, group: list[Sequence[Row]]) -> None:
        commit(self, group)
        kept.append(group)

    SqlJournal._commit = commit_and_keep  # type: ignore[method-assign]  # noqa: SLF001  as above
    try:
        main()
    finally:
        last = [{(row.kind, row.key): row for rows in group for row in rows} for group in kept]
        path.write_bytes(msgspec.msgpack.encode([list(rows.values()) for rows in last]))


if __name__ == "__main__":
    _record(Path(sys.argv.pop(1)))

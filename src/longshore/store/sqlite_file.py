"""The files of the store: made whole or not at all, locked by one process, looked at before they are touched.

Used by `open.py` (the state) and `events.py` (the event log), each with a Form of its own. Knows no table.
"""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from longshore.store.errors import StoreRefused
from longshore.store.wal import DamagedError, image

_HEADER = b"SQLite format 3\x00"

Migration = Callable[[sqlite3.Connection], None]
"""Takes a file from one version to the next, in a transaction that it must not end."""


class Form(NamedTuple):
    """What kind of file this is: its mark, and how each version came from the one before."""

    noun: str
    application_id: int
    migrations: Sequence[Migration]

    @property
    def version(self) -> int:
        """The newest version, which this program writes."""
        return len(self.migrations)


class FileLock:
    """One process per file, for as long as it lives: the kernel lets go even when it is killed."""

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(_beside(path, ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreRefused(
                f"{path.parent} cannot be used as a state folder: {error.strerror}. Choose one that you may write to."
            ) from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.pread(self._file, 400, 0).decode(errors="replace").strip()
            os.close(self._file)
            raise StoreRefused(
                f"{path} is in use by another Longshore ({owner or 'a process that has just begun'}). "
                "Stop that one, or use another state folder."
            ) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, _who().encode(), 0)

    def release(self) -> None:
        """Let another process have it. The lock's file stays: removing it would race with the next owner."""
        os.close(self._file)


def _who() -> str:
    """This process, for the message that the next one gets."""
    command = ""
    with suppress(OSError):
        command = Path("/proc/self/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return f"process {os.getpid()}" + (f": {command[:300]}" if command else "")


def check_header(path: Path, form: Form) -> None:
    """Refuse a file that is not ours by what stands in its first bytes, or a log without its file; by reading only.

    A file of ours has its mark from the first moment on, see `create`.
    """
    if not path.exists():
        log = _beside(path, "-wal")
        if log.exists() and log.stat().st_size:
            raise StoreRefused(
                f"{path} is missing but its write-ahead log {log.name} is there. Put the file back beside it, or "
                "move the log away to start anew."
            )
        return
    try:
        with path.open("rb") as file:
            head = file.read(100)
    except OSError as error:
        raise StoreRefused(f"{path} cannot be read: {error.strerror}.") from error
    if len(head) < 100 or not head.startswith(_HEADER):
        what = "is empty" if not head else f"is not {form.noun} of Longshore, or its beginning is damaged"
        raise StoreRefused(f"{path} {what}. It was left as it is: {_ADVICE}")
    if int.from_bytes(head[68:72], "big") != form.application_id:
        raise StoreRefused(
            f"{path} is a database of another program, not {form.noun} of Longshore. It was left as it is: "
            "use another state folder."
        )
    _check_version(path, int.from_bytes(head[60:64], "big"), form)
    page_size = int.from_bytes(head[16:18], "big")
    expected = int.from_bytes(head[28:32], "big") * (65536 if page_size == 1 else page_size)
    log = _beside(path, "-wal")
    if path.stat().st_size < expected and not (log.exists() and log.stat().st_size):
        raise StoreRefused(f"{path} is damaged (it ends too early). It was left as it is: {_ADVICE}")


_ADVICE = "put back a copy, or move it away (with its -wal file) to start anew."


def _check_version(path: Path, version: int, form: Form) -> None:
    if version > form.version:
        raise StoreRefused(
            f"{path} was written by a newer Longshore (version {version} of the file; this one knows "
            f"{form.version}). It was left as it is: use the newer Longshore, or another state folder."
        )


@contextmanager
def examined(path: Path, form: Form) -> Iterator[sqlite3.Connection]:
    """A copy in memory of the file with its log, checked and brought up to date; the file itself is only read.

    Whoever opens the file for writing afterwards knows that its migrations work and its content is good.
    """
    check_header(path, form)
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        try:
            connection.deserialize(_read(path))
            (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            if found != "ok":
                raise DamagedError(found)
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            _check_version(path, version, form)
            migrate(connection, form)
            yield connection
        except (sqlite3.Error, DamagedError, UnicodeDecodeError) as error:
            raise StoreRefused(f"{path} is damaged ({error}). It was left as it is: {_ADVICE}") from error


def _read(path: Path) -> bytes:
    log = _beside(path, "-wal")
    whole = image(path.read_bytes(), log.read_bytes() if log.exists() else b"")
    if whole[18:20] == b"\2\2":
        whole[18:20] = b"\1\1"  # "not WAL": a database in memory has none, and the image needs none any more
    return bytes(whole)


def migrate(connection: sqlite3.Connection, form: Form) -> None:
    """Bring a file to the newest version, each step in one transaction with the step's new number."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for number in range(version, form.version):
        connection.execute("BEGIN IMMEDIATE")
        try:
            form.migrations[number](connection)
            connection.execute(f"PRAGMA user_version = {number + 1}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
    if version < form.version and connection.execute("PRAGMA journal_mode").fetchone() == ("wal",):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def create(path: Path, form: Form) -> None:
    """Make the file under another name and move it into place when it is whole, so that no crash leaves half."""
    new = _beside(path, ".new")
    for left in (new, _beside(new, "-journal"), _beside(new, "-wal"), _beside(new, "-shm")):
        left.unlink(missing_ok=True)
    os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with closing(sqlite3.connect(new, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = EXTRA")
        connection.execute(f"PRAGMA application_id = {form.application_id}")
        migrate(connection, form)
        connection.execute("PRAGMA journal_mode = WAL")
    new.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def connect(path: Path, form: Form) -> sqlite3.Connection:
    """Open for writing, from any thread but one at a time; make or migrate the file where that is due."""
    try:
        check_header(path, form)
        if not path.exists():
            create(path, form)
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        _check_version(path, connection.execute("PRAGMA user_version").fetchone()[0], form)
        migrate(connection, form)
    except (sqlite3.Error, OSError) as error:
        raise StoreRefused(
            f"{path} cannot be opened for writing: {error}. Check the folder's owner, and that the disk has room."
        ) from error
    return connection


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)

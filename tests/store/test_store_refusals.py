"""Files that the store must not use: it says why, says what to do, and leaves every byte as it was."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from longshore.store.errors import StoreRefused
from longshore.store.events import EventLog
from longshore.store.open import open_store
from longshore.store.schema import STATE, rewrite
from longshore.store.sqlite_file import Form
from tests.support.store_records import KINDS, Item, Note, item, key

ROOT = Path(__file__).parents[2]


async def make(path: Path) -> None:
    store = open_store(path, KINDS)
    for number in range(200):
        with store.transaction() as tx:
            tx.put(item(f"i{number}", "red", number, "text " * 20))
    await store.close()


def folder_bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".lock"}


def refusal(path: Path, **options: Any) -> str:
    """The sentence that opening ends with; nothing in the folder may have changed."""
    before = folder_bytes(path.parent)
    with pytest.raises(StoreRefused) as refused:
        open_store(path, options.pop("kinds", KINDS), **options)
    assert folder_bytes(path.parent) == before
    return str(refused.value)


def sql(*statements: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            for statement in statements:
                connection.execute(statement)

    return change


def truncate(share: float) -> Callable[[Path], None]:
    return lambda path: os.truncate(path, int(path.stat().st_size * share))


def overwrite(offset: int, content: bytes) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        with path.open("r+b") as file:
            file.seek(offset)
            file.write(content)

    return change


def scratch(path: Path) -> None:
    """Damage in the middle of the records."""
    overwrite(path.read_bytes().index(b'"name":"i100"') - 200, b"\xff" * 300)(path)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (truncate(0), "is empty"),
        (truncate(0.001), "beginning is damaged"),
        (truncate(0.5), "damaged"),
        (truncate(0.99), "damaged"),
        (overwrite(0, os.urandom(4096)), "not a state file"),
        (overwrite(4096, bytes(4096)), "damaged"),
        (scratch, "damaged"),
        (sql("PRAGMA user_version = 99"), "newer Longshore"),
        (sql("PRAGMA application_id = 7"), "another program"),
        (sql("DELETE FROM objects WHERE kind = ''"), "missing"),
        (sql("DROP TABLE objects"), "damaged"),
        (sql("UPDATE objects SET document = replace(document, 'red', 'sad') WHERE id = 9"), "checksum"),
    ],
)
async def test_a_damaged_or_newer_file_is_refused_untouched(
    tmp_path: Path, damage: Callable[[Path], None], says: str
) -> None:
    path = tmp_path / "state.db"
    await make(path)
    damage(path)
    assert says in refusal(path)
    assert str(path) in refusal(path)


@pytest.mark.parametrize("content", [b"", b"garbage", b"# a text\n" * 50, os.urandom(20_000)])
def test_a_file_of_another_kind_is_refused_untouched(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(content)
    assert "left as it is" in refusal(path)


def test_a_database_of_another_program_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    sql("CREATE TABLE theirs (x)", "INSERT INTO theirs VALUES (1)")(path)
    assert "another program" in refusal(path)
    with pytest.raises(StoreRefused, match="another program"):
        EventLog(path)


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state.db").mkdir()
    with pytest.raises(StoreRefused, match="cannot be read"):
        open_store(tmp_path / "state.db", KINDS)


async def test_a_log_without_its_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    await make(path)
    path.rename(tmp_path / "state.db-wal")
    assert "write-ahead log" in refusal(path)


async def test_kinds_and_fields_of_a_newer_program_are_refused_not_dropped(tmp_path: Path) -> None:
    class ItemBefore(Item, frozen=True, kw_only=True):
        pass

    path = tmp_path / "state.db"
    await make(path)
    assert "kind 'item'" in refusal(path, kinds=[Note])

    def add_field(connection: sqlite3.Connection) -> None:
        rewrite(connection, "item", lambda document: {**document, "later": 1})

    newer = STATE._replace(migrations=[*STATE.migrations, add_field])
    message = refusal(path, form=newer)  # its dry run shows that this program cannot read the outcome
    assert "unknown field `later`" in message
    assert "newer one" in message


async def test_a_second_process_is_refused_and_told_who_has_the_file(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    store = open_store(path, KINDS)
    code = (
        "import sys; from pathlib import Path; from longshore.store.open import open_store; "
        "open_store(Path(sys.argv[1]), [])"
    )
    child = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", code, str(path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert f"in use by another Longshore (process {os.getpid()}" in child.stderr
    with pytest.raises(StoreRefused, match="in use"):
        open_store(path, KINDS)
    await store.close()
    await open_store(path, KINDS).close()


async def test_a_refusal_lets_go_of_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    await make(path)
    assert "kind" in refusal(path, kinds=[Note])
    await open_store(path, KINDS).close()


async def test_what_a_crash_left_of_making_a_file_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    (tmp_path / "state.db.new").write_bytes(b"half")
    (tmp_path / "state.db.new-journal").write_bytes(b"half")
    await make(path)
    assert folder_bytes(tmp_path).keys() == {"state.db"}


def _paint(connection: sqlite3.Connection) -> None:
    """An example of a migration: the colour red is called scarlet from now on, and one record goes."""

    def change(document: dict[str, Any]) -> dict[str, Any] | None:
        return None if document["name"] == "i7" else {**document, "colour": "scarlet"}

    rewrite(connection, "item", change)


def _stumble(_: sqlite3.Connection) -> None:
    raise sqlite3.OperationalError("this migration does not work")


async def test_an_older_file_is_migrated_once_and_an_older_program_then_refuses_it(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    await make(path)
    newer = Form(STATE.noun, STATE.application_id, [*STATE.migrations, _paint])
    for _ in range(2):
        store = open_store(path, KINDS, newer)
        assert store.count(Item, "colour", ("scarlet",)) == 199
        assert store.get(Item, key("i7")) is None
        assert store.revision == 200
        await store.close()
    assert "newer Longshore" in refusal(path)


async def test_a_migration_that_fails_leaves_the_older_file(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    await make(path)
    broken = Form(STATE.noun, STATE.application_id, [*STATE.migrations, _paint, _stumble])
    assert "does not work" in refusal(path, form=broken)
    await open_store(path, KINDS).close()

"""`kill -9` at any moment: nothing acknowledged is lost, and nothing is there by half."""

import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from longshore.store.errors import StoreRefused
from longshore.store.events import EventLog
from longshore.store.open import open_store
from longshore.store.schema import rows
from longshore.store.sql import SqlJournal
from longshore.store.store import Store
from tests.support.store_child import KEPT, step
from tests.support.store_records import KINDS, Item, Note, key

ROOT = Path(__file__).parents[2]
ROUNDS = 40


def number_on_disk(store: Store) -> int:
    """How many transactions the store has; it must have exactly what that many leave behind."""
    counter = store.get(Note, key("counter"))
    if counter is None:
        assert store.revision == 0
        assert not list(store.all(Item))
        return 0
    number = counter.number
    assert store.revision == number
    assert {twin.weight for twin in store.all(Item)} == {number}
    expected = {f"n{kept}" for kept in range(max(1, number - KEPT + 1), number + 1)} | {"counter"}
    assert {found.name for found in store.all(Note)} == expected
    return number


def run_child(folder: Path, lines: int, *options: str, delay_s: float = 0) -> tuple[Counter[str], str]:
    """Let the child say so many lines, then kill it (or let it end); the last number it acknowledged of each thing."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.support.store_child", str(folder), *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    said = [line for _ in range(lines) if (line := child.stdout.readline())]
    time.sleep(delay_s)
    child.kill()
    rest, _ = child.communicate()
    acknowledged: Counter[str] = Counter()
    ending = ""
    for line in (*said, *rest.splitlines()):
        noun, _, text = line.strip().partition(" ")
        if noun == "failed":
            ending = text
        elif text:
            acknowledged[noun] = max(acknowledged[noun], int(text))
    return acknowledged, ending


async def test_kill_9_loses_nothing_acknowledged_and_leaves_nothing_by_half(tmp_path: Path) -> None:
    chance = random.Random(3)
    seen = 0
    for _ in range(ROUNDS):
        acknowledged, _ = run_child(tmp_path, chance.choice([0, 1, 2, 5, 40, 200, 600]))
        store = open_store(tmp_path / "state.db", KINDS)
        number = number_on_disk(store)
        assert number >= max(acknowledged["state"], seen)
        seen = number
        await store.close()
        events = EventLog(tmp_path / "events.db")
        found = events.read(["stream"], limit=100_000)
        sequences = sorted(event.sequence for event in found)
        assert sequences == list(range(1, len(found) + 1))
        assert len(found) >= acknowledged["events"]
        assert len(found) % 2 == 0
        assert events.bounds("stream").stored_bytes == sum(len(event.message) + 26 for event in found)
        await events.close()
    assert seen > 100


async def test_kill_9_while_the_files_are_made_leaves_files_that_open(tmp_path: Path) -> None:
    chance = random.Random(4)
    for number in range(12):
        folder = tmp_path / str(number)
        acknowledged, _ = run_child(folder, 0, delay_s=chance.uniform(0.1, 0.4))
        store = open_store(folder / "state.db", KINDS)
        assert number_on_disk(store) >= acknowledged["state"]
        await store.close()
        await EventLog(folder / "events.db").close()


async def test_a_log_cut_anywhere_leaves_whole_transactions(tmp_path: Path) -> None:
    """As after a power failure in the middle of a write: the log ends at some byte."""
    store = open_store(tmp_path / "state.db", KINDS)
    ends = []
    for _ in range(40):
        step(store)
        await store.durable()
        ends.append((tmp_path / "state.db-wal").stat().st_size)
    torn = tmp_path / "torn"
    torn.mkdir()
    log = (tmp_path / "state.db-wal").read_bytes()
    chance = random.Random(5)
    for size in sorted(chance.sample(range(len(log)), 60)):
        shutil.copy(tmp_path / "state.db", torn / "state.db")
        (torn / "state.db-wal").write_bytes(log[:size])
        (torn / "state.db-shm").unlink(missing_ok=True)
        cut = open_store(torn / "state.db", KINDS)
        assert number_on_disk(cut) == sum(end <= size for end in ends)
        journal = cut._journal
        assert isinstance(journal, SqlJournal)
        assert journal._connection is not None
        assert len(list(rows(journal._connection))) == len([*cut.all(Item), *cut.all(Note)])  # SQLite agrees
        await cut.close()
    await store.close()


async def test_a_flipped_byte_is_refused_untouched_or_harmless(tmp_path: Path) -> None:
    """Only the very last commit of the log cannot be told from one that a power failure tore."""
    store = open_store(tmp_path / "state.db", KINDS)
    for _ in range(60):
        step(store)
        await store.durable()
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    contents = {name: (tmp_path / name).read_bytes() for name in ("state.db", "state.db-wal")}
    await store.close()
    closed = (tmp_path / "state.db").read_bytes()
    chance = random.Random(7)
    refused = 0
    for number in range(150):
        whole = dict(contents) if number % 3 else {"state.db": closed, "state.db-wal": b""}
        target = "state.db-wal" if number % 3 else "state.db"
        changed = bytearray(whole[target])
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
        whole[target] = bytes(changed)
        for name, content in whole.items():
            (damaged / name).write_bytes(content)
        (damaged / "state.db-shm").unlink(missing_ok=True)
        try:
            opened = open_store(damaged / "state.db", KINDS)
        except StoreRefused:
            refused += 1
            assert {name: (damaged / name).read_bytes() for name in whole} == whole
        else:
            assert number_on_disk(opened) >= (59 if number % 3 else 60)
            await opened.close()
    assert refused > 75


async def test_a_full_disk_fails_the_store_and_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    acknowledged, ending = run_child(tmp_path, 100_000, str(300_000))
    assert "cannot be written" in ending
    assert "by itself" in ending
    store = open_store(tmp_path / "state.db", KINDS)
    assert number_on_disk(store) >= acknowledged["state"] > 0
    step(store)
    await store.durable()
    await store.close()

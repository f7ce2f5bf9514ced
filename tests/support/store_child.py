"""A process that writes to a store and an event log, and says on stdout what was acknowledged. Made to be killed.

`python -m tests.support.store_child FOLDER [BYTES]`: with BYTES no file may grow past that, as on a full disk.
Each transaction writes the counter n, a note "n", twins that both hold n, and removes the note n - 20: so that any
state on disk tells whether it is a prefix of whole transactions.
"""

import asyncio
import os
import resource
import sys
from pathlib import Path

from longshore.domain.log import LogEvent
from longshore.store.errors import StoreFailed
from longshore.store.events import EventLog
from longshore.store.open import open_store
from longshore.store.store import Store
from tests.support.store_records import KINDS, Note, item, key, note

WRITERS = 6
KEPT = 20


def say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


def step(store: Store) -> int:
    """One transaction; the number it wrote."""
    with store.transaction() as tx:
        counter = tx.get(Note, key("counter"))
        number = counter.number + 1 if counter else 1
        tx.put(note("counter", number))
        tx.put(note(f"n{number}", number))
        tx.put(item("twin-1", weight=number, text="x" * (number * 97 % 3000)))
        tx.put(item("twin-2", weight=number))
        tx.delete(Note, key(f"n{number - KEPT}"))
    return number


async def write(store: Store, events: EventLog) -> None:
    while True:
        number = step(store)
        revision = store.revision
        await asyncio.sleep(0)
        await store.durable(revision)
        say(f"state {number}")
        taken = events.append("stream", [LogEvent(number, f"event {number}")] * 2, number)
        await events.durable()
        say(f"events {taken[-1].sequence}")


async def main(folder: Path) -> None:
    store, events = open_store(folder / "state.db", KINDS), EventLog(folder / "events.db")
    say("open")
    writers = [asyncio.create_task(write(store, events)) for _ in range(WRITERS)]
    try:
        await asyncio.gather(*writers)
    except StoreFailed as failure:
        say(f"failed {failure}")
        await asyncio.gather(*writers, return_exceptions=True)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
    asyncio.run(main(Path(sys.argv[1])))

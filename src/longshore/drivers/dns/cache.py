"""Answers of other resolvers, for as long as their times to live allow. Bounded in number and bytes; no I/O."""

from collections import OrderedDict
from typing import NamedTuple

from longshore.domain.clock import Clock
from longshore.drivers.dns.message import Answer
from longshore.drivers.dns.records import cacheable_s, size_of

MAX_ENTRIES = 4096
MAX_ANSWER_BYTES = 4096


class Question(NamedTuple):
    """What is asked of another resolver, and what its answer is kept under."""

    name: bytes
    """In wire form and small letters."""
    type: int
    dnssec_ok: bool = False
    checking_disabled: bool = False


class Cache:
    """The answers used last stay longest."""

    def __init__(self, clock: Clock, max_entries: int = MAX_ENTRIES) -> None:
        self._clock = clock
        self._max_entries = max_entries
        self._entries: OrderedDict[Question, tuple[Answer, float, float]] = OrderedDict()
        """`(answer, when it came, when it ends)`."""

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, question: Question, answer: Answer) -> None:
        """Keep an answer, if it may be kept and is not too large."""
        lasts_s = cacheable_s(answer, question.type)
        if lasts_s <= 0 or size_of(answer) > MAX_ANSWER_BYTES:
            return
        now = self._clock.now()
        self._entries[question] = (answer, now, now + lasts_s)
        self._entries.move_to_end(question)
        if len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)

    def get(self, question: Question) -> tuple[Answer, int] | None:
        """`(answer, its age in whole seconds)`."""
        entry = self._entries.get(question)
        if entry is None:
            return None
        answer, came, ends = entry
        now = self._clock.now()
        if not came <= now < ends:  # a clock that was set back tells nothing of an answer's age
            del self._entries[question]
            return None
        self._entries.move_to_end(question)
        return answer, int(now - came)

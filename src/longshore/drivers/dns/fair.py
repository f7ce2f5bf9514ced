"""Who is served next, and who not at all: many clients share one server, and one that floods it harms itself alone.

Pure bookkeeping, called by the server.
"""

from collections import OrderedDict, deque
from typing import Generic, TypeVar

T = TypeVar("T")

MAX_WAITING = 512
"""Questions of one client that wait to be read; more are dropped."""
MAX_WAITING_IN_ALL = 16384
MAX_ASKED = 64
"""Questions of one client that another resolver is being asked for; more are refused."""
MAX_ASKED_IN_ALL = 256


class FairQueue(Generic[T]):
    """Things of many clients, taken out one of each in turn."""

    def __init__(self, per_client: int = MAX_WAITING, in_all: int = MAX_WAITING_IN_ALL) -> None:
        self._per_client = per_client
        self._in_all = in_all
        self._waiting: OrderedDict[str, deque[T]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def put(self, client: str, thing: T) -> bool:
        """Line up; False where the client has too much waiting, or all of them have."""
        own = self._waiting.get(client)
        if own is None:
            own = self._waiting[client] = deque()
        if len(own) >= self._per_client or self._count >= self._in_all:
            if not own:
                del self._waiting[client]
            return False
        own.append(thing)
        self._count += 1
        return True

    def take(self) -> T:
        """The next; its client's others wait until all other clients had their turn. Raises KeyError when empty."""
        client, own = self._waiting.popitem(last=False)
        thing = own.popleft()
        self._count -= 1
        if own:
            self._waiting[client] = own
        return thing


class Admission:
    """How many of something each client may have at a time, and all of them together."""

    def __init__(self, per_client: int = MAX_ASKED, in_all: int = MAX_ASKED_IN_ALL) -> None:
        self._per_client = per_client
        self._in_all = in_all
        self._held: dict[str, int] = {}
        self._count = 0

    def enter(self, client: str) -> bool:
        """Whether there is room for one more; if so it must `leave`."""
        held = self._held.get(client, 0)
        if held >= self._per_client or self._count >= self._in_all:
            return False
        self._held[client] = held + 1
        self._count += 1
        return True

    def leave(self, client: str) -> None:
        """One has ended."""
        self._count -= 1
        self._held[client] -= 1
        if not self._held[client]:
            del self._held[client]

"""What is answered to a question: from our zones, from the cache, or by the host's resolvers. Knows no socket of ours.

Called by the server. What needs no waiting is answered at once; our own names always are.
"""

from typing import NamedTuple

import dns.rdatatype

from longshore.domain.clock import Ids, drawn
from longshore.domain.names.resolving import ZoneAnswer
from longshore.drivers.dns.cache import Cache, Question
from longshore.drivers.dns.forward import Forwarder
from longshore.drivers.dns.message import (
    BADVERS,
    CD,
    CNAME,
    IN,
    NOERROR,
    NXDOMAIN,
    RD,
    REFUSED,
    SERVFAIL,
    Answer,
    Query,
    Rr,
    name_text,
    name_wire,
    type_text,
)
from longshore.drivers.dns.records import from_zone
from longshore.drivers.ports import TaskNames, Zones

MAX_HOPS = 8
"""CNAMEs that are followed within our zones."""
_FIRST_META, _LAST_META = 128, 255
"""Types that are questions about servers and transfers, `ANY` among them."""


class _Followed(NamedTuple):
    """How far our own zones answer a question."""

    answer: Answer
    outside: bytes | None = None
    """Where a CNAME leads out of them: to be asked elsewhere."""


class Elsewhere(NamedTuple):
    """What the host's resolvers are to be asked."""

    question: Question
    so_far: Answer | None
    """The records that lead there, where our own zones have some."""


class Resolver:
    """Answers questions. `zones` are asked in order: the first that knows a name's zone answers.

    `task_names` go before them all, for questions of tasks with an address in a VPC.
    """

    def __init__(
        self,
        zones: tuple[Zones, ...],
        cache: Cache,
        forwarder: Forwarder,
        ids: Ids,
        task_names: TaskNames | None = None,
    ) -> None:
        self._zones = zones
        self._task_names = task_names
        self._cache = cache
        self._forwarder = forwarder
        self._ids = ids

    def at_once(self, query: Query, vpc_id: str | None, client: str = "") -> Answer | Elsewhere:
        """The answer, or what another resolver must be asked for it. `client` is the address that asks."""
        refusal = _refusal(query)
        if refusal is not None:
            return refusal
        ours = self._follow(query, vpc_id, client)
        if ours is None:
            name, so_far = query.key, None
        elif ours.outside is None:
            return ours.answer
        else:
            name, so_far = ours.outside, ours.answer
        if not query.flags & RD:  # asked for what we know ourselves
            return so_far or Answer(REFUSED)
        question = Question(name, query.type, query.dnssec_ok, bool(query.flags & CD))
        cached = self._cache.get(question)
        return Elsewhere(question, so_far) if cached is None else _joined(so_far, _aged(*cached))

    async def ask(self, elsewhere: Elsewhere) -> Answer:
        """The answer, once whoever must be asked was. Never raises."""
        answer = await self._forwarder.ask(elsewhere.question)
        self._cache.put(elsewhere.question, answer)
        return _joined(elsewhere.so_far, answer)

    async def close(self) -> None:
        """Give up what is being asked of others."""
        await self._forwarder.close()

    def _follow(self, query: Query, vpc_id: str | None, client: str) -> _Followed | None:
        """Our zones' answer, CNAMEs followed; None if the name is in none of them."""
        name = name_text(query.key)
        wanted = type_text(query.type)
        records: list[Rr] = []
        for hop in range(MAX_HOPS):
            found = self._look(vpc_id, client, name, wanted)
            if found is None:
                if not hop:
                    return None
                return _Followed(Answer(NOERROR, tuple(records), authoritative=True), name_wire(name))
            records += [from_zone(record) for record in drawn(found.records, len(found.records), self._ids)]
            target = _target(found, query.type)
            if target is None:
                return _Followed(_answer(found, records))
            name = target
        return _Followed(Answer(SERVFAIL))

    def _look(self, vpc_id: str | None, client: str, name: str, wanted: str) -> ZoneAnswer | None:
        if self._task_names is not None and vpc_id is not None and client:
            own = self._task_names.answer_to(vpc_id, client, name, wanted)
            if own is not None:
                return own
        for zone in self._zones:
            found = zone.answer(vpc_id, name, wanted)
            if found is not None:
                return found
        return None


def _refusal(query: Query) -> Answer | None:
    if query.edns_version:
        return Answer(BADVERS)
    if query.rdclass != IN or _FIRST_META <= query.type <= _LAST_META or query.type in {0, dns.rdatatype.OPT}:
        return Answer(REFUSED)
    return None


def _target(found: ZoneAnswer, rdtype: int) -> str | None:
    """Where a CNAME in place of the records leads."""
    if rdtype == CNAME or not found.records or found.records[0].type != "CNAME":
        return None
    return found.records[0].data.lower().removesuffix(".")


def _answer(found: ZoneAnswer, records: list[Rr]) -> Answer:
    rcode = NOERROR if found.exists else NXDOMAIN
    authority = () if found.records else (from_zone(found.soa),)
    return Answer(rcode, tuple(records), authority, authoritative=True)


def _joined(so_far: Answer | None, rest: Answer) -> Answer:
    if so_far is None:
        return rest
    return Answer(rest.rcode, so_far.records + rest.records, rest.authority, authoritative=True)


def _aged(answer: Answer, age_s: int) -> Answer:
    if not age_s:
        return answer

    def older(records: tuple[Rr, ...]) -> tuple[Rr, ...]:
        return tuple(record._replace(ttl_s=max(0, record.ttl_s - age_s)) for record in records)

    return answer._replace(records=older(answer.records), authority=older(answer.authority))

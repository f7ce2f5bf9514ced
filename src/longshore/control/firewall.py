"""Keeps the firewall what security groups say, and says when it is: before that, no task and no load balancer begins.

One loop with one key. A change marks the groups and interfaces that it is about; a look reads those anew and tells the
driver of them all together. Writes no record.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal

import structlog

from longshore.control.loop import Loop, Timer
from longshore.decide import firewall as decide
from longshore.domain.clock import Clock
from longshore.domain.firewall import GroupRules, Place, Ruleset, RulesetChange
from longshore.domain.network import NetworkInterface, SecurityGroup, SecurityGroupRule, Vpc
from longshore.domain.record import Key
from longshore.drivers.ports import Firewall, Permanent, Retryable
from longshore.store.store import Change, Store

log = structlog.get_logger(__name__)

RULES = "rules"
TURNED_OFF = "they are turned off (--security-groups off)."
Wish = Literal["auto", "enforce", "off"]
"""`auto`: where this machine can."""
Guarded = Callable[[], Awaitable[None]]
"""Returns once what the store says by now is in force. Raises Retryable."""
LOOK_S = 30.0
"""How often to look whether somebody has taken the rules away."""


class FirewallController:
    """The firewall of one Longshore. `driver`: None where there can be none."""

    def __init__(self, store: Store, driver: Firewall | None, clock: Clock, *, absent: str = "") -> None:
        self._store = store
        self._driver = driver
        self.why_off = absent
        """Why security groups are not enforced; empty: they are."""
        self._whole = True
        """Whether everything is to be told."""
        self._vpcs = False
        self._groups: set[Key] = set()
        self._interfaces: dict[Key, str] = {}
        """With their ids: those that need a look."""
        self._asked = self._done = 0
        """How many changes there were, and up to which of them all are in force."""
        self._refusal = ""
        self._waiting: list[asyncio.Future[None]] = []
        self.loop: Loop[str] = Loop("firewall", self._reconcile, clock, workers=1)
        self._timer = Timer("firewall", self._look, LOOK_S)
        if driver is not None:
            store.watch(self._changed)

    async def start(self, wish: Wish) -> None:
        """Begin, and return when all is in force. Raises Permanent where this machine can't but must, and Retryable."""
        if wish == "off":
            await self._turn_off(TURNED_OFF)
        try:
            if self._driver is not None:
                await self._driver.open()
        except Permanent as error:
            await self._turn_off(error.reason)
        if self._driver is None:
            if wish == "enforce":
                raise Permanent(f"Security groups can't be enforced: {self.why_off}")
            if wish == "auto":
                log.warning("security groups are not enforced", reason=self.why_off)
            return
        self.loop.start()
        self._asked += 1
        self.loop.enqueue(RULES)
        await self.in_force()
        self._timer.start()

    async def _turn_off(self, why: str) -> None:
        """From here on nothing is held back; what an earlier life did is undone."""
        if self._driver is not None:
            await self._driver.remove()
        self._driver, self.why_off = None, why

    async def stop(self) -> None:
        """Stop looking; the rules stay, since tasks run on."""
        await self._timer.stop()
        await self.loop.stop()

    async def in_force(self) -> None:
        """Return once everything that is in the store by now is in force. Raises Retryable while it can't be."""
        if self._driver is None:
            return
        asked = self._asked
        while self._done < asked:
            waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(waiting)
            await waiting
            if self._done < asked and self._refusal:
                raise Retryable(f"Security groups can't be enforced at the moment: {self._refusal}")

    # --------------------------------------------------------------------------------------------- what changes

    def _changed(self, change: Change) -> None:
        if self._driver is None:
            return
        record = change.after or change.before
        if isinstance(record, NetworkInterface):
            if _place(change.before) != _place(change.after):
                self._interfaces[record.key] = record.interface_id
                self._wake()
        elif isinstance(record, SecurityGroupRule):
            self._groups.add((*record.scope, record.group_id))
            self._wake()
        elif isinstance(record, SecurityGroup):
            if change.before is None or change.after is None:
                self._note_group(record)
                self._wake()
        elif isinstance(record, Vpc) and (change.before is None or change.after is None):
            self._vpcs = True
            self._wake()

    def _note_group(self, group: SecurityGroup) -> None:
        """One that came or went is looked at, with all that names it."""
        self._groups.add(group.key)
        for rule in self._store.select(SecurityGroupRule, "referenced", group.key):
            self._groups.add((*rule.scope, rule.group_id))
        for member in self._store.select(NetworkInterface, "group", group.key):
            self._interfaces[member.key] = member.interface_id

    def _wake(self) -> None:
        self._asked += 1
        self.loop.enqueue(RULES)

    # -------------------------------------------------------------------------------------------------- the look

    async def _reconcile(self, _key: str) -> None:
        if self._driver is None:
            return
        asked = self._asked
        whole, self._whole = self._whole, True  # until it is done: what a failure leaves is not known
        try:
            if whole:
                await self._driver.replace(self._all())
            else:
                await self._driver.change(self._news())
        except Retryable as error:
            self._refusal = error.reason
            raise
        else:
            self._whole, self._done, self._refusal = False, asked, ""
        finally:
            self._tell()

    def _all(self) -> Ruleset:
        store = self._store
        self._forget()
        return decide.ruleset_of(
            store.all(Vpc), store.all(SecurityGroup), store.all(SecurityGroupRule), store.all(NetworkInterface)
        )

    def _news(self) -> RulesetChange:
        """What has changed since the last look."""
        vpcs = frozenset(vpc.vpc_id for vpc in self._store.all(Vpc)) if self._vpcs else None
        groups = {key[-1]: self._rules_of(key) for key in self._groups}
        places = {interface_id: self._place_of(key) for key, interface_id in self._interfaces.items()}
        self._forget()
        return RulesetChange(vpcs=vpcs, groups=groups, places=places)

    def _forget(self) -> None:
        self._vpcs = False
        self._groups, self._interfaces = set(), {}

    def _rules_of(self, group: Key) -> GroupRules | None:
        if self._store.get(SecurityGroup, group) is None:
            return None
        return decide.group_rules(self._store.select(SecurityGroupRule, "group", group), self._exists(group))

    def _place_of(self, interface: Key) -> Place | None:
        found = self._store.get(NetworkInterface, interface)
        return None if found is None else decide.place_of(found, self._exists(interface))

    def _exists(self, near: Key) -> Callable[[str], bool]:
        """Whether there is a group, in the account and region of a key."""
        return lambda group_id: self._store.get(SecurityGroup, (*near[:2], group_id)) is not None

    def _tell(self) -> None:
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if not each.done():
                each.set_result(None)

    async def _look(self) -> None:
        if self._driver is not None and not self._whole and not await self._driver.intact():
            log.warning("the security groups' rules were taken away from this host, and are made again")
            self._whole = True
            self._wake()


def _place(record: object) -> object:
    """What of an interface counts here."""
    if not isinstance(record, NetworkInterface):
        return None
    return record.vpc_id, record.private_ip, record.security_groups, record.instance_owner_id


async def unguarded() -> None:
    """In force at once: where there is no firewall."""

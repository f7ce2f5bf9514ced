"""Keeps the firewall what security groups and network ACLs say, and says when it is: nothing begins before that.

One loop with one key. A change marks the groups and interfaces that it is about; a look reads those anew
(`control/ec2/rules.py`) and tells the driver of them all together. Writes no record.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import structlog

from longshore.control.ec2.rules import Rules
from longshore.control.loop import Loop, Timer
from longshore.domain.clock import Clock
from longshore.domain.ec2.endpoint import PrefixList
from longshore.domain.ec2.firewall import Ruleset, RulesetChange
from longshore.domain.ec2.network import NetworkInterface, SecurityGroup, SecurityGroupRule, Subnet, Vpc
from longshore.domain.ec2.network_acl import NetworkAcl
from longshore.domain.ec2.routing import InternetGateway, NatGateway, RouteTable
from longshore.domain.record import Key, Record
from longshore.drivers.ports import Firewall, Permanent, Retryable
from longshore.store.store import Change, Store

log = structlog.get_logger(__name__)

RULES = "rules"
TURNED_OFF = "they are turned off (--security-groups off)."
Wish = Literal["auto", "enforce", "off"]
"""`auto`: where this machine can."""
Egress = Literal["open", "routes"]
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
        self._rules = Rules(store, by_groups=True, by_routes=False)
        self._whole = True
        """Whether everything is to be told."""
        self._vpcs = self._routes = self._acls = False
        self._groups: set[Key] = set()
        self._interfaces: dict[Key, str] = {}
        """With their ids. These five say what needs a look, where not everything does."""
        self._asked = self._done = 0
        """How many changes there were, and up to which of them all are in force."""
        self._refusal = ""
        self._waiting: list[asyncio.Future[None]] = []
        self.loop: Loop[str] = Loop("firewall", self._reconcile, clock, workers=1)
        self._timer = Timer("firewall", self._look, LOOK_S)
        if driver is not None:
            store.watch(self._changed)

    async def start(self, wish: Wish = "auto", egress: Egress = "open") -> None:
        """Begin, and return when all is in force. Raises Permanent where this machine can't but must, and Retryable."""
        by_groups, by_routes = wish != "off", egress == "routes"
        if not by_groups:
            self.why_off = TURNED_OFF
        if not (by_groups or by_routes):
            await self._turn_off(TURNED_OFF)
            return
        try:
            if self._driver is not None:
                await self._driver.open()
        except Permanent as error:
            await self._turn_off(error.reason)
        if self._driver is None:
            if wish == "enforce" or by_routes:
                what = "Routes" if by_routes else "Security groups"
                raise Permanent(f"{what} can't be enforced: {self.why_off}")
            log.warning("security groups are not enforced", reason=self.why_off)
            return
        self._rules = Rules(self._store, by_groups=by_groups, by_routes=by_routes)
        self.loop.start()
        self._wake()
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

    @property
    def behind(self) -> bool:
        """Whether something in the store is not in force yet."""
        return self._driver is not None and self._done < self._asked

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
        bearing, record = BEARING.get(change.kind), change.after or change.before
        if self._driver is None or bearing is None or record is None:
            return
        if change.before is None or change.after is None or bearing(change.before) != bearing(change.after):
            self._note(record)
            self._wake()

    def _note(self, record: Record) -> None:
        """Mark what a record that is other than before may make other."""
        if isinstance(record, NetworkInterface):
            self._interfaces[record.key] = record.interface_id
        elif isinstance(record, SecurityGroupRule):
            self._groups.add((*record.scope, record.group_id))
        elif isinstance(record, SecurityGroup):
            self._note_group(record)
        elif isinstance(record, PrefixList):
            for rule in self._store.select(SecurityGroupRule, "scope", record.scope):
                if rule.prefix_list_id == record.list_id:
                    self._groups.add((*rule.scope, rule.group_id))
        elif isinstance(record, Vpc):
            self._vpcs = True
        self._routes = self._routes or isinstance(record, ROUTING)
        self._acls = self._acls or isinstance(record, FILTERING)

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
                await self._driver.replace(self._everything())
            else:
                await self._driver.change(self._news())
        except Retryable as error:
            self._refusal = error.reason
            raise
        else:
            self._whole, self._done, self._refusal = False, asked, ""
        finally:
            self._tell()

    def _everything(self) -> Ruleset:
        self._forget()
        return self._rules.all()

    def _news(self) -> RulesetChange:
        """What has changed since the last look."""
        rules = self._rules
        change = RulesetChange(
            vpcs=rules.vpcs() if self._vpcs else None,
            groups={key[-1]: rules.of_group(key) for key in self._groups},
            places={interface_id: rules.place(key) for key, interface_id in self._interfaces.items()},
            exits=rules.exits() if self._routes and rules.by_routes else None,
            acls=rules.acls() if self._acls and rules.by_groups else None,
        )
        self._forget()
        return change

    def _forget(self) -> None:
        self._vpcs = self._routes = self._acls = False
        self._groups, self._interfaces = set(), {}

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


ROUTING = (Vpc, Subnet, RouteTable, InternetGateway, NatGateway, PrefixList)
"""What routes are made of."""
FILTERING = (Vpc, Subnet, NetworkAcl)
"""What network ACLs are made of."""


BEARING: dict[str, Callable[[Any], object]] = {
    InternetGateway.kind: lambda gateway: gateway.vpc_id,
    NatGateway.kind: lambda gateway: (gateway.live, gateway.subnet_id, gateway.allocation_id),
    NetworkAcl.kind: lambda acl: acl.entries,
    NetworkInterface.kind: lambda each: (each.vpc_id, each.private_ip, each.security_groups, each.instance_owner_id),
    PrefixList.kind: lambda each: each.entries,
    RouteTable.kind: lambda table: table.routes,
    SecurityGroup.kind: lambda group: group.group_id,
    SecurityGroupRule.kind: lambda rule: rule.but(description="", tags={}),
    Subnet.kind: lambda subnet: (subnet.range, subnet.route_table_id, subnet.network_acl_id),
    Vpc.kind: lambda vpc: (vpc.range, vpc.main_route_table),
}
"""What of each kind of record bears on the firewall."""


async def unguarded() -> None:
    """In force at once: where there is no firewall."""

"""Keeps the data plane of all load balancers what their records say, and writes what it sees of the targets.

Two loops: one for the plan (whatever is not a target: a change of any of it makes a new plan of the whole), one for
targets, one by one. The only writer of a load balancer's state, of what was observed of targets, and of their end.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import structlog

from longshore.control.ec2.firewall import Guarded, unguarded
from longshore.control.loop import Loop, Timer
from longshore.decide.elbv2 import targets as decide
from longshore.decide.elbv2.balancing import plan_of, state_of
from longshore.decide.elbv2.hosts import names_leading_to
from longshore.domain.clock import Clock
from longshore.domain.ec2.network import Vpc
from longshore.domain.ecs.task import Task
from longshore.domain.elbv2.balancer import Listener, LoadBalancer, Rule, Target, TargetGroup, TrustStore
from longshore.domain.elbv2.balancing import (
    BalancerCounts,
    BalancerPlan,
    CertificatePlan,
    GroupCounts,
    Problem,
    TargetObservation,
    TargetPlan,
)
from longshore.domain.elbv2.certificate import Certificate
from longshore.domain.names.zone import RecordSet
from longshore.domain.record import Key
from longshore.domain.secrets.vault import Vault
from longshore.drivers.ports import BalancerDriver, Permanent, Retryable
from longshore.store.store import Change, Store, Transaction

log = structlog.get_logger(__name__)

PLANNED = (LoadBalancer, Listener, Rule, TargetGroup, Certificate, TrustStore, RecordSet)
PLAN = "plan"
GIVE_UP_S = 30.0
"""How long after its time the end of a target may wait for a driver that fails."""
COUNT_S = 10.0
"""How often counters are read."""
ABSENT_RETRY_S = 15.0
"""How soon to look again for a data plane that this machine lacks."""

Release = Callable[[Collection[str]], Awaitable[None]]
"""Told after each plan which addresses load balancers have; this host lets go of all others that it had for them."""


class Told(NamedTuple):
    """What the driver was last told of a target."""

    plan: TargetPlan
    registered_at: float
    order: Literal["serve", "drain"]


class BalancerController:
    """All load balancers of one Longshore."""

    def __init__(
        self,
        store: Store,
        driver: BalancerDriver,
        clock: Clock,
        vault: Vault,
        *,
        release: Release,
        guarded: Guarded = unguarded,
    ) -> None:
        self._guarded = guarded
        self._store = store
        self._driver = driver
        self._clock = clock
        self._vault = vault
        self._release = release
        self._open = False
        self._looked = False
        """Whether it is known what is in place."""
        self._applied: BalancerPlan | None = None
        self._groups: frozenset[str] = frozenset()
        """Ids of the groups that are in place."""
        self._told: dict[Key, Told] = {}
        self._keys: dict[TargetPlan, Key] = {}
        self.plans: Loop[str] = Loop("load balancers", self._put_in_place, clock, workers=1)
        self.targets: Loop[Key] = Loop("targets", self._reconcile, clock)
        self.counts: tuple[Sequence[BalancerCounts], Sequence[GroupCounts]] = ((), ())
        """The data plane's counters, as they were when last asked for."""
        self._counter = Timer("load balancer counts", self._count, COUNT_S)
        self._reader: asyncio.Task[None] | None = None
        store.watch(self._changed, Target, Task, *PLANNED)

    def start(self) -> None:
        """Begin; the first look takes over what an earlier life left."""
        self.plans.start()
        self.targets.start()
        self._counter.start()
        self.plans.enqueue(PLAN)

    async def stop(self) -> None:
        """Stop looking; the data plane goes on."""
        await self.plans.stop()
        await self.targets.stop()
        await self._counter.stop()
        if self._open:
            await self._driver.close()
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)

    def _opened(self) -> None:
        self._open = True
        self._reader = asyncio.create_task(self._read(), name="observe targets")

    def _changed(self, change: Change) -> None:
        record = change.after or change.before
        if isinstance(record, Target):
            if _wish(change.before) != _wish(change.after):
                self.targets.enqueue(record.key)
        elif isinstance(record, Task):
            if (
                change.after is not None
                and isinstance(change.before, Task)
                and decide.ended_since(change.before, record)
            ):
                for target in self._store.select(Target, "task", (record.task_id,)):
                    self.targets.enqueue(target.key)
        elif isinstance(record, PLANNED) and _planned(change.before) != _planned(change.after):
            self.plans.enqueue(PLAN)

    # ------------------------------------------------------------------------------------------------- the plan

    async def _put_in_place(self, _key: str) -> float | None:
        plan = self._plan()
        if not self._open:
            try:
                await self._driver.open()
            except Permanent as error:
                absent = Problem(reason=error.reason)
                self._write_states(plan, dict.fromkeys((lb.lb_id for lb in plan.load_balancers), absent))
                self._set_groups(())
                return self._clock.now() + ABSENT_RETRY_S if plan.load_balancers else None
            self._opened()
        await self._store.durable()
        await self._guarded()
        problems = await self._driver.apply(plan) if plan != self._applied else {}
        again = self._clock.now() + ABSENT_RETRY_S if problems else None
        self._applied = None if problems else plan
        self._write_states(plan, problems)
        self._set_groups({group.group_id for group in plan.groups}.union(*(each.groups for each in problems.values())))
        await self._release([address for lb in plan.load_balancers for address in lb.addresses])
        return again

    def _plan(self) -> BalancerPlan:
        store = self._store
        listeners = list(store.all(Listener))
        return plan_of(
            store.all(LoadBalancer),
            listeners,
            store.all(Rule),
            store.all(TargetGroup),
            self._certificates({arn for listener in listeners for arn in listener.certificates}),
            store.all(TrustStore),
            {vpc.vpc_id: vpc.range for vpc in store.all(Vpc)},
            {each.dns_name: names_leading_to(each.dns_name, self._standing_for) for each in store.all(LoadBalancer)},
        )

    def _standing_for(self, name: str) -> list[str]:
        """The names whose aliases and CNAMEs lead to a name, whichever zone they are in."""
        return [each.name for each in self._store.select(RecordSet, "stands_for", (name,))]

    def _certificates(self, wanted: Collection[str]) -> dict[str, CertificatePlan]:
        """Those whose keys can be opened: one sealed with another master key keeps no other from its work."""
        plans = {}
        for arn in wanted:
            for certificate in self._store.select(Certificate, "arn", (arn,)):
                try:
                    key = self._vault.open(certificate.sealed_key).decode()
                except ValueError as error:
                    log.warning("a certificate can't be used", certificate=arn, reason=str(error))
                    continue
                parts = (certificate.certificate_pem, certificate.chain_pem, key)
                pem = "".join(f"{part.strip()}\n" for part in parts if part)
                names = (certificate.domain_name, *certificate.alternative_names)
                plans[arn] = CertificatePlan(certificate_id=certificate.certificate_id, arn=arn, pem=pem, names=names)
        return plans

    def _write_states(self, plan: BalancerPlan, problems: Mapping[str, Problem]) -> None:
        with self._store.transaction() as tx:
            for each in plan.load_balancers:
                balancer = tx.get(LoadBalancer, (each.account, each.region, each.lb_id))
                if balancer is None:
                    continue
                state, reason = state_of(problems.get(each.lb_id))
                if reason and reason != balancer.state_reason:
                    log.warning("a load balancer isn't as it should be", load_balancer=each.path, reason=reason)
                tx.put(balancer.but(state=state, state_reason=reason))

    def _set_groups(self, group_ids: Iterable[str]) -> None:
        """Targets of groups that came into place, or are not there any more, need a look; at first all do."""
        groups = frozenset(group_ids)
        changed, self._groups = groups ^ self._groups, groups
        looked, self._looked = self._looked, True
        for group_id in changed if looked else ():
            for target in self._store.select(Target, "group", (group_id,)):
                self.targets.enqueue(target.key)
        for target in () if looked else self._store.all(Target):
            self.targets.enqueue(target.key)

    # -------------------------------------------------------------------------------------------------- targets

    async def _reconcile(self, key: Key) -> float | None:
        target = self._store.get(Target, key)
        if target is not None and target.draining:
            return await self._drain(target)
        if target is not None and target.group_id in self._groups:
            await self._serve(target)
            return None
        await self._forget(key)
        if target is not None and target.state != "unused" and self._looked:
            with self._store.transaction() as tx:
                tx.put(decide.unused(target, self._clock.now()))
        return None

    async def _forget(self, key: Key) -> None:
        told = self._told.get(key)
        if told is not None:
            await self._driver.remove(told.plan)
            self._let_go(key)

    def _let_go(self, key: Key) -> None:
        told = self._told.pop(key, None)
        if told is not None:
            self._keys.pop(told.plan, None)

    async def _serve(self, target: Target) -> None:
        told = self._told.get(target.key)
        if told is not None and (told.registered_at != target.registered_at or told.order == "drain"):
            await self._forget(target.key)  # somebody else answers there now
            told = None
        if told is not None:
            return
        if target.state == "unused":
            target = decide.registering(target, self._clock.now())
            with self._store.transaction() as tx:
                tx.put(target)
        plan = _plan_of(target)
        self._tell(target, plan, "serve")
        await self._store.durable()
        try:
            await self._driver.serve(plan, known_healthy=target.state in {"healthy", "unavailable"})
        except Retryable:
            self._let_go(target.key)
            raise

    async def _drain(self, target: Target) -> float | None:
        """Wait for its last connection, at most as long as its group says; no task waits for ever to be stopped."""
        ends_at = decide.drained_at(target, self._group(target), self._task(target))
        in_place, plan = target.group_id in self._groups, _plan_of(target)
        await self._store.durable()
        if self._clock.now() >= ends_at or (self._looked and not in_place):
            await self._end(target, give_up_at=ends_at + GIVE_UP_S)
            return None
        told = self._told.get(target.key)
        if in_place and (told is None or told.order != "drain"):
            self._tell(target, plan, "drain")
            try:
                await self._driver.drain(plan)
            except Retryable:
                self._let_go(target.key)
                raise
        return ends_at

    async def _end(self, target: Target, *, give_up_at: float) -> None:
        """Cut it off, and forget it. Where the driver fails for long, the record goes before the target itself."""
        if self._open:
            self._tell(target, _plan_of(target), "drain")
            try:
                await self._forget(target.key)
            except Retryable:
                if self._clock.now() < give_up_at:
                    raise
        self._gone(target)

    def _tell(self, target: Target, plan: TargetPlan, order: Literal["serve", "drain"]) -> None:
        self._told[target.key] = Told(plan, target.registered_at, order)
        self._keys[plan] = target.key

    def _group(self, target: Target) -> TargetGroup | None:
        return self._store.get(TargetGroup, (*target.scope, target.group_id))

    def _task(self, target: Target) -> Task | None:
        return self._store.get(Task, (*target.scope, target.cluster, target.task_id)) if target.task_id else None

    # ------------------------------------------------------------------------------------------- what is observed

    async def _read(self) -> None:
        async for observation in self._driver.observations():
            try:
                self._observe(observation)
            except Exception:
                log.exception("a report on a target could not be written", target=str(observation.target))

    def _observe(self, seen: TargetObservation) -> None:
        """Reports on targets that are not there any more, or were told otherwise since, are of no interest."""
        key = self._keys.get(seen.target)
        target = self._store.get(Target, key) if key is not None else None
        if target is None or key is None or self._told[key].registered_at != target.registered_at:
            return
        if target.draining:
            if seen.state == "drained":
                self._let_go(key)
                self._gone(target)
            return
        group = self._group(target)
        after = decide.observed(
            target, seen, checked=group is None or group.health_check.enabled, now=self._clock.now()
        )
        if after is not target:
            with self._store.transaction() as tx:
                tx.put(after)
                self._note_service(tx, after)

    def _note_service(self, tx: Transaction, target: Target) -> None:
        """When all targets of a task are in service for the first time, its task says so."""
        task = self._task(target)
        if task is None or task.first_in_service_at is not None:
            return
        if decide.all_in_service(tx.select(Target, "task", (target.task_id,))):
            tx.put(task.but(first_in_service_at=self._clock.now()))

    async def _count(self) -> None:
        """Only while there is something to count."""
        if self._groups:
            with contextlib.suppress(Retryable):
                self.counts = await self._driver.counts()

    def _gone(self, target: Target) -> None:
        with self._store.transaction() as tx:
            current = tx.get(Target, target.key)
            if current is not None and current.draining and current.registered_at == target.registered_at:
                tx.delete(Target, target.key)


def _plan_of(target: Target) -> TargetPlan:
    return TargetPlan(group_id=target.group_id, address=target.address, port=target.port)


def _planned(record: object) -> object:
    """What of a record may be in the plan. Without what we ourselves write: else each plan would make a second one."""
    if isinstance(record, RecordSet):
        return (record.name, record.stands_for) if record.stands_for else None
    return record.but(state="provisioning", state_reason="") if isinstance(record, LoadBalancer) else record


def _wish(record: object) -> object:
    """What of a target is not observed."""
    return (record.registered_at, record.deregistered_at) if isinstance(record, Target) else None

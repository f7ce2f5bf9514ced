"""Worlds whose users also make, change and drop what stands around their services: VPCs, roles, keys, secrets, zones, …

Every such thing is described after each crash, and at the very end, just as it was when its last change was
acknowledged, or is gone if its end was. Tasks are in security groups, and their subnets have a network ACL, whose rules
change all the while.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from longshore.api import ec2
from longshore.api.operation import Service
from longshore.domain.ec2.network import Vpc
from longshore.wire.errors import ApiError
from sim.checks import Violation
from sim.play import Story
from sim.things import KINDS, Ask, Params, nth
from sim.time import SimLoop
from sim.world import SCOPE

DOOMED = 0.2
"""How many changes are not acknowledged for a crash."""
Thing = tuple[str, Any]
"""`(kind, id)`."""


class StackStory(Story):
    """A story of whole stacks."""

    def __init__(self, seed: int, loop: SimLoop) -> None:
        super().__init__(seed, loop)
        self.told: dict[Thing, list[Any]] = {}
        """What was told of each thing when its last change was acknowledged; errors by their codes."""
        self._dropped: set[Thing] = set()
        self._number = 0
        self._guards: list[str] = []
        """Ids of the security groups that tasks are in."""
        self._open: set[tuple[str, int]] = set()
        """Which ports these let everybody in at."""
        self._denied: set[int] = set()
        """The numbers of the entries of the network ACL that deny something."""

    async def prepare(self) -> None:
        """Two security groups."""
        for name in ("one", "two"):
            given = {"GroupName": name, "Description": name, "VpcId": self.subnets()[0].vpc_id}
            self._guards.append((await self._ask(ec2.SERVICE, "CreateSecurityGroup", given))["GroupId"])

    def network(self) -> dict[str, Any]:
        """In one group, the other or both."""
        network = super().network()
        network["awsvpcConfiguration"]["securityGroups"] = self.dice.choice(
            [self._guards[:1], self._guards[1:], self._guards]
        )
        return network

    def users(self) -> list[Callable[[], Awaitable[None]]]:
        """Who builds, too."""
        building = [*[self._make] * 6, *[self._change] * 5, *[self._drop] * 3]
        return [*super().users(), *building, self._guard, self._guard, self._filter]

    async def restart(self) -> None:
        """A crash, after which all is as it was told."""
        await super().restart()
        await self._check_told("after a crash")

    async def check_promises(self) -> None:
        """All is as it was told, after hours of rest as well."""
        await super().check_promises()
        await self._check_told("in the end")

    async def _check_told(self, when: str) -> None:
        for thing, told in self.told.items():
            if (found := await self._look(thing)) != told:
                raise Violation(f"{thing[0]} {thing[1]} was {told}, and is {found} {when}")

    async def _make(self) -> None:
        self._number += 1
        what, name = self.dice.choice(sorted(KINDS)), f"thing-{self._number:04}"
        kind = KINDS[what]
        answer = await self._ask(kind.service, kind.make.operation, kind.make.params(name, self._number))
        thing = (what, kind.id_of(name, answer))
        self.told[thing] = await self._look(thing)
        if not _shown(thing, self.told[thing]):
            raise Violation(f"{kind.make.operation} was acknowledged and kept nothing: {what} {thing[1]}")

    async def _change(self) -> None:
        await self._apply([(thing, ask) for thing in self._kept() for ask in KINDS[thing[0]].changes])

    async def _drop(self) -> None:
        await self._apply([(thing, ask) for thing in self._kept() if (ask := KINDS[thing[0]].drop)])

    def _kept(self) -> list[Thing]:
        return [thing for thing in self.told if thing not in self._dropped]

    async def _apply(self, choices: list[tuple[Thing, Ask]]) -> None:
        """Change or drop one thing. Where Longshore crashes before it is acknowledged, either may be true."""
        if not choices:
            return
        thing, ask = self.dice.choice(choices)
        self._number += 1
        kind, before = KINDS[thing[0]], self.told.pop(thing)
        asked = self._ask(kind.service, ask.operation, ask.params(thing[1], self._number))
        outcome = await (self.cut_off(asked) if self.dice.random() < DOOMED else _outcome(asked))
        if isinstance(outcome, ApiError):
            self.note(f"refused: {outcome}")
        after = self.told[thing] = await self._look(thing)
        done = (_gone if ask == kind.drop else _changed)(thing, before, after, self._number)
        said = "cut off" if outcome is None else "refused" if isinstance(outcome, ApiError) else "acknowledged"
        if not (after == before if said == "refused" else done or (said == "cut off" and after == before)):
            raise Violation(f"{ask.operation} was {said}: {thing[0]} {thing[1]} was {before} before, and is {after}")
        if ask == kind.drop and done:
            self._dropped.add(thing)

    async def _look(self, thing: Thing) -> list[Any]:
        """What is told of a thing."""
        kind = KINDS[thing[0]]
        told: list[Any] = []
        for look in kind.looks:
            try:
                told.append(await self._ask(kind.service, look.operation, look.params(thing[1], 0)))
            except ApiError as error:
                told.append(error.code)
        return told

    async def _ask(self, service: Service, operation: str, params: Params) -> dict[str, Any]:
        return await self.ask(operation, service.operations[operation].handler, params)

    async def _guard(self) -> None:
        """Open a port of a group that tasks are in, or close it."""
        group, port = self.dice.choice(self._guards), self.dice.choice([80, 443, 8080])
        opening = (group, port) not in self._open
        operation = "AuthorizeSecurityGroupIngress" if opening else "RevokeSecurityGroupIngress"
        rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        await self._ask(ec2.SERVICE, operation, {"GroupId": group, "IpPermissions": [rule]})
        self._open ^= {(group, port)}

    async def _filter(self) -> None:
        """Have the network ACL of all subnets hold something back, or no more."""
        number = self.dice.choice([10, 20, 30])
        entry: Params = {"NetworkAclId": self.plane.store.select(Vpc, "scope", SCOPE)[0].default_network_acl}
        entry |= {"Egress": False, "RuleNumber": number}
        if number in self._denied:
            await self._ask(ec2.SERVICE, "DeleteNetworkAclEntry", entry)
        else:
            denied = {"Protocol": "6", "RuleAction": "deny", "CidrBlock": "10.0.0.0/8"}
            await self._ask(
                ec2.SERVICE, "CreateNetworkAclEntry", {**entry, **denied, "PortRange": {"From": number, "To": number}}
            )
        self._denied ^= {number}


async def _outcome(asked: Awaitable[dict[str, Any]]) -> dict[str, Any] | ApiError:
    try:
        return await asked
    except ApiError as error:
        return error


def _shown(thing: Thing, told: list[Any]) -> bool:
    """Whether it is there, by the first look."""
    return KINDS[thing[0]].called(thing[1]) in str(told[0])


def _gone(thing: Thing, before: list[Any], after: list[Any], _n: int) -> bool:
    """Whether nothing is left of it, or what is to be left for a while."""
    kind = KINDS[thing[0]]
    if kind.stays:
        return _shown(thing, after) and kind.stays in str(after[0]) and after[1:] == before[1:]
    return not any(kind.called(thing[1]) in str(told) for told in after)


def _changed(thing: Thing, before: list[Any], after: list[Any], n: int) -> bool:
    """Whether it is there, with its n-th change, and lacks nothing that it had."""
    whole = all(isinstance(was, str) or _like(was, now) for was, now in zip(before, after, strict=True))
    return _shown(thing, after) and whole and nth(n) in str(after)


def _like(was: Any, now: Any) -> bool:
    """Whether an answer, or a part of one, is of the same shape as an earlier one; there may be more in it."""
    if was is None or type(was) is not type(now):
        return was is None
    if isinstance(was, dict):
        return all(key in now and _like(part, now[key]) for key, part in was.items())
    if isinstance(was, list):
        return len(was) <= len(now) and all(map(_like, was, now))
    return True

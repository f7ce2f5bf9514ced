"""Whatever is asked of any operation that is served: never a fault of ours, no change behind an error, and an answer
that AWS's own client can read.

Requests go through the real chain, without sockets. They are drawn from the service models: valid ones that name what
exists, ones at and beyond the bounds, ones with a wrong value anywhere, bodies with broken bytes, and no sense at all.
Each is drawn from a seed that a failure prints. LONGSHORE_FUZZ_ROUNDS=200 draws that many of each kind per operation.
"""

from __future__ import annotations

import json
import logging
import os
import random
import string
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode

import cbor2
import pytest
import structlog
from botocore.awsrequest import HeadersDict
from botocore.parsers import create_parser

from longshore.api.app import Chain
from longshore.api.auth import Gate, Listener
from longshore.api.credentials import Credentials
from longshore.api.ec2.defaults import default_vpc, seed
from longshore.api.metrics import Metrics
from longshore.api.services import SERVICES
from longshore.domain.cluster import Cluster, Host
from longshore.domain.kinds import KINDS
from longshore.domain.network import SecurityGroup, Subnet, Vpc
from longshore.domain.record import Scope
from longshore.domain.service import Deployment, Service
from longshore.domain.task import Task
from longshore.domain.task_definition import TaskDefinition
from longshore.store.events import EventLog
from longshore.store.open import open_store
from longshore.store.store import Transaction
from longshore.vault import MasterVault
from longshore.wire.http import HttpRequest, HttpResponse
from tests.support.wire_samples import Sampler, client_request, service_model
from tests.support.world import SeededIds

ACCOUNT, REGION = "123456789012", "eu-west-1"
SCOPE = Scope(ACCOUNT, REGION)
TRUSTING = Listener("fuzz", signatures=False)
ROUNDS = int(os.environ.get("LONGSHORE_FUZZ_ROUNDS", "12"))
LONGEST = 3000
HOSTILE: tuple[Any, ...] = (
    *(None, True, -1, 0, 2**31, -(2**63), 2**64, 1.5, -0.0, 1e300, "", " ", "\x00", "\ud7ff", "😀", "a" * LONGEST),
    *(
        ":",
        "/",
        "arn:aws:ecs",
        "arn:aws:ecs:::",
        "*",
        "%",
        "\n",
        "x:0",
        "x:999999999999",
        [],
        [None],
        [[]],
        {},
        {"": {}},
    ),
)
SERVED = {(service.name, name): operation for service in SERVICES for name, operation in service.operations.items()}
OPERATIONS = sorted(SERVED)
OBJECTS = (dict, list)


class Clock:
    """Time that passes by a second with every look."""

    def __init__(self) -> None:
        self.time = 1_700_000_000.0

    def now(self) -> float:
        self.time += 1.0
        return self.time


class House:
    """A control plane without an engine, that starts again with the same few things in it."""

    def __init__(self) -> None:
        self.store = open_store(None, KINDS)
        self.events = EventLog()
        self.ids = SeededIds()
        self.clock = Clock()
        self.chain = Chain(
            store=self.store,
            events=self.events,
            services=SERVICES,
            gate=Gate(Credentials(b"m" * 32, ACCOUNT), ACCOUNT, REGION),
            clock=self.clock,
            ids=self.ids,
            vault=MasterVault(b"m" * 32),
            metrics=Metrics(self.store),
            prepare=self._prepare,
        )

    def _prepare(self, tx: Transaction, scope: Scope) -> None:
        if default_vpc(tx, scope) is None:
            seed(tx, scope, "172.31.0.0/16", self.ids, self.clock.now())

    async def start_again(self) -> None:
        """The same state whatever was asked before."""
        with self.store.transaction() as tx:
            for kind in KINDS:
                for record in list(tx.all(kind)):
                    tx.delete(kind, record.key)
        self.events.clear()
        self.ids._random.seed(1)
        self.clock.time = 1_700_000_000.0
        self.chain.forget()
        await self._furnish()

    async def _furnish(self) -> None:
        with self.store.transaction() as tx:
            tx.put(Host(account="", region="", cpu_units=2**16, memory_mib=2**16))
        subnets = await self.ok("ec2", "DescribeSubnets")
        awsvpc = {"awsvpcConfiguration": {"subnets": [s["SubnetId"] for s in subnets["Subnets"]]}}
        await self.ok("ecs", "CreateCluster", clusterName="default")
        await self.ok("ecs", "CreateCluster", clusterName="other", tags=[{"key": "a", "value": "b"}])
        for _ in range(2):
            await self.ok(
                "ecs",
                "RegisterTaskDefinition",
                family="web",
                networkMode="awsvpc",
                cpu="256",
                memory="512",
                requiresCompatibilities=["FARGATE"],
                containerDefinitions=[{"name": "app", "image": "app", "portMappings": [{"containerPort": 80}]}],
            )
        shared: dict[str, Any] = {"taskDefinition": "web", "launchType": "FARGATE", "networkConfiguration": awsvpc}
        await self.ok("ecs", "CreateService", serviceName="front", desiredCount=2, **shared)
        await self.ok("ecs", "CreateService", serviceName="back", desiredCount=0, cluster="other", **shared)
        await self.ok("ecs", "RunTask", count=4, startedBy="me", clientToken="once", **shared)
        await self.ok("logs", "CreateLogGroup", logGroupName="/app")
        await self.ok("logs", "CreateLogStream", logGroupName="/app", logStreamName="one")
        events = [{"timestamp": int(self.clock.time * 1000) + n, "message": f"line {n}"} for n in range(5)]
        await self.ok("logs", "PutLogEvents", logGroupName="/app", logStreamName="one", logEvents=events)
        with self.store.transaction() as tx:
            for number, task in enumerate(tx.select(Task, "live", ())):
                now = self.clock.now()
                if number % 2:
                    tx.put(task.but(last_status="RUNNING", started_at=now))
                elif number == 2:
                    tx.put(task.but(last_status="STOPPED", desired_status="STOPPED", stopped_at=now))

    async def ok(self, service: str, operation: str, **params: Any) -> Any:
        model = service_model(service).operation_model(operation)
        protocol = protocols(service)[0]
        answer = await self.chain.answer(client_request(service, model, params, protocol), TRUSTING)
        assert answer.status == 200, answer
        return read(protocol, answer, model)

    def known(self) -> dict[str, list[str]]:
        """Names of what exists, by the members that take them (in small letters)."""
        read = self.store
        clusters = [each for c in read.all(Cluster) for each in (c.name, c.arn)]
        services = [each for s in read.all(Service) for each in (s.name, s.arn)]
        tasks = [each for t in read.all(Task) for each in (t.task_id, t.arn)]
        definitions = [each for d in read.all(TaskDefinition) for each in (d.arn, f"{d.family}:{d.revision}", d.family)]
        subnets = [s.subnet_id for s in read.all(Subnet)]
        groups = [g.group_id for g in read.all(SecurityGroup)]
        vpcs = [v.vpc_id for v in read.all(Vpc)]
        deployments = [arn for d in read.all(Deployment) if (arn := d.service_deployment_arn)]
        revisions = [arn for d in read.all(Deployment) if (arn := d.revision_arn)]
        streams = ["one", "o"]
        logs = ["/app", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/app"]
        arns = [each for each in (*clusters, *services, *tasks, *definitions, *logs) if each.startswith("arn:")]
        return {
            **dict.fromkeys(("cluster", "clusters", "clustername"), clusters),
            **dict.fromkeys(("service", "services", "servicename"), services),
            **dict.fromkeys(("task", "tasks"), tasks),
            **dict.fromkeys(("taskdefinition", "taskdefinitions", "family", "familyprefix"), definitions),
            **dict.fromkeys(("subnets", "subnetids"), subnets),
            **dict.fromkeys(("securitygroups", "groupids"), groups),
            **dict.fromkeys(("vpcid", "vpcids"), vpcs),
            "resourcearn": arns,
            **dict.fromkeys(("servicedeploymentarn", "servicedeploymentarns"), deployments),
            "servicerevisionarns": revisions,
            **dict.fromkeys(("loggroupname", "loggroupidentifier", "loggroupidentifiers", "loggroupnameprefix"), logs),
            **dict.fromkeys(("logstreamname", "logstreamnames", "logstreamnameprefix"), streams),
            "clienttoken": ["once", "again"],
            "launchtype": ["FARGATE"],
        }

    def example(self, operation: str) -> dict[str, Any]:
        """What an operation takes that hardly takes anything drawn at random."""
        awsvpc = {"awsvpcConfiguration": {"subnets": [subnet.subnet_id for subnet in self.store.all(Subnet)]}}
        launch: dict[str, Any] = {"taskDefinition": "web", "launchType": "FARGATE", "networkConfiguration": awsvpc}
        group = {"logGroupName": "/app"}
        stream = {**group, "logStreamName": "one"}
        event = {"timestamp": int(self.clock.time * 1000), "message": "a line"}
        group_arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/app"
        vpc_id = next(vpc.vpc_id for vpc in self.store.all(Vpc))
        container = {"name": "app", "image": "app", "memory": 128}
        examples: dict[str, dict[str, Any]] = {
            "CreateCluster": {"clusterName": "new"},
            "CreateService": {**launch, "serviceName": f"new-{self.ids.hex(2)}", "desiredCount": 1},
            "UpdateService": {"service": "front", "taskDefinition": "web"},
            "DeleteCluster": {"cluster": "new"},
            "DeregisterTaskDefinition": {"taskDefinition": "web:1"},
            "ListServiceDeployments": {"service": "front"},
            "RunTask": launch,
            "RegisterTaskDefinition": {"family": "web", "containerDefinitions": [container]},
            "PutAccountSetting": {"name": "containerInsights", "value": "enabled"},
            "PutAccountSettingDefault": {"name": "containerInsights", "value": "enabled"},
            "UpdateClusterSettings": {
                "cluster": "default",
                "settings": [{"name": "containerInsights", "value": "enabled"}],
            },
            "CreateLogGroup": {"logGroupName": f"/new-{self.ids.hex(2)}"},
            "CreateLogStream": {**group, "logStreamName": f"new-{self.ids.hex(2)}"},
            "PutRetentionPolicy": {**group, "retentionInDays": 7},
            "PutLogEvents": {**stream, "logEvents": [event, event]},
            "GetLogEvents": stream,
            "FilterLogEvents": group,
            "DescribeLogStreams": group,
            "DescribeLogGroups": {"logGroupNamePrefix": "/"},
            "DeleteLogStream": stream,
            "DeleteLogGroup": {"logGroupName": "/new-1"},
            "DescribeVpcAttribute": {"VpcId": vpc_id, "Attribute": "enableDnsSupport"},
        }
        if operation in {"TagResource", "UntagResource", "ListTagsForResource"} and self.ids.choice(2):
            return {"resourceArn": group_arn}
        return examples.get(operation, {})


class Drawer(Sampler):
    """Draws inputs: valid ones, with the names of what exists; `wild`, around the bounds as well."""

    def __init__(self, key: str, known: dict[str, list[str]], *, full: bool, wild: bool) -> None:
        super().__init__(key, full=full)
        self._known = known
        self._wild = wild

    def structure(self, shape: Any, depth: int = 0, *, sparse: bool = False) -> dict[str, Any]:
        out = super().structure(shape, depth, sparse=sparse)
        for name in out:
            names = self._known.get(name.lower())
            if names and self.random.random() < 0.9:
                kind = shape.members[name].type_name
                if kind == "list" and shape.members[name].member.type_name == "string":
                    out[name] = self.random.sample(names, min(len(names), self.random.choice((1, 1, 2, 3))))
                elif kind == "string":
                    out[name] = self.random.choice(names)
        return out

    def _string(self, shape: Any, depth: int) -> str:
        if not self._wild or self.random.random() < 0.7:
            return super()._string(shape, depth)
        low, high = shape.metadata.get("min") or 0, shape.metadata.get("max") or 255
        size = self.random.choice((low - 1, low, high, high + 1, 0, 1))
        return "".join(self.random.choices(string.printable + "é😀", k=max(0, min(size, LONGEST))))

    def _integer(self, shape: Any, depth: int) -> int:
        if not self._wild:  # most have bounds that no model says
            low = shape.metadata.get("min") or 1
            return super()._integer(shape, depth) if self.random.random() < 0.1 else self.random.randint(low, low + 9)
        low, high = shape.metadata.get("min") or 0, shape.metadata.get("max") or 10
        return int(self.random.choice((low - 1, low, high, high + 1, 0, -1, 2**31 - 1, -(2**31))))

    def _list(self, shape: Any, depth: int) -> Any:
        made = super()._list(shape, depth)
        if not self._wild or self.random.random() < 0.8:
            return made
        high = shape.metadata.get("max") or 10
        size = self.random.choice((0, high, high + 1, 101))
        return (made * (size // max(1, len(made)) + 1))[: min(size, 200)]


def protocols(service: str) -> list[str]:
    known = service_model(service).metadata.get("protocols") or [service_model(service).metadata["protocol"]]
    return [protocol for protocol in known if protocol != "smithy-rpc-v2-json"]


def read(protocol: str, answer: HttpResponse, model: Any) -> Any:
    """What botocore's parser makes of an answer."""
    found = {"status_code": answer.status, "headers": HeadersDict(answer.headers), "body": answer.body}
    return create_parser(protocol).parse(found, model.output_shape)


def replace_somewhere(document: Any, chance: random.Random) -> Any:
    """The document with one value, anywhere in it, that does not belong there."""
    if not isinstance(document, OBJECTS) or not document or chance.random() < 0.15:
        return chance.choice(HOSTILE)
    if isinstance(document, list):
        at = chance.randrange(len(document))
        return [*document[:at], replace_somewhere(document[at], chance), *document[at + 1 :]]
    name = chance.choice(sorted(document))
    if chance.random() < 0.1:
        return {key: value for key, value in document.items() if key != name}
    return {**document, name: replace_somewhere(document[name], chance)}


def with_wrong_value(request: HttpRequest, protocol: str, chance: random.Random) -> HttpRequest:
    if protocol in {"query", "ec2"}:
        pairs = parse_qsl(request.body.decode(), keep_blank_values=True)
        at = chance.randrange(len(pairs))
        name, value = pairs[at]
        hostile = str(chance.choice(HOSTILE))
        pairs[at] = chance.choice(((name, hostile), (f"{name}.{chance.randint(0, 3)}", value), (f"{name}.x", hostile)))
        return request._replace(body=urlencode(pairs).encode())
    if protocol == "smithy-rpc-v2-cbor":
        return request._replace(body=cbor2.dumps(replace_somewhere(cbor2.loads(request.body), chance)))
    return request._replace(body=json.dumps(replace_somewhere(json.loads(request.body), chance)).encode())


def with_broken_bytes(request: HttpRequest, _protocol: str, chance: random.Random) -> HttpRequest:
    body = bytearray(request.body or b"{}")
    for _ in range(chance.randint(1, 5)):
        at = chance.randrange(len(body) + 1)
        if chance.random() < 0.4:
            del body[at : at + chance.randint(1, 30)]
        else:
            pieces = (
                b"{",
                b"[" * 1500,
                b"null",
                b"-1e999",
                b"NaN",
                b"\xff",
                b"\x00",
                b"%",
                b"&",
                b'"',
                b"\xbf",
                b"\xfb",
            )
            body[at:at] = chance.choice((*pieces, chance.randbytes(3)))
    return request._replace(body=bytes(body))


def with_nonsense(request: HttpRequest, _protocol: str, chance: random.Random) -> HttpRequest:
    bodies = (b"", b"null", b"[]", b"0", b'""', b"\xa0", b"\xf6", b"{" * 4000, chance.randbytes(chance.randint(1, 300)))
    return request._replace(body=chance.choice(bodies))


def joined(example: Any, drawn: Any, chance: random.Random) -> Any:
    """The example with some of what was drawn, in it and beside it."""
    if isinstance(example, dict) and isinstance(drawn, dict):
        more = {name: value for name, value in drawn.items() if name not in example and chance.random() < 0.3}
        return {**{name: joined(value, drawn.get(name), chance) for name, value in example.items()}, **more}
    if isinstance(example, list) and isinstance(drawn, list) and drawn:
        return [joined(each, chance.choice(drawn), chance) for each in example]
    return example if drawn is None or chance.random() < 0.9 else drawn


def without(document: Any, path: list[str]) -> Any:
    """The document without the member at a path such as `containerDefinitions[].secrets`."""
    if isinstance(document, list):
        return [without(each, path) for each in document]
    if not isinstance(document, dict):
        return document
    name = path[0].removesuffix("[]")
    if len(path) == 1:
        return {key: value for key, value in document.items() if key != name}
    return {key: without(value, path[1:]) if key == name else value for key, value in document.items()}


Broken = Callable[[HttpRequest, str, random.Random], HttpRequest]
BREAKS: dict[str, Broken | None] = {
    "valid": None,
    "full": None,
    "bounds": None,
    "wrong value": with_wrong_value,
    "broken bytes": with_broken_bytes,
    "nonsense": with_nonsense,
}


def draw(house: House, service: str, operation: str, kind: str, key: str) -> tuple[HttpRequest, str]:
    """A request, and the protocol that it is in."""
    chance = random.Random(key)
    model = service_model(service).operation_model(operation)
    protocol = chance.choice(protocols(service))
    drawer = Drawer(key, house.known(), full=kind == "full" or chance.random() < 0.3, wild=kind == "bounds")
    params: Any = drawer.structure(model.input_shape) if model.input_shape is not None else {}
    if kind != "full":
        needed = {name: params[name] for name in model.input_shape.required_members} if params else {}
        params = {**needed, **joined(house.example(operation), params, chance)} if chance.random() < 0.8 else params
        for path in (*SERVED[service, operation].refuses, "DryRun"):
            if chance.random() < 0.95:
                params = without(params, path.split("."))
    request = client_request(service, model, params, protocol, check=False)
    broken = BREAKS[kind]
    return (broken(request, protocol, chance) if broken else request), protocol


async def check(house: House, service: str, operation: str, kind: str, key: str) -> int:
    """Ask, and hold the answer against what is promised."""
    request, protocol = draw(house, service, operation, kind, key)
    revision = house.store.revision
    answer = await house.chain.answer(request, TRUSTING)
    about = f"{service} {operation}, {kind}, seed {key!r}, {protocol}: {request.body[:2000]!r} -> {answer}"
    assert answer.status < 500, about
    try:
        parsed = read(protocol, answer, service_model(service).operation_model(operation))
    except Exception as error:
        raise AssertionError(f"botocore cannot read the answer ({error!r}): {about}") from error
    if answer.status >= 300:
        assert house.store.revision == revision, f"changed behind an error: {about}"
        assert parsed["Error"]["Code"], about
        assert "InternalFailure" not in parsed["Error"]["Code"], about
    else:
        assert "Error" not in parsed, about
    return answer.status


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    yield House()
    structlog.reset_defaults()


@pytest.mark.parametrize(("service", "operation"), OPERATIONS, ids=[f"{s}-{o}" for s, o in OPERATIONS])
async def test_operation_survives_what_the_model_can_draw(house: House, service: str, operation: str) -> None:
    await house.start_again()
    for number in range(ROUNDS):
        for kind in BREAKS:
            await check(house, service, operation, kind, f"{operation} {kind} {number}")


@pytest.mark.parametrize("number", range(max(1, ROUNDS // 4)))
async def test_operations_survive_one_another(house: House, number: int) -> None:
    """Long sequences, mostly valid: what one operation leaves, the next one meets."""
    await house.start_again()
    chance = random.Random(number)
    answered = 0
    for step in range(150):
        service, operation = chance.choice(OPERATIONS)
        kind = chance.choice(("valid", "valid", "valid", "full", "bounds", "wrong value"))
        answered += await check(house, service, operation, kind, f"{number} {step}") == 200
    assert answered > 20, "Hardly anything was valid, so hardly anything was tried."

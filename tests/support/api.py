"""Handlers without a server: a store in memory, and one call at a time.

`Api` calls an operation as the request chain would once it has parsed and validated the request: in a transaction that
is undone when the handler raises. It seeds what a new account has: the cluster `default`, the default VPC, and a
machine to run on.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from longshore.api.access.access import Access
from longshore.api.callers.auth import Caller, root_of
from longshore.api.callers.credentials import Credentials, Principal
from longshore.api.ec2.defaults import seed
from longshore.api.operation import Call, Operation
from longshore.api.refusals import compile_refusals
from longshore.domain.ec2.network import SecurityGroup, Subnet, Vpc, default_subnets
from longshore.domain.ecs.cluster import Cluster, Host
from longshore.domain.ecs.task_definition import TaskDefinition, TaskDefinitionFamily
from longshore.domain.kinds import KINDS
from longshore.domain.record import Record, Scope
from longshore.store.events import EventLog
from longshore.store.open import open_store
from longshore.store.store import Transaction
from longshore.vault import MasterVault
from longshore.wire.errors import ApiError
from tests.support.shapes import check_answer
from tests.support.world import SeededIds

SCOPE = Scope("123456789012", "us-east-1")
ME = "arn:aws:iam::123456789012:user/me"
"""Who calls. There is no such user: policies hold nobody back, as handlers are called past the chain."""
ROOT = root_of(SCOPE.account)
"""Who calls where handlers themselves ask what the caller may."""
VAULT = MasterVault(b"v" * 32)
VPC_CIDR = "172.31.0.0/16"
ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")


class Api:
    """A control plane's state, and the operations of one or more tables on it."""

    def __init__(self, *tables: Mapping[str, Operation], service: str = "ecs") -> None:
        self.service = service
        self.operations = {name: operation for table in tables for name, operation in table.items()}
        self.store = open_store(None, KINDS)
        self.events = EventLog.__new__(EventLog)
        self.ids = SeededIds(7)
        self.now = 1_700_000_000.0
        self.principal = Principal(ME, SCOPE.account, source=ME)
        self.access = Access(Credentials(b"m" * 32, SCOPE.account))
        self.seed()

    def __call__(self, operation: str, **params: Any) -> dict[str, Any]:
        """Call an operation; the answer must have the model's shape. None in it is dropped, as when it is sent."""
        refuse = compile_refusals(self.operations[operation], "InvalidParameterException")
        if refuse is not None:
            refuse(params)
        with self.store.transaction() as tx:
            answer = self.operations[operation].handler(self.call(tx, params))
        check_answer(self.service, operation, answer)
        return {name: value for name, value in answer.items() if value is not None}

    def error(self, operation: str, **params: Any) -> ApiError:
        """Call an operation that must fail, and give its error. Nothing has changed."""
        revision = self.store.revision
        try:
            answer = self(operation, **params)
        except ApiError as error:
            assert self.store.revision == revision
            return error
        raise AssertionError(f"{operation} succeeded: {answer}")

    def call(self, tx: Transaction, params: dict[str, Any]) -> Call:
        """What a handler is given."""
        return Call(
            tx=tx,
            events=self.events,
            scope=SCOPE,
            now=self.now,
            ids=self.ids,
            vault=VAULT,
            caller=Caller(self.principal, SCOPE.region, "127.0.0.1"),
            access=self.access,
            request_id="11111111-2222-4333-8444-555555555555",
            params=params,
        )

    def put(self, *records: Record) -> None:
        """Write records, as a controller or an earlier call would have."""
        with self.transaction() as tx:
            for record in records:
                tx.put(record)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """A transaction on the store."""
        with self.store.transaction() as tx:
            yield tx

    def seed(self) -> None:
        """What is there from the first start, and the cluster `default`."""
        place: dict[str, Any] = {"account": SCOPE.account, "region": SCOPE.region}
        self.put(
            Cluster(**place, name="default", created_at=self.now),
            Host(account="", region="", cpu_units=65536, memory_mib=65536),
            Vpc(**place, vpc_id="vpc-1", cidr=VPC_CIDR, is_default=True),
            SecurityGroup(**place, group_id="sg-default", vpc_id="vpc-1", name="default", description="default"),
            *(
                Subnet(
                    **place,
                    subnet_id=f"subnet-{zone[-1]}",
                    vpc_id="vpc-1",
                    cidr=cidr,
                    availability_zone=zone,
                    is_default=True,
                )
                for zone, cidr in default_subnets(VPC_CIDR, ZONES)
            ),
        )

        with self.transaction() as tx:
            seed(tx, SCOPE, VPC_CIDR, SeededIds(8), self.now)

    def define(
        self, family: str = "web", revision: int = 1, *, ports: Sequence[dict[str, Any]] = (), **document: Any
    ) -> TaskDefinition:
        """A registered task definition that Fargate can run, with changes to its document."""
        container = {"name": "app", "image": "busybox", "essential": True, "cpu": 0, "portMappings": list(ports)}
        whole = {
            "family": family,
            "networkMode": "awsvpc",
            "cpu": "256",
            "memory": "512",
            "compatibilities": ["EC2", "FARGATE"],
            "containerDefinitions": [container],
            **document,
        }
        place: dict[str, Any] = {"account": SCOPE.account, "region": SCOPE.region, "family": family}
        made = TaskDefinition(**place, revision=revision, document=whole, registered_at=self.now, registered_by=ME)
        self.put(TaskDefinitionFamily(**place, last_revision=revision), made)
        return made


def awsvpc(*subnets: str, groups: tuple[str, ...] = (), public: str | None = None) -> dict[str, Any]:
    """A `networkConfiguration`."""
    configuration: dict[str, Any] = {"subnets": list(subnets or ("subnet-a", "subnet-b"))}
    if groups:
        configuration["securityGroups"] = list(groups)
    if public:
        configuration["assignPublicIp"] = public
    return {"awsvpcConfiguration": configuration}

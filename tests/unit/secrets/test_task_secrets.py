"""The secrets of a task: what each reference means, how a task without them ends, and that no record holds one."""

from __future__ import annotations

import asyncio
import json
import math
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from longshore.api import kms, secretsmanager, ssm
from longshore.api.ecs import tasks
from longshore.control.ecs.observe import Observer
from longshore.control.ecs.places import Places
from longshore.control.ecs.tasks import TaskController, launch_from
from longshore.decide.ecs.roles import Permit, permit_of
from longshore.decide.ecs.task_secrets import SecretsUnavailable, go_text, secret_value
from longshore.domain.ecs.launch import ContainerLaunch, Hidden, TaskLaunch
from longshore.domain.ecs.task import Task
from longshore.domain.iam import Role
from longshore.domain.kinds import KINDS
from longshore.domain.record import Scope
from longshore.drivers.docker.names import Names
from longshore.drivers.docker.translate import EngineFacts, container_payload
from longshore.drivers.sim.engine import SimEngine
from longshore.drivers.sim.machine import SimMachine, Timings
from tests.support.api import ROOT, SCOPE, VAULT, Api, awsvpc
from tests.support.identities import TASKS
from tests.support.services import ClockOf

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

HEAD = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
ASM = HEAD + "unable to retrieve secret from asm: service call has been retried 1 time(s): "
SSM = HEAD + "unable to retrieve secrets from ssm: service call has been retried 1 time(s): "
EXECUTION = "arn:aws:iam::123456789012:role/execution"
ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:"
PARAMETER = "arn:aws:ssm:us-east-1:123456789012:parameter"
NOT_FOUND = "Secrets Manager can't find the specified secret."
DOCUMENT = {"user": "me", "port": 5432, "big": 10_000_000, "on": True, "none": None, "deep": {"b": 2, "a": [1, "x"]}}
PATIENCE_S = 10.0


class House(Api):
    """ECS, and beside it what has its secrets."""

    def __init__(self) -> None:
        super().__init__(tasks.OPERATIONS)
        self.secrets = self.beside(secretsmanager)
        self.parameters = self.beside(ssm)
        self.keys = self.beside(kms)

    def beside(self, other: Any) -> Api:
        made = Api(other.SERVICE.operations, service=other.SERVICE.name)
        made.store, made.ids, made.principal = self.store, self.ids, ROOT
        return made

    def read(self, reference: str, scope: Scope = SCOPE) -> str:
        return secret_value(self.store, VAULT, scope, reference, self.now)

    def refusal(self, reference: str) -> str:
        with pytest.raises(SecretsUnavailable) as refused:
            self.read(reference)
        return refused.value.reason


@pytest.fixture
def house() -> House:
    made = House()
    made.secrets("CreateSecret", Name="db", SecretString=json.dumps(DOCUMENT), ClientRequestToken="1" * 32)
    made.secrets("CreateSecret", Name="plain", SecretString="one", ClientRequestToken="1" * 32)
    made.secrets("PutSecretValue", SecretId="plain", SecretString="two", ClientRequestToken="2" * 32)
    made.secrets("CreateSecret", Name="bytes", SecretBinary=b"x")
    made.parameters("PutParameter", Name="/app/key", Value="a", Type="SecureString")
    made.parameters("PutParameter", Name="/app/key", Value="b", Overwrite=True)
    made.parameters("PutParameter", Name="name", Value="c", Type="String")
    return made


# -------------------------------------------------------------------------------------------------------- references


@pytest.mark.parametrize(
    ("reference", "value"),
    [
        (f"{ARN}plain", "two"),
        (f"{ARN}plain:::", "two"),
        (f"{ARN}plain::AWSPREVIOUS:", "one"),
        (f"{ARN}plain:::{'1' * 32}", "one"),
        (f"{ARN}db:user::", "me"),
        (f"{ARN}db:port::", "5432"),
        (f"{ARN}db:big::", "1e+07"),
        (f"{ARN}db:on:AWSCURRENT:", "true"),
        (f"{ARN}db:none::", "<nil>"),
        (f"{ARN}db:deep::", "map[a:[1 x] b:2]"),
        ("/app/key", "b"),
        ("/app/key:1", "a"),
        ("name", "c"),
        (f"{PARAMETER}/app/key", "b"),
        (f"{PARAMETER}/name", "c"),
        ("/aws/reference/secretsmanager/plain", "two"),
        ("/aws/service/global-infrastructure/current-region", "us-east-1"),
    ],
)
def test_what_a_reference_means(house: House, reference: str, value: str) -> None:
    assert house.read(reference) == value


def test_a_whole_arn_means_its_secret(house: House) -> None:
    arn = house.secrets("DescribeSecret", SecretId="db")["ARN"]
    assert json.loads(house.read(arn)) == DOCUMENT
    assert house.read(f"{arn}:user::") == "me"


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        (
            f"{ARN}none",
            f"{ASM}failed to fetch secret {ARN}none from secrets manager: ResourceNotFoundException: {NOT_FOUND}",
        ),
        (f"{ARN}db:password::", f"{ASM}retrieved secret from Secrets Manager did not contain json key password"),
        (f"{ARN}plain:user::", f"{ASM}retrieved secret from Secrets Manager is no JSON object, so that it has no"),
        (f"{ARN}db::BLUE:", "can't find the specified secret value for staging label: BLUE"),
        (f"{ARN}db:::{'9' * 32}", "can't find the specified secret value for VersionId: 999"),
        (f"{ARN}db:user", f"{ASM}unexpected ARN format with parameters when trying to retrieve ASM secret"),
        (f"{ARN}bytes", f"{ASM}the secret {ARN}bytes holds SecretBinary"),
        (ARN.replace("123456789012", "210987654321") + "db", f"{ASM}AccessDeniedException: "),
        ("/none", f"{SSM}invalid ssm parameters: /none"),
        ("name:9", f"{SSM}invalid ssm parameters: name:9"),
        (f"{PARAMETER}/none", f"{SSM}invalid ssm parameters: {PARAMETER}/none"),
        ("/aws/reference/secretsmanager/none", f"{SSM}invalid ssm parameters: "),
        (PARAMETER.replace("123456789012", "210987654321") + "/name", f"{SSM}AccessDeniedException: "),
    ],
)
def test_why_a_reference_can_not_be_read(house: House, reference: str, reason: str) -> None:
    assert reason in house.refusal(reference)


def test_a_secret_that_was_deleted_or_whose_key_is_off_is_not_read(house: House) -> None:
    house.secrets("DeleteSecret", SecretId="plain")
    assert "InvalidRequestException: You can't perform this operation" in house.refusal(f"{ARN}plain")
    key = house.keys("CreateKey")["KeyMetadata"]["KeyId"]
    house.secrets("UpdateSecret", SecretId="db", KmsKeyId=key)
    house.parameters("PutParameter", Name="/own", Value="x", Type="SecureString", KeyId=key)
    house.keys("DisableKey", KeyId=key)
    assert "DecryptionFailure" in house.refusal(f"{ARN}db")
    assert house.refusal("/own").startswith(f"{SSM}InvalidKeyId: ")


def test_a_reference_may_lead_to_another_region_of_the_account(house: House) -> None:
    there = Scope(SCOPE.account, "eu-west-1")
    assert house.read(f"{PARAMETER}/name", there) == "c"
    assert house.read(f"{ARN}plain", there) == "two"
    with pytest.raises(SecretsUnavailable):
        house.read("name", there)


def test_a_value_that_no_variable_can_have_is_refused_and_not_shown(house: House) -> None:
    house.secrets("CreateSecret", Name="nul", SecretString="marker\0value")
    assert "NUL" in house.refusal(f"{ARN}nul")
    assert "marker" not in house.refusal(f"{ARN}nul")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x", "x"),
        (0, "0"),
        (-0.0, "-0"),
        (1, "1"),
        (-12, "-12"),
        (0.5, "0.5"),
        (5432, "5432"),
        (999_999, "999999"),
        (1_000_000, "1e+06"),
        (1_234_567, "1.234567e+06"),
        (-1.5e300, "-1.5e+300"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (100, "100"),
        (10**400, "+Inf"),
        (-(10**400), "-Inf"),
        (math.nan, "NaN"),
        (True, "true"),
        (False, "false"),
        (None, "<nil>"),
        ([], "[]"),
        ({}, "map[]"),
    ],
)
def test_values_are_written_as_the_agent_writes_them(value: Any, text: str) -> None:
    assert go_text(value) == text


# --------------------------------------------------------------------------------------------------- execution roles


def allowing(house: House, *statements: dict[str, Any], arn: str = EXECUTION) -> Permit:
    """What the execution role may read of a task whose definition names `arn`, with one policy of these statements."""
    policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    role = {"account": SCOPE.account, "region": "", "name": "execution", "unique_id": "AROA", "created_at": 0.0}
    house.put(Role(**role, trust=TASKS, inline={"p": policy} if statements else {}))  # type: ignore[arg-type]  # named
    house.define(executionRoleArn=arn)
    made = house("RunTask", taskDefinition="web", networkConfiguration=awsvpc())["tasks"][0]
    return permit_of(house.store, task(house, made["taskArn"].rpartition("/")[2]), {"executionRoleArn": arn}, house.now)


def as_role(house: House, role: Permit, reference: str) -> str:
    return secret_value(house.store, VAULT, SCOPE, reference, house.now, role)


def denial(house: House, role: Permit, reference: str) -> str:
    with pytest.raises(SecretsUnavailable) as refused:
        as_role(house, role, reference)
    return refused.value.reason


def allow(action: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


READ, GET = "secretsmanager:GetSecretValue", "ssm:GetParameters"


def test_a_role_that_is_not_here_holds_nothing_back(house: House) -> None:
    other = allowing(house, arn=f"{EXECUTION}-of-elsewhere")
    assert as_role(house, other, f"{ARN}plain") == "two"


def test_a_role_reads_what_its_policies_allow_and_nothing_else(house: House) -> None:
    role = allowing(house, allow(READ, f"{ARN}plain-*"), allow(GET, f"{PARAMETER}/app/*"))
    assert as_role(house, role, f"{ARN}plain") == "two"
    assert as_role(house, role, "/app/key") == "b"
    assert as_role(house, role, "/aws/service/global-infrastructure/current-region") == "us-east-1"
    arn = house.secrets("DescribeSecret", SecretId="db")["ARN"]
    session = f"arn:aws:sts::{SCOPE.account}:assumed-role/execution/"
    reason = denial(house, role, f"{ARN}db:user::")
    assert reason.startswith(f"{ASM}failed to fetch secret {ARN}db from secrets manager: AccessDeniedException: User: ")
    assert f"{session}" in reason
    assert f"is not authorized to perform: {READ} on resource: {arn} because no identity-based policy allows" in reason
    reason = denial(house, role, "name")
    assert reason.startswith(f"{SSM}AccessDeniedException: User: {session}")
    assert f"is not authorized to perform: {GET} on resource: {PARAMETER}/name because" in reason


def test_a_role_may_be_held_to_the_tags_of_a_secret(house: House) -> None:
    condition = {"StringEquals": {"secretsmanager:ResourceTag/app": "shop"}}
    role = allowing(house, allow(READ, Condition=condition))
    assert "AccessDeniedException" in denial(house, role, f"{ARN}plain")
    house.secrets("TagResource", SecretId="plain", Tags=[{"Key": "app", "Value": "shop"}])
    assert as_role(house, role, f"{ARN}plain") == "two"


def test_a_role_needs_the_user_s_own_key_as_well(house: House) -> None:
    key = house.keys("CreateKey")["KeyMetadata"]["Arn"]
    house.secrets("UpdateSecret", SecretId="plain", KmsKeyId=key)
    house.parameters("PutParameter", Name="/own", Value="x", Type="SecureString", KeyId=key)
    role = allowing(house, allow(READ), allow(GET))
    assert denial(house, role, f"{ARN}plain").endswith("AccessDeniedException: Access to KMS is not allowed")
    assert denial(house, role, "/own") == f"{SSM}AccessDeniedException: Access to KMS is not allowed"
    via = {"StringEquals": {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}}
    role = allowing(house, allow(READ), allow(GET), allow("kms:Decrypt", key, Condition=via))
    assert as_role(house, role, f"{ARN}plain") == "two"
    assert denial(house, role, "/own").endswith("Access to KMS is not allowed")
    role = allowing(house, allow(READ), allow(GET), allow("kms:Decrypt", key))
    assert as_role(house, role, "/own") == "x"


def test_a_role_may_be_held_to_the_kind_of_a_key(house: House) -> None:
    key = house.keys("CreateKey")["KeyMetadata"]["Arn"]
    house.secrets("UpdateSecret", SecretId="plain", KmsKeyId=key)
    for spec, may in (("SYMMETRIC_DEFAULT", True), ("RSA_2048", False)):
        kind = {"StringEquals": {"kms:KeySpec": spec, "kms:KeyUsage": "ENCRYPT_DECRYPT"}}
        role = allowing(house, allow(READ), allow("kms:Decrypt", key, Condition=kind))
        if may:
            assert as_role(house, role, f"{ARN}plain") == "two"
        else:
            assert denial(house, role, f"{ARN}plain").endswith("Access to KMS is not allowed")


def of_resource(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def test_a_role_reads_what_a_secret_s_own_policy_allows_it_and_not_what_that_denies(house: House) -> None:
    role = allowing(house)
    assert "no identity-based policy allows" in denial(house, role, f"{ARN}plain")
    mine: dict[str, Any] = {"Principal": {"AWS": EXECUTION}}
    house.secrets("PutResourcePolicy", SecretId="plain", ResourcePolicy=of_resource(allow(READ, **mine)))
    assert as_role(house, role, f"{ARN}plain") == "two"
    house.secrets(
        "PutResourcePolicy", SecretId="plain", ResourcePolicy=of_resource({**allow(READ, **mine), "Effect": "Deny"})
    )
    assert "explicit deny in a resource-based policy" in denial(house, allowing(house, allow(READ)), f"{ARN}plain")
    others: dict[str, Any] = {"Principal": {"AWS": f"arn:aws:iam::{SCOPE.account}:role/other"}}
    house.secrets("PutResourcePolicy", SecretId="plain", ResourcePolicy=of_resource(allow(READ, **others)))
    assert "no identity-based policy allows" in denial(house, allowing(house), f"{ARN}plain")


def test_a_key_s_policy_or_a_grant_lets_a_role_decrypt(house: House) -> None:
    account: dict[str, Any] = {"Principal": {"AWS": f"arn:aws:iam::{SCOPE.account}:root"}}
    via = {"StringEquals": {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}}
    mine = allow("kms:Decrypt", Principal={"AWS": EXECUTION}, Condition=via)
    key = house.keys("CreateKey", Policy=of_resource(allow("kms:*", **account), mine))["KeyMetadata"]["Arn"]
    house.secrets("UpdateSecret", SecretId="plain", KmsKeyId=key)
    role = allowing(house, allow(READ))
    assert as_role(house, role, f"{ARN}plain") == "two"

    house.keys("PutKeyPolicy", KeyId=key, Policy=of_resource(allow("kms:*", **account)))
    assert denial(house, role, f"{ARN}plain").endswith("Access to KMS is not allowed")
    grant = house.keys("CreateGrant", KeyId=key, GranteePrincipal=EXECUTION, Operations=["Decrypt"])["GrantId"]
    assert as_role(house, role, f"{ARN}plain") == "two"
    house.keys("RevokeGrant", KeyId=key, GrantId=grant)
    assert denial(house, role, f"{ARN}plain").endswith("Access to KMS is not allowed")


def test_a_key_s_policy_may_ask_for_the_secret_that_it_is_used_for(house: House) -> None:
    arn = house.secrets("DescribeSecret", SecretId="plain")["ARN"]
    for meant, denied in ((arn, False), (f"{arn}-other", True)):
        for_it = {"StringEquals": {"kms:EncryptionContext:SecretARN": meant}}
        mine = allow("kms:Decrypt", Principal={"AWS": EXECUTION}, Condition=for_it)
        key = house.keys("CreateKey", Policy=of_resource(mine))["KeyMetadata"]["Arn"]
        house.secrets("UpdateSecret", SecretId="plain", KmsKeyId=key)
        role = allowing(house, allow(READ))
        if denied:
            assert denial(house, role, f"{ARN}plain").endswith("Access to KMS is not allowed")
        else:
            assert as_role(house, role, f"{ARN}plain") == "two"


def test_an_earlier_version_needs_the_key_that_it_is_under(house: House) -> None:
    account = {"AWS": f"arn:aws:iam::{SCOPE.account}:root"}
    shut = of_resource(allow("kms:*", Principal={"AWS": f"arn:aws:iam::{SCOPE.account}:role/admin"}))
    old = house.keys("CreateKey", Policy=shut)["KeyMetadata"]["Arn"]
    open_key = house.keys("CreateKey", Policy=of_resource(allow("kms:*", Principal=account)))["KeyMetadata"]["Arn"]
    first = house.secrets("CreateSecret", Name="moved", SecretString="under the old", KmsKeyId=old)["VersionId"]
    for value in ("second", "third"):  # now no label names the first
        house.secrets("PutSecretValue", SecretId="moved", SecretString=value)
    house.secrets("UpdateSecret", SecretId="moved", KmsKeyId=open_key)
    role = allowing(house, allow(READ), allow("kms:Decrypt"))
    assert as_role(house, role, f"{ARN}moved") == "third"
    assert denial(house, role, f"{ARN}moved:::{first}").endswith("Access to KMS is not allowed")


def test_times_hold_for_roles_of_tasks(house: House) -> None:
    role = allowing(house, allow(READ, Condition={"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}))
    assert "no identity-based policy allows" in denial(house, role, f"{ARN}plain")


def test_a_key_is_nobody_s_whom_its_policy_does_not_mention(house: House) -> None:
    admin: dict[str, Any] = {"Principal": {"AWS": f"arn:aws:iam::{SCOPE.account}:role/admin"}}
    policy = of_resource(allow("kms:*", **admin))
    key = house.keys("CreateKey", Policy=policy)["KeyMetadata"]["Arn"]
    house.secrets("UpdateSecret", SecretId="plain", KmsKeyId=key)
    role = allowing(house, allow(READ), allow("kms:Decrypt"))
    assert denial(house, role, f"{ARN}plain").endswith("Access to KMS is not allowed")


def test_a_secret_by_a_parameter_s_name_needs_both(house: House) -> None:
    reference = "/aws/reference/secretsmanager/plain"
    assert READ in denial(house, allowing(house, allow(GET)), reference)
    assert GET in denial(house, allowing(house, allow(READ)), reference)
    assert as_role(house, allowing(house, allow(GET), allow(READ)), reference) == "two"


# ------------------------------------------------------------------------------------------------- on its way to Docker


def test_a_secret_does_not_show_itself() -> None:
    container = ContainerLaunch(name="app", image="i", secrets={"A": Hidden(text="marker")})
    assert "marker" not in repr(container)
    assert "marker" not in f"{container.secrets['A']}"


def test_docker_gets_the_value_over_what_the_definition_sets(house: House) -> None:
    container = ContainerLaunch(
        name="app", image="i", environment={"A": "1", "B": "2"}, secrets={"A": Hidden(text="s")}
    )
    house.define()
    launch = launched(house)
    facts = EngineFacts(pause_image="pause", task_cgroups=False)
    body = container_payload(launch, container, facts, Names("inst"), environment={"C": "3"}, pause="p")
    assert sorted(body["Env"]) == ["A=s", "B=2", "C=3"]


def launched(house: House) -> TaskLaunch:
    """One task of `web`, without a controller."""
    made = house("RunTask", taskDefinition="web", networkConfiguration=awsvpc())["tasks"][0]
    task = house.store.get(Task, (*SCOPE, "default", made["taskArn"].rpartition("/")[2]))
    assert task is not None
    with house.transaction() as tx:
        places = Places(tx, house.ids, house.now)
        task = places.give(task)
        places.write()
    return launch_from(house.store, task)


# ------------------------------------------------------------------------------------------------------ the controller


class Rig:
    """A control plane over a simulated machine, with tasks that want secrets."""

    def __init__(self, house: House, machine: SimMachine) -> None:
        self.house = house
        self.clock = ClockOf(house)
        self.engine = SimEngine(self.clock, machine=machine)
        self.tasks = TaskController(house.store, self.engine, self.clock, house.ids, VAULT)
        self.observer = Observer(house.store, self.engine.observations(), self.clock)

    async def start(self) -> None:
        await self.engine.open()
        self.observer.start()
        await self.tasks.adopt()
        self.tasks.loop.start()

    async def stop(self) -> None:
        await self.tasks.loop.stop()
        await self.observer.stop()
        await self.engine.close()

    def secrets(self, task_id: str) -> dict[str, str]:
        """What the machine was told of the container's secrets."""
        [container] = self.engine.machine.tasks[task_id].launch.containers
        return {name: hidden.text for name, hidden in container.secrets.items()}


@asynccontextmanager
async def rigged(house: House, machine: SimMachine | None = None) -> AsyncIterator[Rig]:
    rig = Rig(house, machine or SimMachine(ClockOf(house)))
    await rig.start()
    yield rig
    await rig.stop()


def run(house: House, **secrets: str) -> str:
    """A task's id."""
    given = [{"name": name, "valueFrom": reference} for name, reference in secrets.items()]
    container = {"name": "app", "image": "busybox", "secrets": given}
    house.define(containerDefinitions=[container], executionRoleArn=EXECUTION)
    made = house("RunTask", taskDefinition="web", networkConfiguration=awsvpc())["tasks"][0]
    return str(made["taskArn"]).rpartition("/")[2]


def task(house: House, task_id: str) -> Task:
    found = house.store.get(Task, (*SCOPE, "default", task_id))
    assert found is not None
    return found


async def until(look: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not look():  # noqa: ASYNC110  loops do it
            await asyncio.sleep(0.01)


async def test_a_task_gets_its_secrets_and_no_record_has_them(house: House) -> None:
    async with rigged(house) as rig:
        task_id = run(house, USER=f"{ARN}db:user::", KEY="/app/key")
        await until(lambda: task(house, task_id).last_status == "RUNNING")
        assert rig.secrets(task_id) == {"USER": "me", "KEY": "b"}
    house.secrets("CreateSecret", Name="marker", SecretString="marker-of-this-test")
    async with rigged(house):
        marked = run(house, MARK=f"{ARN}marker")
        await until(lambda: task(house, marked).last_status == "RUNNING")
        held = b"".join(msgspec.json.encode(list(house.store.all(kind))) for kind in KINDS)
        assert b"marker-of-this-test" not in held
        shown = json.dumps(house("DescribeTasks", tasks=[marked])["tasks"], default=str)
        assert "marker-of-this-test" not in shown


async def test_a_task_without_its_secret_fails_to_start_and_lets_go_of_its_address(house: House) -> None:
    async with rigged(house) as rig:
        task_id = run(house, X=f"{ARN}none")
        await until(lambda: task(house, task_id).last_status == "STOPPED")
        assert task_id not in rig.engine.machine.tasks
    shown = house("DescribeTasks", tasks=[task_id])["tasks"][0]
    assert shown["stopCode"] == "TaskFailedToStart"
    assert shown["stoppedReason"].startswith(f"{ASM}failed to fetch secret {ARN}none from secrets manager: ")
    [attachment] = shown["attachments"]
    assert attachment["status"] == "DELETED"


async def test_a_rotated_secret_reaches_the_next_task_alone(house: House) -> None:
    async with rigged(house) as rig:
        first = run(house, X=f"{ARN}plain")
        await until(lambda: task(house, first).last_status == "RUNNING")
        house.secrets("PutSecretValue", SecretId="plain", SecretString="three")
        second = run(house, X=f"{ARN}plain")
        await until(lambda: task(house, second).last_status == "RUNNING")
        assert (rig.secrets(first), rig.secrets(second)) == ({"X": "two"}, {"X": "three"})


async def test_a_secret_is_read_once_whatever_happens_while_the_image_is_pulled(house: House) -> None:
    slow = SimMachine(ClockOf(house), Timings(pull_s=0.3))
    async with rigged(house, slow) as rig:
        task_id = run(house, X=f"{ARN}plain")
        await until(lambda: task_id in slow.tasks)
        house.secrets("DeleteSecret", SecretId="plain", ForceDeleteWithoutRecovery=True)
        rig.tasks.loop.enqueue(task(house, task_id).key)
        await until(lambda: task(house, task_id).last_status == "RUNNING")
        assert task(house, task_id).wanted


async def test_a_task_that_was_not_told_yet_gets_its_secrets_after_a_restart(house: House) -> None:
    """The record is there, and its address; Longshore ended before the engine was told."""
    task_id = run(house, X=f"{ARN}plain")
    with house.transaction() as tx:
        places = Places(tx, house.ids, house.now)
        tx.put(places.give(task(house, task_id)))
        places.write()
    async with rigged(house) as rig:
        await until(lambda: task(house, task_id).last_status == "RUNNING")
        assert rig.secrets(task_id) == {"X": "two"}


async def test_a_restart_leaves_alone_what_runs_though_its_secret_is_gone(house: House) -> None:
    machine = SimMachine(ClockOf(house))
    async with rigged(house, machine):
        task_id = run(house, X=f"{ARN}plain")
        await until(lambda: task(house, task_id).last_status == "RUNNING")
    house.secrets("DeleteSecret", SecretId="plain", ForceDeleteWithoutRecovery=True)
    async with rigged(house, machine):
        house("StopTask", task=task_id)
        assert task(house, task_id).stop_code == "UserInitiated"
        await until(lambda: task(house, task_id).last_status == "STOPPED")
    assert task(house, task_id).stopped_reason == "Task stopped by user"


async def test_a_restart_in_the_middle_of_a_start_without_the_secret_ends_the_task(house: House) -> None:
    slow = SimMachine(ClockOf(house), Timings(pull_s=60.0))
    async with rigged(house, slow):
        task_id = run(house, X=f"{ARN}plain")
        await until(lambda: task_id in slow.tasks)
    house.secrets("DeleteSecret", SecretId="plain", ForceDeleteWithoutRecovery=True)
    async with rigged(house, slow):
        await until(lambda: task(house, task_id).last_status == "STOPPED")
        assert task_id not in slow.tasks
    assert task(house, task_id).stop_code == "TaskFailedToStart"
    assert "Secrets Manager can't find the specified secret." in task(house, task_id).stopped_reason


async def test_a_task_whose_execution_role_may_not_read_does_not_start(house: House) -> None:
    allowing(house, allow(READ, f"{ARN}plain-*"))
    async with rigged(house):
        ended = run(house, X=f"{ARN}plain", Y=f"{ARN}db:user::")
        await until(lambda: task(house, ended).last_status == "STOPPED")
        runs = run(house, X=f"{ARN}plain")
        await until(lambda: task(house, runs).last_status == "RUNNING")
    assert task(house, ended).stop_code == "TaskFailedToStart"
    assert f"/execution/{ended} is not authorized to perform: {READ}" in task(house, ended).stopped_reason

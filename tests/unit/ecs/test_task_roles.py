"""The roles of a task: which it can have, what its execution role may read for it, and what it is told of its own."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from longshore.api import iam, secretsmanager, ssm
from longshore.api.access.access import Access
from longshore.api.callers.credentials import Credentials
from longshore.api.ecs import tasks
from longshore.api.task_endpoint import TaskEndpoint
from longshore.control.ecs.tasks import TaskController
from longshore.decide.ecs.roles import assumable, permit_of
from longshore.domain.ecs.task import Task
from longshore.domain.iam import Role
from longshore.drivers.sim.engine import SimEngine
from longshore.drivers.sim.machine import SimMachine
from tests.support.api import SCOPE, VAULT, Api, awsvpc
from tests.support.identities import TASKS, allow, document, trust
from tests.support.services import ClockOf

ROLE = f"arn:aws:iam::{SCOPE.account}:role"
TASK = f"arn:aws:ecs:{SCOPE.region}:{SCOPE.account}:task/default/1"
CREDENTIALS = Credentials(b"k" * 32, SCOPE.account)


@pytest.fixture
def house() -> Api:
    return Api(tasks.OPERATIONS)


def beside(house: Api, module: Any) -> Api:
    made = Api(module.SERVICE.operations, service=module.SERVICE.name)
    made.store, made.ids = house.store, house.ids
    return made


def role(house: Api, name: str, *statements: dict[str, Any], who: str = TASKS, path: str = "/") -> None:
    of_iam = beside(house, iam)
    of_iam("CreateRole", RoleName=name, AssumeRolePolicyDocument=who, Path=path)
    if statements:
        of_iam("PutRolePolicy", RoleName=name, PolicyName="own", PolicyDocument=document(*statements))


def run(house: Api, **given: Any) -> Task:
    container = {"name": "app", "image": "busybox", **given.pop("container", {})}
    house.define(containerDefinitions=[container], **given)
    made = house("RunTask", taskDefinition="web", networkConfiguration=awsvpc())["tasks"][0]
    return found(house, str(made["taskArn"]).rpartition("/")[2])


def found(house: Api, task_id: str) -> Task:
    task = house.store.get(Task, (*SCOPE, "default", task_id))
    assert task is not None
    return task


async def ended(house: Api, task: Task, *, roles_exist: bool = False) -> Task:
    """The task as it is once it runs, or can't."""
    clock = ClockOf(house)
    controller = TaskController(
        house.store, SimEngine(clock, machine=SimMachine(clock)), clock, house.ids, VAULT, roles_exist=roles_exist
    )
    controller.loop.start()
    controller.loop.enqueue(task.key)
    async with asyncio.timeout(10):
        while (now := found(house, task.task_id)).last_status in {"PROVISIONING", "DEPROVISIONING"}:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await controller.loop.stop()
    return now


# ------------------------------------------------------------------------------------------------- which it can have


@pytest.mark.parametrize(
    ("who", "may"),
    [
        (TASKS, True),
        (trust(Service=["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"]), True),
        (trust(Service="ec2.amazonaws.com"), False),
        (trust(AWS=SCOPE.account), False),
        (
            document(
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                    "Condition": {
                        "StringEquals": {"aws:SourceAccount": SCOPE.account},
                        "ArnLike": {"aws:SourceArn": f"arn:aws:ecs:{SCOPE.region}:{SCOPE.account}:*"},
                    },
                }
            ),
            True,
        ),
    ],
)
def test_a_role_must_trust_the_tasks_of_ecs(house: Api, who: str, may: bool) -> None:
    role(house, "app", who=who)
    assert assumable(lambda key: house.store.get(Role, key), f"{ROLE}/app", SCOPE.account, TASK) is may


@pytest.mark.parametrize("arn", [f"{ROLE}/none", f"{ROLE}/x/app", "arn:aws:iam::999999999999:role/app", "app", ""])
def test_what_is_no_role_of_the_account_cannot_be_had(house: Api, arn: str) -> None:
    role(house, "app")
    assert not assumable(lambda key: house.store.get(Role, key), arn, SCOPE.account, TASK)


@pytest.mark.parametrize("name", ["taskRoleArn", "executionRoleArn"])
async def test_where_roles_must_exist_a_task_with_another_does_not_start(house: Api, name: str) -> None:
    task = run(house, **{name: f"{ROLE}/none"})
    stopped = await ended(house, task, roles_exist=True)
    assert (stopped.last_status, stopped.stop_code) == ("STOPPED", "TaskFailedToStart")
    assert stopped.stopped_reason.startswith(f"ECS was unable to assume the role '{ROLE}/none' that was provided")
    assert stopped.attachment is None or not stopped.attachment.private_ip


async def test_elsewhere_it_does(house: Api) -> None:
    task = run(house, taskRoleArn=f"{ROLE}/none")
    assert (await ended(house, task)).last_status == "PENDING"


async def test_with_its_roles_there_it_starts_as_ever(house: Api) -> None:
    role(house, "app")
    task = run(house, taskRoleArn=f"{ROLE}/app", executionRoleArn=f"{ROLE}/app")
    assert (await ended(house, task, roles_exist=True)).last_status == "PENDING"


def test_run_task_refuses_at_once(house: Api) -> None:
    house.access = Access(CREDENTIALS, enforce=True)
    house.define(taskRoleArn=f"{ROLE}/none")
    error = house.error("RunTask", taskDefinition="web", networkConfiguration=awsvpc())
    assert error.code == "ClientException"
    assert error.message.startswith(f"ECS was unable to assume the role '{ROLE}/none'")
    role(house, "none")
    assert house("RunTask", taskDefinition="web", networkConfiguration=awsvpc())["tasks"]


# ------------------------------------------------------------------------------------- what is read for it by a role


def secret_task(house: Api, reference: str, **given: Any) -> Task:
    return run(house, container={"secrets": [{"name": "X", "valueFrom": reference}]}, **given)


async def test_an_execution_role_reads_secrets_by_its_policies(house: Api) -> None:
    arn = beside(house, secretsmanager)("CreateSecret", Name="db", SecretString="s")["ARN"]
    role(house, "execution", allow("secretsmanager:GetSecretValue", on="arn:aws:secretsmanager:*:*:secret:db-*"))
    role(house, "bare")
    may = await ended(house, secret_task(house, arn, executionRoleArn=f"{ROLE}/execution"))
    assert may.last_status == "PENDING"
    task = secret_task(house, arn, executionRoleArn=f"{ROLE}/bare")
    stopped = await ended(house, task)
    session = f"arn:aws:sts::{SCOPE.account}:assumed-role/bare/{task.task_id}"
    assert stopped.stopped_reason == (
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
        "unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret "
        f"{arn} from secrets manager: AccessDeniedException: User: {session} is not authorized to perform: "
        f"secretsmanager:GetSecretValue on resource: {arn} because no identity-based policy allows the "
        "secretsmanager:GetSecretValue action"
    )


async def test_and_parameters(house: Api) -> None:
    of_ssm = beside(house, ssm)
    for name in ("/app/a", "/other/b"):
        of_ssm("PutParameter", Name=name, Value="v", Type="SecureString")
    role(house, "execution", allow("ssm:GetParameters", on="arn:aws:ssm:*:*:parameter/app/*"))
    execution = {"executionRoleArn": f"{ROLE}/execution"}
    assert (await ended(house, secret_task(house, "/app/a", **execution))).last_status == "PENDING"
    stopped = await ended(house, secret_task(house, "/other/b", **execution))
    assert "is not authorized to perform: ssm:GetParameters" in stopped.stopped_reason


def test_nothing_holds_a_task_whose_role_nobody_has_made(house: Api) -> None:
    for given in ({}, {"executionRoleArn": f"{ROLE}/none"}):
        task = run(house, **given)
        assert permit_of(house.store, task, given, house.now)("secretsmanager:GetSecretValue", "*", {}) is None


def test_tags_of_the_secret_and_of_the_role_count(house: Api) -> None:
    same = {"StringEquals": {"aws:ResourceTag/team": "a"}}
    role(house, "execution", allow("secretsmanager:GetSecretValue", Condition=same))
    given = {"executionRoleArn": f"{ROLE}/execution"}
    permit = permit_of(house.store, run(house, **given), given, house.now)
    assert permit("secretsmanager:GetSecretValue", "*", {"team": "a"}) is None
    assert "AccessDeniedException" in (permit("secretsmanager:GetSecretValue", "*", {"team": "b"}) or "")


# ---------------------------------------------------------------------------------------- what it is told of its own


async def asked(house: Api, task: Task, *, enforce: bool) -> tuple[int, Any]:
    endpoint = TaskEndpoint(house.store, Access(CREDENTIALS, enforce=enforce), ClockOf(house))
    answer = await endpoint.answer("GET", f"/v2/credentials/{endpoint.key(task.task_id, 'app')}")
    return answer.status, json.loads(answer.body)


async def test_credentials_are_given_for_roles_that_are_there(house: Api) -> None:
    role(house, "app")
    task = run(house, taskRoleArn=f"{ROLE}/app")
    for enforce in (False, True):
        status, answer = await asked(house, task, enforce=enforce)
        assert (status, answer["RoleArn"]) == (200, f"{ROLE}/app")


async def test_where_roles_must_exist_there_are_none_for_others(house: Api) -> None:
    missing = run(house, taskRoleArn=f"{ROLE}/none")
    assert (await asked(house, missing, enforce=False))[0] == 200
    status, answer = await asked(house, missing, enforce=True)
    assert (status, answer["code"]) == (400, "InvalidIamRole")
    bare = run(house)
    assert (await asked(house, bare, enforce=False))[1]["RoleArn"] == f"{ROLE}/longshore-task"
    status, answer = await asked(house, bare, enforce=True)
    assert (status, answer["code"]) == (400, "NoIamRole")

"""Rules on the task as a whole: family, roles, cpu and memory, storage, compatibility, constraints. Pure."""

import json
import re

from longshore.api.ecs.task_definitions.rules import NAME, Document, containers_of, is_essential, refused, requires
from longshore.decide.ecs import sizes
from longshore.decide.ecs.sizes import TASK_CPU_UNITS

MAX_BYTES = 65536
MAX_CONTAINERS = 10
MAX_CONSTRAINTS = 10
STORAGE_GIB = range(21, 201)
ROLE = re.compile(r"(arn:aws[\w-]*:iam::\d{12}:role/)?[\w+=,.@/-]{1,512}")


def check_task(document: Document) -> None:
    """All rules of this file. `cpu` and `memory` may still be as they were written (`1 vCPU`)."""
    _check_family(document["family"])
    _check_length(document)
    containers = containers_of(document)
    if not containers:
        raise refused("Container list cannot be empty.")
    if len(containers) > MAX_CONTAINERS:
        raise refused(
            f"A task definition can have at most {MAX_CONTAINERS} containers; this one has {len(containers)}."
        )
    if not any(is_essential(container) for container in containers):
        raise refused("Task definition doesn't have any essential container")
    for role in ("taskRoleArn", "executionRoleArn"):
        if document.get(role) and not ROLE.fullmatch(document[role]):
            raise refused("Role is not valid")
    _check_sizes(document)
    _check_storage(document)
    _check_constraints(document)
    _check_proxy(document)
    if document.get("inferenceAccelerators"):
        raise refused("inferenceAccelerators are not supported: AWS has withdrawn Elastic Inference.")
    trusted = document.get("trustedExecutionConfiguration")
    if trusted and trusted["isolationMode"] == "CONFIDENTIAL_SANDBOX" and not trusted.get("attestationPolicy"):
        raise refused("attestationPolicy is required when isolationMode is CONFIDENTIAL_SANDBOX")


def _check_family(family: str) -> None:
    if not family:
        raise refused("Family can not be blank.")
    if len(family) > 255:
        raise refused("Family name can have up to 255 characters.")
    if not NAME.fullmatch(family):
        raise refused("Family contains invalid characters.")


def _check_length(document: Document) -> None:
    length = len(json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass"))
    if length > MAX_BYTES:
        raise refused(f"Actual length: '{length}'. Max allowed length is '{MAX_BYTES}' bytes.")


def _check_sizes(document: Document) -> None:
    cpu, memory = document.get("cpu"), document.get("memory")
    if cpu is not None:
        units = sizes.cpu_units(cpu)
        if units is None or (not requires(document, "FARGATE") and units not in TASK_CPU_UNITS):
            raise refused("Invalid 'cpu' setting for task.")
    if memory is not None and not sizes.memory_mib(memory):
        raise refused("Invalid 'memory' setting for task.")


def _check_storage(document: Document) -> None:
    storage = document.get("ephemeralStorage")
    if storage is None:
        return
    if storage["sizeInGiB"] < STORAGE_GIB.start:
        raise refused("EphemeralStorage size should be at least 21")
    if storage["sizeInGiB"] not in STORAGE_GIB:
        raise refused("EphemeralStorage size should be at most 200")
    if document.get("requiresCompatibilities") and not requires(document, "FARGATE"):
        raise refused("Tasks using the EC2 launch type do not support EphemeralStorage")


def _check_constraints(document: Document) -> None:
    constraints = document.get("placementConstraints") or ()
    if len(constraints) > MAX_CONSTRAINTS:
        raise refused(f"A task definition can have at most {MAX_CONSTRAINTS} placement constraints.")
    for constraint in constraints:
        if constraint.get("type") != "memberOf" or not constraint.get("expression"):
            raise refused("A placement constraint needs the type memberOf and an expression.")
        if len(constraint["expression"]) > 2000:
            raise refused("The expression of a placement constraint can have up to 2000 characters.")


def _check_proxy(document: Document) -> None:
    proxy = document.get("proxyConfiguration")
    if proxy is None:
        return
    if proxy["containerName"] not in {container.get("name") for container in containers_of(document)}:
        raise refused(
            f"The proxyConfiguration container {proxy['containerName']} does not exist in the task definition."
        )
    if document.get("networkMode") != "awsvpc":
        raise refused("A proxyConfiguration needs networkMode awsvpc.")

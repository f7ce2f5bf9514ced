"""Checks the `overrides` of RunTask against the task definition. Pure; called by `run_task.py`."""

import json
from collections.abc import Mapping
from typing import Any

from longshore.api.ecs.task_definitions.validate_task import ROLE
from longshore.decide.ecs.launch import merged_containers, task_limits
from longshore.decide.ecs.sizes import cpu_units, is_fargate_size, memory_mib
from longshore.domain.ecs.task_definition import TaskDefinition
from longshore.wire.errors import ApiError

MAX_LENGTH = 8192
STORAGE_GIB = range(21, 201)


def checked(definition: TaskDefinition, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """The overrides, or the error that ECS answers with."""
    if not given:
        return {}
    overrides = dict(given)
    if len(json.dumps(overrides, separators=(",", ":"), ensure_ascii=False)) > MAX_LENGTH:
        raise ApiError("InvalidParameterException", f"Container Overrides length must be at most {MAX_LENGTH}")
    names = {container["name"] for container in definition.containers}
    seen: set[str] = set()
    for override in overrides.get("containerOverrides") or ():
        _check_container(override, names, seen)
    _check_size(definition, overrides)
    _check_sums(definition, overrides)
    for role in ("taskRoleArn", "executionRoleArn"):
        if overrides.get(role) and not ROLE.fullmatch(overrides[role]):
            raise ApiError("ClientException", "Role is not valid")
    storage = overrides.get("ephemeralStorage")
    if storage is not None and storage["sizeInGiB"] not in STORAGE_GIB:
        bound = "at least 21" if storage["sizeInGiB"] < STORAGE_GIB.start else "at most 200"
        raise ApiError("InvalidParameterException", f"EphemeralStorage size should be {bound}")
    return overrides


def _check_size(definition: TaskDefinition, overrides: Mapping[str, Any]) -> None:
    """The size of the whole task, where it is overridden, must be one of Fargate's."""
    if not overrides.get("cpu") and not overrides.get("memory"):
        return
    cpu = cpu_units(str(overrides.get("cpu") or definition.document.get("cpu") or ""))
    memory = memory_mib(str(overrides.get("memory") or definition.document.get("memory") or ""))
    if not is_fargate_size(cpu, memory):
        raise ApiError("ClientException", "No Fargate configuration exists for given values.")


def _check_sums(definition: TaskDefinition, overrides: Mapping[str, Any]) -> None:
    """The containers as overridden must fit into the task, as when registering: no limit stays without effect."""
    cpu_units, memory = task_limits(definition.document, overrides)
    containers = merged_containers(definition, overrides)
    if cpu_units is not None and sum(container.get("cpu") or 0 for container in containers) > cpu_units:
        text = "The sum of all container 'cpu' values cannot be greater than the task-level 'cpu' value"
        raise ApiError("ClientException", text)
    for container in containers:
        for setting in ("memory", "memoryReservation"):
            if memory is not None and (container.get(setting) or 0) > memory:
                text = f"The '{setting}' setting for container '{container['name']}' is greater than for the task"
                raise ApiError("ClientException", text)


def _check_container(override: Mapping[str, Any], names: set[str], seen: set[str]) -> None:
    name = override.get("name")
    if not name:
        raise ApiError("InvalidParameterException", "Container override: name can not be empty. Name a container.")
    if name not in names:
        text = f"Override for container named {name} is not a container in the TaskDefinition."
        raise ApiError("InvalidParameterException", text)
    if name in seen:
        raise ApiError("InvalidParameterException", f"Container {name} is overridden twice: merge the two overrides.")
    seen.add(name)
    if any(not pair.get("name") for pair in override.get("environment") or ()):
        text = f"An environment variable in the override of container {name} has no name."
        raise ApiError("InvalidParameterException", text)
    memory, reservation = override.get("memory"), override.get("memoryReservation")
    if any(value is not None and value < 0 for value in (override.get("cpu"), memory, reservation)):
        raise ApiError("InvalidParameterException", f"cpu and memory of container {name} can not be negative.")
    if memory and reservation and memory < reservation:
        text = f"Invalid setting for container '{name}'. 'memory' must be greater than or equal to 'memoryReservation'."
        raise ApiError("InvalidParameterException", text)

"""Rules on each container: name, image, cpu and memory, environment, checks, timeouts, logs, Linux parameters. Pure."""

import re

from longshore.api.ecs.log_options import log_problem
from longshore.api.ecs.task_definitions.rules import NAME, Document, check_range, containers_of, refused
from longshore.decide.ecs import sizes

MIN_MEMORY_MIB = 6
MAX_ENVIRONMENT_FILES = 10
MAX_IGNORED_CODES = 50
IMAGE = re.compile(r"[A-Za-z0-9_\-:/.#@%+]{1,255}")
OWN_LABELS = "longshore."
"""What labels that the Docker engine sets begin with: a definition's would be written over."""


def check_containers(document: Document) -> None:
    """All rules of this file."""
    seen: set[str] = set()
    for container in containers_of(document):
        _check_names(container)
        if container["name"] in seen:
            raise refused("Container names must be unique within a task definition")
        seen.add(container["name"])
        _check_resources(container, document)
        _check_environment(container)
        _check_health_check(container)
        _check_timeouts(container)
        _check_restart_policy(container)
        _check_log(container)
        _check_linux(container)
        _check_lists(container)
    if sum(container.get("firelensConfiguration") is not None for container in containers_of(document)) > 1:
        raise refused("Only one container of a task definition can have a firelensConfiguration.")


def _check_names(container: Document) -> None:
    if not container.get("name"):
        raise refused("Container.name should not be null or empty.")
    if not NAME.fullmatch(container["name"]):
        raise refused("Container.name contains invalid characters.")
    if not container.get("image"):
        raise refused("Container.image should not be null or empty.")
    if not IMAGE.fullmatch(container["image"]):
        raise refused("Container.image contains invalid characters.")


def _check_resources(container: Document, document: Document) -> None:
    name = container["name"]
    cpu, memory = container.get("cpu") or 0, container.get("memory") or 0
    reservation = container.get("memoryReservation") or 0
    task_memory = sizes.memory_mib(document["memory"]) if document.get("memory") else None
    if cpu < 0:
        raise refused(f"Invalid 'cpu' setting for container '{name}'.")
    if not memory and not reservation and task_memory is None:
        needed = "At least one of 'memory' or 'memoryReservation' must be specified."
        raise refused(f"Invalid setting for container '{name}'. {needed}")
    for setting, value in (("memory", memory), ("memoryReservation", reservation)):
        if value and value < MIN_MEMORY_MIB:
            raise refused(f"Invalid setting for container '{name}'. '{setting}' must be at least {MIN_MEMORY_MIB} MiB.")
        if task_memory is not None and value > task_memory:
            raise refused(f"The '{setting}' setting for container '{name}' is greater than for the task")
    if memory and memory < reservation:
        raise refused(
            f"Invalid setting for container '{name}'. 'memory' must be greater than or equal to 'memoryReservation'."
        )
    for requirement in container.get("resourceRequirements") or ():
        if not requirement.get("value"):
            raise refused(f"A resource requirement of container '{name}' needs a value.")


def _check_environment(container: Document) -> None:
    name = container["name"]
    names = set()
    for pair in container.get("environment") or ():
        if not pair.get("name"):
            raise refused(f"An environment variable of container '{name}' has no name.")
        names.add(pair["name"])
    for secret in container.get("secrets") or ():
        if secret["name"] in names:
            raise refused(
                "The secret name must be unique and not shared with any new or existing environment variables set on "
                f"the container, such as '{secret['name']}'."
            )
        names.add(secret["name"])
    files = container.get("environmentFiles") or ()
    if len(files) > MAX_ENVIRONMENT_FILES:
        raise refused(f"Container '{name}' can have at most {MAX_ENVIRONMENT_FILES} environmentFiles.")
    for file in files:
        if not (file["value"].startswith("arn:") and ":s3:::" in file["value"] and file["value"].endswith(".env")):
            raise refused(f"An environment file of container '{name}' must be the ARN of an S3 object ending in .env")


def _check_health_check(container: Document) -> None:
    check = container.get("healthCheck")
    if check is None:
        return
    where = f"of the health check of container '{container['name']}'"
    command = check["command"]
    if not command or command[0] not in {"CMD", "CMD-SHELL"} or len(command) < 2:
        raise refused(f"The command {where} must begin with CMD or CMD-SHELL, followed by what to run")
    check_range(check.get("interval"), 5, 300, f"interval {where}")
    check_range(check.get("timeout"), 2, 60, f"timeout {where}")
    check_range(check.get("retries"), 1, 10, f"retries {where}")
    check_range(check.get("startPeriod"), 0, 300, f"startPeriod {where}")


def _check_timeouts(container: Document) -> None:
    for field in ("startTimeout", "stopTimeout"):
        if container.get(field) is not None and container[field] < 0:
            raise refused(f"{field} of container '{container['name']}' can not be negative")


def _check_restart_policy(container: Document) -> None:
    policy = container.get("restartPolicy")
    if policy is None:
        return
    where = f"of the restart policy of container '{container['name']}'"
    check_range(policy.get("restartAttemptPeriod"), 60, 1800, f"restartAttemptPeriod {where}")
    if len(policy.get("ignoredExitCodes") or ()) > MAX_IGNORED_CODES:
        raise refused(f"ignoredExitCodes {where} can have at most {MAX_IGNORED_CODES} items")


def _check_log(container: Document) -> None:
    if problem := log_problem(container.get("logConfiguration")):
        raise refused(problem)


def _check_linux(container: Document) -> None:
    name = container["name"]
    for limit in container.get("ulimits") or ():
        soft, hard = limit["softLimit"], limit["hardLimit"]
        if soft < -1 or hard < -1 or (hard != -1 and (soft == -1 or soft > hard)):
            raise refused(f"Invalid ulimit {limit['name']} for container '{name}': softLimit must not exceed hardLimit")
    linux = container.get("linuxParameters") or {}
    check_range(linux.get("swappiness"), 0, 100, f"swappiness of container '{name}'")
    for field, least in (("maxSwap", 0), ("sharedMemorySize", 1)):
        if linux.get(field) is not None and linux[field] < least:
            raise refused(f"{field} of container '{name}' must be at least {least}")
    for tmpfs in linux.get("tmpfs") or ():
        if tmpfs["size"] < 1 or not tmpfs["containerPath"].startswith("/"):
            raise refused(f"A tmpfs of container '{name}' needs an absolute containerPath and a size of at least 1 MiB")
    for device in linux.get("devices") or ():
        if not device["hostPath"]:
            raise refused(f"A device of container '{name}' needs a hostPath")


def _check_lists(container: Document) -> None:
    name = container["name"]
    for label in container.get("dockerLabels") or ():
        if label.startswith(OWN_LABELS):
            text = f"Docker label '{label}' of container '{name}' is Longshore's own: begin it with something else."
            raise refused(text)
    for control in container.get("systemControls") or ():
        if not control.get("namespace") or control.get("value") is None:
            raise refused(f"A systemControl of container '{name}' needs a namespace and a value.")
    for host in container.get("extraHosts") or ():
        if not host["hostname"] or not host["ipAddress"]:
            raise refused(f"An extra host of container '{name}' needs a hostname and an ipAddress.")

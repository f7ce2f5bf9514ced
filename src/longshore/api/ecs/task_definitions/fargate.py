"""What Fargate asks of a task definition: raised where it is required, and what makes one compatible. Pure."""

import re
from collections.abc import Iterator

from longshore.api.ecs.task_definitions.rules import Document, check_range, containers_of, refused
from longshore.decide.ecs import sizes

ECR = re.compile(r"\d{12}\.dkr[.-]ecr(-fips)?\.[a-z0-9-]+\.[a-z.]+/.*|\d{12}\.dkr\.ecr\..*", re.DOTALL)
LOG_DRIVERS = ("awslogs", "splunk", "awsfirelens")
NEEDS_ROLE = "Fargate requires task definition to have execution role ARN to support {what}."
LINUX_BANS = ("devices", "sharedMemorySize", "maxSwap", "swappiness")


def check_fargate(document: Document) -> None:
    """Raise the first reason why Fargate can't run this definition. All other rules have been checked."""
    if document.get("networkMode") != "awsvpc":
        raise refused("Fargate only supports network mode ‘awsvpc’.")  # noqa: RUF001  these quotes are AWS's
    _check_size(document)
    for field in _banned(document):
        raise refused(f"Fargate compatible task definitions do not support {field}")
    if document.get("pidMode") not in {None, "task"}:
        raise refused("Fargate compatible task definitions do not support pidMode other than 'task'")
    if document.get("trustedExecutionConfiguration"):
        raise refused("Fargate compatible task definitions do not support trustedExecutionConfiguration")
    for container in containers_of(document):
        _check_container(container)
        _check_role(container, document)


def _check_size(document: Document) -> None:
    for field in ("cpu", "memory"):
        if not document.get(field):
            raise refused(f"Fargate requires that '{field}' be defined at the task level")
    cpu, memory = sizes.cpu_units(document["cpu"]), sizes.memory_mib(document["memory"])
    if not sizes.is_fargate_size(cpu, memory):
        raise refused("No Fargate configuration exists for given values.")
    family = (document.get("runtimePlatform") or {}).get("operatingSystemFamily") or "LINUX"
    if family != "LINUX" and (cpu or 0) < 1024:
        raise refused("No Fargate configuration exists for given values.")
    if sum(container.get("cpu") or 0 for container in containers_of(document)) > (cpu or 0):
        raise refused("The sum of all container 'cpu' values cannot be greater than the task-level 'cpu' value")


def _banned(document: Document) -> Iterator[str]:
    """The fields in use that Fargate does not have."""
    for container in containers_of(document):
        linux = container.get("linuxParameters") or {}
        yield from (field for field in LINUX_BANS if linux.get(field) not in (None, []))
        yield from (field for field in ("dockerSecurityOptions", "resourceRequirements") if container.get(field))
    for volume in document.get("volumes") or ():
        if volume.get("dockerVolumeConfiguration") is not None:
            yield "dockerVolumeConfiguration"
        if (volume.get("host") or {}).get("sourcePath"):
            yield "host.sourcePath"
    if document.get("ipcMode"):
        yield "ipcMode"
    if document.get("placementConstraints"):
        yield "placementConstraints"


def _check_container(container: Document) -> None:
    name = container["name"]
    if container.get("privileged"):
        raise refused("Fargate requires that the 'privileged' setting be 'false'")
    capabilities = (container.get("linuxParameters") or {}).get("capabilities") or {}
    if any(capability != "SYS_PTRACE" for capability in capabilities.get("add") or ()):
        raise refused("Fargate compatible task definitions do not support adding capabilities other than SYS_PTRACE")
    for field in ("startTimeout", "stopTimeout"):
        check_range(container.get(field), 2, 120, f"{field} of container '{name}'")
    log = container.get("logConfiguration")
    if log is None:
        return
    if log["logDriver"] not in LOG_DRIVERS:
        raise refused(f"Fargate compatible task definitions do not support log driver {log['logDriver']}")
    if log["logDriver"] == "awslogs" and not (log.get("options") or {}).get("awslogs-stream-prefix"):
        raise refused("Log driver awslogs requires options: awslogs-stream-prefix")


def _check_role(container: Document, document: Document) -> None:
    if document.get("executionRoleArn"):
        return
    log = container.get("logConfiguration") or {}
    if log.get("logDriver") == "awslogs":
        raise refused(NEEDS_ROLE.format(what="log driver awslogs"))
    if is_ecr(container["image"]):
        raise refused(NEEDS_ROLE.format(what="ECR images"))
    if container.get("secrets") or log.get("secretOptions"):
        raise refused(NEEDS_ROLE.format(what="secrets"))
    if container.get("repositoryCredentials"):
        raise refused(NEEDS_ROLE.format(what="repository credentials"))


def is_ecr(image: str) -> bool:
    """Whether an image is in a private registry of Amazon ECR."""
    return ECR.fullmatch(image) is not None

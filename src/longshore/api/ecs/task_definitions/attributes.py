"""`requiresAttributes`: what the agent of an instance must be able to do to run a task definition. Pure."""

from collections.abc import Iterator

from longshore.api.ecs.task_definitions.fargate import is_ecr
from longshore.api.ecs.task_definitions.rules import Document, containers_of

DOCKER = "com.amazonaws.ecs.capability.docker-remote-api.1."
AMAZON = "com.amazonaws.ecs.capability."
ECS = "ecs.capability."


def attributes_of(document: Document) -> list[dict[str, str]]:
    """The attributes, name only, each once, sorted as ECS does by name."""
    names = set(_of_task(document))
    for container in containers_of(document):
        names.update(_of_container(container, has_role=bool(document.get("executionRoleArn"))))
    return [{"name": name} for name in sorted(names)]


def _of_task(document: Document) -> Iterator[str]:
    mode = document.get("networkMode")
    if mode == "awsvpc":
        yield ECS + "task-eni"
    if document.get("taskRoleArn"):
        yield AMAZON + ("task-iam-role-network-host" if mode == "host" else "task-iam-role")
    if document.get("cpu") or document.get("memory"):
        yield ECS + "task-cpu-mem-limit"
    if document.get("pidMode") or document.get("ipcMode"):
        yield ECS + "pid-ipc-namespace-sharing"
    for volume in document.get("volumes") or ():
        efs = volume.get("efsVolumeConfiguration")
        if efs is not None:
            yield ECS + "efs"
            if efs.get("authorizationConfig"):
                yield ECS + "efsAuth"


def _of_container(container: Document, *, has_role: bool) -> Iterator[str]:
    yield from _of_log(container, has_role=has_role)
    linux = container.get("linuxParameters") or {}
    wanted = {
        DOCKER + "18": any(container.get(f) for f in ("dockerLabels", "ulimits", "logConfiguration")),
        DOCKER + "21": container.get("memoryReservation"),
        DOCKER + "25": linux.get("initProcessEnabled"),
        AMAZON + "privileged-container": container.get("privileged"),
        AMAZON + "ecr-auth": is_ecr(container["image"]),
        ECS + "execution-role-ecr-pull": is_ecr(container["image"]) and has_role,
        ECS + "container-health-check": container.get("healthCheck"),
        ECS + "container-ordering": any(
            container.get(field) is not None and container[field] != []
            for field in ("dependsOn", "startTimeout", "stopTimeout")
        ),
        ECS + "env-files.s3": container.get("environmentFiles"),
        ECS + "container-restart-policy": (container.get("restartPolicy") or {}).get("enabled"),
        ECS + "network.container-port-range": any(
            mapping.get("containerPortRange") for mapping in container.get("portMappings") or ()
        ),
    }
    yield from (name for name, needed in wanted.items() if needed)
    for secret in container.get("secrets") or ():
        yield f"{ECS}secrets.{_secret_store(secret['valueFrom'])}.environment-variables"


def _of_log(container: Document, *, has_role: bool) -> Iterator[str]:
    log = container.get("logConfiguration")
    if log is None:
        return
    yield f"{AMAZON}logging-driver.{log['logDriver']}"
    if log["logDriver"] == "awslogs":
        yield DOCKER + "19"
        if has_role:
            yield ECS + "execution-role-awslogs"
    for secret in log.get("secretOptions") or ():
        yield f"{ECS}secrets.{_secret_store(secret['valueFrom'])}.bootstrap.log-driver"


def _secret_store(reference: str) -> str:
    return "asm" if ":secretsmanager:" in reference else "ssm"

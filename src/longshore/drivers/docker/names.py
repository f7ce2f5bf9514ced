"""Names and labels of all that the Docker driver creates: from them it finds again what is its own. Pure."""

import hashlib
from collections.abc import Mapping

from longshore.domain.ecs.launch import TaskLaunch, Volume

INSTANCE = "longshore.instance"
TASK = "longshore.task"
CONTAINER = "longshore.container"
VPC = "longshore.vpc"
PAUSE = "~pause"
"""The container label's value of the container that holds a task's namespaces; no user container can have that name."""

PAUSE_NAME = "pause."
"""How the name of such a container ends; no other does, since a user's container can't be called so either."""


class Names:
    """The names of one Longshore instance."""

    def __init__(self, instance_id: str) -> None:
        self.instance_id = instance_id

    def container(self, task_id: str, container: str) -> str:
        """A container's name in Docker: the same at every attempt, so that a create is idempotent."""
        return f"longshore-{self.instance_id}-{task_id}-{PAUSE_NAME if container == PAUSE else container}"

    def task_of(self, labels: Mapping[str, str], container_name: str) -> str:
        """The id of the task that a container of ours belongs to, empty if to none.

        One that was kept warm says it by its name alone: labels can't be changed.
        """
        prefix, suffix = f"longshore-{self.instance_id}-", f"-{PAUSE_NAME}"
        name = container_name.removeprefix("/")
        if TASK not in labels and name.startswith(prefix) and name.endswith(suffix):
            return name.removeprefix(prefix).removesuffix(suffix)
        return labels.get(TASK, "")

    def warm(self, vpc_id: str, address: str) -> str:
        """The name of a pause container that is nobody's yet."""
        return f"longshore-{self.instance_id}-warm-{vpc_id}-{address}"

    def volume(self, launch: TaskLaunch, volume: Volume) -> str:
        """A Docker volume's name: a shared one is called what the user calls it, others belong to the task."""
        if volume.type == "docker" and volume.docker_scope == "shared":
            return volume.name
        return f"longshore-{self.instance_id}-{launch.task_id}-{volume.name}"

    def vpc_network(self, vpc_id: str) -> str:
        """The Docker network of a VPC."""
        return f"longshore-{self.instance_id}-{vpc_id}"

    def bridge_network(self) -> str:
        """The Docker network of the tasks in bridge mode."""
        return f"longshore-{self.instance_id}-bridge"

    def device(self, network: str) -> str:
        """The bridge device of one of our networks: at most 15 characters, so a digest of its name."""
        return "ls-" + hashlib.sha256(network.encode()).hexdigest()[:11]

    def cgroup_root(self) -> str:
        """The cgroup above those of our tasks."""
        return f"/longshore-{self.instance_id}"

    def cgroup(self, task_id: str) -> str:
        """The cgroup above those of a task's containers."""
        return f"{self.cgroup_root()}/{task_id}"

    def instance_filter(self, **more: list[str]) -> dict[str, list[str]]:
        """A Docker filter for what is ours."""
        return {"label": [f"{INSTANCE}={self.instance_id}"], **more}

    def task_filter(self, task_id: str) -> dict[str, list[str]]:
        """A Docker filter for what belongs to a task of ours."""
        return {"label": [f"{INSTANCE}={self.instance_id}", f"{TASK}={task_id}"]}

    def task_labels(self, launch: TaskLaunch) -> dict[str, str]:
        """The labels of a task's volumes, and the first of its containers'."""
        return {INSTANCE: self.instance_id, TASK: launch.task_id}

    def container_labels(self, launch: TaskLaunch, container: str) -> dict[str, str]:
        """Ours, and those that the Amazon ECS agent sets."""
        return {
            **self.task_labels(launch),
            CONTAINER: container,
            "com.amazonaws.ecs.cluster": launch.cluster,
            "com.amazonaws.ecs.container-name": container if container != PAUSE else "~internal~ecs~pause",
            "com.amazonaws.ecs.task-arn": launch.task_arn,
            "com.amazonaws.ecs.task-definition-family": launch.family,
            "com.amazonaws.ecs.task-definition-version": str(launch.revision),
        }

"""When a deleted task definition may be removed. Pure; called by `control`."""

from longshore.domain.task_definition import TaskDefinition


def may_remove(definition: TaskDefinition, *, tasks: int, services: int, deployments: int) -> bool:
    """Whether a revision that is to be deleted has nothing left that refers to it.

    The counts are of the index `definition` of Task (live ones), Service and Deployment (not INACTIVE ones) at the
    revision's ARN: the counts of the store are exact, so nothing is listed.
    """
    return definition.status == "DELETE_IN_PROGRESS" and tasks == services == deployments == 0

"""Which launch types a validated task definition can run on, and the check of `requiresCompatibilities`. Pure."""

from longshore.api.ecs.task_definitions.fargate import check_fargate
from longshore.api.ecs.task_definitions.rules import Document, refused, requires
from longshore.wire.errors import ApiError


def compatibilities_of(document: Document) -> list[str]:
    """`compatibilities`, in the order in which ECS answers them; raises where a required one is not among them."""
    mode = document.get("networkMode") or "bridge"
    found = ["EC2"]
    if mode != "awsvpc":
        found.insert(0, "EXTERNAL")
    if mode != "bridge":
        found.append("MANAGED_INSTANCES")
    if document.get("trustedExecutionConfiguration"):
        found = [launch_type for launch_type in found if launch_type == "MANAGED_INSTANCES"]
    try:
        check_fargate(document)
        found.append("FARGATE")
    except ApiError:
        if requires(document, "FARGATE"):
            raise
    for launch_type in document.get("requiresCompatibilities") or ():
        if launch_type not in found:
            raise refused(
                f"The task definition is not compatible with {launch_type}: networkMode {mode}"
                f" and its other settings run on {', '.join(found) or 'nothing'}."
            )
    if document.get("ephemeralStorage") and "FARGATE" not in found:
        raise refused("Tasks using the EC2 launch type do not support EphemeralStorage")
    return found

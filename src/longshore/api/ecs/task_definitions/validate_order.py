"""Rules on how containers depend on each other: dependsOn, links, volumesFrom, and no cycle among them. Pure."""

from longshore.api.ecs.task_definitions.rules import Document, containers_of, is_essential, refused


def check_order(document: Document) -> None:
    """All rules of this file. Container names are known to be there and unique."""
    containers = {container["name"]: container for container in containers_of(document)}
    after = {name: _depends(container, containers) for name, container in containers.items()}
    done: set[str] = set()
    for name in containers:
        _walk(name, after, done, ())


def _depends(container: Document, containers: dict[str, dict[str, object]]) -> list[str]:
    """Who must be there before this container."""
    names = []
    for dependency in container.get("dependsOn") or ():
        name, condition = dependency["containerName"], dependency["condition"]
        if name not in containers:
            raise refused(f"Cannot depend on container {name} because it does not exist")
        other = containers[name]
        if condition in {"COMPLETE", "SUCCESS"} and is_essential(other):
            raise refused("A dependency container with SUCCESS or COMPLETE condition cannot be an essential container")
        if condition == "HEALTHY" and not other.get("healthCheck"):
            raise refused("A dependency container with HEALTHY condition must have health check configured")
        names.append(name)
    for source in container.get("volumesFrom") or ():
        if source.get("sourceContainer") not in containers:
            raise refused(f"Cannot mount volumes from container {source.get('sourceContainer')}: it does not exist")
        names.append(source["sourceContainer"])
    for link in container.get("links") or ():
        name = link.partition(":")[0]
        if name not in containers:
            raise refused(f"Cannot link to container {name} because it does not exist")
        names.append(name)
    return names


def _walk(name: str, after: dict[str, list[str]], done: set[str], path: tuple[str, ...]) -> None:
    if name in path:
        cycle = " -> ".join((*path[path.index(name) :], name))
        raise refused(f"Containers depend on each other in a cycle: {cycle}")
    if name in done:
        return
    for other in after[name]:
        _walk(other, after, done, (*path, name))
    done.add(name)

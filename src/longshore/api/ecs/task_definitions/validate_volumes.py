"""Rules on volumes and where containers mount them. Pure."""

from longshore.api.ecs.task_definitions.rules import NAME, Document, containers_of, refused

KINDS = (
    "host",
    "dockerVolumeConfiguration",
    "efsVolumeConfiguration",
    "s3filesVolumeConfiguration",
    "fsxWindowsFileServerVolumeConfiguration",
)


def check_volumes(document: Document) -> None:
    """All rules of this file."""
    volumes: dict[str, Document] = {}
    for volume in document.get("volumes") or ():
        name = volume.get("name")
        if not name or not NAME.fullmatch(name):
            raise refused("Volume names must have 1 to 255 letters, digits, hyphens and underscores.")
        if name in volumes:
            raise refused(f"Volume names must be unique within a task definition: '{name}' is there twice.")
        volumes[name] = volume
        _check_kind(volume)
        _check_docker(volume)
        _check_efs(volume)
    mounted = _check_mounts(document, volumes)
    _check_at_launch(volumes, mounted)


def _check_kind(volume: Document) -> None:
    given = [kind for kind in KINDS if volume.get(kind) is not None]
    if volume.get("configuredAtLaunch"):
        given.append("configuredAtLaunch")
    if len(given) > 1:
        raise refused(f"Volume '{volume['name']}' can have only one of {' and '.join(given)}.")


def _check_docker(volume: Document) -> None:
    docker = volume.get("dockerVolumeConfiguration")
    if docker and docker.get("autoprovision") and docker.get("scope", "task") != "shared":
        raise refused(f"Volume '{volume['name']}': autoprovision is only for volumes with the scope shared.")


def _check_efs(volume: Document) -> None:
    efs = volume.get("efsVolumeConfiguration")
    if efs is None:
        return
    authorization = efs.get("authorizationConfig") or {}
    encrypted = efs.get("transitEncryption") == "ENABLED"
    if not encrypted and (authorization.get("iam") == "ENABLED" or authorization.get("accessPointId")):
        raise refused(
            f"Volume '{volume['name']}': transitEncryption must be ENABLED to use IAM authorization or an access point."
        )
    if authorization.get("accessPointId") and efs.get("rootDirectory") not in {None, "", "/"}:
        raise refused(f"Volume '{volume['name']}': with an access point rootDirectory must be left out or be '/'.")


def _check_mounts(document: Document, volumes: dict[str, Document]) -> set[str]:
    mounted = set()
    for container in containers_of(document):
        for mount in container.get("mountPoints") or ():
            volume = mount.get("sourceVolume")
            if volume not in volumes:
                raise refused(f"Unknown volume '{volume}'")
            if not mount.get("containerPath"):
                raise refused(f"A mount point of container '{container['name']}' needs a containerPath.")
            mounted.add(volume)
    return mounted


def _check_at_launch(volumes: dict[str, Document], mounted: set[str]) -> None:
    names = [name for name, volume in volumes.items() if volume.get("configuredAtLaunch")]
    if len(names) > 1:
        raise refused("A task definition can have only one volume that is configuredAtLaunch.")
    for name in names:
        if name not in mounted:
            raise refused(f"Volume '{name}' is configuredAtLaunch and must be mounted by a container.")

"""A registered document as ECS answers it: defaults filled in, so that what is read back settles. Pure.

What a second `terraform plan` compares is in here: a default that AWS fills in and we don't is a change for ever.
"""

from typing import Any

from longshore.api.ecs.task_definitions.rules import Document
from longshore.decide.ecs import sizes

HEALTH_CHECK = {"interval": 30, "timeout": 5, "retries": 3}
EMPTY_LISTS = ("portMappings", "environment", "mountPoints", "volumesFrom", "systemControls")


def normalised(document: Document, account: str) -> dict[str, Any]:
    """The document to keep. It has passed all rules; `account` completes the names of roles."""
    kept = dict(document)
    kept.setdefault("networkMode", "bridge")
    kept["containerDefinitions"] = [_container(c, kept["networkMode"]) for c in kept["containerDefinitions"]]
    kept["volumes"] = [_volume(volume) for volume in kept.get("volumes") or ()]
    kept.setdefault("placementConstraints", [])
    for field, parse in (("cpu", sizes.cpu_units), ("memory", sizes.memory_mib)):
        if field in kept:
            kept[field] = str(parse(kept[field]))
    for role in ("taskRoleArn", "executionRoleArn"):
        if not kept.get(role):
            kept.pop(role, None)
        elif not kept[role].startswith("arn:"):
            kept[role] = f"arn:aws:iam::{account}:role/{kept[role]}"
    if not kept.get("requiresCompatibilities"):
        kept.pop("requiresCompatibilities", None)
    return kept


def _container(container: dict[str, Any], network_mode: str) -> dict[str, Any]:
    kept = {"cpu": 0, "essential": True, **{field: [] for field in EMPTY_LISTS}, **container}
    kept["portMappings"] = [_port_mapping(mapping, network_mode) for mapping in kept["portMappings"]]
    if "healthCheck" in kept:
        kept["healthCheck"] = {**HEALTH_CHECK, **kept["healthCheck"]}
    return kept


def _port_mapping(mapping: dict[str, Any], network_mode: str) -> dict[str, Any]:
    kept = {"protocol": "tcp", **mapping}
    if "containerPort" in kept:
        same = network_mode in {"awsvpc", "host"}
        kept["hostPort"] = kept["containerPort"] if same else kept.get("hostPort", 0)
    return kept


def _volume(volume: dict[str, Any]) -> dict[str, Any]:
    kept = dict(volume)
    if kept.keys() <= {"name"}:
        kept["host"] = {}
    if "efsVolumeConfiguration" in kept:
        kept["efsVolumeConfiguration"] = {"rootDirectory": "/", **kept["efsVolumeConfiguration"]}
    if "dockerVolumeConfiguration" in kept:
        kept["dockerVolumeConfiguration"] = {"scope": "task", **kept["dockerVolumeConfiguration"]}
    return kept


def without_none(value: Any) -> Any:
    """The value less members that are null, which mean absent."""
    if isinstance(value, dict):
        return {name: without_none(member) for name, member in value.items() if member is not None}
    if isinstance(value, list):
        return [without_none(member) for member in value if member is not None]
    return value

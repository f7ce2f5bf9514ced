"""What of a task definition is not served: the fields that stop a task from running, and those without effect.

`UNSERVED` and `INERT` are the source of `docs/coverage.md`. Registering a definition that uses an unserved field
succeeds, as on AWS; RunTask, CreateService and UpdateService refuse to run it, with the sentences of `unserved`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from longshore.decide.ecs.launch import port_numbers

MAX_PORTS = 1000
"""How many ports a container may map: each is a rule of its own on the host."""

UNSERVED: Mapping[str, str] = {
    "containerDefinitions[].environmentFiles": (
        "Environment files are not fetched yet, from wherever S3 is: pass the variables as environment."
    ),
    "containerDefinitions[].repositoryCredentials": (
        "Repository credentials are not served yet: pull private images on the machine first (docker pull)."
    ),
    "containerDefinitions[].firelensConfiguration": "FireLens is not served yet: use the log driver awslogs.",
    "containerDefinitions[].logConfiguration.logDriver": (
        "This log driver is not served: use awslogs, or leave logConfiguration out."
    ),
    "containerDefinitions[].logConfiguration.secretOptions": (
        "Secrets for log drivers are not served: the served driver, awslogs, needs none."
    ),
    "containerDefinitions[].resourceRequirements": "GPUs and other accelerators are not served.",
    "containerDefinitions[].credentialSpecs": "Credential specs (gMSA) need Active Directory, which is not served.",
    "containerDefinitions[].portMappings[].containerPortRange": (
        f"A container can map at most {MAX_PORTS} ports here: use a smaller containerPortRange."
    ),
    "volumes[].efsVolumeConfiguration": "EFS volumes are not served: use a host or Docker volume.",
    "volumes[].fsxWindowsFileServerVolumeConfiguration": "FSx volumes are not served: use a host or Docker volume.",
    "volumes[].s3filesVolumeConfiguration": "S3 Files volumes are not served: use a host or Docker volume.",
    "volumes[].configuredAtLaunch": "EBS volumes are not served: use a host or Docker volume.",
    "proxyConfiguration": "App Mesh is not served: AWS withdraws it in 2026.",
    "inferenceAccelerators": "Elastic Inference is not served: AWS has withdrawn it.",
    "placementConstraints": "Placement constraints are for container instances, which are not served yet.",
    "runtimePlatform.operatingSystemFamily": "Windows containers are not served: use LINUX.",
    "runtimePlatform.cpuArchitecture": (
        "A task runs on this machine only: leave cpuArchitecture out, or ask for the architecture that it has."
    ),
    "enableFaultInjection": "Fault injection is not served: leave enableFaultInjection out, or set it to false.",
    "trustedExecutionConfiguration": (
        "Trusted execution needs Managed Instances, which are not served: leave trustedExecutionConfiguration out."
    ),
}
"""Path into the definition -> why a task with it is refused and what to do."""

ALLOWED: Mapping[str, tuple[Any, ...]] = {
    "containerDefinitions[].logConfiguration.logDriver": ("awslogs",),
    "runtimePlatform.operatingSystemFamily": ("LINUX",),
    "enableFaultInjection": (False,),
    "volumes[].configuredAtLaunch": (False,),
}
"""Values of those that are served."""

UNSERVED_OVERRIDES: Mapping[str, str] = {
    "containerOverrides[].environmentFiles": UNSERVED["containerDefinitions[].environmentFiles"],
    "containerOverrides[].resourceRequirements": UNSERVED["containerDefinitions[].resourceRequirements"],
    "inferenceAcceleratorOverrides": UNSERVED["inferenceAccelerators"],
}
"""The same for `overrides`."""

INERT_OVERRIDES: Mapping[str, str] = {
    "ephemeralStorage": "Kept and answered; a task's disk is the machine's, without a limit of its own.",
    "executionRoleArn": (
        "Kept and answered; secrets are read as it may, where it is a role that was made here. Images are pulled and "
        "logs written with Longshore's own rights."
    ),
}
"""What of `overrides` is kept but has no effect."""

INERT: Mapping[str, str] = {
    "containerDefinitions[].versionConsistency": (
        "Kept and answered. Tags are not resolved to digests for a whole revision: each task runs what the tag names "
        "on the machine when it starts."
    ),
    "containerDefinitions[].logConfiguration.options.mode": (
        "Kept and answered. A container never waits for its log: output is read beside it."
    ),
    "containerDefinitions[].logConfiguration.options.max-buffer-size": "Kept and answered, as `mode` is.",
    "ephemeralStorage": "Kept and answered; a task's disk is the machine's, without a limit of its own.",
    "executionRoleArn": (
        "Kept, answered and checked for Fargate; secrets are read as it may, where it is a role that was made here. "
        "Images are pulled and logs written with Longshore's own rights."
    ),
    "requiresCompatibilities": "Checked at registration and answered; what runs is decided by the launch type.",
}
"""Path -> what is kept but has no effect."""


def unserved(document: Mapping[str, Any], overrides: Mapping[str, Any], architecture: str = "") -> list[str]:
    """The sentences for what this definition, run with these overrides, would need. Empty: it can run.

    `architecture` is the machine's, as `cpuArchitecture` has it; empty while it is not known.
    """
    sentences = [*_used(document, UNSERVED, architecture), *_used(overrides, UNSERVED_OVERRIDES, architecture)]
    return list(dict.fromkeys(sentences))


def _used(document: Mapping[str, Any], paths: Mapping[str, str], architecture: str) -> Iterator[str]:
    for path, sentence in paths.items():
        allowed = ALLOWED.get(path, ())
        if path == "containerDefinitions[].portMappings[].containerPortRange":
            if any(_ports_mapped(container) > MAX_PORTS for container in document["containerDefinitions"]):
                yield sentence
        elif path == "runtimePlatform.cpuArchitecture":
            asked = next(values_at(document, path), None)
            if architecture and asked not in {None, "", architecture}:
                yield f"This machine is {architecture}, and the task definition asks for {asked}. {sentence}"
        elif any(value not in allowed for value in values_at(document, path) if _is_set(value)):
            yield sentence


def _is_set(value: Any) -> bool:
    return value is not None and value not in ([], {})


def _ports_mapped(container: Mapping[str, Any]) -> int:
    return sum(len(port_numbers(mapping)) for mapping in container.get("portMappings") or ())


def values_at(document: Any, path: str) -> Iterator[Any]:
    """Every value that a path such as `volumes[].host.sourcePath` leads to."""
    head, _, rest = path.partition(".")
    name = head.removesuffix("[]")
    if not isinstance(document, Mapping) or name not in document:
        return
    for value in (document[name] or ()) if head.endswith("[]") else (document[name],):
        if rest:
            yield from values_at(value, rest)
        else:
            yield value

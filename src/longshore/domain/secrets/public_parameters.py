"""Parameters that AWS publishes for everybody, below `/aws/service/`: where stacks find images and regions. Pure.

The machine images that they name are nowhere to be had here; their ids are of AWS's form, and the same at every look,
another one in each region.
"""

import functools
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from longshore.domain.secrets.public_places import LONG_NAMES, SERVICES

ROOT = "/aws/service/"
PUBLISHED_AT = 1_753_315_200.0
"""24 July 2025: when the images below were current."""
AGENT, RUNTIME = "1.96.0", "Docker version 25.0.8"
ECS = ROOT + "ecs/optimized-ami/"
LINUX = ROOT + "ami-amazon-linux-latest/"
BOTTLEROCKET = ROOT + "bottlerocket/"
PLACES = ROOT + "global-infrastructure/"
CANONICAL = ROOT + "canonical/ubuntu/server/"
UBUNTU = {
    ("20.04", "focal", "22.04", "jammy"): "ebs-gp2",
    ("24.04", "noble"): "ebs-gp3",
}
"""Releases of Ubuntu by number and by name -> the disk that their images are named for."""
DEBIAN = ROOT + "debian/release/"
WINDOWS_ROOT = ROOT + "ami-windows-latest/"
WINDOWS = tuple(f"{year}-English-{kind}" for year in ("2016", "2019", "2022", "2025") for kind in ("Full", "Core"))
WINDOWS_DATE, WINDOWS_RUNTIME = "2025.07.16", "Docker (CE) version 25.0.6"
FLUENT_BIT = ROOT + "aws-for-fluent-bit/"
FLUENT_BIT_PINNED = (
    *("2.28.4", "2.29.0", "2.29.1", "2.30.0", "2.31.0", "2.31.10", "2.31.11", "2.31.12", "2.32.0", "2.32.1", "2.32.2"),
    *("2.32.4", "2.32.5", "2.33.0", "2.34.0"),
)
FLUENT_BIT_VERSIONS = {"stable": "2.33.0", "latest": "2.34.0", **{version: version for version in FLUENT_BIT_PINNED}}
FLUENT_BIT_REGISTRY = "906394416424"
ECS_IMAGES = {
    "amazon-linux-2": ("Amazon Linux 2", "amzn2-ami-ecs-hvm-2.0.20250721-x86_64-ebs"),
    "amazon-linux-2/arm64": ("Amazon Linux 2", "amzn2-ami-ecs-hvm-2.0.20250721-arm64-ebs"),
    "amazon-linux-2/gpu": ("Amazon Linux 2", "amzn2-ami-ecs-gpu-hvm-2.0.20250721-x86_64-ebs"),
    "amazon-linux-2/inf": ("Amazon Linux 2", "amzn2-ami-ecs-inf-hvm-2.0.20250721-x86_64-ebs"),
    "amazon-linux-2/kernel-5.10": ("Amazon Linux 2", "amzn2-ami-ecs-kernel-5.10-hvm-2.0.20250721-x86_64-ebs"),
    "amazon-linux-2/kernel-5.10/arm64": ("Amazon Linux 2", "amzn2-ami-ecs-kernel-5.10-hvm-2.0.20250721-arm64-ebs"),
    "amazon-linux-2/kernel-5.10/gpu": ("Amazon Linux 2", "amzn2-ami-ecs-kernel-5.10-gpu-hvm-2.0.20250721-x86_64-ebs"),
    "amazon-linux-2023": ("Amazon Linux 2023", "al2023-ami-ecs-hvm-2023.0.20250720-kernel-6.1-x86_64"),
    "amazon-linux-2023/arm64": ("Amazon Linux 2023", "al2023-ami-ecs-hvm-2023.0.20250720-kernel-6.1-arm64"),
    "amazon-linux-2023/gpu": ("Amazon Linux 2023", "al2023-ami-ecs-gpu-hvm-2023.0.20250720-kernel-6.1-x86_64"),
    "amazon-linux-2023/neuron": ("Amazon Linux 2023", "al2023-ami-ecs-neuron-hvm-2023.0.20250720-kernel-6.1-x86_64"),
}
"""Variant of the ECS-optimized image -> the system's name, and the image's."""
LINUX_IMAGES = (
    *(f"al2023-ami-kernel-{kernel}-{arch}" for kernel in ("default", "6.1", "6.12") for arch in ("x86_64", "arm64")),
    *(f"al2023-ami-minimal-kernel-{k}-{arch}" for k in ("default", "6.1") for arch in ("x86_64", "arm64")),
    *(f"amzn2-ami-hvm-{arch}-{disk}" for arch in ("x86_64", "arm64") for disk in ("gp2",)),
    *(f"amzn2-ami-kernel-5.10-hvm-{arch}-gp2" for arch in ("x86_64", "arm64")),
    *("amzn2-ami-hvm-x86_64-ebs", "amzn2-ami-minimal-hvm-x86_64-ebs", "amzn2-ami-minimal-hvm-arm64-ebs"),
    *("amzn-ami-hvm-x86_64-gp2", "amzn-ami-hvm-x86_64-ebs"),
)


class PublicParameter(NamedTuple):
    """One of them."""

    value: str
    data_type: str = "text"


@functools.cache
def public_parameters(region: str) -> Mapping[str, PublicParameter]:
    """All that a region has, by name, sorted."""
    return dict(sorted(_published(region)))


def public_arn(region: str, name: str) -> str:
    """The ARN of one: no account's."""
    return f"arn:aws:ssm:{region}::parameter{name}"


def _published(region: str) -> Iterator[tuple[str, PublicParameter]]:
    for variant, (system, image) in ECS_IMAGES.items():
        yield from _ecs_image(region, f"{ECS}{variant}/recommended", system, image)
    for name in LINUX_IMAGES:
        yield LINUX + name, PublicParameter(_image_id(region, name), "aws:ec2:image")
    for system in ("aws-ecs-1", "aws-ecs-2", "aws-ecs-2-nvidia"):
        for architecture in ("x86_64", "arm64"):
            below = f"{BOTTLEROCKET}{system}/{architecture}/latest/"
            yield below + "image_id", PublicParameter(_image_id(region, below), "aws:ec2:image")
            yield below + "image_version", PublicParameter("1.42.0-3b6f5d4d")
    for name, version in FLUENT_BIT_VERSIONS.items():
        registry = f"{FLUENT_BIT_REGISTRY}.dkr.ecr.{region}.amazonaws.com"
        yield FLUENT_BIT + name, PublicParameter(f"{registry}/aws-for-fluent-bit:{version}")
        yield f"{FLUENT_BIT}init-{name}", PublicParameter(f"{registry}/aws-for-fluent-bit:init-{version}")
    for path in (*_ubuntu_paths(), *_debian_paths()):
        yield path, PublicParameter(_image_id(region, path), "aws:ec2:image")
    for edition in WINDOWS:
        yield from _windows_images(region, f"{WINDOWS_ROOT}Windows_Server-{edition}")
    yield from _places(region)


def _ubuntu_paths() -> Iterator[str]:
    for names, disk in UBUNTU.items():
        for name in names:
            for architecture in ("amd64", "arm64"):
                yield f"{CANONICAL}{name}/stable/current/{architecture}/hvm/{disk}/ami-id"


def _debian_paths() -> Iterator[str]:
    for release in ("11", "12"):
        for architecture in ("amd64", "arm64"):
            yield f"{DEBIAN}{release}/latest/{architecture}"


def _windows_images(region: str, edition: str) -> Iterator[tuple[str, PublicParameter]]:
    """The plain image of an edition of Windows, and the one with ECS's agent."""
    plain = f"{edition}-Base"
    yield plain, PublicParameter(_image_id(region, plain), "aws:ec2:image")
    name = f"{edition}-ECS_Optimized"
    image = f"{name.removeprefix(WINDOWS_ROOT)}-{WINDOWS_DATE}"
    fields = {
        "image_name": image,
        "image_id": _image_id(region, image),
        "ecs_runtime_version": WINDOWS_RUNTIME,
        "ecs_agent_version": AGENT,
    }
    yield name, PublicParameter(json.dumps(fields, separators=(",", ":")))
    for field, value in fields.items():
        yield f"{name}/{field}", PublicParameter(value, "aws:ec2:image" if field == "image_id" else "text")


def _places(region: str) -> Iterator[tuple[str, PublicParameter]]:
    yield PLACES + "current-region", PublicParameter(region)
    for each, long_name in LONG_NAMES.items():
        yield f"{PLACES}regions/{each}", PublicParameter(each)
        yield f"{PLACES}regions/{each}/longName", PublicParameter(long_name)
        yield f"{PLACES}regions/{each}/domain", PublicParameter("amazonaws.com")
        yield f"{PLACES}regions/{each}/partition", PublicParameter("aws")
    for service, long_name in SERVICES.items():
        yield f"{PLACES}services/{service}", PublicParameter(service)
        yield f"{PLACES}services/{service}/longName", PublicParameter(long_name)
        for each in LONG_NAMES:
            yield f"{PLACES}services/{service}/regions/{each}", PublicParameter(each)
            yield f"{PLACES}regions/{each}/services/{service}", PublicParameter(service)


def _ecs_image(region: str, name: str, system: str, image: str) -> Iterator[tuple[str, PublicParameter]]:
    version = next(part for part in image.split("-") if part.startswith(("2.0.", "2023.0.")))
    fields = {
        "ecs_agent_version": AGENT,
        "ecs_runtime_version": RUNTIME,
        "image_id": _image_id(region, image),
        "image_name": image,
        "image_version": version,
        "os": system,
        "schema_version": 1,
        "source_image_name": image.replace("-ecs", "").replace("-ebs", "-gp2"),
    }
    yield name, PublicParameter(json.dumps(fields, separators=(",", ":")))
    for field, value in fields.items():
        if field != "schema_version":
            data_type = "aws:ec2:image" if field == "image_id" else "text"
            yield f"{name}/{field}", PublicParameter(str(value), data_type)


def _image_id(region: str, name: str) -> str:
    return "ami-0" + hashlib.sha256(f"{region} {name}".encode()).hexdigest()[:16]

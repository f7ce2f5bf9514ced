"""What a user may set. Filled from the command line and the environment by `cli/up.py`; read by `main`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from longshore.domain.ec2.network import parsed_address
from longshore.domain.elbv2.quota import DEFAULT_LOAD_BALANCERS

DEFAULT_PORT = 4566
DEFAULT_ACCOUNT = "123456789012"
DEFAULT_REGION = "us-east-1"
TASK_API_PORT = 4566
"""Where code inside tasks finds the AWS APIs, at 169.254.170.2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """One Longshore's settings."""

    state: Path | None
    """The state folder; None keeps everything in memory (sim engine only)."""
    listen: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    account: str = DEFAULT_ACCOUNT
    region: str = DEFAULT_REGION
    engine: Literal["docker", "sim"] = "docker"
    auth: bool = False
    iam: Literal["", "open", "enforce"] = ""
    """Whether a task may name a role that nobody has made; empty: not with `auth` (see docs/security.md)."""
    master_key: str = ""
    """Base64 of 32 bytes, from LONGSHORE_SECRET_KEY; empty: the state folder's `secret.key`."""
    docker_url: str = "unix:///var/run/docker.sock"
    pull: Literal["missing", "always"] = "missing"
    warm: int = 0
    """How many network namespaces are kept ready in each subnet that tasks start in."""
    lb_address: str = "127.0.0.1"
    """Where this host answers for all load balancers, by the host that a request names; empty: nowhere."""
    lb_ports: tuple[tuple[int, int], ...] = ((80, 80), (443, 443))
    """`(port of a listener, port of this host)` for those."""
    lb_limit: int = DEFAULT_LOAD_BALANCERS
    """How many load balancers of each type an account may have in a region."""
    registry_host: str = ""
    """What the URIs of repositories begin with; empty: where this machine's Docker finds this Longshore."""
    healthy_after_s: float = 3.0
    cpu_overcommit: float = 4.0
    memory_overcommit: float = 1.0
    history_s: float = 7 * 86400.0
    security_groups: Literal["auto", "enforce", "off"] = "auto"
    """`auto`: they are enforced where this machine can."""
    egress: Literal["open", "routes"] = "open"
    """`routes`: a subnet reaches the outside only as its route table says."""
    vpc_cidr: str = ""
    """Of the default VPC; empty: 172.31.0.0/16, or the next that collides with nothing on the machine."""
    moto: bool = False
    """Whether moto answers for the services that are not served."""
    forwards: tuple[tuple[str, str], ...] = ()
    """`(service, URL)`: by whom else a service is answered."""
    log_level: str = "info"

    @property
    def enforces(self) -> bool:
        """Whether roles must exist."""
        return self.iam == "enforce" or (self.iam == "" and self.auth)


def default_registry_host(listen: str, port: int) -> str:
    """What this machine's Docker calls us: a name in every hosts file, at which Docker needs no TLS."""
    address = parsed_address(listen)
    other = address is not None and address.version == 4 and address.is_loopback and listen != "127.0.0.1"
    return f"{listen if other else 'localhost'}:{port}"


def needs_loopback(listen: str) -> bool:
    """Whether Docker would not find us at `localhost`: then 127.0.0.1 is listened at as well."""
    address = parsed_address(listen)
    return address is not None and not address.is_loopback and not address.is_unspecified

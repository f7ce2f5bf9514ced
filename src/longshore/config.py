"""What a user may set. Filled from the command line and the environment by `cli/up.py`; read by `main`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

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
    healthy_after_s: float = 3.0
    cpu_overcommit: float = 4.0
    memory_overcommit: float = 1.0
    history_s: float = 7 * 86400.0
    vpc_cidr: str = ""
    """Of the default VPC; empty: 172.31.0.0/16, or the next that collides with nothing on the machine."""
    log_level: str = "info"

    @property
    def enforces(self) -> bool:
        """Whether roles must exist."""
        return self.iam == "enforce" or (self.iam == "" and self.auth)

"""What a policy that AWS manages is, and a short way to write its statements."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from longshore.domain.iam import AWS_ACCOUNT, iam_arn

Statement = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ManagedPolicy:
    """One of AWS's policies. `path` is part of its ARN: `/`, or `/service-role/` and the like."""

    path: str
    name: str
    description: str
    statements: tuple[Statement, ...]

    @property
    def arn(self) -> str:
        """`arn:aws:iam::aws:policy/PATH/NAME`."""
        return iam_arn(AWS_ACCOUNT, f"policy{self.path}{self.name}")

    @property
    def unique_id(self) -> str:
        """`ANPA…`: made of the ARN, so that it is always the same."""
        return "ANPA" + base64.b32encode(hashlib.sha256(self.arn.encode()).digest()).decode()[:17]


def allow(
    *actions: str, on: str | tuple[str, ...] = "*", when: Mapping[str, Any] | None = None, sid: str = ""
) -> Statement:
    """A statement that allows actions on resources."""
    statement: dict[str, Any] = {"Sid": sid} if sid else {}
    statement |= {
        "Effect": "Allow",
        "Action": actions[0] if len(actions) == 1 else list(actions),
        "Resource": on if isinstance(on, str) else list(on),
    }
    return {**statement, "Condition": dict(when)} if when else statement


def passed_to(*services: str) -> Mapping[str, Any]:
    """The condition that a role is passed to these services."""
    return {"StringLike": {"iam:PassedToService": services[0] if len(services) == 1 else list(services)}}

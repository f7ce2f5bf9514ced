"""GetCallerIdentity. Reads the call alone."""

import base64
import hashlib
from typing import Any

from longshore.api.operation import Call


def get_caller_identity(call: Call) -> dict[str, Any]:
    """The caller's ARN, account and unique id."""
    return {
        "Account": call.scope.account,
        "Arn": call.principal_arn,
        "UserId": user_id(call.principal_arn, call.scope.account),
    }


def user_id(arn: str, account: str) -> str:
    """The unique id of a principal: the account for its root, AROA…:SESSION for a role's session, AIDA… for a user.

    Derived from the ARN, so that it is the same at every call.
    """
    resource = arn.split(":", 5)[-1]
    if resource == "root":
        return account
    kind, *path = resource.split("/")
    if kind == "assumed-role" and len(path) >= 2:
        role = arn.rpartition("/")[0]
        return f"AROA{_unique(role)}:{path[-1]}"
    return f"AIDA{_unique(arn)}"


def _unique(text: str) -> str:
    return base64.b32encode(hashlib.sha256(text.encode()).digest()).decode()[:17]

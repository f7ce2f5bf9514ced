"""What conditions of policies may look at of a request: its values under the names of their keys. Pure.

Keys are in small letters. Names and when each is there: "AWS global condition context keys", IAM user guide.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

from longshore.domain.tag import Tags

Values = dict[str, tuple[str, ...]]
PrincipalKind = Literal["Account", "User", "AssumedRole"]


def request_values(now: float, region: str, *, secure: bool) -> Values:
    """Of the request itself, whoever makes it."""
    return {
        "aws:currenttime": (datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),),
        "aws:epochtime": (str(int(now)),),
        "aws:principalisawsservice": ("false",),
        "aws:requestedregion": (region,),
        "aws:securetransport": (str(secure).lower(),),
        "aws:viaawsservice": ("false",),
    }


def way_values(service: str, region: str) -> Values:
    """Of a request to KMS that a service makes in its caller's place."""
    return {"kms:viaservice": (f"{service}.{region}.amazonaws.com",), "aws:viaawsservice": ("true",)}


def principal_values(account: str, arn: str, kind: PrincipalKind, user_id: str, tags: Tags, *, session: bool) -> Values:
    """Of who asks. A session of a role is known by its role's ARN."""
    return {
        "aws:principalaccount": (account,),
        "aws:principalarn": (arn,),
        "aws:principaltype": (kind,),
        "aws:userid": (user_id,),
        "kms:calleraccount": (account,),
        **({"aws:username": (arn.rpartition("/")[2],)} if kind == "User" else {}),
        **({"aws:multifactorauthpresent": ("false",)} if session else {}),
        **tag_values(("aws:principaltag",), tags),
    }


def resource_values(account: str, service: str, tags: Tags) -> Values:
    """Of what is asked for: whose it is, and its tags, under the service's own name too."""
    return {"aws:resourceaccount": (account,), **tag_values(("aws:resourcetag", f"{service}:resourcetag"), tags)}


def tag_values(prefixes: Iterable[str], tags: Tags) -> Values:
    """Tags, each as a key of its own under each prefix."""
    return {f"{prefix}/{key.lower()}": (value,) for prefix in prefixes for key, value in tags.items()}

"""What conditions of policies may look at of a request: its values under the names of their keys. Pure.

Keys are in small letters. Names and when each is there: "AWS global condition context keys", IAM user guide.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

from longshore.domain.arn import Arn
from longshore.domain.ec2.network import NetworkInterface, SecurityGroup, Subnet
from longshore.domain.ec2.network_acl import NetworkAcl
from longshore.domain.ec2.routing import NatGateway, RouteTable
from longshore.domain.record import Record
from longshore.domain.secrets.encryption_key import EncryptionKey
from longshore.domain.tag import Tags

Values = dict[str, tuple[str, ...]]
PrincipalKind = Literal["Account", "User", "AssumedRole"]


def request_values(now: float, region: str, *, secure: bool) -> Values:
    """Of the request itself, whoever makes it."""
    return {
        "aws:currenttime": (_moment(now),),
        "aws:epochtime": (str(int(now)),),
        "aws:principalisawsservice": ("false",),
        "aws:requestedregion": (region,),
        "aws:securetransport": (str(secure).lower(),),
        "aws:viaawsservice": ("false",),
    }


def _moment(when: float) -> str:
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def way_values(service: str, region: str) -> Values:
    """Of a request to KMS that a service makes in its caller's place."""
    return {"kms:viaservice": (f"{service}.{region}.amazonaws.com",), "aws:viaawsservice": ("true",)}


def principal_values(
    account: str,
    arn: str,
    kind: PrincipalKind,
    user_id: str,
    tags: Tags,
    *,
    session: bool,
    issued_at: float = 0.0,
) -> Values:
    """Of who asks. A session of a role is known by its role's ARN; `issued_at` is when it began, if that is known."""
    return {
        "aws:principalaccount": (account,),
        "aws:principalarn": (arn,),
        "aws:principaltype": (kind,),
        "aws:userid": (user_id,),
        "kms:calleraccount": (account,),
        **({"aws:username": (arn.rpartition("/")[2],)} if kind == "User" else {}),
        **({"aws:multifactorauthpresent": ("false",)} if session else {}),
        **({"aws:tokenissuetime": (_moment(issued_at),)} if session and issued_at else {}),
        **tag_values(("aws:principaltag",), tags),
    }


def resource_values(account: str, service: str, tags: Tags) -> Values:
    """Of what is asked for: whose it is, and its tags, under the service's own name too."""
    return {"aws:resourceaccount": (account,), **tag_values(("aws:resourcetag", f"{service}:resourcetag"), tags)}


def record_values(record: Record | None) -> Values:
    """Of what is asked for, by its record: the VPC that it is in, or what kind of key it is."""
    match record:
        case NatGateway() | NetworkAcl() | NetworkInterface() | RouteTable() | SecurityGroup() | Subnet():
            return {"ec2:vpc": (str(Arn("ec2", record.scope, f"vpc/{record.vpc_id}")),)}
        case EncryptionKey():
            return key_values(record.spec, record.usage)
    return {}


def key_values(spec: str, usage: str) -> Values:
    """Of a key of KMS, or of one that is to be made."""
    return {
        "kms:keyorigin": ("AWS_KMS",),
        "kms:keyspec": (spec,),
        "kms:keyusage": (usage,),
        "kms:multiregion": ("false",),
    }


def tag_values(prefixes: Iterable[str], tags: Tags) -> Values:
    """Tags, each as a key of its own under each prefix."""
    return {f"{prefix}/{key.lower()}": (value,) for prefix in prefixes for key, value in tags.items()}

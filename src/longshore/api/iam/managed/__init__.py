"""The policies that AWS manages: those that container stacks name, with their documents in short but true form.

A policy of AWS that is not here can be attached all the same, since a stack that AWS takes must be taken here; it then
grants nothing. Called by the handlers that attach, and by `api/access`, which asks for documents.
"""

import json
import re

from longshore.api.iam.managed.compute import COMPUTE
from longshore.api.iam.managed.containers import CONTAINERS
from longshore.api.iam.managed.general import GENERAL
from longshore.api.iam.managed.policy import ManagedPolicy
from longshore.api.operation import Call
from longshore.domain.iam import AWS_ACCOUNT, Policy, iam_arn, iam_key_of
from longshore.wire.errors import ApiError

MANAGED: dict[str, ManagedPolicy] = {policy.arn: policy for policy in (*CONTAINERS, *COMPUTE, *GENERAL)}
"""By ARN."""
NAMED = re.compile(r"([\w.,+@=-]+/)*[\w+=,.@-]{1,128}", re.ASCII)
"""The path and the name of a policy in its ARN."""
AWS_PREFIX = iam_arn(AWS_ACCOUNT, "policy/")


def attachable(call: Call, arn: str) -> None:
    """Raise NoSuchEntity for what no policy of this account, or of AWS, has as its ARN."""
    if is_of_aws(arn):
        return
    key = iam_key_of(arn, "policy")
    policy = call.tx.get(Policy, key) if key else None
    if policy is None or policy.arn != arn or policy.account != call.scope.account:
        if not arn.startswith("arn:"):
            raise ApiError("ValidationError", f"ARN {arn} is not valid.")
        raise ApiError("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.")


def is_of_aws(arn: str) -> bool:
    """Whether an ARN is one of a policy that AWS manages."""
    return arn.startswith(AWS_PREFIX) and NAMED.fullmatch(arn.removeprefix(AWS_PREFIX)) is not None


def policy_name(arn: str) -> str:
    """The name of the policy of an ARN."""
    return arn.rpartition("/")[2]


def document_of(policy: ManagedPolicy) -> str:
    """A managed policy's document as a text."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(policy.statements)}, indent=2)

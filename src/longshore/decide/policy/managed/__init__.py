"""The policies that AWS manages: those that container stacks name, with their documents in short but true form.

A policy of AWS that is not here can be attached all the same, since a stack that AWS takes must be taken here; it then
grants nothing. Data alone: `api/iam` describes them, `api/access` decides by them.
"""

import functools
import json
import re

from longshore.decide.policy.document import Document, parse
from longshore.decide.policy.managed.compute import COMPUTE
from longshore.decide.policy.managed.containers import CONTAINERS
from longshore.decide.policy.managed.general import GENERAL
from longshore.decide.policy.managed.policy import ManagedPolicy
from longshore.domain.iam import AWS_ACCOUNT, iam_arn

MANAGED: dict[str, ManagedPolicy] = {policy.arn: policy for policy in (*CONTAINERS, *COMPUTE, *GENERAL)}
"""By ARN."""
NAMED = re.compile(r"([\w.,+@=-]+/)*[\w+=,.@-]{1,128}", re.ASCII)
"""The path and the name of a policy in its ARN."""
AWS_PREFIX = iam_arn(AWS_ACCOUNT, "policy/")


def is_of_aws(arn: str) -> bool:
    """Whether an ARN is one of a policy that AWS manages."""
    return arn.startswith(AWS_PREFIX) and NAMED.fullmatch(arn.removeprefix(AWS_PREFIX)) is not None


def policy_name(arn: str) -> str:
    """The name of the policy of an ARN."""
    return arn.rpartition("/")[2]


@functools.cache
def managed_document(arn: str) -> Document | None:
    """The parsed document of one of AWS's policies; None where it is not here."""
    policy = MANAGED.get(arn)
    return parse(document_of(policy)) if policy else None


def document_of(policy: ManagedPolicy) -> str:
    """A managed policy's document as a text."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(policy.statements)}, indent=2)

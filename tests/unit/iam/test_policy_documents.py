"""Policy documents: what IAM takes, and the sentence that it refuses others with."""

from __future__ import annotations

import json
from typing import Any

import pytest

from longshore.decide.policy.document import Kind, PolicyRefused, parse

ALLOW = {"Effect": "Allow", "Action": "ecs:RunTask", "Resource": "*"}
TRUST = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
SYNTAX = "Syntax errors in policy."


def refused(document: Any, kind: Kind = "identity") -> str:
    text = document if isinstance(document, str) else json.dumps(document)
    with pytest.raises(PolicyRefused) as caught:
        parse(text, kind)
    return str(caught.value)


def of(*statements: Any, **more: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements), **more}


@pytest.mark.parametrize(
    "document",
    [
        of(ALLOW),
        {"Statement": ALLOW},
        {"Version": "2008-10-17", "Id": "x", "Statement": [ALLOW]},
        of({**ALLOW, "Action": ["ecs:Run*", "*"], "Resource": ["arn:aws:ecs:*:*:task/*", "arn:aws:s3:::b/*"]}),
        of({"Effect": "Deny", "NotAction": "iam:*", "NotResource": "*"}),
        of({**ALLOW, "Sid": "One", "Condition": {"StringEquals": {"aws:RequestedRegion": ["a", "b"]}}}),
        of({**ALLOW, "Condition": {"Bool": {"aws:SecureTransport": True}, "NumericLessThan": {"a:b": 3}}}),
        of({**ALLOW, "Condition": {"ForAllValues:StringLikeIfExists": {"aws:TagKeys": "a*"}}}),
    ],
)
def test_documents_that_iam_takes(document: Any) -> None:
    assert parse(json.dumps(document)).statements


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ("", "This policy contains invalid Json"),
        ("{", "This policy contains invalid Json"),
        ("[" * 100_000, "This policy contains invalid Json"),
        ("[]", SYNTAX),
        ("{}", SYNTAX),
        ('{"Version": "2012-10-17", "Statement": [], "Statement": []}', SYNTAX),
        ('{"Version": "2012-10-17", "Statement": NaN}', SYNTAX),
        (of(), SYNTAX),
        (of(ALLOW, Extra=1), SYNTAX),
        (of("x"), SYNTAX),
        ({"Version": "2012-10-18", "Statement": [ALLOW]}, SYNTAX),
        (of({**ALLOW, "Effect": "allow"}), SYNTAX),
        (of({**ALLOW, "Extra": "x"}), SYNTAX),
        (of({**ALLOW, "Sid": 1}), SYNTAX),
        (of({**ALLOW, "Action": 1}), SYNTAX),
        (of({**ALLOW, "NotAction": "ecs:*"}), SYNTAX),
        (of({**ALLOW, "Condition": "x"}), SYNTAX),
        (of({**ALLOW, "Condition": {"StringEquals": "x"}}), SYNTAX),
        (of({**ALLOW, "Condition": {"StringEquals": {"a": {}}}}), SYNTAX),
        (of({**ALLOW, "Condition": {"StringMatches": {"a": "b"}}}), "Invalid Condition type : StringMatches."),
        (of({**ALLOW, "Condition": {"NullIfExists": {"a": "true"}}}), "Invalid Condition type : NullIfExists."),
        (of({"Effect": "Allow", "Resource": "*"}), "Policy statement must contain actions."),
        (of({**ALLOW, "Action": []}), "Policy statement must contain actions."),
        (of({"Effect": "Allow", "Action": "*"}), "Policy statement must contain resources."),
        (
            of({**ALLOW, "Action": "RunTask"}),
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
        ),
        (of({**ALLOW, "Action": "e s:x"}), "Vendor e s is not valid"),
        (of({**ALLOW, "Action": "a:b:c"}), "Actions/Condition can contain only one colon."),
        (of({**ALLOW, "Resource": "cluster"}), 'Resource cluster must be in ARN format or "*".'),
        (of({**ALLOW, "Resource": "arn:aws:ecs"}), 'Resource arn:aws:ecs must be in ARN format or "*".'),
        (of({**ALLOW, "Resource": "arn:x:s3:::b"}), 'Partition "x" is not valid for resource "arn:x:s3:::b".'),
        (of({**ALLOW, "Sid": "A"}, {**ALLOW, "Sid": "A"}), "Statement IDs (SID) in a single policy must be unique."),
        (of({**ALLOW, "Principal": "*"}), "Policy document should not specify a principal."),
    ],
)
def test_documents_that_iam_refuses(document: Any, text: str) -> None:
    assert refused(document) == text


def test_a_statement_id_has_letters_and_digits() -> None:
    assert "must be alpha-numeric" in refused(of({**ALLOW, "Sid": "a b"}))


@pytest.mark.parametrize(
    "principal",
    [
        "*",
        {"AWS": "*"},
        {"AWS": ["123456789012", "arn:aws:iam::123456789012:root"]},
        {"AWS": "arn:aws:sts::123456789012:assumed-role/a/b", "Service": ["ecs.amazonaws.com"]},
        {"Federated": "arn:aws:iam::123456789012:oidc-provider/x"},
    ],
)
def test_whoever_a_role_may_trust(principal: Any) -> None:
    assert parse(json.dumps(of({**TRUST, "Principal": principal})), "trust").statements


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ({**TRUST, "Resource": "*"}, "Has prohibited field Resource"),
        ({**TRUST, "Action": "ecs:RunTask"}, "AssumeRole policy may only specify STS AssumeRole actions."),
        ({"Effect": "Allow", "Action": "sts:AssumeRole"}, "Missing required field Principal"),
        ({**TRUST, "Principal": {"AWS": "ann"}}, 'Invalid principal in policy: "AWS":"ann"'),
        ({**TRUST, "Principal": {"Service": "ecs-tasks"}}, 'Invalid principal in policy: "Service":"ecs-tasks"'),
        ({**TRUST, "Principal": {}}, SYNTAX),
        ({**TRUST, "Principal": {"Robot": "x"}}, SYNTAX),
        ({**TRUST, "NotPrincipal": "*"}, SYNTAX),
    ],
)
def test_trust_that_iam_refuses(statement: Any, text: str) -> None:
    assert refused(of(statement), "trust") == text

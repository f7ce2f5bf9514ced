"""Rotation: its settings are kept and answered. No function is called, so that a value stays until it is put anew."""

import re
from typing import Any

from longshore.api.kms.lookup import DAY_S
from longshore.api.operation import Call, Operation
from longshore.api.secretsmanager.lookup import Answer, find_live, invalid, refused
from longshore.domain.secrets.secret import CURRENT, PENDING, Secret

RATE = re.compile(r"rate\((\d+) (hours?|days?)\)")
CRON = re.compile(r"cron\([^()]+\)")
HOUR_S = 3600.0
MIN_HOURS = 4
NO_FUNCTION = (
    "Kept and answered. Lambda is not served, so that no rotation function runs: change the value with PutSecretValue."
)


def rotate_secret(call: Call) -> Answer:
    """RotateSecret: turns rotation on, with these settings."""
    secret, params = find_live(call), call.params
    function = params.get("RotationLambdaARN") or secret.rotation_lambda_arn
    if not function:
        raise refused("No Lambda rotation function ARN is associated with this secret.")
    if CURRENT not in secret.stages:
        raise refused("You can't rotate a secret that has no value: put one first.")
    rules = _checked_rules(params["RotationRules"]) if params.get("RotationRules") else secret.rotation_rules
    changed = secret.but(
        rotates=True,
        rotation_lambda_arn=function,
        rotation_rules=rules,
        rotation_since=call.now,
        changed_at=call.now,
    )
    call.tx.put(changed)
    return {"ARN": secret.arn, "Name": secret.name, "VersionId": secret.stages[CURRENT]}


def cancel_rotate_secret(call: Call) -> Answer:
    """CancelRotateSecret: turns rotation off. The settings stay for when it is turned on again."""
    secret = find_live(call)
    if not secret.rotation_lambda_arn:
        raise refused("You can't cancel the rotation of a secret for which it was never configured.")
    call.tx.put(secret.but(rotates=False, rotation_since=None, changed_at=call.now))
    return {"ARN": secret.arn, "Name": secret.name, "VersionId": secret.stages.get(PENDING)}


def _checked_rules(rules: dict[str, Any]) -> dict[str, Any]:
    days, expression = rules.get("AutomaticallyAfterDays"), rules.get("ScheduleExpression")
    duration = rules.get("Duration")
    if days and expression:
        raise invalid("You can't specify both AutomaticallyAfterDays and ScheduleExpression.")
    if not days and not expression:
        raise invalid("You must specify AutomaticallyAfterDays or ScheduleExpression.")
    if expression:
        rate = RATE.fullmatch(expression)
        if rate is None and not CRON.fullmatch(expression):
            raise invalid("ScheduleExpression must be rate(N hours), rate(N days) or cron(…).")
        if rate is not None and _rate_s(expression) < MIN_HOURS * HOUR_S:
            raise invalid(f"A secret can be rotated every {MIN_HOURS} hours at most.")
    named = {"AutomaticallyAfterDays": days, "Duration": duration, "ScheduleExpression": expression}
    return {name: value for name, value in named.items() if value is not None}


def _rate_s(expression: str) -> float:
    rate = RATE.fullmatch(expression)
    if rate is None:
        return 0.0
    return int(rate[1]) * (HOUR_S if rate[2].startswith("hour") else DAY_S)


def shown_rules(secret: Secret) -> dict[str, Any]:
    """The rules as they were given."""
    return dict(secret.rotation_rules)


def next_rotation(secret: Secret) -> float | None:
    """When AWS would rotate it; None where that is a matter of a cron expression, or of nothing."""
    rules = secret.rotation_rules
    if not secret.rotates or secret.rotation_since is None:
        return None
    every_s = rules.get("AutomaticallyAfterDays", 0) * DAY_S or _rate_s(rules.get("ScheduleExpression", ""))
    return secret.rotation_since + every_s if every_s else None


OPERATIONS: dict[str, Operation] = {
    "CancelRotateSecret": Operation(cancel_rotate_secret),
    "RotateSecret": Operation(
        rotate_secret,
        refuses={
            "ExternalSecretRotationMetadata": "Managed external secrets are not served.",
            "ExternalSecretRotationRoleArn": "Managed external secrets are not served.",
        },
        inert={
            "RotationLambdaARN": NO_FUNCTION,
            "RotationRules": NO_FUNCTION,
            "RotateImmediately": NO_FUNCTION,
            "ClientRequestToken": "It would name the version that a rotation function makes.",
        },
    ),
}

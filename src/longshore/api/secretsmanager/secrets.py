"""Secrets: made, described, changed, deleted after a recovery window or at once, restored."""

from typing import Any

from longshore.api.kms.lookup import DAY_S, symmetric_key
from longshore.api.operation import Call, Operation
from longshore.api.secretsmanager.lookup import (
    INVALID_NAME,
    NAME,
    Answer,
    find,
    find_live,
    invalid,
    key_reference,
    refused,
    versions_of,
)
from longshore.api.secretsmanager.rotation import next_rotation, shown_rules
from longshore.api.secretsmanager.tags import checked_tags
from longshore.api.secretsmanager.versions import Value, encrypt_anew, put_version, value_in
from longshore.decide.secrets.encryption import KeyRefused
from longshore.domain.secrets.secret import CURRENT, SUFFIX_LENGTH, Secret, SecretVersion, secret_arn
from longshore.wire.errors import ApiError

MIN_WINDOW_DAYS, MAX_WINDOW_DAYS, WINDOW_DAYS = 7, 30, 30
ALREADY_DELETED = "You can't perform this operation on the secret because it was already scheduled for deletion."
REPLICAS = "Secrets are not replicated to other regions: make the secret in each region that needs it."
EXTERNAL = "Managed external secrets are not served: leave Type out."
OTHER_ACCOUNT = "Accounts share no secrets here: make the secret in each account that needs it."


def create_secret(call: Call) -> Answer:
    """CreateSecret. A repeated call, as its ClientRequestToken tells, is answered with the secret that it made."""
    params = call.params
    name: str = params["Name"]
    if not NAME.fullmatch(name):
        raise ApiError("ValidationException", INVALID_NAME)
    value = value_in(params)
    known = call.tx.get(Secret, (*call.scope, name))
    if known is not None and known.deletion_at is not None and known.deletion_at <= call.now:
        remove(call, known)
        known = None
    if known is not None:
        return _repeated(call, known, value)
    secret = Secret(
        account=call.scope.account,
        region=call.scope.region,
        name=name,
        suffix=call.ids.token(SUFFIX_LENGTH),
        description=params.get("Description") or "",
        key_reference=params.get("KmsKeyId") or "",
        created_at=call.now,
        changed_at=call.now,
        tags=checked_tags({}, params.get("Tags")),
    )
    if value is None:
        check_key(call, secret)
        call.tx.put(secret)
        return {"ARN": secret.arn, "Name": secret.name}
    secret, version_id = put_version(call, secret, value, (CURRENT,))
    return {"ARN": secret.arn, "Name": secret.name, "VersionId": version_id}


def _repeated(call: Call, known: Secret, value: Value | None) -> Answer:
    if known.deleted_at is not None:
        raise refused("You can't create this secret because a secret with this name is already scheduled for deletion.")
    token = call.params.get("ClientRequestToken")
    if value is not None and token and call.tx.get(SecretVersion, (*known.scope, known.name, token)) is not None:
        _, version_id = put_version(call, known, value, ())
        return {"ARN": known.arn, "Name": known.name, "VersionId": version_id}
    raise ApiError("ResourceExistsException", f"The operation failed because the secret {known.name} already exists.")


def check_key(call: Call, secret: Secret) -> None:
    """The key of a secret can be used. Raises ApiError."""
    try:
        symmetric_key(call, key_reference(secret))
    except KeyRefused as refusal:
        raise ApiError("EncryptionFailure", f"The KMS key can't be used: {refusal.text}") from refusal


def describe_secret(call: Call) -> Answer:
    """DescribeSecret: all but what it holds."""
    secret = find(call)
    view = summary(call, secret)
    view["VersionIdsToStages"] = view.pop("SecretVersionsToStages")
    return view


def summary(call: Call, secret: Secret) -> Answer:
    """A secret, as ListSecrets answers it."""
    view: dict[str, Any] = {
        "ARN": secret.arn,
        "Name": secret.name,
        "Description": secret.description or None,
        "KmsKeyId": secret.key_reference or None,
        "RotationEnabled": secret.rotates or None,
        "RotationLambdaARN": secret.rotation_lambda_arn or None,
        "RotationRules": shown_rules(secret) or None,
        "LastChangedDate": secret.changed_at,
        "LastAccessedDate": secret.accessed_at,
        "DeletedDate": secret.deleted_at,
        "NextRotationDate": next_rotation(secret),
        "Tags": [{"Key": key, "Value": value} for key, value in secret.tags.items()],
        "SecretVersionsToStages": {
            version.version_id: stages
            for version in versions_of(call, secret)
            if (stages := secret.stages_of(version.version_id))
        },
        "CreatedDate": secret.created_at,
    }
    return {name: value for name, value in view.items() if value is not None}


def update_secret(call: Call) -> Answer:
    """UpdateSecret: description, key, and a new current value."""
    secret, params = find_live(call), call.params
    value = value_in(params)
    changes: dict[str, Any] = {}
    if params.get("Description") is not None:
        changes["description"] = params["Description"]
    if params.get("KmsKeyId") is not None:
        changes["key_reference"] = params["KmsKeyId"]
    secret = secret.but(changed_at=call.now, **changes)
    answer: Answer = {"ARN": secret.arn, "Name": secret.name}
    if "key_reference" in changes:
        check_key(call, secret)
        encrypt_anew(call, secret)
    call.tx.put(secret)
    if value is not None:
        secret, version_id = put_version(call, secret, value, (CURRENT,))
        answer["VersionId"] = version_id
    return answer


def delete_secret(call: Call) -> Answer:
    """DeleteSecret: at the end of its recovery window, or at once."""
    params = call.params
    window, force = params.get("RecoveryWindowInDays"), params.get("ForceDeleteWithoutRecovery")
    if force and window is not None:
        raise invalid("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
    if window is not None and not MIN_WINDOW_DAYS <= window <= MAX_WINDOW_DAYS:
        text = f"RecoveryWindowInDays value must be between {MIN_WINDOW_DAYS} and {MAX_WINDOW_DAYS} days (inclusive)."
        raise invalid(text)
    if force:
        return _delete_at_once(call)
    secret = find(call)
    if secret.deleted_at is not None:
        raise refused(ALREADY_DELETED)
    deletion_at = call.now + (window or WINDOW_DAYS) * DAY_S
    call.tx.put(secret.but(deleted_at=call.now, deletion_at=deletion_at))
    return {"ARN": secret.arn, "Name": secret.name, "DeletionDate": deletion_at}


def _delete_at_once(call: Call) -> Answer:
    """What is not there any more is answered as deleted: AWS does so that the call can be repeated."""
    reference: str = call.params["SecretId"]
    try:
        secret = find(call)
    except ApiError as error:
        if error.code != "ResourceNotFoundException":
            raise
        name = reference.rpartition(":secret:")[2]
        arn = reference if reference.startswith("arn:") else secret_arn(call.scope, f"{name}-{call.ids.token(6)}")
        return {"ARN": arn, "Name": name[:256], "DeletionDate": call.now}
    remove(call, secret)
    return {"ARN": secret.arn, "Name": secret.name, "DeletionDate": call.now}


def remove(call: Call, secret: Secret) -> None:
    """The secret and all its versions, gone."""
    for version in versions_of(call, secret):
        call.tx.delete(SecretVersion, version.key)
    call.tx.delete(Secret, secret.key)


def restore_secret(call: Call) -> Answer:
    """RestoreSecret, within its recovery window."""
    secret = find(call)
    call.tx.put(secret.but(deleted_at=None, deletion_at=None))
    return {"ARN": secret.arn, "Name": secret.name}


OPERATIONS: dict[str, Operation] = {
    "CreateSecret": Operation(
        create_secret,
        refuses={
            "AddReplicaRegions": REPLICAS,
            "ForceOverwriteReplicaSecret": REPLICAS,
            "Type": EXTERNAL,
            "CrossAccountPrimaryARN": OTHER_ACCOUNT,
        },
        allowed={"ForceOverwriteReplicaSecret": (False,)},
    ),
    "DeleteSecret": Operation(delete_secret),
    "DescribeSecret": Operation(describe_secret),
    "RestoreSecret": Operation(restore_secret),
    "UpdateSecret": Operation(update_secret, refuses={"Type": EXTERNAL}),
}

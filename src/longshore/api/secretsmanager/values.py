"""What secrets hold: written, read one by one or many at once; and which version has which staging label."""

from longshore.api.access.access import Asked
from longshore.api.access.asking import Ask
from longshore.api.operation import Call, Operation
from longshore.api.secretsmanager.listing import MAX_BATCH, matching, page_of
from longshore.api.secretsmanager.lookup import Answer, day_of, find, find_live, invalid, refused, secret_errors
from longshore.api.secretsmanager.versions import moved, put_version, value_in
from longshore.decide.secrets.secrets import NOT_FOUND, chosen_version, value_of
from longshore.domain.secrets.secret import CURRENT, PREVIOUS, Secret, SecretVersion
from longshore.wire.errors import ApiError


def get_secret_value(call: Call) -> Answer:
    """GetSecretValue."""
    params = call.params
    return _read(call, find(call), params.get("VersionId") or "", params.get("VersionStage") or "")


def _check_read(call: Call, secret: Secret) -> None:
    """Raise where the caller may not read one of many."""
    ask = Ask(call.tx, call.scope, "secretsmanager", "GetSecretValue", {"SecretId": secret.arn}, call.principal_arn)
    call.access.check(Asked(call.caller, ask, "json", call.now))


def _read(call: Call, secret: Secret, version_id: str = "", stage: str = "") -> Answer:
    with secret_errors():
        version = chosen_version(call.tx, secret, version_id, stage)
        raw = value_of(call.tx, call.vault, secret, version, call.now)
    _note_access(call, secret, version)
    value: Answer = {"SecretBinary": raw} if version.binary else {"SecretString": raw.decode()}
    return {
        "ARN": secret.arn,
        "Name": secret.name,
        "VersionId": version.version_id,
        "VersionStages": secret.stages_of(version.version_id) or None,
        "CreatedDate": version.created_at,
        **value,
    }


def _note_access(call: Call, secret: Secret, version: SecretVersion) -> None:
    """LastAccessedDate is a day: the first read of a day writes it."""
    today = day_of(call.now)
    if secret.accessed_at != today:
        call.tx.put(secret.but(accessed_at=today))
    if version.accessed_at != today:
        call.tx.put(version.but(accessed_at=today))


def put_secret_value(call: Call) -> Answer:
    """PutSecretValue: a new version, AWSCURRENT unless other labels are asked for."""
    params = call.params
    value = value_in(params)
    if value is None:
        raise refused("You must provide either SecretString or SecretBinary.")
    stages = params.get("VersionStages") or [CURRENT]
    secret = find_live(call)
    if CURRENT not in secret.stages and CURRENT not in stages:
        stages = [*stages, CURRENT]  # a secret's first version is its current one
    secret, version_id = put_version(call, secret, value, stages)
    return {
        "ARN": secret.arn,
        "Name": secret.name,
        "VersionId": version_id,
        "VersionStages": secret.stages_of(version_id) or None,
    }


def batch_get_secret_value(call: Call) -> Answer:
    """BatchGetSecretValue, by names or by filters. What can't be had is told beside what can."""
    params = call.params
    names, filters = params.get("SecretIdList"), params.get("Filters")
    if bool(names) == bool(filters):
        raise invalid("Either 'SecretIdList' or 'Filters' must be provided, but not both.")
    if names and params.get("MaxResults") is not None:
        raise invalid("'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided.")
    if names and params.get("NextToken"):
        raise invalid("'Filters' not specified. 'Filters' must also be specified when 'NextToken' is provided.")
    more = None
    if filters:
        found = [secret for secret in matching(call, filters) if secret.deleted_at is None]
        shown, more = page_of(call, "BatchGetSecretValue", found, MAX_BATCH, question=filters)
        names = [secret.arn for secret in shown]
    values, errors = [], []
    for name in dict.fromkeys(names or ()):
        try:
            secret = find(call, name)
            _check_read(call, secret)
            values.append(_read(call, secret))
        except ApiError as error:
            errors.append({"SecretId": name, "ErrorCode": error.code, "Message": error.message})
    shown_values = [{key: item for key, item in value.items() if item is not None} for value in values]
    return {"SecretValues": shown_values, "Errors": errors, "NextToken": more}


def update_secret_version_stage(call: Call) -> Answer:
    """UpdateSecretVersionStage: attaches a label, moves it, or takes it away."""
    secret, params = find_live(call), call.params
    label: str = params["VersionStage"]
    source, target = params.get("RemoveFromVersionId"), params.get("MoveToVersionId")
    owner = secret.stages.get(label)
    for version_id in filter(None, (source, target)):
        if call.tx.get(SecretVersion, (*secret.scope, secret.name, version_id)) is None:
            raise ApiError("ResourceNotFoundException", NOT_FOUND)
    if source and owner != source:
        raise invalid(f"The staging label {label} is not attached to version {source}.")
    if owner and target and not source and owner != target:
        raise invalid(
            f"The parameter RemoveFromVersionId can't be empty. Staging label {label} is currently attached to version "
            f"{owner}, so you must explicitly reference that version in RemoveFromVersionId."
        )
    if target:
        stages = moved(secret.stages, (label,), target)
    elif not source:
        raise invalid("You must specify RemoveFromVersionId, MoveToVersionId, or both.")
    elif label == CURRENT:
        raise invalid(
            "You can only move staging label AWSCURRENT to a different secret version. It can’t be completely removed."  # noqa: RUF001  AWS's quote
        )
    else:
        stages = {name: version_id for name, version_id in secret.stages.items() if name != label}
    if label == CURRENT and source and target and source != target:
        stages[PREVIOUS] = source
    call.tx.put(secret.but(stages=stages, changed_at=call.now))
    return {"ARN": secret.arn, "Name": secret.name}


OPERATIONS: dict[str, Operation] = {
    "BatchGetSecretValue": Operation(batch_get_secret_value),
    "GetSecretValue": Operation(get_secret_value),
    "PutSecretValue": Operation(
        put_secret_value,
        refuses={"RotationToken": "No rotation function is run here that would have been given a RotationToken."},
    ),
    "UpdateSecretVersionStage": Operation(update_secret_version_stage),
}

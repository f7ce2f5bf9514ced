"""Which secret a name means, which of its versions is asked for, and what that holds. Pure.

Called by the handlers of Secrets Manager and Parameter Store, and by `decide/ecs/task_secrets.py`. What can't be had is
a `SecretRefused` with the code and text of Secrets Manager.
"""

from longshore.decide.secrets.encryption import KeyRefused, Sealed, decrypt_text
from longshore.domain.arn import Arn
from longshore.domain.record import Records, Scope
from longshore.domain.secrets.secret import CURRENT, Secret, SecretVersion, secret_context
from longshore.domain.secrets.vault import Vault

NOT_FOUND = "Secrets Manager can't find the specified secret."
DELETED = "You can't perform this operation on the secret because it was marked for deletion."
NO_VALUE = "Secrets Manager can't find the specified secret value for "
OTHER_STAGE = "You provided a VersionStage that is not associated to the provided VersionId."


class SecretRefused(Exception):  # noqa: N818  named for what happened
    """A secret that can't be had: Secrets Manager's error code, and its text."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


def find_secret(records: Records, scope: Scope, reference: str, now: float) -> Secret:
    """The secret with a name, an ARN, or an ARN without its six last characters. Raises SecretRefused."""
    arn = Arn.parse(reference)
    name = reference
    if arn is not None:
        kind, _, name = arn.resource.partition(":")
        if arn.service != "secretsmanager" or arn.scope != scope or kind != "secret":
            raise SecretRefused("ResourceNotFoundException", NOT_FOUND)
        for found in records.select(Secret, "arn", (reference,)):
            return _present(found, now)
    found_by_name = records.get(Secret, (*scope, name))
    if found_by_name is None:
        raise SecretRefused("ResourceNotFoundException", NOT_FOUND)
    return _present(found_by_name, now)


def _present(secret: Secret, now: float) -> Secret:
    """A secret whose recovery window is over is gone, though it may not be removed yet."""
    if secret.deletion_at is not None and secret.deletion_at <= now:
        raise SecretRefused("ResourceNotFoundException", NOT_FOUND)
    return secret


def chosen_version(records: Records, secret: Secret, version_id: str = "", stage: str = "") -> SecretVersion:
    """The version that is asked for: by id, by staging label, or AWSCURRENT. Raises SecretRefused."""
    if secret.deleted_at is not None:
        raise SecretRefused("InvalidRequestException", DELETED)
    sought = f"VersionId: {version_id}" if version_id else f"staging label: {stage or CURRENT}"
    wanted = version_id or secret.stages.get(stage or CURRENT, "")
    found = records.get(SecretVersion, (*secret.scope, secret.name, wanted))
    if found is None:
        raise SecretRefused("ResourceNotFoundException", NO_VALUE + sought)
    if version_id and stage and secret.stages.get(stage) != version_id:
        raise SecretRefused("InvalidRequestException", OTHER_STAGE)
    return found


def sealed(secret: Secret, version: SecretVersion) -> Sealed:
    """How a version is encrypted."""
    return Sealed(version.key_id, secret_context(secret.arn, version.version_id))


def value_of(records: Records, vault: Vault, secret: Secret, version: SecretVersion, now: float) -> bytes:
    """What a version holds. Raises SecretRefused where its key refuses."""
    try:
        context = secret_context(secret.arn, version.version_id)
        return decrypt_text(records, vault, secret.scope, version.blob, context, now)
    except KeyRefused as refusal:
        text = f"Secrets Manager can't decrypt the protected secret text using the provided KMS key. {refusal.text}"
        raise SecretRefused("DecryptionFailure", text) from refusal

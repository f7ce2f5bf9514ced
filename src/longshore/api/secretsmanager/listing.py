"""Lists of secrets, with AWS's filters, and of a secret's versions."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from longshore.api.operation import Call, Operation
from longshore.api.secretsmanager.lookup import Answer, find, versions_of
from longshore.api.secretsmanager.secrets import summary
from longshore.domain.secrets.secret import Secret, SecretVersion
from longshore.wire.pagination import page

MAX_LISTED = 100
MAX_BATCH = 20


def list_secrets(call: Call) -> Answer:
    """ListSecrets; those marked for deletion only where they are asked for."""
    params = call.params
    found = matching(call, params.get("Filters") or ())
    if not params.get("IncludePlannedDeletion"):
        found = [secret for secret in found if secret.deleted_at is None]
    order = SORTS[params.get("SortBy") or "created-date"]
    descending = (params.get("SortOrder") or "desc") == "desc"
    question = [params.get("Filters"), params.get("IncludePlannedDeletion"), params.get("SortBy"), descending]
    shown, more = page_of(call, "ListSecrets", found, MAX_LISTED, order=order, descending=descending, question=question)
    return {"SecretList": [summary(call, secret) for secret in shown], "NextToken": more}


def page_of(
    call: Call,
    operation: str,
    found: Iterable[Secret],
    limit: int,
    *,
    order: Callable[[Secret], str] = lambda secret: secret.name,
    descending: bool = False,
    question: Any = None,
) -> tuple[list[Secret], str | None]:
    """One page of secrets."""

    def place(secret: Secret) -> str:
        return f"{order(secret)} {secret.name}"

    return page(
        sorted(found, key=place, reverse=descending),
        place,
        call.params.get("MaxResults") or limit,
        call.params.get("NextToken"),
        operation=operation,
        code="InvalidNextTokenException",
        scope=repr(question),
        descending=descending,
    )


def _time(moment: float | None) -> str:
    return f"{moment or 0.0:020.6f}"


SORTS: dict[str, Callable[[Secret], str]] = {
    "created-date": lambda secret: _time(secret.created_at),
    "last-accessed-date": lambda secret: _time(secret.accessed_at),
    "last-changed-date": lambda secret: _time(secret.changed_at),
    "name": lambda secret: secret.name,
}

# -------------------------------------------------------------------------------------------------------------- filters

Test = Callable[[Secret, str], bool]


def matching(call: Call, filters: Sequence[Mapping[str, Any]]) -> list[Secret]:
    """The secrets of the scope that pass every filter; a filter is passed by any of its values."""
    present = [
        secret
        for secret in call.tx.select(Secret, "scope", call.scope)
        if secret.deletion_at is None or secret.deletion_at > call.now
    ]
    tests = [(FILTERS[each["Key"]], each["Values"]) for each in filters if each.get("Key") and each.get("Values")]
    return [secret for secret in present if all(_passes(secret, test, values) for test, values in tests)]


def _passes(secret: Secret, test: Test, values: Sequence[str]) -> bool:
    """Any of the values matches; none that begins with `!` does."""
    wanted = [value for value in values if not value.startswith("!")]
    unwanted = [value[1:] for value in values if value.startswith("!")]
    return (not wanted or any(test(secret, value) for value in wanted)) and not any(
        test(secret, value) for value in unwanted
    )


def _in_all(secret: Secret, value: str) -> bool:
    """Each word of the value is somewhere in the secret, in large letters or small."""
    text = "\n".join((secret.name, secret.description, *secret.tags, *secret.tags.values())).lower()
    return all(word in text for word in value.lower().split())


def _begins(texts: Iterable[str], value: str) -> bool:
    return any(text.startswith(value) for text in texts)


FILTERS: dict[str, Test] = {
    "name": lambda secret, value: secret.name.startswith(value),
    "description": lambda secret, value: secret.description.lower().startswith(value.lower()),
    "tag-key": lambda secret, value: _begins(secret.tags, value),
    "tag-value": lambda secret, value: _begins(secret.tags.values(), value),
    "primary-region": lambda _secret, _value: False,  # only replicated secrets have one
    "owning-service": lambda _secret, _value: False,  # only secrets that an AWS service manages have one
    "all": _in_all,
}

# ------------------------------------------------------------------------------------------------------------- versions


def list_secret_version_ids(call: Call) -> Answer:
    """ListSecretVersionIds; versions without a label only where they are asked for."""
    secret, params = find(call), call.params
    every = bool(params.get("IncludeDeprecated"))
    found = [v for v in versions_of(call, secret) if every or secret.stages_of(v.version_id)]
    shown, more = page(
        found,
        lambda version: f"{_time(version.created_at)} {version.version_id}",
        params.get("MaxResults") or MAX_LISTED,
        params.get("NextToken"),
        operation="ListSecretVersionIds",
        code="InvalidNextTokenException",
        scope=repr((secret.arn, every)),
    )
    views = [_version(secret, version) for version in shown]
    return {"Versions": views, "NextToken": more, "ARN": secret.arn, "Name": secret.name}


def _version(secret: Secret, version: SecretVersion) -> Answer:
    view = {
        "VersionId": version.version_id,
        "VersionStages": secret.stages_of(version.version_id) or None,
        "LastAccessedDate": version.accessed_at,
        "CreatedDate": version.created_at,
        "KmsKeyIds": [(secret.key_reference and version.key_id) or "DefaultEncryptionKey"],
    }
    return {name: value for name, value in view.items() if value is not None}


OPERATIONS: dict[str, Operation] = {
    "ListSecretVersionIds": Operation(list_secret_version_ids),
    "ListSecrets": Operation(list_secrets),
}

"""Aliases of keys, and those that AWS's services have in every account."""

import re

from longshore.api.kms.lookup import PREDEFINED, Answer, find, find_by_id
from longshore.api.kms.paging import listed
from longshore.api.operation import Call, Operation
from longshore.domain.secrets.encryption_key import EncryptionKey, KeyAlias, alias_arn
from longshore.wire.errors import ApiError

NAME = re.compile(r"alias/[A-Za-z0-9/_-]+")
MAX_PER_KEY = 50


def create_alias(call: Call) -> Answer:
    """CreateAlias."""
    name = _checked_name(call)
    if call.tx.get(KeyAlias, (*call.scope, name)) is not None:
        arn = alias_arn(call.scope, name)
        raise ApiError("AlreadyExistsException", f"An alias with the name {arn} already exists")
    key = _target(call)
    if call.tx.count(KeyAlias, "key", (*call.scope, key.key_id)) >= MAX_PER_KEY:
        raise ApiError("LimitExceededException", f"A key can have at most {MAX_PER_KEY} aliases.")
    call.tx.put(
        KeyAlias(
            account=call.scope.account,
            region=call.scope.region,
            name=name,
            key_id=key.key_id,
            created_at=call.now,
            updated_at=call.now,
        )
    )
    return {}


def update_alias(call: Call) -> Answer:
    """UpdateAlias: the name of another key of the same kind."""
    alias = _find(call)
    key = _target(call)
    before = call.tx.get(EncryptionKey, (*call.scope, alias.key_id))
    if before is not None and (before.usage, before.spec == key.spec) != (key.usage, True):
        text = "The alias and the target key must have the same key usage and the same kind of key material."
        raise ApiError("ValidationException", text)
    call.tx.put(alias.but(key_id=key.key_id, updated_at=call.now))
    return {}


def delete_alias(call: Call) -> Answer:
    """DeleteAlias. The key stays."""
    call.tx.delete(KeyAlias, _find(call).key)
    return {}


def list_aliases(call: Call) -> Answer:
    """ListAliases, of all keys or of one; those of AWS's services too, whether or not they have a key yet."""
    scope = call.scope
    if call.params.get("KeyId"):
        key_id = find_by_id(call).key_id
        views = [_view(alias) for alias in call.tx.select(KeyAlias, "key", (*scope, key_id))]
    else:
        key_id = ""
        views = [_view(alias) for alias in call.tx.select(KeyAlias, "scope", scope)]
        present = {view["AliasName"] for view in views}
        names = [f"alias/aws/{service}" for service in PREDEFINED]
        views += [{"AliasName": n, "AliasArn": alias_arn(scope, n)} for n in names if n not in present]
    shown, more = listed(call, "ListAliases", views, lambda view: str(view["AliasName"]), 50, scope=key_id)
    return {"Aliases": shown, **more}


def _view(alias: KeyAlias) -> Answer:
    return {
        "AliasName": alias.name,
        "AliasArn": alias.arn,
        "TargetKeyId": alias.key_id,
        "CreationDate": alias.created_at,
        "LastUpdatedDate": alias.updated_at,
    }


def _checked_name(call: Call) -> str:
    name: str = call.params["AliasName"]
    if name.startswith("alias/aws/"):
        raise ApiError("NotAuthorizedException", "Aliases that begin with alias/aws/ are those of AWS's services.")
    if not name.startswith("alias/"):
        text = (
            'Alias must start with the prefix "alias/". Please see '
            "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html"
        )
        raise ApiError("ValidationException", text)
    if not NAME.fullmatch(name):
        text = "Alias contains invalid characters for an alias: use letters, digits and / _ -"
        raise ApiError("InvalidAliasNameException", text)
    return name


def _find(call: Call) -> KeyAlias:
    name = _checked_name(call)
    alias = call.tx.get(KeyAlias, (*call.scope, name))
    if alias is None:
        raise ApiError("NotFoundException", f"Alias {alias_arn(call.scope, name)} is not found.")
    return alias


def _target(call: Call) -> EncryptionKey:
    reference: str = call.params["TargetKeyId"]
    if "alias/" in reference:
        raise ApiError("ValidationException", "Aliases must refer to keys. Not aliases")
    key = find(call, reference)
    if key.manager == "AWS":
        raise ApiError("NotAuthorizedException", f"{key.arn} is an AWS managed key, which has its own alias alone.")
    if key.deletion_at is not None:
        raise ApiError("KMSInvalidStateException", f"{key.arn} is pending deletion.")
    return key


OPERATIONS: dict[str, Operation] = {
    "CreateAlias": Operation(create_alias),
    "DeleteAlias": Operation(delete_alias),
    "ListAliases": Operation(list_aliases),
    "UpdateAlias": Operation(update_alias),
}

"""Keys: made, described, listed, turned off and on, deleted at the end of a waiting period."""

import base64
from typing import Any

from longshore.api.kms.lookup import (
    DAY_S,
    Answer,
    default_policy,
    find,
    find_by_id,
    find_own,
    new_material,
)
from longshore.api.kms.paging import listed
from longshore.api.kms.policies import checked_policy
from longshore.api.kms.specs import make_secret, spec_named
from longshore.api.kms.tags import checked_tags
from longshore.api.operation import Call, Operation
from longshore.decide.secrets.encryption import gone
from longshore.domain.secrets.encryption_key import SYMMETRIC, EncryptionKey, KeyUsage
from longshore.wire.errors import ApiError

MIN_WINDOW_DAYS, MAX_WINDOW_DAYS = 7, 30
STORES = "Custom key stores are not served: leave it out."
GRANT_TOKENS = "A grant holds at once, so that its token is not needed."


def create_key(call: Call) -> Answer:
    """CreateKey."""
    params = call.params
    name = params.get("KeySpec") or params.get("CustomerMasterKeySpec") or SYMMETRIC
    if params.get("KeySpec") and params.get("CustomerMasterKeySpec"):
        text = "You cannot specify KeySpec and CustomerMasterKeySpec in the same request."
        raise ApiError("ValidationException", text)
    usage = _usage(name, params.get("KeyUsage"))
    secret, public = make_secret(call, name)
    key = EncryptionKey(
        account=call.scope.account,
        region=call.scope.region,
        key_id=call.ids.uuid(),
        spec=name,
        usage=usage,
        description=params.get("Description") or "",
        created_at=call.now,
        policy=default_policy(call.scope),
        materials=(new_material(call, secret),),
        public_key=base64.b64encode(public).decode(),
        tags=checked_tags({}, params.get("Tags")),
    )
    if params.get("Policy"):
        key = key.but(policy=checked_policy(call, params["Policy"], key.arn))
    call.tx.put(key)
    return {"KeyMetadata": metadata(key)}


def _usage(name: str, asked: str | None) -> KeyUsage:
    usages = spec_named(name).usages
    if asked is None:
        if name == SYMMETRIC:
            return "ENCRYPT_DECRYPT"
        text = "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys."
        raise ApiError("ValidationException", text)
    for usage in usages:
        if usage == asked:
            return usage
    raise ApiError("ValidationException", f"KeyUsage {asked} is not compatible with KeySpec {name}")


def metadata(key: EncryptionKey) -> Answer:
    """A key, as DescribeKey answers it."""
    spec = spec_named(key.spec)
    view: dict[str, Any] = {
        "AWSAccountId": key.account,
        "KeyId": key.key_id,
        "Arn": key.arn,
        "CreationDate": key.created_at,
        "Enabled": key.state == "Enabled",
        "Description": key.description,
        "KeyUsage": key.usage,
        "KeyState": key.state,
        "DeletionDate": key.deletion_at,
        "Origin": "AWS_KMS",
        "KeyManager": key.manager,
        "CustomerMasterKeySpec": key.spec if key.spec != "ECC_NIST_EDWARDS25519" else None,
        "KeySpec": key.spec,
        "MultiRegion": False,
        **algorithms(key),
    }
    if spec.mac:
        view["MacAlgorithms"] = list(spec.mac)
    if key.spec == SYMMETRIC:
        view["CurrentKeyMaterialId"] = key.materials[-1].material_id
    return {name: value for name, value in view.items() if value is not None}


def algorithms(key: EncryptionKey) -> Answer:
    """The algorithms that its usage has."""
    spec = spec_named(key.spec)
    if key.usage == "ENCRYPT_DECRYPT":
        return {"EncryptionAlgorithms": list(spec.encryption)}
    if key.usage == "SIGN_VERIFY":
        return {"SigningAlgorithms": list(spec.signing)}
    return {"KeyAgreementAlgorithms": ["ECDH"]} if key.usage == "KEY_AGREEMENT" else {}


def describe_key(call: Call) -> Answer:
    """DescribeKey, by id, alias, or the ARN of either. A service's alias that was never used gets its key."""
    return {"KeyMetadata": metadata(find(call))}


def list_keys(call: Call) -> Answer:
    """ListKeys."""
    keys = [key for key in call.tx.select(EncryptionKey, "scope", call.scope) if not gone(key, call.now)]
    shown, more = listed(call, "ListKeys", keys, lambda key: key.key_id, 100)
    return {"Keys": [{"KeyId": key.key_id, "KeyArn": key.arn} for key in shown], **more}


def enable_key(call: Call) -> Answer:
    """EnableKey."""
    key = _not_pending(find_own(call))
    call.tx.put(key.but(enabled=True))
    return {}


def disable_key(call: Call) -> Answer:
    """DisableKey: what it encrypted can't be read until it is enabled."""
    key = _not_pending(find_own(call))
    call.tx.put(key.but(enabled=False))
    return {}


def update_key_description(call: Call) -> Answer:
    """UpdateKeyDescription."""
    key = _not_pending(find_own(call))
    call.tx.put(key.but(description=call.params["Description"]))
    return {}


def schedule_key_deletion(call: Call) -> Answer:
    """ScheduleKeyDeletion: at the end of the waiting period the key, and all that it encrypted, is lost."""
    key = _not_pending(find_own(call))
    days = call.params.get("PendingWindowInDays")
    days = MAX_WINDOW_DAYS if days is None else days
    if not MIN_WINDOW_DAYS <= days <= MAX_WINDOW_DAYS:
        text = f"PendingWindowInDays must be between {MIN_WINDOW_DAYS} and {MAX_WINDOW_DAYS} days (inclusive)."
        raise ApiError("ValidationException", text)
    deletion_at = call.now + days * DAY_S
    call.tx.put(key.but(deletion_at=deletion_at, pending_window_days=days))
    return {
        "KeyId": key.arn,
        "DeletionDate": deletion_at,
        "KeyState": "PendingDeletion",
        "PendingWindowInDays": days,
    }


def cancel_key_deletion(call: Call) -> Answer:
    """CancelKeyDeletion: the key stays, disabled."""
    key = find_by_id(call)
    if key.deletion_at is None:
        raise ApiError("KMSInvalidStateException", f"{key.arn} is not pending deletion.")
    call.tx.put(key.but(deletion_at=None, pending_window_days=0, enabled=False))
    return {"KeyId": key.arn}


def _not_pending(key: EncryptionKey) -> EncryptionKey:
    if key.deletion_at is not None:
        raise ApiError("KMSInvalidStateException", f"{key.arn} is pending deletion.")
    return key


OPERATIONS: dict[str, Operation] = {
    "CancelKeyDeletion": Operation(cancel_key_deletion),
    "CreateKey": Operation(
        create_key,
        refuses={
            "Origin": "Imported key material, and keys outside of KMS, are not served: leave Origin out.",
            "CustomKeyStoreId": STORES,
            "XksKeyId": STORES,
            "MultiRegion": "Keys of several regions are not served: make a key in each region that needs one.",
        },
        allowed={"Origin": ("AWS_KMS",), "MultiRegion": (False,)},
    ),
    "DescribeKey": Operation(describe_key, inert={"GrantTokens": GRANT_TOKENS}),
    "DisableKey": Operation(disable_key),
    "EnableKey": Operation(enable_key),
    "ListKeys": Operation(
        list_keys,
        refuses={"ResourceOwners": "Accounts share no keys here: leave ResourceOwners out."},
        allowed={"ResourceOwners": (["SELF"],)},
    ),
    "ScheduleKeyDeletion": Operation(schedule_key_deletion),
    "UpdateKeyDescription": Operation(update_key_description),
}

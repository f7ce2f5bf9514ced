"""Access keys of users. A secret is told once, when it is made, and kept sealed."""

from longshore.api.iam.lookup import Answer, find, global_scope, listed
from longshore.api.iam.users import calling_user, is_root
from longshore.api.operation import Call, Operation
from longshore.domain.iam import AccessKey, User
from longshore.wire.errors import ApiError

KEYS_MOST = 2
ID_LENGTH, SECRET_LENGTH = 16, 40


def create_access_key(call: Call) -> Answer:
    """CreateAccessKey."""
    user = find(call, User, calling_user(call))
    if call.tx.count(AccessKey, "user", (user.account, user.name)) >= KEYS_MOST:
        raise ApiError("LimitExceeded", f"Cannot exceed quota for AccessKeysPerUser: {KEYS_MOST}")
    secret = call.ids.token(SECRET_LENGTH)
    key = AccessKey(
        account=user.account,
        region=user.region,
        access_key_id="AKIA" + call.ids.token(ID_LENGTH).upper(),
        user_name=user.name,
        sealed_secret=call.vault.seal(secret.encode()),
        created_at=call.now,
    )
    call.tx.put(key)
    return {"AccessKey": {**_view(key), "SecretAccessKey": secret}}


def list_access_keys(call: Call) -> Answer:
    """ListAccessKeys. The root's own key pair, which `longshore keys` prints, is none of IAM's."""
    if is_root(call):
        return {"AccessKeyMetadata": [], "IsTruncated": False}
    user = find(call, User, calling_user(call))
    keys = call.tx.select(AccessKey, "user", (user.account, user.name))
    return listed(call, keys, lambda key: key.access_key_id, _view, "AccessKeyMetadata")


def update_access_key(call: Call) -> Answer:
    """UpdateAccessKey: active, or not."""
    status = call.params["Status"]
    if status not in {"Active", "Inactive"}:
        raise ApiError("ValidationError", f"Status is Active or Inactive, not {status}: keys expire by themselves.")
    call.tx.put(_found(call).but(status=status))
    return {}


def delete_access_key(call: Call) -> Answer:
    """DeleteAccessKey."""
    call.tx.delete(AccessKey, _found(call).key)
    return {}


def get_access_key_last_used(call: Call) -> Answer:
    """GetAccessKeyLastUsed: to within a quarter of an hour."""
    found = call.tx.get(AccessKey, (*global_scope(call), call.params["AccessKeyId"]))
    if found is None:
        raise _missing(call.params["AccessKeyId"])
    used: Answer = {"Region": found.last_used_region or "N/A", "ServiceName": found.last_used_service or "N/A"}
    if found.last_used_at is not None:
        used["LastUsedDate"] = found.last_used_at
    return {"UserName": found.user_name, "AccessKeyLastUsed": used}


def _found(call: Call) -> AccessKey:
    """The key that is named, of the user who is named, or else who asks. The root's own is not one of IAM's."""
    access_key_id = call.params["AccessKeyId"]
    key = call.tx.get(AccessKey, (*global_scope(call), access_key_id))
    if key is None or is_root(call) or key.user_name != calling_user(call):
        raise _missing(access_key_id)
    return key


def _missing(access_key_id: str) -> ApiError:
    return ApiError("NoSuchEntity", f"The Access Key with id {access_key_id} cannot be found.")


def _view(key: AccessKey) -> Answer:
    return {
        "UserName": key.user_name,
        "AccessKeyId": key.access_key_id,
        "Status": key.status,
        "CreateDate": key.created_at,
    }


OPERATIONS: dict[str, Operation] = {
    "CreateAccessKey": Operation(create_access_key),
    "DeleteAccessKey": Operation(delete_access_key),
    "GetAccessKeyLastUsed": Operation(get_access_key_last_used),
    "ListAccessKeys": Operation(list_access_keys),
    "UpdateAccessKey": Operation(update_access_key),
}

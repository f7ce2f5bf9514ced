"""Grants on keys: made, listed, revoked, retired. What they give holds at once (`decide/policy/resources.py`)."""

from typing import Any

from longshore.api.access.principals import is_there
from longshore.api.kms.encryption import DRY_RUN
from longshore.api.kms.keys import GRANT_TOKENS
from longshore.api.kms.lookup import Answer, find_by_id, find_usable
from longshore.api.kms.paging import listed
from longshore.api.operation import Call, Operation
from longshore.domain.arn import Arn
from longshore.domain.secrets.encryption_key import EncryptionKey, KeyGrant
from longshore.wire.errors import ApiError

SERVICES = "Grants for AWS's services are not served: name a principal."
SOURCE_ARN = "Grants for a service that works for one resource are not served: leave SourceArn out."
NO_GRANT = "Grant ID {grant_id} is not found."
ALWAYS = frozenset({"CreateGrant", "RetireGrant", "DescribeKey"})
BY_USAGE: dict[str, frozenset[str]] = {
    "ENCRYPT_DECRYPT": frozenset(
        {
            *("Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "GenerateDataKey", "GetPublicKey"),
            *("GenerateDataKeyWithoutPlaintext", "GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext"),
        }
    ),
    "SIGN_VERIFY": frozenset({"Sign", "Verify", "GetPublicKey"}),
    "GENERATE_VERIFY_MAC": frozenset({"GenerateMac", "VerifyMac"}),
    "KEY_AGREEMENT": frozenset({"DeriveSharedSecret", "GetPublicKey"}),
}


def create_grant(call: Call) -> Answer:
    """CreateGrant. One with the same name and contents is made once."""
    params = call.params
    key = find_by_id(call)
    find_usable(call, key.usage)
    if not params.get("GranteePrincipal"):
        raise ApiError("ValidationException", "GranteePrincipal is required.")
    for name in filter(None, (params["GranteePrincipal"], params.get("RetiringPrincipal"))):
        if not is_there(call, name):
            raise ApiError("InvalidArnException", f"ARN does not refer to a valid principal: {name}")
    refused = set(params["Operations"]) - BY_USAGE[key.usage] - ALWAYS
    if refused:
        text = f"Operations {', '.join(sorted(refused))} are not valid for a key of usage {key.usage}."
        raise ApiError("ValidationException", text)
    contents: dict[str, Any] = {
        "key_id": key.key_id,
        "grantee": params["GranteePrincipal"],
        "retiring": params.get("RetiringPrincipal") or "",
        "operations": tuple(params["Operations"]),
        "constraints": _constraints(params.get("Constraints")),
        "name": params.get("Name") or "",
    }
    grant = _same(call, key, contents)
    if grant is None:
        grant = KeyGrant(
            account=call.scope.account,
            region=call.scope.region,
            grant_id=call.ids.hex(64),
            token=call.ids.token(64),
            created_at=call.now,
            **contents,
        )
        call.tx.put(grant)
    return {"GrantToken": grant.token, "GrantId": grant.grant_id}


def _constraints(given: Any) -> dict[str, Any]:
    named = ("EncryptionContextSubset", "EncryptionContextEquals")
    return {name: given[name] for name in named if given.get(name)} if given else {}


def _same(call: Call, key: EncryptionKey, contents: dict[str, Any]) -> KeyGrant | None:
    if not contents["name"]:
        return None
    for grant in call.tx.select(KeyGrant, "key", (*call.scope, key.key_id)):
        if all(getattr(grant, name) == value for name, value in contents.items()):
            return grant
    return None


def list_grants(call: Call) -> Answer:
    """ListGrants, of one key."""
    key, params = find_by_id(call), call.params
    grants = call.tx.select(KeyGrant, "key", (*call.scope, key.key_id))
    grant_id, grantee = params.get("GrantId"), params.get("GranteePrincipal")
    found = [g for g in grants if grant_id in {None, g.grant_id} and grantee in {None, g.grantee}]
    scope = repr((key.key_id, grant_id, grantee))
    shown, more = listed(call, "ListGrants", found, lambda grant: grant.grant_id, 50, scope=scope)
    return {"Grants": [_view(grant) for grant in shown], **more}


def list_retirable_grants(call: Call) -> Answer:
    """ListRetirableGrants, of one principal."""
    principal = call.params.get("RetiringPrincipal")
    if not principal:
        raise ApiError("ValidationException", "RetiringPrincipal is required.")
    found = call.tx.select(KeyGrant, "retiring", (*call.scope, principal))
    shown, more = listed(call, "ListRetirableGrants", found, lambda grant: grant.grant_id, 50, scope=principal)
    return {"Grants": [_view(grant) for grant in shown], **more}


def _view(grant: KeyGrant) -> Answer:
    view = {
        "KeyId": str(Arn("kms", grant.scope, f"key/{grant.key_id}")),
        "GrantId": grant.grant_id,
        "Name": grant.name or None,
        "CreationDate": grant.created_at,
        "GranteePrincipal": grant.grantee,
        "RetiringPrincipal": grant.retiring or None,
        "IssuingAccount": f"arn:aws:iam::{grant.account}:root",
        "Operations": list(grant.operations),
        "Constraints": grant.constraints or None,
    }
    return {name: value for name, value in view.items() if value is not None}


def revoke_grant(call: Call) -> Answer:
    """RevokeGrant."""
    key = find_by_id(call)
    call.tx.delete(KeyGrant, _grant_of(call, key, call.params["GrantId"]).key)
    return {}


def retire_grant(call: Call) -> Answer:
    """RetireGrant, by its token or by key and id."""
    params = call.params
    if params.get("GrantToken"):
        found = call.tx.select(KeyGrant, "token", (*call.scope, params["GrantToken"]))
        if not found:
            raise ApiError("InvalidGrantTokenException", "The grant token is not one of a grant that is there.")
        grant = found[0]
    elif params.get("KeyId") and params.get("GrantId"):
        grant = _grant_of(call, find_by_id(call), params["GrantId"])
    else:
        raise ApiError("ValidationException", "A GrantToken, or both KeyId and GrantId, are required.")
    call.tx.delete(KeyGrant, grant.key)
    return {}


def _grant_of(call: Call, key: EncryptionKey, grant_id: str) -> KeyGrant:
    grant = call.tx.get(KeyGrant, (*call.scope, grant_id))
    if grant is None or grant.key_id != key.key_id:
        raise ApiError("NotFoundException", NO_GRANT.format(grant_id=grant_id))
    return grant


_NO_DRY_RUN: dict[str, Any] = {"refuses": {"DryRun": DRY_RUN}, "allowed": {"DryRun": (False,)}}
OPERATIONS: dict[str, Operation] = {
    "CreateGrant": Operation(
        create_grant,
        refuses={
            "DryRun": DRY_RUN,
            "GranteeServicePrincipal": SERVICES,
            "RetiringServicePrincipal": SERVICES,
            "Constraints.SourceArn": SOURCE_ARN,
        },
        allowed={"DryRun": (False,)},
        inert={"GrantTokens": GRANT_TOKENS},
    ),
    "ListGrants": Operation(list_grants, refuses={"GranteeServicePrincipal": SERVICES}),
    "ListRetirableGrants": Operation(list_retirable_grants, refuses={"RetiringServicePrincipal": SERVICES}),
    "RetireGrant": Operation(retire_grant, **_NO_DRY_RUN),
    "RevokeGrant": Operation(revoke_grant, **_NO_DRY_RUN),
}

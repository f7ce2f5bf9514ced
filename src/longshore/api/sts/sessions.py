"""Credentials for a while: of the caller itself, and what web identities and SAML are told."""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from longshore.api.callers.credentials import SessionKeys
from longshore.api.operation import Call, Operation
from longshore.domain.arn import Arn
from longshore.domain.iam import IdentityProvider
from longshore.domain.names.zone import GLOBAL
from longshore.wire.errors import ApiError

SESSION_S = range(900, 129_601)
SESSION_DEFAULT_S = 43_200
ROOT_MOST_S = 3600
NO_MFA = "Nobody has an MFA device here."


def get_session_token(call: Call) -> dict[str, Any]:
    """GetSessionToken: for users, and for the root, whose session lasts an hour at most."""
    principal = call.caller.principal
    if principal.session:
        raise ApiError("AccessDenied", "Cannot call GetSessionToken with session credentials", status=403)
    duration = call.params.get("DurationSeconds") or SESSION_DEFAULT_S
    if not principal.source:
        duration = min(duration, ROOT_MOST_S)
    session = replace(principal, issued_at=call.now)
    keys = call.access.credentials.for_session(session, call.now + duration, call.ids.hex(16))
    return {"Credentials": credentials_view(keys)}


def credentials_view(keys: SessionKeys) -> dict[str, Any]:
    """`Credentials`."""
    return {
        "AccessKeyId": keys.access_key_id,
        "SecretAccessKey": keys.secret_access_key,
        "SessionToken": keys.token,
        "Expiration": keys.expires_at,
    }


def assume_role_with_web_identity(call: Call) -> dict[str, Any]:
    """AssumeRoleWithWebIdentity: refused, as AWS does where the account knows no provider or can't ask it for keys."""
    issuer = _issuer(call.params["WebIdentityToken"])
    role = Arn.parse(call.params["RoleArn"])
    account = role.scope.account if role else ""
    known = call.tx.get(IdentityProvider, (account, GLOBAL, issuer.removeprefix("https://"))) is not None
    why = f"No OpenIDConnect provider found in your account for {issuer}: Longshore checks no tokens."
    if known:
        why = f"Couldn't retrieve verification key from your identity provider {issuer}: Longshore asks none."
    text = f"{why} Tasks have the credentials of their roles without one; elsewhere use AssumeRole."
    raise ApiError("InvalidIdentityToken", text)


def assume_role_with_saml(_call: Call) -> dict[str, Any]:
    """AssumeRoleWithSAML: refused in the same way."""
    raise ApiError(
        "InvalidIdentityToken", "No SAML provider found in your account: Longshore has none. Use AssumeRole."
    )


def _issuer(token: str) -> str:
    """Who issued a JSON web token, by its own word."""
    body = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (ValueError, RecursionError):
        claims = None
    issuer = claims.get("iss") if isinstance(claims, Mapping) else None
    if not isinstance(issuer, str):
        raise ApiError(
            "InvalidIdentityToken",
            "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)",
        )
    return issuer[:256]


NO_PADDING = "A token is as long as what it says; it is not made longer for a test."
NO_PROVIDER = "No identity provider is asked, so every call is refused."
_COMMON = ("PolicyArns", "Policy", "DurationSeconds", "MinimumSessionTokenSize")

OPERATIONS: dict[str, Operation] = {
    "AssumeRoleWithSAML": Operation(
        assume_role_with_saml,
        inert=dict.fromkeys((*_COMMON, "RoleArn", "PrincipalArn", "SAMLAssertion"), NO_PROVIDER),
    ),
    "AssumeRoleWithWebIdentity": Operation(
        assume_role_with_web_identity, inert=dict.fromkeys((*_COMMON, "RoleSessionName", "ProviderId"), NO_PROVIDER)
    ),
    "GetSessionToken": Operation(
        get_session_token, inert={"SerialNumber": NO_MFA, "TokenCode": NO_MFA, "MinimumSessionTokenSize": NO_PADDING}
    ),
}

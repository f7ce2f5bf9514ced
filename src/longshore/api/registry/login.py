"""Who may use which repositories: whoever has a password where requests are signed, else whoever is on this machine.

Who has a password speaks for the principal that asked for it, and may do what its policies say.
"""

import base64
from collections.abc import Mapping

from longshore.api.access.access import Access, Asked
from longshore.api.access.asking import Ask
from longshore.api.callers.auth import Caller, Listener, refuse_strangers
from longshore.api.callers.credentials import Principal
from longshore.api.ecr.token import PasswordRefused, principal_of
from longshore.api.registry.errors import CHALLENGE, RegistryError
from longshore.domain.ecr.image_name import scope_of_host
from longshore.domain.secrets.vault import Vault
from longshore.wire.errors import ApiError


def check_caller(headers: Mapping[str, str], listener: Listener, vault: Vault, now: float) -> Principal | None:
    """Who calls; None: somebody on this machine, who may do everything. Raises RegistryError."""
    if listener.signatures:
        return _principal(headers, vault, now)
    # Names of AWS's own registries lead here by a hosts file alone: nobody else can have them.
    host = "localhost" if scope_of_host(headers.get("host", "")) else headers.get("host", "localhost")
    try:
        refuse_strangers({**headers, "host": host})
    except ApiError as error:
        raise RegistryError(403, "DENIED", error.message) from None
    return None


def _principal(headers: Mapping[str, str], vault: Vault, now: float) -> Principal:
    kind, _, credentials = headers.get("authorization", "").partition(" ")
    challenge = {"www-authenticate": CHALLENGE.format(realm=f"http://{headers.get('host', 'localhost')}/")}
    if kind.lower() != "basic":
        text = "no basic auth credentials: docker login with the password of `aws ecr get-login-password`"
        raise RegistryError(401, "UNAUTHORIZED", text, challenge)
    try:
        user, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
    except ValueError:
        raise RegistryError(401, "UNAUTHORIZED", "The credentials can't be read.", challenge) from None
    try:
        return principal_of(vault, user, password, now)
    except PasswordRefused as refused:
        # 403, and not 401 again: Docker would ask for the same credentials once more.
        raise RegistryError(403, "DENIED", str(refused)) from None


def check_allowed(access: Access, ask: Ask, principal: Principal, headers: Mapping[str, str], now: float) -> None:
    """Whether a principal's policies let it do what a request comes to in ECR's API. Raises RegistryError."""
    if principal.account != ask.scope.account:
        text = f"Your authorization token is of the account {principal.account}: it opens none of {ask.scope.account}."
        raise RegistryError(403, "DENIED", text)
    caller = Caller(principal, ask.scope.region)
    try:
        access.check(Asked(caller, ask, "json", now, headers.get("user-agent", "")))
    except ApiError as error:
        raise RegistryError(403, "DENIED", error.message) from None

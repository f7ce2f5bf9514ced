"""The passwords that `docker login` is given, and the tokens in the URLs of layers: sealed, so nothing is kept.

Made by GetAuthorizationToken and GetDownloadUrlForLayer, read where the registry's protocol is spoken.
"""

import base64
import json
from dataclasses import asdict
from typing import Any

import msgspec

from longshore.api.callers.credentials import Principal
from longshore.domain.ecr.repository import Repository
from longshore.domain.secrets.vault import Vault

USER = "AWS"
TOKEN_S = 12 * 3600.0
LAYER_TOKEN_S = 3600.0


def login_password(vault: Vault, principal: Principal, now: float) -> str:
    """A password with which Docker speaks for a principal, good for twelve hours."""
    return _sealed(vault, {"for": "registry", "principal": asdict(principal), "until": now + TOKEN_S})


def layer_token(vault: Vault, repository: Repository, digest: str, now: float) -> str:
    """A token that is good for one layer of a repository for an hour."""
    return _sealed(vault, {"for": f"{repository.repository_id} {digest}", "until": now + LAYER_TOKEN_S})


class PasswordRefused(Exception):  # noqa: N818  reads as what happened
    """A password is not good; the text says why."""


def principal_of(vault: Vault, user: str, password: str, now: float) -> Principal:
    """Who speaks by a password. Raises PasswordRefused."""
    claims = _opened(vault, password)
    if user != USER or claims.get("for") != "registry":
        raise PasswordRefused("Your authorization token is not valid. Reauthenticate and try again.")
    if claims["until"] < now:
        raise PasswordRefused("Your authorization token has expired. Reauthenticate and try again.")
    return msgspec.convert(claims["principal"], Principal)


def opens_layer(vault: Vault, token: str, repository: Repository, digest: str, now: float) -> bool:
    """Whether a token is good for a layer."""
    claims = _opened(vault, token)
    return claims.get("for") == f"{repository.repository_id} {digest}" and claims["until"] >= now


def basic(password: str) -> str:
    """User and password as GetAuthorizationToken and HTTP have them."""
    return base64.b64encode(f"{USER}:{password}".encode()).decode()


def _sealed(vault: Vault, claims: dict[str, Any]) -> str:
    """In URL-safe base64: the vault's own has characters that mean something else in a URL."""
    return vault.seal(json.dumps(claims).encode()).translate(_TO_URL)


def _opened(vault: Vault, text: str) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = json.loads(vault.open(text.translate(_FROM_URL)))
    except ValueError:
        return {}
    return claims


_TO_URL = str.maketrans("+/", "-_")
_FROM_URL = str.maketrans("-_", "+/")

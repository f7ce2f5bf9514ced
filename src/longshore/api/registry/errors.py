"""Errors of the registry's protocol: https://github.com/opencontainers/distribution-spec, in ECR's words."""

import msgspec

from longshore.wire.http import HttpResponse

CHALLENGE = 'Basic realm="{realm}",service="ecr.amazonaws.com"'


class RegistryError(Exception):
    """What a client is told; Docker prints code and message."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}


def answer_of(error: RegistryError) -> HttpResponse:
    """An error as it is sent."""
    body = msgspec.json.encode({"errors": [{"code": error.code, "message": error.message}]})
    return HttpResponse(error.status, [("content-type", "application/json"), *error.headers.items()], body)


def unknown_name(name: str, account: str) -> RegistryError:
    """There is no such repository."""
    text = f"The repository with name '{name}' does not exist in the registry with id '{account}'"
    return RegistryError(404, "NAME_UNKNOWN", text)


def unknown_manifest() -> RegistryError:
    """There is no such image."""
    return RegistryError(404, "MANIFEST_UNKNOWN", "Requested image not found")


def unsupported(sentence: str) -> RegistryError:
    """What ECR doesn't do by this protocol either."""
    return RegistryError(405, "UNSUPPORTED", sentence)

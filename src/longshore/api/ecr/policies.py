"""Policies of repositories and of a registry: who may do what. Kept and answered; nothing asks them yet."""

import json

from longshore.api.ecr.lookup import Answer, constraint, find_repository
from longshore.api.ecr.registry import settings
from longshore.api.operation import Call, Operation
from longshore.domain.ecr.repository import Repository
from longshore.wire.errors import ApiError

NOT_ASKED = "Kept and answered; what IAM policies say holds."


def set_repository_policy(call: Call) -> Answer:
    """Keep the policy of a repository."""
    text = call.params["policyText"]
    _check(text, "PolicyText", "Invalid repository policy provided")
    changed = find_repository(call).but(policy=text)
    call.tx.put(changed)
    return _view(changed, text)


def get_repository_policy(call: Call) -> Answer:
    """The policy of a repository."""
    repository = find_repository(call)
    return _view(repository, _policy(repository))


def delete_repository_policy(call: Call) -> Answer:
    """Forget the policy of a repository; it is answered a last time."""
    repository = find_repository(call)
    text = _policy(repository)
    call.tx.put(repository.but(policy=""))
    return _view(repository, text)


def put_registry_policy(call: Call) -> Answer:
    """Keep the policy of the registry."""
    text = call.params["policyText"]
    _check(text, "PolicyText", "Invalid registry policy provided")
    call.tx.put(settings(call).but(policy=text))
    return {"registryId": call.scope.account, "policyText": text}


def get_registry_policy(call: Call) -> Answer:
    """The policy of the registry."""
    return {"registryId": call.scope.account, "policyText": _registry_policy(call)}


def delete_registry_policy(call: Call) -> Answer:
    """Forget the policy of the registry; it is answered a last time."""
    text = _registry_policy(call)
    call.tx.put(settings(call).but(policy=""))
    return {"registryId": call.scope.account, "policyText": text}


def _registry_policy(call: Call) -> str:
    text = settings(call).policy
    if not text:
        sentence = f"Registry policy does not exist in the registry with id '{call.scope.account}'"
        raise ApiError("RegistryPolicyNotFoundException", sentence)
    return text


def _policy(repository: Repository) -> str:
    if not repository.policy:
        raise ApiError(
            "RepositoryPolicyNotFoundException",
            f"Repository policy does not exist for the repository with name '{repository.name}' in the registry with "
            f"id '{repository.account}'",
        )
    return repository.policy


def _view(repository: Repository, text: str) -> Answer:
    return {"registryId": repository.account, "repositoryName": repository.name, "policyText": text}


def _check(text: str, member: str, sentence: str) -> None:
    """Whether a text is a policy document: an object with statements, each with an effect and actions."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise constraint(member, sentence) from None
    statements = document.get("Statement") if isinstance(document, dict) else None
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not statements or not all(_is_statement(each) for each in statements):
        raise constraint(member, sentence)


def _is_statement(document: object) -> bool:
    return (
        isinstance(document, dict)
        and document.get("Effect") in {"Allow", "Deny"}
        and bool({"Action", "NotAction"} & set(document))
        and bool({"Principal", "NotPrincipal"} & set(document))
    )


OPERATIONS = {
    "DeleteRegistryPolicy": Operation(delete_registry_policy),
    "DeleteRepositoryPolicy": Operation(delete_repository_policy),
    "GetRegistryPolicy": Operation(get_registry_policy),
    "GetRepositoryPolicy": Operation(get_repository_policy),
    "PutRegistryPolicy": Operation(put_registry_policy, inert={"policyText": NOT_ASKED}),
    "SetRepositoryPolicy": Operation(
        set_repository_policy,
        inert={
            "policyText": NOT_ASKED,
            "force": "No policy can shut its author out: there is nothing to force.",
        },
    ),
}

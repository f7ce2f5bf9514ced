"""Policies of repositories, which decide with IAM's (`decide/policy/resources.py`), and of a registry, which don't."""

from longshore.api.ecr.lookup import Answer, constraint, find_repository
from longshore.api.ecr.registry import settings
from longshore.api.operation import Call, Operation
from longshore.decide.policy.document import PolicyRefused, parse
from longshore.domain.ecr.repository import Repository
from longshore.wire.errors import ApiError

NOT_ASKED = "Kept and answered: it would let other accounts in, and accounts share nothing here."


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
    """Whether a text is a policy document with principals."""
    try:
        parse(text, "resource")
    except PolicyRefused as refusal:
        raise constraint(member, f"{sentence}: {refusal}") from None


OPERATIONS = {
    "DeleteRegistryPolicy": Operation(delete_registry_policy),
    "DeleteRepositoryPolicy": Operation(delete_repository_policy),
    "GetRegistryPolicy": Operation(get_registry_policy),
    "GetRepositoryPolicy": Operation(get_repository_policy),
    "PutRegistryPolicy": Operation(put_registry_policy, inert={"policyText": NOT_ASKED}),
    "SetRepositoryPolicy": Operation(
        set_repository_policy,
        inert={"force": "A policy that shuts its author out is taken: there is nothing to force."},
    ),
}

"""Lifecycle policies of repositories, and previews of them. `control/ecr/lifecycle.py` carries them out."""

from longshore.api.ecr.lookup import Answer, constraint, find_image, find_repository, listed, tags_of
from longshore.api.operation import Call, Operation
from longshore.decide.ecr.lifecycle import Rule, expiry
from longshore.decide.ecr.lifecycle_policy import PolicyRefusedError, read_policy
from longshore.domain.ecr.repository import Image, LifecyclePreview, PreviewedImage, Repository
from longshore.wire.errors import ApiError


def put_lifecycle_policy(call: Call) -> Answer:
    """Give a repository a policy; what it expires goes soon."""
    text = call.params["lifecyclePolicyText"]
    repository = find_repository(call)
    _read(text)
    call.tx.put(repository.but(lifecycle_policy=text, lifecycle_evaluated_at=None))
    return _named(repository, text)


def get_lifecycle_policy(call: Call) -> Answer:
    """The policy of a repository, and when it was last carried out."""
    repository = find_repository(call)
    return {**_named(repository, _policy(repository)), "lastEvaluatedAt": repository.lifecycle_evaluated_at or 0.0}


def delete_lifecycle_policy(call: Call) -> Answer:
    """Take the policy from a repository."""
    repository = find_repository(call)
    text = _policy(repository)
    call.tx.put(repository.but(lifecycle_policy="", lifecycle_evaluated_at=None))
    return {**_named(repository, text), "lastEvaluatedAt": repository.lifecycle_evaluated_at or 0.0}


def start_lifecycle_policy_preview(call: Call) -> Answer:
    """Work out, and keep, what a policy (default: the repository's own) would expire now."""
    repository = find_repository(call)
    text = call.params.get("lifecyclePolicyText") or _policy(repository)
    rules = _read(text)
    images = {image.digest: image for image in call.tx.select(Image, "repository", (repository.repository_id,))}
    tags = {digest: tags_of(call.tx, image) for digest, image in images.items()}
    results = tuple(
        PreviewedImage(digest, tuple(tags[digest]), images[digest].pushed_at, priority)
        for digest, priority in expiry(rules, list(images.values()), tags, call.now).expired
    )
    call.tx.put(
        LifecyclePreview(
            account=repository.account,
            region=repository.region,
            repository_id=repository.repository_id,
            policy=text,
            results=results,
        )
    )
    return {**_named(repository, text), "status": "IN_PROGRESS"}


def get_lifecycle_policy_preview(call: Call) -> Answer:
    """What the last preview found."""
    repository = find_repository(call)
    preview = call.tx.get(LifecyclePreview, (*repository.scope, repository.repository_id))
    if preview is None:
        text = f"Lifecycle policy preview does not exist for the repository with name '{repository.name}'"
        text = f"{text} in the registry with id '{repository.account}'"
        raise ApiError("LifecyclePolicyPreviewNotFoundException", text)
    status = (call.params.get("filter") or {}).get("tagStatus", "ANY")
    asked = call.params.get("imageIds")
    if asked and (call.params.get("maxResults") or call.params.get("nextToken")):
        raise constraint("imageIds", "nextToken and maxResults can't be used together with imageIds")
    wanted = {find_image(call, repository, image_id).digest for image_id in asked or ()}
    found = [
        result
        for result in preview.results
        if (not asked or result.digest in wanted) and status in {"ANY", "TAGGED" if result.tags else "UNTAGGED"}
    ]
    shown, more = listed(call, "GetLifecyclePolicyPreview", found, lambda result: result.digest)
    return {
        **_named(repository, preview.policy),
        "status": "COMPLETE",
        "nextToken": more,
        "previewResults": [_result(each) for each in shown],
        "summary": {"expiringImageTotalCount": len(preview.results)},
    }


def _result(result: PreviewedImage) -> Answer:
    view: Answer = {
        "imageDigest": result.digest,
        "imagePushedAt": result.pushed_at,
        "action": {"type": "EXPIRE"},
        "appliedRulePriority": result.rule_priority,
    }
    return {**view, "imageTags": list(result.tags)} if result.tags else view


def _named(repository: Repository, text: str) -> Answer:
    return {"registryId": repository.account, "repositoryName": repository.name, "lifecyclePolicyText": text}


def _policy(repository: Repository) -> str:
    if not repository.lifecycle_policy:
        raise ApiError(
            "LifecyclePolicyNotFoundException",
            f"Lifecycle policy does not exist for the repository with name '{repository.name}' in the registry with "
            f"id '{repository.account}'",
        )
    return repository.lifecycle_policy


def _read(text: str) -> tuple[Rule, ...]:
    try:
        return read_policy(text)
    except PolicyRefusedError as error:
        raise constraint("LifecyclePolicyText", f"Lifecycle policy validation failure: {error}") from None


OPERATIONS = {
    "DeleteLifecyclePolicy": Operation(delete_lifecycle_policy),
    "GetLifecyclePolicy": Operation(get_lifecycle_policy),
    "GetLifecyclePolicyPreview": Operation(get_lifecycle_policy_preview),
    "PutLifecyclePolicy": Operation(put_lifecycle_policy),
    "StartLifecyclePolicyPreview": Operation(start_lifecycle_policy_preview),
}

"""Repositories: made, described, changed and deleted; their tags."""

import re
from collections.abc import Mapping
from typing import Any

from longshore.api.ecr.deleting import delete_image
from longshore.api.ecr.lookup import (
    Answer,
    check_tags,
    constraint,
    exclusions_view,
    find_by_arn,
    find_repository,
    listed,
    repository_view,
)
from longshore.api.kms.lookup import symmetric_key
from longshore.api.operation import Call, Operation
from longshore.decide.secrets.encryption import KeyRefused
from longshore.domain.ecr.repository import Image, LifecyclePreview, Repository
from longshore.domain.tag import tags_from, tags_list, tags_without
from longshore.wire.errors import ApiError

MAX_EXCLUSIONS = 5
MAX_WILDCARDS = 2
EXCLUSION = re.compile(r"[0-9a-zA-Z._*-]{1,128}")
SCANNING = "Kept and answered; images are not scanned here."
MANAGED_KEY = "alias/aws/ecr"
"""The account's own key for repositories: made when it is first needed."""
ENCRYPTION = "Kept and answered; images are files in the state folder, encrypted as your disk is."


def create_repository(call: Call) -> Answer:
    """Make an empty repository."""
    params = call.params
    name = params["repositoryName"]
    if params.get("registryId", call.scope.account) != call.scope.account:
        raise constraint("registryId", f"Repositories are made in your own registry, {call.scope.account}")
    if call.tx.get(Repository, (*call.scope, name)) is not None:
        raise ApiError(
            "RepositoryAlreadyExistsException",
            f"The repository with name '{name}' already exists in the registry with id '{call.scope.account}'",
        )
    made = Repository(
        account=call.scope.account,
        region=call.scope.region,
        name=name,
        repository_id=call.ids.hex(16),
        created_at=call.now,
        scan_on_push=_scans_on_push(params),
        encryption=_encryption(call),
        tags=check_tags(tags_from(params.get("tags"), "Key", "Value")),
        **_mutability(params),
    )
    call.tx.put(made)
    return {"repository": repository_view(call, made)}


def describe_repositories(call: Call) -> Answer:
    """All repositories, or those named."""
    names = call.params.get("repositoryNames")
    if names and (call.params.get("nextToken") or call.params.get("maxResults")):
        raise constraint("maxResults", "nextToken and maxResults can't be used together with repositoryNames")
    if names:
        return {"repositories": [repository_view(call, find_repository(call, name)) for name in dict.fromkeys(names)]}
    own = call.params.get("registryId") in (None, call.scope.account)
    found = call.tx.select(Repository, "scope", call.scope) if own else []
    shown, more = listed(call, "DescribeRepositories", found, lambda each: each.name)
    return {"repositories": [repository_view(call, each) for each in shown], "nextToken": more}


def delete_repository(call: Call) -> Answer:
    """Delete a repository; one with images only with `force`. Their files go a little later."""
    found = find_repository(call)
    images = call.tx.select(Image, "repository", (found.repository_id,))
    if images and not call.params.get("force"):
        raise ApiError(
            "RepositoryNotEmptyException",
            f"The repository with name '{found.name}' in registry with id '{found.account}' cannot be deleted because "
            "it still contains images",
        )
    for image in images:
        delete_image(call.tx, image)
    call.tx.delete(LifecyclePreview, (*found.scope, found.repository_id))
    call.tx.delete(Repository, found.key)
    return {"repository": repository_view(call, found)}


def put_image_tag_mutability(call: Call) -> Answer:
    """Say whether tags may be moved."""
    changed = find_repository(call).but(**_mutability(call.params))
    call.tx.put(changed)
    answer: Answer = {
        "registryId": changed.account,
        "repositoryName": changed.name,
        "imageTagMutability": changed.tag_mutability,
    }
    return {**answer, "imageTagMutabilityExclusionFilters": exclusions_view(changed)} if changed.exclusions else answer


def put_image_scanning_configuration(call: Call) -> Answer:
    """Keep whether images are to be scanned."""
    changed = find_repository(call).but(scan_on_push=_scans_on_push(call.params))
    call.tx.put(changed)
    return {
        "registryId": changed.account,
        "repositoryName": changed.name,
        "imageScanningConfiguration": {"scanOnPush": changed.scan_on_push},
    }


def batch_get_repository_scanning_configuration(call: Call) -> Answer:
    """How repositories are to be scanned."""
    found, failures = [], []
    for name in dict.fromkeys(call.params["repositoryNames"]):
        repository = call.tx.get(Repository, (*call.scope, name))
        if repository is None:
            reason = f"The repository with name '{name}' does not exist."
            failures.append({"repositoryName": name, "failureCode": "REPOSITORY_NOT_FOUND", "failureReason": reason})
            continue
        found.append(
            {
                "repositoryArn": repository.arn,
                "repositoryName": name,
                "scanOnPush": repository.scan_on_push,
                "scanFrequency": "SCAN_ON_PUSH" if repository.scan_on_push else "MANUAL",
                "appliedScanFilters": [],
            }
        )
    return {"scanningConfigurations": found, "failures": failures}


def tag_resource(call: Call) -> Answer:
    """Add tags to a repository, or replace their values."""
    found = find_by_arn(call)
    tags = {**found.tags, **tags_from(call.params["tags"], "Key", "Value")}
    call.tx.put(found.but(tags=check_tags(tags)))
    return {}


def untag_resource(call: Call) -> Answer:
    """Remove tags of a repository."""
    found = find_by_arn(call)
    gone = set(call.params["tagKeys"])
    call.tx.put(found.but(tags=tags_without(found.tags, gone)))
    return {}


def list_tags_for_resource(call: Call) -> Answer:
    """The tags of a repository."""
    return {"tags": tags_list(find_by_arn(call).tags, "Key", "Value")}


def _scans_on_push(params: Mapping[str, Any]) -> bool:
    return bool((params.get("imageScanningConfiguration") or {}).get("scanOnPush"))


def _encryption(call: Call) -> dict[str, str]:
    given = call.params.get("encryptionConfiguration") or {}
    kind = given.get("encryptionType", "AES256")
    if kind == "AES256" and given.get("kmsKey"):
        raise constraint("kmsKey", "A KMS key goes with the encryption types KMS and KMS_DSSE only")
    if kind == "AES256":
        return {"encryptionType": kind}
    try:
        key = symmetric_key(call, given.get("kmsKey") or MANAGED_KEY)
    except KeyRefused as refusal:
        raise ApiError("KmsException", refusal.text, members={"kmsError": refusal.code}) from refusal
    return {"encryptionType": kind, "kmsKey": key.arn}


def _mutability(params: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a repository that say whether tags may be moved."""
    mutability = params.get("imageTagMutability") or "MUTABLE"
    filters = params.get("imageTagMutabilityExclusionFilters") or []
    if mutability.endswith("_WITH_EXCLUSION") != bool(filters):
        raise constraint(
            "imageTagMutabilityExclusionFilters",
            "Filters are required with IMMUTABLE_WITH_EXCLUSION and MUTABLE_WITH_EXCLUSION, and only there",
        )
    patterns = tuple(dict.fromkeys(each["filter"] for each in filters if each["filterType"] == "WILDCARD"))
    if len(filters) > MAX_EXCLUSIONS:
        raise constraint("imageTagMutabilityExclusionFilters", f"There can be at most {MAX_EXCLUSIONS} filters")
    for pattern in patterns:
        if not EXCLUSION.fullmatch(pattern) or pattern.count("*") > MAX_WILDCARDS:
            text = f"A filter has letters, digits, '.', '_', '-' and at most {MAX_WILDCARDS} wildcards (*)"
            raise constraint("filter", text)
    return {"tag_mutability": mutability, "exclusions": patterns}


OPERATIONS = {
    "BatchGetRepositoryScanningConfiguration": Operation(batch_get_repository_scanning_configuration),
    "CreateRepository": Operation(
        create_repository,
        inert={"imageScanningConfiguration": SCANNING, "encryptionConfiguration": ENCRYPTION},
    ),
    "DeleteRepository": Operation(delete_repository),
    "DescribeRepositories": Operation(describe_repositories),
    "ListTagsForResource": Operation(list_tags_for_resource),
    "PutImageScanningConfiguration": Operation(
        put_image_scanning_configuration, inert={"imageScanningConfiguration": SCANNING}
    ),
    "PutImageTagMutability": Operation(put_image_tag_mutability),
    "TagResource": Operation(tag_resource),
    "UntagResource": Operation(untag_resource),
}

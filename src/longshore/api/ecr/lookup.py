"""Finds repositories and images as callers name them, and shows repositories."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from longshore.api.operation import Call
from longshore.domain.arn import Arn
from longshore.domain.ecr.image_name import repository_uri
from longshore.domain.ecr.repository import DEFAULT_HOST, ENDPOINT_KEY, Image, ImageTag, RegistryEndpoint, Repository
from longshore.domain.tag import Tags
from longshore.store.store import Reader
from longshore.wire.errors import ApiError
from longshore.wire.pagination import page

Answer = dict[str, Any]
T = TypeVar("T")
MAX_PAGE = 100
MAX_TAGS = 50


def find_repository(call: Call, name: str | None = None) -> Repository:
    """The repository of a name (default: the call's). Raises RepositoryNotFoundException."""
    name = name or str(call.params["repositoryName"])
    registry_id = call.params.get("registryId") or call.scope.account
    key = (registry_id, call.scope.region, name)
    found = call.tx.get(Repository, key) if registry_id == call.scope.account else None
    if found is None:
        raise no_repository(name, registry_id)
    return found


def no_repository(name: str, registry_id: str) -> ApiError:
    """In ECR's words, which Docker prints as well."""
    text = f"The repository with name '{name}' does not exist in the registry with id '{registry_id}'"
    return ApiError("RepositoryNotFoundException", text)


def find_by_arn(call: Call) -> Repository:
    """The repository that a resource's ARN names. Raises InvalidParameterException, RepositoryNotFoundException."""
    text: str = call.params["resourceArn"]
    arn = Arn.parse(text)
    kind, _, name = arn.resource.partition("/") if arn else ("", "", "")
    if arn is None or arn.service != "ecr" or kind != "repository" or not name:
        raise constraint("resourceArn", "Invalid ARN")
    found = call.tx.get(Repository, (*arn.scope, name)) if arn.scope == call.scope else None
    if found is None:
        raise no_repository(name, arn.scope.account)
    return found


def constraint(member: str, sentence: str) -> ApiError:
    """A parameter that can't be so."""
    text = f"Invalid parameter at '{member}' failed to satisfy constraint: '{sentence}'"
    return ApiError("InvalidParameterException", text)


def host(reader: Reader) -> str:
    """Where Docker finds the registry: `localhost:4566`."""
    found = reader.get(RegistryEndpoint, ENDPOINT_KEY)
    return found.host if found else DEFAULT_HOST


def repository_view(call: Call, repository: Repository) -> Answer:
    """A repository, as ECR answers it."""
    view: Answer = {
        "repositoryArn": repository.arn,
        "registryId": repository.account,
        "repositoryName": repository.name,
        "repositoryUri": repository_uri(repository, host(call.tx)),
        "createdAt": repository.created_at,
        "imageTagMutability": repository.tag_mutability,
        "imageScanningConfiguration": {"scanOnPush": repository.scan_on_push},
        "encryptionConfiguration": repository.encryption,
    }
    if repository.exclusions:
        view["imageTagMutabilityExclusionFilters"] = exclusions_view(repository)
    return view


def exclusions_view(repository: Repository) -> list[Answer]:
    """Its exclusion filters."""
    return [{"filterType": "WILDCARD", "filter": pattern} for pattern in repository.exclusions]


def tags_of(reader: Reader, image: Image) -> list[str]:
    """The tags of an image, sorted."""
    key = (image.repository_id, image.digest)
    return sorted(tag.tag for tag in reader.select(ImageTag, "image", key))


def image_at(reader: Reader, repository: Repository, *, tag: str = "", digest: str = "") -> Image | None:
    """The image with a tag or digest; with both, only if they belong together."""
    place = (*repository.scope, repository.repository_id)
    if tag:
        tagged = reader.get(ImageTag, (*place, tag))
        if tagged is None or digest not in ("", tagged.digest):
            return None
        digest = tagged.digest
    return reader.get(Image, (*place, digest))


def find_image(call: Call, repository: Repository, image_id: dict[str, str]) -> Image:
    """The image of an imageId. Raises InvalidParameterException, ImageNotFoundException."""
    tag, digest = image_id.get("imageTag", ""), image_id.get("imageDigest", "")
    if not tag and not digest:
        raise constraint("imageIds", "Both 'imageTag' and 'imageDigest' can't be null")
    found = image_at(call.tx, repository, tag=tag, digest=digest)
    if found is None:
        raise ApiError(
            "ImageNotFoundException",
            f"The image with imageId {shown_id(image_id)} does not exist within the repository with name "
            f"'{repository.name}' in the registry with id '{repository.account}'",
        )
    return found


def shown_id(image_id: dict[str, str]) -> str:
    """An imageId as ECR's messages have it."""
    digest, tag = image_id.get("imageDigest", "null"), image_id.get("imageTag", "null")
    return f"{{imageDigest:'{digest}', imageTag:'{tag}'}}"


def listed(call: Call, operation: str, items: Iterable[T], key: Callable[[T], str]) -> tuple[list[T], str | None]:
    """One page of items in the order of their unique keys, and the token of the next, good for the same question."""
    limit: int = call.params.get("maxResults") or MAX_PAGE
    token: str | None = call.params.get("nextToken")
    question = sorted((n, repr(value)) for n, value in call.params.items() if n not in {"nextToken", "maxResults"})
    return page(sorted(items, key=key), key, limit, token, operation=operation, scope=repr(question))


def check_tags(tags: Tags) -> Tags:
    """The tags, if a repository may have them. Raises InvalidTagParameterException, TooManyTagsException."""
    for key in tags:
        if key.lower().startswith("aws:"):
            text = f"Invalid tag key {key[:128]}: keys that begin with aws: are reserved."
            raise ApiError("InvalidTagParameterException", text)
    if len(tags) > MAX_TAGS:
        raise ApiError("TooManyTagsException", f"A repository can have at most {MAX_TAGS} tags.")
    return tags

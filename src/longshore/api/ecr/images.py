"""Images by the API: listed, described, read, given further tags, deleted; where their layers are.

Manifests are records, so nothing here asks the registry.
"""

from collections.abc import Iterable
from typing import Any

from longshore.api.ecr.deleting import delete_image
from longshore.api.ecr.lookup import (
    Answer,
    constraint,
    find_image,
    find_repository,
    host,
    image_at,
    listed,
    shown_id,
    tags_of,
)
from longshore.api.ecr.pushing import check_tag, digest_of, missing_parts, write_image
from longshore.api.ecr.token import layer_token
from longshore.api.operation import Call, Operation
from longshore.domain.ecr.image_name import TAG, repository_uri
from longshore.domain.ecr.manifest import DIGEST, Manifest, read_manifest
from longshore.domain.ecr.repository import Image, ImageTag, Repository
from longshore.wire.errors import ApiError

AS_PUSHED = "Manifests are answered as they were pushed: none is converted to another media type."


# Listing


def list_images(call: Call) -> Answer:
    """Every tag with its digest, and the digests without tags."""
    repository = find_repository(call)
    ids = []
    for image in _filtered(call, repository):
        tags = tags_of(call.tx, image)
        ids += [{"imageDigest": image.digest, "imageTag": tag} for tag in tags] or [{"imageDigest": image.digest}]
    shown, more = listed(call, "ListImages", ids, lambda each: f"{each['imageDigest']} {each.get('imageTag', '')}")
    return {"imageIds": shown, "nextToken": more}


def describe_images(call: Call) -> Answer:
    """All images of a repository, or those asked for."""
    repository = find_repository(call)
    asked = call.params.get("imageIds")
    if asked and (call.params.get("maxResults") or call.params.get("nextToken")):
        raise constraint("imageIds", "nextToken and maxResults can't be used together with imageIds")
    if asked:
        found = {image.digest: image for image in (find_image(call, repository, each) for each in asked)}
        kept = {image.digest for image in _filtered(call, repository)}
        return {"imageDetails": [_detail(call, repository, image) for image in found.values() if image.digest in kept]}
    shown, more = listed(call, "DescribeImages", _filtered(call, repository), lambda image: image.digest)
    return {"imageDetails": [_detail(call, repository, image) for image in shown], "nextToken": more}


def _filtered(call: Call, repository: Repository) -> list[Image]:
    """The images that pass the call's filter."""
    images = call.tx.select(Image, "repository", (repository.repository_id,))
    return [image for image in images if _passes(call, image)] if call.params.get("filter") else images


def _passes(call: Call, image: Image) -> bool:
    """Whether an image passes the call's filter. None is archived here."""
    wanted = call.params.get("filter") or {}
    if wanted.get("imageStatus", "ACTIVE") not in {"ACTIVE", "ANY"}:
        return False
    tagged = call.tx.count(ImageTag, "image", (image.repository_id, image.digest)) > 0
    return wanted.get("tagStatus", "ANY") in {"ANY", "TAGGED" if tagged else "UNTAGGED"}


def _detail(call: Call, repository: Repository, image: Image) -> Answer:
    detail = {
        "registryId": repository.account,
        "repositoryName": repository.name,
        "imageDigest": image.digest,
        "imageTags": tags_of(call.tx, image) or None,
        "imageSizeInBytes": image.size_bytes,
        "imagePushedAt": image.pushed_at,
        "imageManifestMediaType": image.media_type,
        "artifactMediaType": image.artifact_media_type or None,
        "lastRecordedPullTime": image.pulled_at,
        "subjectManifestDigest": image.subject or None,
        "imageStatus": "ACTIVE",
    }
    return {name: value for name, value in detail.items() if value is not None}


def list_image_referrers(call: Call) -> Answer:
    """What says something about an image: signatures, bills of material."""
    repository = find_repository(call)
    digest = call.params["subjectId"]["imageDigest"]
    wanted = call.params.get("filter") or {}
    types = wanted.get("artifactTypes")
    found = [
        image
        for image in call.tx.select(Image, "subject", (repository.repository_id, digest))
        if not types or image.artifact_media_type in types
    ]
    if wanted.get("artifactStatus", "ACTIVE") not in {"ACTIVE", "ANY"}:
        found = []
    shown, more = listed(call, "ListImageReferrers", found, lambda image: image.digest)
    referrers = [
        {
            "digest": image.digest,
            "mediaType": image.media_type,
            "artifactType": image.artifact_media_type,
            "size": len(image.manifest.encode()),
            "artifactStatus": "ACTIVE",
        }
        for image in shown
    ]
    return {"referrers": referrers, "nextToken": more}


# Reading


def batch_get_image(call: Call) -> Answer:
    """The manifests of images."""
    repository = find_repository(call)
    images, failures = [], []
    for image_id in call.params["imageIds"]:
        failure = _bad_id(image_id)
        image = None if failure else image_at(call.tx, repository, **_names(image_id))
        if image is None:
            failures.append(failure or _failure(image_id, "ImageNotFound", "Requested image not found"))
            continue
        images.append(_image_view(repository, image, image_id.get("imageTag")))
    return {"images": images, "failures": failures}


def batch_check_layer_availability(call: Call) -> Answer:
    """Which layers some image of the repository has."""
    repository = find_repository(call)
    layers, failures = [], []
    for digest in dict.fromkeys(call.params["layerDigests"]):
        if not DIGEST.fullmatch(digest):
            reason = "Invalid parameter at 'layerDigests': a digest has the form sha256:…"
            failures.append({"layerDigest": digest, "failureCode": "InvalidLayerDigest", "failureReason": reason})
            continue
        found = call.tx.select(Image, "blob", (repository.repository_id, digest))
        blob = next((blob for image in found[:1] for blob in image.blobs if blob.digest == digest), None)
        if blob is None:
            layers.append({"layerDigest": digest, "layerAvailability": "UNAVAILABLE"})
        else:
            layers.append(
                {
                    "layerDigest": digest,
                    "layerAvailability": "AVAILABLE",
                    "layerSize": blob.size_bytes,
                    "mediaType": blob.media_type,
                }
            )
    return {"layers": layers, "failures": failures}


def get_download_url_for_layer(call: Call) -> Answer:
    """A URL that whoever has it can download the layer from, for an hour."""
    repository = find_repository(call)
    digest = call.params["layerDigest"]
    if not call.tx.count(Image, "blob", (repository.repository_id, digest)):
        raise ApiError("LayersNotFoundException", _no_layers(repository, [digest], "downloading from"))
    uri = repository_uri(repository, host(call.tx))
    server, _, path = uri.partition("/")
    token = layer_token(call.vault, repository, digest, call.now)
    return {"downloadUrl": f"http://{server}/v2/{path}/blobs/{digest}?token={token}", "layerDigest": digest}


def describe_image_scan_findings(call: Call) -> Answer:
    """Images are never scanned: ScanNotFoundException."""
    repository = find_repository(call)
    image_id = call.params["imageId"]
    find_image(call, repository, image_id)
    raise ApiError(
        "ScanNotFoundException",
        f"Image scan does not exist for the image with '{shown_id(image_id)}' in the repository with name "
        f"'{repository.name}' in the registry with id '{repository.account}'",
    )


# Changing


def put_image(call: Call) -> Answer:
    """Add an image by its manifest, or a tag to one that is there. Its layers must be those of images that are."""
    params, repository = call.params, find_repository(call)
    text, tag = params["imageManifest"], params.get("imageTag", "")
    manifest = _manifest(text, params.get("imageManifestMediaType", ""))
    if tag and not TAG.fullmatch(tag):
        raise constraint("imageTag", f"must satisfy regular expression '{TAG.pattern}'")
    digest = digest_of(text.encode())
    if params.get("imageDigest", digest) != digest:
        text = f"The digest of the image is {digest}, not {params['imageDigest']}"
        raise ApiError("ImageDigestDoesNotMatchException", text)
    known = image_at(call.tx, repository, tag=tag, digest=digest)
    if known is not None:
        with_tag = f" and tag '{tag}'" if tag else ""
        text = f"Image with digest '{digest}'{with_tag} already exists in the repository with name '{repository.name}'"
        raise ApiError("ImageAlreadyExistsException", f"{text} in registry with id '{repository.account}'")
    check_tag(call.tx, repository, tag, digest)
    blobs, children = missing_parts(call.tx, repository, manifest)
    if blobs:
        raise ApiError("LayersNotFoundException", _no_layers(repository, blobs, "pushing image into"))
    if children:
        text = f"Images with digests '{children}' required for pushing image into repository with name "
        text = f"{text}'{repository.name}' in the registry with id '{repository.account}' do not exist"
        raise ApiError("ReferencedImagesNotFoundException", text)
    image = write_image(call.tx, repository, text, manifest, tag, call.now)
    return {"image": _image_view(repository, image, tag or None)}


def batch_delete_image(call: Call) -> Answer:
    """Remove tags, and images: with their digest, or with their last tag."""
    repository = find_repository(call)
    deleted: list[dict[str, str]] = []
    failures: list[Answer] = []
    for image_id in call.params["imageIds"]:
        failure = _bad_id(image_id) or _delete(call, repository, image_id, deleted)
        if failure:
            failures.append(failure)
    return {"imageIds": deleted, "failures": failures}


def _delete(
    call: Call, repository: Repository, image_id: dict[str, str], deleted: list[dict[str, str]]
) -> Answer | None:
    tag, digest = image_id.get("imageTag", ""), image_id.get("imageDigest", "")
    image = image_at(call.tx, repository, tag=tag, digest="" if tag else digest)
    if image is None:
        return _failure(image_id, "ImageNotFound", "Requested image not found")
    if tag and digest and image.digest != digest:
        reason = "Requested tag does not match the digest"
        return _failure(image_id, "ImageTagDoesNotMatchDigest", reason)
    tags = tags_of(call.tx, image)
    if tag and tags != [tag]:
        call.tx.delete(ImageTag, (*repository.scope, repository.repository_id, tag))
        deleted.append({"imageDigest": image.digest, "imageTag": tag})
        return None
    lists = call.tx.select(Image, "child", (repository.repository_id, image.digest))
    if lists:
        names = ", ".join(sorted(each.digest for each in lists))
        reason = f"Requested image referenced by manifest list: [{names}]"
        return _failure(image_id, "ImageReferencedByManifestList", reason)
    delete_image(call.tx, image)
    deleted += [{"imageDigest": image.digest, "imageTag": each} for each in tags] or [{"imageDigest": image.digest}]
    return None


# Parts


def _names(image_id: dict[str, str]) -> dict[str, str]:
    return {"tag": image_id.get("imageTag", ""), "digest": image_id.get("imageDigest", "")}


def _bad_id(image_id: dict[str, str]) -> Answer | None:
    """What is wrong with an imageId itself."""
    if not any(_names(image_id).values()):
        return _failure(image_id, "MissingDigestAndTag", "Missing image digest and image tag")
    if "imageDigest" in image_id and not DIGEST.fullmatch(image_id["imageDigest"]):
        reason = "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"
        return _failure(image_id, "InvalidImageDigest", reason)
    if "imageTag" in image_id and not TAG.fullmatch(image_id["imageTag"]):
        reason = "Invalid request parameters: image tag should satisfy the regex '[a-zA-Z0-9-_.]{1,128}'"
        return _failure(image_id, "InvalidImageTag", reason)
    return None


def _failure(image_id: dict[str, str], code: str, reason: str) -> Answer:
    return {"imageId": dict(image_id), "failureCode": code, "failureReason": reason}


def _image_view(repository: Repository, image: Image, tag: str | None) -> Answer:
    image_id = {"imageDigest": image.digest, **({"imageTag": tag} if tag else {})}
    return {
        "registryId": repository.account,
        "repositoryName": repository.name,
        "imageId": image_id,
        "imageManifest": image.manifest,
        "imageManifestMediaType": image.media_type,
    }


def _manifest(text: str, media_type: str) -> Manifest:
    try:
        text.encode()
        return read_manifest(text, media_type)
    except UnicodeEncodeError:
        raise constraint("ImageManifest", "The manifest has characters that are none") from None
    except ValueError as error:
        raise constraint("ImageManifest", f"Invalid JSON syntax or manifest: {error}") from None


def _no_layers(repository: Repository, digests: Iterable[str], what: str) -> str:
    names: Any = ", ".join(digests)
    return (
        f"Layers with digests '[{names}]' required for {what} repository with name '{repository.name}' in the "
        f"registry with id '{repository.account}' do not exist"
    )


OPERATIONS = {
    "BatchCheckLayerAvailability": Operation(batch_check_layer_availability),
    "BatchDeleteImage": Operation(batch_delete_image),
    "BatchGetImage": Operation(batch_get_image, inert={"acceptedMediaTypes": AS_PUSHED}),
    "DescribeImageScanFindings": Operation(
        describe_image_scan_findings,
        inert=dict.fromkeys(("nextToken", "maxResults"), "No image is ever scanned: the answer is ScanNotFound."),
    ),
    "DescribeImages": Operation(describe_images),
    "GetDownloadUrlForLayer": Operation(get_download_url_for_layer),
    "ListImageReferrers": Operation(list_image_referrers),
    "ListImages": Operation(list_images),
    "PutImage": Operation(put_image),
}

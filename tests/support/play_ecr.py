"""What `tests/unit/chain/test_coverage_truth.py` plays of ECR: each operation, with all that it serves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from longshore.wire.errors import ApiError
from tests.support.ecr import digest, manifest, pushed, signature

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.api import Api

TAGS = [{"Key": "k", "Value": "v"}]
POLICY = json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:*"}]})
COUNT = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}
LIFECYCLE = json.dumps({"rules": [{"rulePriority": 1, "selection": COUNT, "action": {"type": "expire"}}]})


def play_ecr(call: Callable[..., dict[str, Any]], api: Api) -> None:
    """Each operation of ECR."""
    name = {"repositoryName": "app", "registryId": "123456789012"}
    filters = [{"filterType": "WILDCARD", "filter": "dev*"}]
    mutability = {
        "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
        "imageTagMutabilityExclusionFilters": filters,
    }
    encryption = {"encryptionType": "KMS", "kmsKey": "alias/aws/ecr"}
    made = call("CreateRepository", **name, tags=TAGS, encryptionConfiguration=encryption, **mutability)
    arn = {"resourceArn": made["repository"]["repositoryArn"]}
    call("DescribeRepositories", registryId="123456789012", maxResults=1)
    call("DescribeRepositories", repositoryNames=["app"])
    call("PutImageTagMutability", **name, **mutability)
    call("PutImageScanningConfiguration", **name, imageScanningConfiguration={"scanOnPush": True})
    call("BatchGetRepositoryScanningConfiguration", repositoryNames=["app"])
    call("TagResource", **arn, tags=TAGS)
    call("ListTagsForResource", **arn)
    call("UntagResource", **arn, tagKeys=["k"])
    _images(call, api, name)
    _policies(call, name)
    _registry(call)
    call("DeleteRepository", **name, force=True)


def _images(call: Callable[..., dict[str, Any]], api: Api, name: dict[str, str]) -> None:
    one = manifest("one")
    pushed(api, "app", one, "v1")
    pushed(api, "app", signature(one))
    by_tag, page = [{"imageTag": "v1"}], {"maxResults": 5, "filter": {"tagStatus": "TAGGED", "imageStatus": "ACTIVE"}}
    call("ListImages", **name, **page)
    call("DescribeImages", **name, **page)
    call("DescribeImages", **name, imageIds=by_tag)
    of = {"artifactTypes": ["application/vnd.example.signature"], "artifactStatus": "ANY"}
    call("ListImageReferrers", **name, subjectId={"imageDigest": digest(one)}, filter=of, maxResults=5)
    call("BatchGetImage", **name, imageIds=by_tag)
    call("BatchCheckLayerAvailability", **name, layerDigests=[digest("layer base")])
    call("GetDownloadUrlForLayer", **name, layerDigest=digest("layer base"))
    more = {"imageTag": "v2", "imageDigest": digest(one), "imageManifestMediaType": json.loads(one)["mediaType"]}
    call("PutImage", **name, imageManifest=one, **more)
    with pytest.raises(ApiError):
        call("DescribeImageScanFindings", **name, imageId=by_tag[0])
    call("PutLifecyclePolicy", **name, lifecyclePolicyText=LIFECYCLE)
    call("GetLifecyclePolicy", **name)
    call("StartLifecyclePolicyPreview", **name, lifecyclePolicyText=LIFECYCLE)
    call("GetLifecyclePolicyPreview", **name, maxResults=5, filter={"tagStatus": "ANY"})
    call("GetLifecyclePolicyPreview", **name, imageIds=by_tag)
    call("DeleteLifecyclePolicy", **name)
    call("BatchDeleteImage", **name, imageIds=[{"imageTag": "v2", "imageDigest": digest(one)}])


def _policies(call: Callable[..., dict[str, Any]], name: dict[str, str]) -> None:
    call("SetRepositoryPolicy", **name, policyText=POLICY)
    call("GetRepositoryPolicy", **name)
    call("DeleteRepositoryPolicy", **name)
    call("PutRegistryPolicy", policyText=POLICY)
    call("GetRegistryPolicy")
    call("DeleteRegistryPolicy")


def _registry(call: Callable[..., dict[str, Any]]) -> None:
    call("GetAuthorizationToken", registryIds=["123456789012"])
    call("DescribeRegistry")
    call("PutReplicationConfiguration", replicationConfiguration={"rules": []})
    rule = {"scanFrequency": "MANUAL", "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}]}
    call("PutRegistryScanningConfiguration", scanType="BASIC", rules=[rule])
    call("GetRegistryScanningConfiguration")
    call("PutAccountSetting", name="BLOB_MOUNTING", value="ENABLED")
    call("GetAccountSetting", name="BLOB_MOUNTING")

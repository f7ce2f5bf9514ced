"""ECR through its handlers: repositories, images, tags, policies, previews, passwords."""

import base64
import json
from typing import Any

import msgspec
import pytest

from longshore.api import ecr
from longshore.api import kms as kms_api
from longshore.api.ecr.lookup import MAX_TAGS
from longshore.api.ecr.token import LAYER_TOKEN_S, TOKEN_S, PasswordRefused, opens_layer, principal_of
from longshore.domain.ecr.repository import Image, ImageTag, LifecyclePreview, RegistryEndpoint, Repository
from longshore.domain.kinds import KINDS
from longshore.domain.secrets.encryption_key import EncryptionKey
from tests.support.api import ME, SCOPE, VAULT, Api
from tests.support.ecr import digest, index, manifest, pushed, signature
from tests.support.play_ecr import LIFECYCLE, POLICY

APP = {"repositoryName": "app"}
ODD = '{"schemaVersion": 2, "manifests": [], "artifactType": "?"}'
ONE, TWO = manifest("one"), manifest("two", ("base", "more"))


@pytest.fixture
def api() -> Api:
    made = Api(ecr.SERVICE.operations, service="ecr")
    made("CreateRepository", **APP)
    return made


def repository(api: Api, name: str = "app") -> Repository:
    found = api.store.get(Repository, (*SCOPE, name))
    assert found is not None
    return found


def ids(api: Api, **more: Any) -> list[tuple[str, str]]:
    listed = api("ListImages", **APP, **more)["imageIds"]
    return [(each.get("imageTag", ""), each["imageDigest"]) for each in listed]


# Repositories


def test_a_repository_is_encrypted_under_a_key_that_there_is(api: Api) -> None:
    kms = Api(kms_api.SERVICE.operations, service="kms")
    kms.store, kms.ids = api.store, api.ids
    for name in ("one", "two"):
        api("CreateRepository", repositoryName=name, encryptionConfiguration={"encryptionType": "KMS"})
    managed = kms("DescribeKey", KeyId="alias/aws/ecr")["KeyMetadata"]
    assert managed["KeyManager"] == "AWS"
    own = kms("CreateKey")["KeyMetadata"]
    kms("CreateAlias", AliasName="alias/own", TargetKeyId=own["KeyId"])
    asked = {"encryptionType": "KMS_DSSE", "kmsKey": "alias/own"}
    api("CreateRepository", repositoryName="three", encryptionConfiguration=asked)
    assert [repository(api, name).encryption["kmsKey"] for name in ("one", "two", "three")] == [
        managed["Arn"],
        managed["Arn"],
        own["Arn"],
    ]
    kms("DisableKey", KeyId=own["KeyId"])
    signer = kms("CreateKey", KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    for key, code in (
        (own["Arn"], "DisabledException"),
        (own["Arn"].replace("key/", "key/0"), "NotFoundException"),
        (signer, "InvalidKeyUsageException"),
    ):
        asked = {"encryptionType": "KMS", "kmsKey": key}
        error = api.error("CreateRepository", repositoryName="four", encryptionConfiguration=asked)
        assert (error.code, error.members) == ("KmsException", {"kmsError": code})


def test_a_repository_is_made_with_ecrs_defaults(api: Api) -> None:
    made = api("CreateRepository", repositoryName="team/web")["repository"]
    assert made == {
        "repositoryArn": "arn:aws:ecr:us-east-1:123456789012:repository/team/web",
        "registryId": "123456789012",
        "repositoryName": "team/web",
        "repositoryUri": "localhost:4566/123456789012/us-east-1/team/web",
        "createdAt": api.now,
        "imageTagMutability": "MUTABLE",
        "imageScanningConfiguration": {"scanOnPush": False},
        "encryptionConfiguration": {"encryptionType": "AES256"},
    }
    assert api("DescribeRepositories", repositoryNames=["team/web"])["repositories"] == [made]


def test_the_uri_names_the_host_that_this_longshore_answers_at(api: Api) -> None:
    api.put(RegistryEndpoint(account="", region="", host="localhost:5000"))
    [found] = api("DescribeRepositories")["repositories"]
    assert found["repositoryUri"] == "localhost:5000/123456789012/us-east-1/app"
    [token] = api("GetAuthorizationToken")["authorizationData"]
    assert token["proxyEndpoint"] == "http://localhost:5000"


def test_settings_are_kept_and_changed(api: Api) -> None:
    given = {
        "imageTagMutability": "MUTABLE_WITH_EXCLUSION",
        "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "v*"}],
    }
    made = api(
        "CreateRepository",
        repositoryName="kept",
        encryptionConfiguration={"encryptionType": "KMS"},
        imageScanningConfiguration={"scanOnPush": True},
        **given,
    )["repository"]
    [managed] = api.store.all(EncryptionKey)
    assert made["encryptionConfiguration"] == {
        "encryptionType": "KMS",
        "kmsKey": managed.arn,
    }
    assert made["imageScanningConfiguration"] == {"scanOnPush": True}
    assert {name: made[name] for name in given} == given
    changed = api("PutImageTagMutability", repositoryName="kept", imageTagMutability="IMMUTABLE")
    assert changed["imageTagMutability"] == "IMMUTABLE"
    api("PutImageScanningConfiguration", repositoryName="kept", imageScanningConfiguration={})
    [found] = api("DescribeRepositories", repositoryNames=["kept"])["repositories"]
    assert "imageTagMutabilityExclusionFilters" not in found
    assert found["imageScanningConfiguration"] == {"scanOnPush": False}
    scanning = api("BatchGetRepositoryScanningConfiguration", repositoryNames=["kept", "none"])
    assert scanning["scanningConfigurations"][0]["scanFrequency"] == "MANUAL"
    assert scanning["failures"][0]["failureCode"] == "REPOSITORY_NOT_FOUND"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"imageTagMutability": "IMMUTABLE_WITH_EXCLUSION"}, "Filters are required"),
        ({"imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "a"}]}, "only there"),
        (
            {
                "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
                "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "*a*b*"}],
            },
            "at most 2 wildcards",
        ),
        (
            {
                "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
                "imageTagMutabilityExclusionFilters": [
                    {"filterType": "WILDCARD", "filter": str(number)} for number in range(6)
                ],
            },
            "at most 5 filters",
        ),
        ({"encryptionConfiguration": {"encryptionType": "AES256", "kmsKey": "k"}}, "KMS key"),
        ({"registryId": "210987654321"}, "your own registry"),
    ],
)
def test_a_repository_that_cannot_be_is_refused(api: Api, change: dict[str, Any], text: str) -> None:
    error = api.error("CreateRepository", repositoryName="other", **change)
    assert (error.code, text in error.message) == ("InvalidParameterException", True), error.message


def test_a_name_is_taken_once(api: Api) -> None:
    error = api.error("CreateRepository", **APP)
    assert error.code == "RepositoryAlreadyExistsException"
    text = "The repository with name 'app' already exists in the registry with id '123456789012'"
    assert error.message == text


NEED_REPOSITORY: list[tuple[str, dict[str, Any]]] = [
    ("BatchCheckLayerAvailability", {"layerDigests": ["sha256:a"]}),
    ("BatchDeleteImage", {"imageIds": [{"imageTag": "a"}]}),
    ("BatchGetImage", {"imageIds": [{"imageTag": "a"}]}),
    ("DeleteLifecyclePolicy", {}),
    ("DeleteRepository", {}),
    ("DeleteRepositoryPolicy", {}),
    ("DescribeImages", {}),
    ("DescribeImageScanFindings", {"imageId": {"imageTag": "a"}}),
    ("GetDownloadUrlForLayer", {"layerDigest": "sha256:a"}),
    ("GetLifecyclePolicy", {}),
    ("GetLifecyclePolicyPreview", {}),
    ("GetRepositoryPolicy", {}),
    ("ListImageReferrers", {"subjectId": {"imageDigest": digest(ONE)}}),
    ("ListImages", {}),
    ("PutImage", {"imageManifest": ONE}),
    ("PutImageScanningConfiguration", {"imageScanningConfiguration": {}}),
    ("PutImageTagMutability", {"imageTagMutability": "MUTABLE"}),
    ("PutLifecyclePolicy", {"lifecyclePolicyText": LIFECYCLE}),
    ("SetRepositoryPolicy", {"policyText": POLICY}),
    ("StartLifecyclePolicyPreview", {}),
]


@pytest.mark.parametrize(("operation", "params"), NEED_REPOSITORY)
def test_a_missing_repository_is_said_in_ecrs_words(api: Api, operation: str, params: dict[str, Any]) -> None:
    error = api.error(operation, repositoryName="none", **params)
    assert error.code == "RepositoryNotFoundException"
    text = "The repository with name 'none' does not exist in the registry with id '123456789012'"
    assert error.message == text
    other = api.error(operation, repositoryName="app", registryId="210987654321", **params)
    assert "in the registry with id '210987654321'" in other.message


def test_lists_page_by_name(api: Api) -> None:
    for number in range(5):
        api("CreateRepository", repositoryName=f"r{number}")
    first = api("DescribeRepositories", maxResults=4)
    second = api("DescribeRepositories", maxResults=4, nextToken=first["nextToken"])
    names = [each["repositoryName"] for page in (first, second) for each in page["repositories"]]
    assert names == ["app", "r0", "r1", "r2", "r3", "r4"]
    assert "nextToken" not in second
    assert api.error("DescribeRepositories", nextToken="x").code == "InvalidParameterException"
    assert api.error("DescribeRepositories", repositoryNames=["app"], maxResults=1).code == "InvalidParameterException"
    assert api.error("DescribeRepositories", repositoryNames=["none"]).code == "RepositoryNotFoundException"
    assert api("DescribeRepositories", registryId="210987654321")["repositories"] == []


def test_a_repository_with_images_goes_by_force_and_takes_everything_with_it(api: Api) -> None:
    pushed(api, "app", ONE, "a", "b")
    api("PutLifecyclePolicy", **APP, lifecyclePolicyText=LIFECYCLE)
    api("StartLifecyclePolicyPreview", **APP)
    error = api.error("DeleteRepository", **APP)
    assert error.code == "RepositoryNotEmptyException"
    assert "cannot be deleted because it still contains images" in error.message
    assert api("DeleteRepository", **APP, force=True)["repository"]["repositoryName"] == "app"
    for kind in (Repository, Image, ImageTag, LifecyclePreview):
        assert list(api.store.all(kind)) == []


def test_made_again_it_is_another_repository(api: Api) -> None:
    before = repository(api).repository_id
    api("DeleteRepository", **APP)
    api("CreateRepository", **APP)
    assert repository(api).repository_id != before


# Tags of repositories


def test_tags_come_and_go(api: Api) -> None:
    arn = {"resourceArn": repository(api).arn}
    api("TagResource", **arn, tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    api("TagResource", **arn, tags=[{"Key": "a", "Value": "3"}])
    api("UntagResource", **arn, tagKeys=["b", "none"])
    assert api("ListTagsForResource", **arn)["tags"] == [{"Key": "a", "Value": "3"}]


def test_tags_that_cannot_be(api: Api) -> None:
    arn = {"resourceArn": repository(api).arn}
    reserved = [{"Key": "aws:x", "Value": ""}]
    assert api.error("TagResource", **arn, tags=reserved).code == "InvalidTagParameterException"
    assert api.error("CreateRepository", repositoryName="x", tags=reserved).code == "InvalidTagParameterException"
    many = [{"Key": str(number), "Value": ""} for number in range(MAX_TAGS + 1)]
    assert api.error("TagResource", **arn, tags=many).code == "TooManyTagsException"
    for operation, more in (("ListTagsForResource", {}), ("UntagResource", {"tagKeys": ["a"]})):
        none = "arn:aws:ecr:us-east-1:123456789012:repository/none"
        assert api.error(operation, resourceArn=none, **more).code == "RepositoryNotFoundException"
        assert api.error(operation, resourceArn="arn:aws:ecs:r:1:x", **more).code == "InvalidParameterException"


# Images


def test_an_image_is_listed_and_described_as_it_was_pushed(api: Api) -> None:
    pushed(api, "app", TWO, "b", "a")
    assert ids(api) == [("a", digest(TWO)), ("b", digest(TWO))]
    [found] = api("DescribeImages", **APP)["imageDetails"]
    assert found == {
        "registryId": "123456789012",
        "repositoryName": "app",
        "imageDigest": digest(TWO),
        "imageTags": ["a", "b"],
        "imageSizeInBytes": 210,
        "imagePushedAt": api.now,
        "imageManifestMediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "artifactMediaType": "application/vnd.docker.container.image.v1+json",
        "imageStatus": "ACTIVE",
    }
    by_tag = api("DescribeImages", **APP, imageIds=[{"imageTag": "a"}, {"imageDigest": digest(TWO)}])
    assert by_tag["imageDetails"] == [found]


def test_filters_tell_tagged_from_untagged(api: Api) -> None:
    pushed(api, "app", ONE, "a")
    pushed(api, "app", TWO)
    assert ids(api, filter={"tagStatus": "TAGGED"}) == [("a", digest(ONE))]
    assert ids(api, filter={"tagStatus": "UNTAGGED"}) == [("", digest(TWO))]
    assert len(ids(api, filter={"tagStatus": "ANY"})) == 2
    assert ids(api, filter={"imageStatus": "ARCHIVED"}) == []
    described = api("DescribeImages", **APP, filter={"tagStatus": "UNTAGGED"})["imageDetails"]
    assert [each["imageDigest"] for each in described] == [digest(TWO)]


def test_images_page(api: Api) -> None:
    made = {pushed(api, "app", manifest(str(number)), str(number)) for number in range(5)}
    for operation, member in (("ListImages", "imageIds"), ("DescribeImages", "imageDetails")):
        shown: list[str] = []
        token: dict[str, str] = {}
        while True:
            page = api(operation, **APP, maxResults=2, **token)
            shown += [each["imageDigest"] for each in page[member]]
            if "nextToken" not in page:
                break
            token = {"nextToken": page["nextToken"]}
        assert sorted(shown) == sorted(made)


def test_an_unknown_image_is_not_described(api: Api) -> None:
    error = api.error("DescribeImages", **APP, imageIds=[{"imageTag": "x"}])
    assert error.code == "ImageNotFoundException"
    text = "The image with imageId {imageDigest:'null', imageTag:'x'} does not exist within the repository with name"
    assert error.message.startswith(text)
    assert api.error("DescribeImages", **APP, imageIds=[{}]).code == "InvalidParameterException"
    both = {"imageIds": [{"imageTag": "x"}], "maxResults": 3}
    assert api.error("DescribeImages", **APP, **both).code == "InvalidParameterException"


def test_manifests_are_read_by_tag_and_digest(api: Api) -> None:
    pushed(api, "app", ONE, "a")
    asked: list[dict[str, str]] = [
        {"imageTag": "a"},
        {"imageDigest": digest(ONE)},
        {"imageTag": "none"},
        {"imageTag": "a", "imageDigest": digest(TWO)},
        {},
        {"imageDigest": "sha256:x"},
        {"imageTag": "?"},
    ]
    answer = api("BatchGetImage", **APP, imageIds=asked)
    assert [each["imageId"] for each in answer["images"]] == [
        {"imageTag": "a", "imageDigest": digest(ONE)},
        {"imageDigest": digest(ONE)},
    ]
    assert answer["images"][0]["imageManifest"] == ONE
    assert [each["failureCode"] for each in answer["failures"]] == [
        "ImageNotFound",
        "ImageNotFound",
        "MissingDigestAndTag",
        "InvalidImageDigest",
        "InvalidImageTag",
    ]


def test_a_tag_moves_to_another_image(api: Api) -> None:
    pushed(api, "app", ONE, "latest")
    pushed(api, "app", TWO, "latest")
    assert sorted(ids(api)) == [("", digest(ONE)), ("latest", digest(TWO))]


def test_layers_are_available_that_an_image_has(api: Api) -> None:
    pushed(api, "app", ONE)
    answer = api("BatchCheckLayerAvailability", **APP, layerDigests=[digest("layer base"), digest("x"), "nonsense"])
    assert answer["layers"] == [
        {
            "layerDigest": digest("layer base"),
            "layerAvailability": "AVAILABLE",
            "layerSize": 100,
            "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
        },
        {"layerDigest": digest("x"), "layerAvailability": "UNAVAILABLE"},
    ]
    assert [each["failureCode"] for each in answer["failures"]] == ["InvalidLayerDigest"]


def test_a_layers_url_opens_that_layer_for_an_hour(api: Api) -> None:
    pushed(api, "app", ONE)
    layer = digest("layer base")
    url = api("GetDownloadUrlForLayer", **APP, layerDigest=layer)["downloadUrl"]
    path, _, token = url.partition("?token=")
    assert path == f"http://localhost:4566/v2/123456789012/us-east-1/app/blobs/{layer}"
    of = repository(api)
    assert opens_layer(VAULT, token, of, layer, api.now + LAYER_TOKEN_S)
    assert not opens_layer(VAULT, token, of, layer, api.now + LAYER_TOKEN_S + 1)
    assert not opens_layer(VAULT, token, of, digest("config one"), api.now)
    assert not opens_layer(VAULT, token[:-2], of, layer, api.now)
    assert api.error("GetDownloadUrlForLayer", **APP, layerDigest=digest("x")).code == "LayersNotFoundException"


def test_images_are_never_scanned(api: Api) -> None:
    pushed(api, "app", ONE, "a")
    assert api.error("DescribeImageScanFindings", **APP, imageId={"imageTag": "a"}).code == "ScanNotFoundException"
    assert api.error("DescribeImageScanFindings", **APP, imageId={"imageTag": "b"}).code == "ImageNotFoundException"


# PutImage


def test_an_image_gets_a_further_tag(api: Api) -> None:
    pushed(api, "app", ONE, "a")
    api.now += 10
    answer = api("PutImage", **APP, imageManifest=ONE, imageTag="b")["image"]
    assert answer["imageId"] == {"imageTag": "b", "imageDigest": digest(ONE)}
    [found] = api("DescribeImages", **APP)["imageDetails"]
    assert (found["imageTags"], found["imagePushedAt"]) == (["a", "b"], api.now - 10)


def test_a_new_image_may_be_put_of_layers_that_are_there(api: Api) -> None:
    pushed(api, "app", ONE, "a")
    document = json.loads(ONE)
    text = json.dumps({**document, "layers": []})
    api("PutImage", **APP, imageManifest=text, imageTag="bare")
    error = api.error("PutImage", **APP, imageManifest=TWO)
    assert error.code == "LayersNotFoundException"
    assert digest("layer more") in error.message
    assert digest("layer base") not in error.message


def test_a_list_may_be_put_of_images_that_are_there(api: Api) -> None:
    pushed(api, "app", ONE)
    pushed(api, "app", TWO)
    api("PutImage", **APP, imageManifest=index(ONE, TWO), imageTag="all")
    [found] = api("DescribeImages", **APP, imageIds=[{"imageTag": "all"}])["imageDetails"]
    assert found["imageSizeInBytes"] == 210
    other = index(ONE, manifest("three"))
    assert api.error("PutImage", **APP, imageManifest=other).code == "ReferencedImagesNotFoundException"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"imageTag": "a"}, "ImageAlreadyExistsException"),
        ({}, "ImageAlreadyExistsException"),
        ({"imageTag": "?"}, "InvalidParameterException"),
        ({"imageDigest": digest("x"), "imageTag": "b"}, "ImageDigestDoesNotMatchException"),
        ({"imageManifest": "{"}, "InvalidParameterException"),
        ({"imageManifest": '{"schemaVersion": 1}'}, "InvalidParameterException"),
        ({"imageManifest": '{"schemaVersion": 2, "config": {}}'}, "InvalidParameterException"),
        ({"imageManifestMediaType": "text/plain"}, "InvalidParameterException"),
        ({"imageManifest": '{"schemaVersion": 2, "mediaType": []}'}, "InvalidParameterException"),
        (
            {"imageManifest": '{"schemaVersion": 2, "manifests": [], "artifactType": "\\ud800"}'},
            "InvalidParameterException",
        ),
        ({"imageManifest": '{"schemaVersion": 2, "manifests": [], "\ud800": 1}'}, "InvalidParameterException"),
    ],
)
def test_what_cannot_be_put(api: Api, change: dict[str, Any], code: str) -> None:
    pushed(api, "app", ONE, "a")
    assert api.error("PutImage", **{**APP, "imageManifest": ONE, **change}).code == code


@pytest.mark.parametrize(
    ("mutability", "patterns", "tag", "moves"),
    [
        ("MUTABLE", [], "v1", True),
        ("IMMUTABLE", [], "v1", False),
        ("IMMUTABLE_WITH_EXCLUSION", ["dev-*"], "dev-1", True),
        ("IMMUTABLE_WITH_EXCLUSION", ["dev-*"], "v1", False),
        ("MUTABLE_WITH_EXCLUSION", ["v*", "release"], "v1", False),
        ("MUTABLE_WITH_EXCLUSION", ["v*", "release"], "latest", True),
    ],
)
def test_whether_a_tag_moves_is_the_repositorys_to_say(
    api: Api, mutability: str, patterns: list[str], tag: str, moves: bool
) -> None:
    filters = [{"filterType": "WILDCARD", "filter": pattern} for pattern in patterns]
    api(
        "PutImageTagMutability",
        **APP,
        imageTagMutability=mutability,
        **({"imageTagMutabilityExclusionFilters": filters} if filters else {}),
    )
    pushed(api, "app", ONE, tag)
    pushed(api, "app", TWO)
    if moves:
        api("PutImage", **APP, imageManifest=TWO, imageTag=tag)
        assert (tag, digest(TWO)) in ids(api)
        return
    error = api.error("PutImage", **APP, imageManifest=TWO, imageTag=tag)
    assert error.code == "ImageTagAlreadyExistsException"
    text = f"The image tag '{tag}' already exists in the 'app' repository and cannot be overwritten because the tag is"
    assert error.message == f"{text} immutable."


# BatchDeleteImage


def test_an_image_goes_with_its_last_tag(api: Api) -> None:
    pushed(api, "app", ONE, "a", "b")
    first = api("BatchDeleteImage", **APP, imageIds=[{"imageTag": "a"}])
    assert first == {"imageIds": [{"imageTag": "a", "imageDigest": digest(ONE)}], "failures": []}
    assert ids(api) == [("b", digest(ONE))]
    api("BatchDeleteImage", **APP, imageIds=[{"imageTag": "b"}])
    assert ids(api) == []


def test_an_image_goes_with_all_its_tags_by_its_digest(api: Api) -> None:
    pushed(api, "app", ONE, "a", "b")
    answer = api("BatchDeleteImage", **APP, imageIds=[{"imageDigest": digest(ONE)}])
    assert [each["imageTag"] for each in answer["imageIds"]] == ["a", "b"]
    assert list(api.store.all(ImageTag)) == []


def test_what_cannot_be_deleted_is_said_one_by_one(api: Api) -> None:
    pushed(api, "app", ONE, "one")
    pushed(api, "app", TWO)
    pushed(api, "app", index(ONE, TWO), "all")
    asked = [
        {"imageTag": "none"},
        {"imageTag": "one", "imageDigest": digest(TWO)},
        {"imageDigest": digest(TWO)},
        {},
        {"imageTag": "-"},
        {"imageDigest": "x"},
    ]
    failures = api("BatchDeleteImage", **APP, imageIds=asked)["failures"]
    assert [each["failureCode"] for each in failures] == [
        "ImageNotFound",
        "ImageTagDoesNotMatchDigest",
        "ImageReferencedByManifestList",
        "MissingDigestAndTag",
        "InvalidImageTag",
        "InvalidImageDigest",
    ]
    assert digest(index(ONE, TWO)) in failures[2]["failureReason"]
    api("BatchDeleteImage", **APP, imageIds=[{"imageTag": "all"}, {"imageDigest": digest(TWO)}])
    assert ids(api) == [("one", digest(ONE))]


def test_what_speaks_of_an_image_is_found(api: Api) -> None:
    pushed(api, "app", ONE, "a")
    pushed(api, "app", signature(ONE))
    of = {"subjectId": {"imageDigest": digest(ONE)}}
    [found] = api("ListImageReferrers", **APP, **of)["referrers"]
    assert (found["digest"], found["artifactType"]) == (digest(signature(ONE)), "application/vnd.example.signature")
    assert api("ListImageReferrers", **APP, **of, filter={"artifactTypes": ["x"]})["referrers"] == []
    assert api("ListImageReferrers", **APP, **of, filter={"artifactStatus": "ARCHIVED"})["referrers"] == []


# Policies


def test_a_repositorys_policy_is_kept(api: Api) -> None:
    missing = "RepositoryPolicyNotFoundException"
    assert [api.error(f"{verb}RepositoryPolicy", **APP).code for verb in ("Get", "Delete")] == [missing, missing]
    api("SetRepositoryPolicy", **APP, policyText=POLICY)
    assert api("GetRepositoryPolicy", **APP)["policyText"] == POLICY
    assert api("DeleteRepositoryPolicy", **APP)["policyText"] == POLICY
    assert api.error("GetRepositoryPolicy", **APP).code == missing


def test_the_registrys_policy_is_kept(api: Api) -> None:
    missing = "RegistryPolicyNotFoundException"
    assert [api.error(f"{verb}RegistryPolicy").code for verb in ("Get", "Delete")] == [missing, missing]
    api("PutRegistryPolicy", policyText=POLICY)
    assert api("GetRegistryPolicy")["policyText"] == POLICY
    assert api("DeleteRegistryPolicy")["policyText"] == POLICY
    assert api.error("GetRegistryPolicy").code == missing


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "{}", '{"Statement": []}', '{"Statement": [{"Effect": "Maybe", "Principal": "*", "Action": "*"}]}'],
)
def test_what_is_no_policy_is_refused(api: Api, text: str) -> None:
    for operation, more in (("SetRepositoryPolicy", APP), ("PutRegistryPolicy", {})):
        error = api.error(operation, **more, policyText=text)
        assert error.code == "InvalidParameterException"
        assert "policy provided" in error.message


def test_a_lifecycle_policy_is_kept(api: Api) -> None:
    missing = "LifecyclePolicyNotFoundException"
    for operation in ("GetLifecyclePolicy", "DeleteLifecyclePolicy", "StartLifecyclePolicyPreview"):
        assert api.error(operation, **APP).code == missing
    api("PutLifecyclePolicy", **APP, lifecyclePolicyText=LIFECYCLE)
    assert api("GetLifecyclePolicy", **APP)["lifecyclePolicyText"] == LIFECYCLE
    error = api.error("PutLifecyclePolicy", **APP, lifecyclePolicyText='{"rules": [{}]}')
    assert error.code == "InvalidParameterException"
    assert error.message.startswith(
        "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure:"
    )
    assert api("DeleteLifecyclePolicy", **APP)["lifecyclePolicyText"] == LIFECYCLE
    assert api.error("GetLifecyclePolicy", **APP).code == missing


def test_a_preview_says_what_a_policy_would_expire_and_changes_nothing(api: Api) -> None:
    assert api.error("GetLifecyclePolicyPreview", **APP).code == "LifecyclePolicyPreviewNotFoundException"
    pushed(api, "app", ONE, "a")
    api.now += 1
    pushed(api, "app", TWO, "b")
    assert api("StartLifecyclePolicyPreview", **APP, lifecyclePolicyText=LIFECYCLE)["status"] == "IN_PROGRESS"
    found = api("GetLifecyclePolicyPreview", **APP)
    assert (found["status"], found["summary"]) == ("COMPLETE", {"expiringImageTotalCount": 1})
    assert found["previewResults"] == [
        {
            "imageTags": ["a"],
            "imageDigest": digest(ONE),
            "imagePushedAt": api.now - 1,
            "action": {"type": "EXPIRE"},
            "appliedRulePriority": 1,
        }
    ]
    assert api("GetLifecyclePolicyPreview", **APP, filter={"tagStatus": "UNTAGGED"})["previewResults"] == []
    assert api("GetLifecyclePolicyPreview", **APP, imageIds=[{"imageTag": "b"}])["previewResults"] == []
    assert len(ids(api)) == 2


# The registry


def test_a_password_speaks_for_its_user_for_twelve_hours(api: Api) -> None:
    [token] = api("GetAuthorizationToken")["authorizationData"]
    user, _, password = base64.b64decode(token["authorizationToken"]).decode().partition(":")
    assert (user, token["expiresAt"]) == ("AWS", api.now + TOKEN_S)
    assert principal_of(VAULT, "AWS", password, api.now + TOKEN_S).arn == ME
    with pytest.raises(PasswordRefused, match="has expired"):
        principal_of(VAULT, "AWS", password, api.now + TOKEN_S + 1)
    for bad in ((VAULT, "me", password, api.now), (VAULT, "AWS", password[:-3], api.now), (VAULT, "AWS", "é", api.now)):
        with pytest.raises(PasswordRefused, match="not valid"):
            principal_of(*bad)
    assert api.error("GetAuthorizationToken", registryIds=["210987654321"]).code == "InvalidParameterException"


def test_a_layers_token_is_no_password(api: Api) -> None:
    pushed(api, "app", ONE)
    url = api("GetDownloadUrlForLayer", **APP, layerDigest=digest("layer base"))["downloadUrl"]
    with pytest.raises(PasswordRefused):
        principal_of(VAULT, "AWS", url.partition("?token=")[2], api.now)


def test_no_record_has_a_password(api: Api) -> None:
    [token] = api("GetAuthorizationToken")["authorizationData"]
    kept = b"".join(msgspec.json.encode(record) for kind in KINDS for record in api.store.all(kind))
    assert base64.b64decode(token["authorizationToken"])[-40:] not in kept


def test_images_are_copied_nowhere(api: Api) -> None:
    assert api("DescribeRegistry")["replicationConfiguration"] == {"rules": []}
    empty: dict[str, Any] = {"rules": []}
    assert api("PutReplicationConfiguration", replicationConfiguration=empty)["replicationConfiguration"] == empty
    rule = {"destinations": [{"region": "eu-west-1", "registryId": "123456789012"}]}
    error = api.error("PutReplicationConfiguration", replicationConfiguration={"rules": [rule]})
    assert "not copied to other registries" in error.message


def test_scanning_is_kept(api: Api) -> None:
    assert api("GetRegistryScanningConfiguration")["scanningConfiguration"] == {"scanType": "BASIC", "rules": []}
    rule = {"scanFrequency": "CONTINUOUS_SCAN", "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}]}
    assert api.error("PutRegistryScanningConfiguration", rules=[rule]).code == "InvalidParameterException"
    api("PutRegistryScanningConfiguration", scanType="ENHANCED", rules=[rule])
    kept = {"scanType": "ENHANCED", "rules": [rule]}
    assert api("GetRegistryScanningConfiguration")["scanningConfiguration"] == kept


def test_account_settings_have_ecrs_names_and_values(api: Api) -> None:
    assert api("GetAccountSetting", name="BLOB_MOUNTING")["value"] == "DISABLED"
    api("PutAccountSetting", name="BLOB_MOUNTING", value="ENABLED")
    assert api("GetAccountSetting", name="BLOB_MOUNTING")["value"] == "ENABLED"
    assert api.error("PutAccountSetting", name="BLOB_MOUNTING", value="maybe").code == "InvalidParameterException"
    for operation, more in (("GetAccountSetting", {}), ("PutAccountSetting", {"value": "x"})):
        assert api.error(operation, name="NONE", **more).code == "InvalidParameterException"

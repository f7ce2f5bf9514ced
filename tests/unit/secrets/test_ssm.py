"""Parameter Store: parameters, versions, labels, hierarchies, filters, tags; what AWS publishes; secrets by name."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from longshore.api import kms, secretsmanager, ssm
from longshore.api.ec2.regions import region_names
from longshore.domain.secrets.encryption_key import EncryptionKey
from longshore.domain.secrets.parameter import Parameter, ParameterVersion
from longshore.domain.secrets.public_places import LONG_NAMES
from tests.support.api import Api

ARN = "arn:aws:ssm:us-east-1:123456789012:parameter"


@pytest.fixture
def api() -> Api:
    return Api(ssm.SERVICE.operations, service="ssm")


def put(
    api: Api, name: str = "/app/db", value: str = "one", kind: str | None = "String", **asked: Any
) -> dict[str, Any]:
    if kind is not None:
        asked["Type"] = kind
    return api("PutParameter", Name=name, Value=value, **asked)


def read(api: Api, name: str, *, plain: bool = True) -> str:
    return str(api("GetParameter", Name=name, WithDecryption=plain)["Parameter"]["Value"])


def beside(api: Api, other: Any) -> Api:
    """Another service on the same state."""
    made = Api(other.SERVICE.operations, service=other.SERVICE.name)
    made.store, made.ids = api.store, api.ids
    return made


# -------------------------------------------------------------------------------------------------- put and got again


def test_a_parameter_is_put_and_read_by_name_and_by_arn(api: Api) -> None:
    assert put(api, Description="d") == {"Version": 1, "Tier": "Standard"}
    shown = api("GetParameter", Name="/app/db")["Parameter"]
    assert shown == {
        "Name": "/app/db",
        "Type": "String",
        "Value": "one",
        "Version": 1,
        "LastModifiedDate": api.now,
        "ARN": f"{ARN}/app/db",
        "DataType": "text",
    }
    put(api, "plain", "two")
    assert api("GetParameter", Name=f"{ARN}/app/db")["Parameter"] == shown
    assert read(api, f"{ARN}/plain") == "two"
    assert api("GetParameter", Name="plain")["Parameter"]["ARN"] == f"{ARN}/plain"
    for other in ("none", f"{ARN}/none", ARN.replace("us-east-1", "us-east-2") + "/app/db", "arn:aws:s3:::x"):
        assert api.error("GetParameter", Name=other).code == "ParameterNotFound"


def test_overwriting_makes_versions_and_keeps_what_is_not_given(api: Api) -> None:
    put(api, Description="d", AllowedPattern="[a-z]+")
    error = api.error("PutParameter", Name="/app/db", Value="two", Type="String")
    assert error.code == "ParameterAlreadyExists"
    assert put(api, value="two", kind=None, Overwrite=True)["Version"] == 2
    history = api("GetParameterHistory", Name="/app/db")["Parameters"]
    assert [(each["Version"], each["Value"], each["Description"]) for each in history] == [
        (1, "one", "d"),
        (2, "two", "d"),
    ]
    assert (read(api, "/app/db"), read(api, "/app/db:1"), read(api, f"{ARN}/app/db:2")) == ("two", "one", "two")
    assert api("GetParameter", Name="/app/db:1")["Parameter"]["Selector"] == ":1"
    error = api.error("GetParameter", Name="/app/db:3")
    assert error.code == "ParameterVersionNotFound"
    assert error.message.startswith("Systems Manager could not find version 3 of /app/db.")
    assert api.error("GetParameter", Name="/app/db:0").code == "ParameterVersionNotFound"
    mismatch = api.error("PutParameter", Name="/app/db", Value="3", Overwrite=True)
    assert mismatch.message == "Parameter value, cannot be validated against allowedPattern: [a-z]+"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, "ValidationException"),
        ({"Type": "String", "Value": ""}, "ValidationException"),
        ({"Type": "String", "Value": "\ud800"}, "ValidationException"),
        ({"Type": "String", "Value": "x" * 4097}, "ValidationException"),
        ({"Type": "String", "Value": "x" * 8193, "Tier": "Advanced"}, "ValidationException"),
        ({"Type": "StringList", "Value": "a,,b"}, "ValidationException"),
        ({"Type": "String", "DataType": "aws:ec2:Image"}, "ValidationException"),
        ({"Type": "String", "Overwrite": True, "Tags": [{"Key": "a", "Value": "b"}]}, "ValidationException"),
        ({"Type": "String", "Tags": [{"Key": "aws:a", "Value": "b"}]}, "ValidationException"),
        ({"Type": "String", "AllowedPattern": "("}, "InvalidAllowedPatternException"),
        ({"Type": "String", "AllowedPattern": "(?=a)"}, "InvalidAllowedPatternException"),
        ({"Type": "String", "AllowedPattern": "b"}, "ParameterPatternMismatchException"),
        ({"Type": "SecureString", "KeyId": "alias/none"}, "InvalidKeyId"),
        ({"Type": "String", "Policies": '[{"Type":"Expiration"}]'}, "InvalidParameterException"),
    ],
)
def test_what_can_not_be_put(api: Api, asked: dict[str, Any], code: str) -> None:
    assert api.error("PutParameter", **{"Name": "a", "Value": "a", **asked}).code == code
    assert list(api.store.all(Parameter)) == []


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("aws", "ValidationException"),
        ("/aws-x", "ValidationException"),
        ("SSM-x", "ValidationException"),
        ("/ssm/x", "ValidationException"),
        ("/aws/service/x", "AccessDeniedException"),
        ("a b", "ValidationException"),
        ("/a//b", "ValidationException"),
        ("/a/", "ValidationException"),
        ("a/b", "ValidationException"),
        ("a:b", "ValidationException"),
        ("/" + "x" * 1011, "ValidationException"),
        ("/a" * 16, "HierarchyLevelLimitExceededException"),
        ("arn:aws:ssm:us-east-2:123456789012:parameter/a", "ValidationException"),
    ],
)
def test_names_that_a_parameter_can_not_have(api: Api, name: str, code: str) -> None:
    assert api.error("PutParameter", Name=name, Value="a", Type="String").code == code


def test_names_that_a_parameter_can_have(api: Api) -> None:
    for name in ("a", "/a", "/a" * 15, "A.b_c-1", f"{ARN}/by/arn"):
        put(api, name)
    assert read(api, "/by/arn") == "one"


def test_a_type_may_change_with_the_value(api: Api) -> None:
    put(api, KeyId="alias/none")  # of no meaning for a String, as on AWS
    put(api, value="two", kind="SecureString", Overwrite=True)
    put(api, value="three", kind=None, Overwrite=True)
    put(api, value="four", kind="StringList", Overwrite=True)
    history = api("GetParameterHistory", Name="/app/db", WithDecryption=True)["Parameters"]
    assert [(each["Type"], each["Value"], each.get("KeyId")) for each in history] == [
        ("String", "one", None),
        ("SecureString", "two", "alias/aws/ssm"),
        ("SecureString", "three", "alias/aws/ssm"),
        ("StringList", "four", None),
    ]


def test_tiers(api: Api) -> None:
    assert put(api, "s", "x" * 4096, Tier="Intelligent-Tiering")["Tier"] == "Standard"
    assert put(api, "a", "x" * 4097, Tier="Intelligent-Tiering")["Tier"] == "Advanced"
    assert put(api, "a", "x", Overwrite=True)["Tier"] == "Advanced"
    assert put(api, "s", "x", Tier="Advanced", Overwrite=True)["Tier"] == "Advanced"
    assert "can't downgrade" in api.error("PutParameter", Name="s", Value="x", Tier="Standard", Overwrite=True).message


def test_the_oldest_of_a_hundred_versions_goes_unless_it_has_a_label(api: Api) -> None:
    put(api)
    for number in range(2, 102):
        put(api, value=str(number), Overwrite=True)
    history = api("GetParameterHistory", Name="/app/db", MaxResults=1)["Parameters"]
    assert history[0]["Version"] == 2
    assert len(list(api.store.all(ParameterVersion))) == 100
    api("LabelParameterVersion", Name="/app/db", ParameterVersion=2, Labels=["keep"])
    error = api.error("PutParameter", Name="/app/db", Value="x", Overwrite=True)
    assert error.code == "ParameterMaxVersionLimitExceeded"
    assert "Version 2, the oldest version" in error.message


# ------------------------------------------------------------------------------------------------------ SecureStrings


def test_a_secure_string_is_shown_encrypted_unless_it_is_to_be_decrypted(api: Api) -> None:
    put(api, value="marker-of-this-test", kind="SecureString")
    assert "marker" not in repr(list(api.store.all(ParameterVersion)))
    shown = read(api, "/app/db", plain=False)
    assert shown != "marker-of-this-test"
    assert read(api, "/app/db") == "marker-of-this-test"
    for operation, asked in (("GetParameters", {"Names": ["/app/db"]}), ("GetParametersByPath", {"Path": "/app"})):
        for plain in (True, False):
            [found] = api(operation, WithDecryption=plain, **asked)["Parameters"]
            assert found["Value"] == ("marker-of-this-test" if plain else shown)
    [past] = api("GetParameterHistory", Name="/app/db", WithDecryption=True)["Parameters"]
    assert (past["Value"], past["KeyId"]) == ("marker-of-this-test", "alias/aws/ssm")
    assert api("DescribeParameters")["Parameters"][0]["KeyId"] == "alias/aws/ssm"


def test_a_secure_string_needs_its_key(api: Api) -> None:
    keys = beside(api, kms)
    key_id = keys("CreateKey")["KeyMetadata"]["KeyId"]
    put(api, kind="SecureString", KeyId=key_id)
    put(api, value="two", kind=None, Overwrite=True)
    assert [each.key_reference for each in api.store.all(ParameterVersion)] == [key_id, key_id]
    keys("DisableKey", KeyId=key_id)
    assert api.error("GetParameter", Name="/app/db", WithDecryption=True).code == "InvalidKeyId"
    assert api.error("GetParameters", Names=["/app/db"], WithDecryption=True).code == "InvalidKeyId"
    assert api.error("GetParametersByPath", Path="/app", WithDecryption=True).code == "InvalidKeyId"
    assert api.error("GetParameterHistory", Name="/app/db", WithDecryption=True).code == "InvalidKeyId"
    assert api.error("PutParameter", Name="/app/db", Value="x", Overwrite=True).code == "InvalidKeyId"
    assert read(api, "/app/db", plain=False)


def test_what_was_encrypted_for_one_parameter_is_not_another_s(api: Api) -> None:
    put(api, "/a", "one", "SecureString")
    put(api, "/b", "two", "SecureString")
    a, b = sorted(api.store.all(ParameterVersion), key=lambda version: version.parameter_name)
    api.put(b.but(value=a.value))
    assert api.error("GetParameter", Name="/b", WithDecryption=True).code == "InvalidKeyId"


# --------------------------------------------------------------------------------------------------- many, and by path


def test_several_are_read_at_once_and_the_missing_are_told(api: Api) -> None:
    put(api, "a")
    put(api, "b")
    answer = api("GetParameters", Names=["b", "none", "a", "a:1", "a:9"])
    assert [(each["Name"], each.get("Selector")) for each in answer["Parameters"]] == [
        ("b", None),
        ("a", None),
        ("a", ":1"),
    ]
    assert answer["InvalidParameters"] == ["none", "a:9"]
    assert api.error("GetParameters", Names=["a", "a"]).code == "ValidationException"


def by_path(api: Api, path: str, **asked: Any) -> list[str]:
    return [each["Name"] for each in api("GetParametersByPath", Path=path, **asked)["Parameters"]]


def test_a_path_has_what_stands_in_it_or_below_it(api: Api) -> None:
    for name in ("/a/b", "/a/c/d", "/a/c/e/f", "/ab", "plain", "/a"):
        put(api, name)
    assert by_path(api, "/a") == ["/a/b"]
    assert by_path(api, "/a/") == ["/a/b"]
    assert by_path(api, "/a", Recursive=True) == ["/a/b", "/a/c/d", "/a/c/e/f"]
    assert by_path(api, "/a/c") == ["/a/c/d"]
    assert by_path(api, "/a/b") == []
    assert by_path(api, "/") == ["/a", "/ab", "plain"]
    assert len(by_path(api, "/", Recursive=True)) == 6
    first = api("GetParametersByPath", Path="/", Recursive=True, MaxResults=4)
    rest = api("GetParametersByPath", Path="/", Recursive=True, MaxResults=4, NextToken=first["NextToken"])
    assert len({each["Name"] for page in (first, rest) for each in page["Parameters"]}) == 6
    assert api.error("GetParametersByPath", Path="/a", NextToken=first["NextToken"]).code == "InvalidNextToken"
    for wrong in ("a", "/a b", "//", "/a" * 16):
        assert api.error("GetParametersByPath", Path=wrong).code == "ValidationException"


def test_a_path_is_filtered_by_type_key_and_label(api: Api) -> None:
    put(api, "/a/s")
    put(api, "/a/x", kind="SecureString")
    put(api, "/a/s", "two", Overwrite=True)
    api("LabelParameterVersion", Name="/a/s", ParameterVersion=1, Labels=["blue"])

    def filtered(key: str, *values: str, option: str = "Equals") -> list[tuple[str, str]]:
        filters = [{"Key": key, "Option": option, "Values": list(values)}]
        found = api("GetParametersByPath", Path="/a", ParameterFilters=filters, WithDecryption=True)["Parameters"]
        return [(each["Name"], each["Value"]) for each in found]

    assert filtered("Type", "SecureString") == [("/a/x", "one")]
    assert filtered("KeyId", "alias/aws/ssm") == [("/a/x", "one")]
    assert filtered("Label", "blue") == [("/a/s", "one")]
    for key, option, code in (("Name", "Equals", "InvalidFilterKey"), ("Type", "BeginsWith", "InvalidFilterOption")):
        filters = [{"Key": key, "Option": option, "Values": ["x"]}]
        assert api.error("GetParametersByPath", Path="/a", ParameterFilters=filters).code == code


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ([{"Key": "Name", "Values": ["/a/b"]}], ["/a/b"]),
        ([{"Key": "Name", "Option": "BeginsWith", "Values": ["a/"]}], ["/a/b", "/a/c/d"]),
        ([{"Key": "Name", "Option": "Contains", "Values": ["c", "ai"]}], ["/a/c/d", "plain"]),
        ([{"Key": "Type", "Values": ["SecureString", "StringList"]}], ["/a/c/d"]),
        ([{"Key": "Type", "Option": "BeginsWith", "Values": ["String"]}], ["/a/b", "plain"]),
        ([{"Key": "KeyId", "Values": ["alias/aws/ssm"]}], ["/a/c/d"]),
        ([{"Key": "Path", "Values": ["/a"]}], ["/a/b"]),
        ([{"Key": "Path", "Option": "Recursive", "Values": ["/a"]}], ["/a/b", "/a/c/d"]),
        ([{"Key": "Path", "Option": "Recursive", "Values": ["/"]}], ["/a/b", "/a/c/d", "plain"]),
        ([{"Key": "Label", "Values": ["blue"]}], ["/a/b"]),
        ([{"Key": "Tier", "Values": ["Advanced"]}], ["plain"]),
        ([{"Key": "DataType", "Values": ["text"]}], ["/a/b", "/a/c/d", "plain"]),
        ([{"Key": "tag:team", "Values": ["red"]}], ["plain"]),
        ([{"Key": "tag:team"}], ["plain"]),
        ([{"Key": "Name", "Values": ["plain"]}, {"Key": "Tier", "Values": ["Standard"]}], []),
    ],
)
def test_descriptions_are_filtered(api: Api, filters: list[dict[str, Any]], found: list[str]) -> None:
    put(api, "/a/b")
    put(api, "/a/c/d", kind="SecureString")
    put(api, "plain", Tier="Advanced", Tags=[{"Key": "team", "Value": "red"}])
    api("LabelParameterVersion", Name="/a/b", Labels=["blue"])
    described = api("DescribeParameters", ParameterFilters=filters)["Parameters"]
    assert [each["Name"] for each in described] == found
    assert all("Value" not in each for each in described)


@pytest.mark.parametrize(
    ("each", "code"),
    [
        ({"Key": "Colour", "Values": ["a"]}, "InvalidFilterKey"),
        ({"Key": "Type", "Option": "Contains", "Values": ["String"]}, "InvalidFilterOption"),
        ({"Key": "Type", "Values": ["Text"]}, "InvalidFilterValue"),
        ({"Key": "Name"}, "InvalidFilterValue"),
        ({"Key": "Path", "Values": ["a"]}, "InvalidFilterValue"),
    ],
)
def test_filters_that_are_none(api: Api, each: dict[str, Any], code: str) -> None:
    assert api.error("DescribeParameters", ParameterFilters=[each]).code == code
    if code == "InvalidFilterValue":
        return
    twice = [{"Key": "Name", "Values": ["a"]}] * 2
    assert api.error("DescribeParameters", ParameterFilters=twice).code == "InvalidFilterKey"
    both = {"ParameterFilters": twice[:1], "Filters": [{"Key": "Name", "Values": ["a"]}]}
    assert api.error("DescribeParameters", **both).code == "ValidationException"


def test_descriptions_page_and_the_older_filters_match_beginnings(api: Api) -> None:
    for name in ("aa", "ab", "b"):
        put(api, name)
    first = api("DescribeParameters", MaxResults=2)
    rest = api("DescribeParameters", MaxResults=2, NextToken=first["NextToken"])
    assert [each["Name"] for page in (first, rest) for each in page["Parameters"]] == ["aa", "ab", "b"]
    assert first["Parameters"][0]["ARN"] == f"{ARN}/aa"
    old = api("DescribeParameters", Filters=[{"Key": "Name", "Values": ["a"]}])["Parameters"]
    assert [each["Name"] for each in old] == ["aa", "ab"]


# ------------------------------------------------------------------------------------------------------ labels and tags


def test_a_label_is_on_one_version_and_moves(api: Api) -> None:
    put(api)
    put(api, value="two", Overwrite=True)
    assert api("LabelParameterVersion", Name="/app/db", Labels=["blue"])["ParameterVersion"] == 2
    assert read(api, "/app/db:blue") == "two"
    api("LabelParameterVersion", Name="/app/db", ParameterVersion=1, Labels=["blue", "green"])
    assert read(api, "/app/db:blue") == "one"
    history = api("GetParameterHistory", Name="/app/db")["Parameters"]
    assert [each["Labels"] for each in history] == [["blue", "green"], []]
    answer = api("UnlabelParameterVersion", Name="/app/db", ParameterVersion=1, Labels=["blue", "none"])
    assert answer == {"RemovedLabels": ["blue"], "InvalidLabels": ["none"]}
    error = api.error("GetParameter", Name="/app/db:blue")
    assert (error.code, "label blue" in error.message) == ("ParameterVersionNotFound", True)
    asked = {"Name": "/app/db", "ParameterVersion": 9, "Labels": ["x"]}
    assert api.error("LabelParameterVersion", **asked).code == "ParameterVersionNotFound"
    assert api.error("UnlabelParameterVersion", **asked).code == "ParameterVersionNotFound"
    assert api.error("LabelParameterVersion", **{**asked, "Name": "x"}).code == "ParameterNotFound"


def test_labels_that_can_not_be_are_told_and_ten_are_enough(api: Api) -> None:
    put(api)
    asked = ["1a", "aws-x", "SSM", "a b", "good"]
    answer = api("LabelParameterVersion", Name="/app/db", Labels=asked)
    assert answer["InvalidLabels"] == ["1a", "aws-x", "SSM", "a b"]
    more = [f"l{number}" for number in range(10)]
    assert api.error("LabelParameterVersion", Name="/app/db", Labels=more).code == "ParameterVersionLabelLimitExceeded"


def test_tags_come_and_go(api: Api) -> None:
    put(api, Tags=[{"Key": "a", "Value": "1"}])
    resource = {"ResourceType": "Parameter", "ResourceId": "/app/db"}
    api("AddTagsToResource", **resource, Tags=[{"Key": "b", "Value": "2"}])
    api("RemoveTagsFromResource", **resource, TagKeys=["a", "x"])
    assert api("ListTagsForResource", **resource)["TagList"] == [{"Key": "b", "Value": "2"}]
    many = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
    assert api.error("AddTagsToResource", **resource, Tags=many).code == "TooManyTagsError"
    assert api.error("ListTagsForResource", ResourceType="Parameter", ResourceId="x").code == "InvalidResourceId"
    assert api.error("ListTagsForResource", ResourceType="Document", ResourceId="x").code == "InvalidResourceType"


def test_what_is_deleted_is_gone_with_all_its_versions(api: Api) -> None:
    for name in ("a", "b", "c"):
        put(api, name)
        put(api, name, "two", Overwrite=True)
    api("DeleteParameter", Name="a")
    assert api.error("DeleteParameter", Name="a").code == "ParameterNotFound"
    answer = api("DeleteParameters", Names=["a", "b", "c"])
    assert answer == {"DeletedParameters": ["b", "c"], "InvalidParameters": ["a"]}
    assert list(api.store.all(ParameterVersion)) == []
    assert put(api, "a")["Version"] == 1


# -------------------------------------------------------------------------------------------- what is not the account's


def test_what_aws_publishes_is_read_in_every_region(api: Api) -> None:
    image = "/aws/service/ecs/optimized-ami/amazon-linux-2/recommended"
    whole = json.loads(read(api, image))
    assert whole["image_id"] == read(api, f"{image}/image_id")
    assert len(whole["image_id"]) == len("ami-") + 17
    shown = api("GetParameter", Name=f"{image}/image_id")["Parameter"]
    assert shown["ARN"] == f"arn:aws:ssm:us-east-1::parameter{image}/image_id"
    assert shown["DataType"] == "aws:ec2:image"
    assert read(api, shown["ARN"]) == whole["image_id"]
    ids = {whole["image_id"]}
    for variant in ("amazon-linux-2/arm64", "amazon-linux-2/gpu", "amazon-linux-2023", "amazon-linux-2023/arm64"):
        ids.add(read(api, f"/aws/service/ecs/optimized-ami/{variant}/recommended/image_id"))
    assert len(ids) == 5
    assert "aws-for-fluent-bit" in read(api, "/aws/service/aws-for-fluent-bit/stable")
    assert read(api, "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64").startswith("ami-")
    regions = api("GetParametersByPath", Path="/aws/service/global-infrastructure/regions")["Parameters"]
    assert len(regions) == 10
    assert read(api, "/aws/service/global-infrastructure/regions/eu-west-1") == "eu-west-1"
    assert api.error("GetParameter", Name="/aws/service/none").code == "ParameterNotFound"
    found = by_path(api, "/aws/service/aws-for-fluent-bit")
    assert found == sorted(found)
    assert "/aws/service/aws-for-fluent-bit/2.28.4" in found
    assert by_path(api, "/aws/service") == []


UBUNTU = "/aws/service/canonical/ubuntu/server/"
WINDOWS = "/aws/service/ami-windows-latest/Windows_Server-2022-English-Full"


def test_images_of_others_are_named_as_they_publish_them(api: Api) -> None:
    names = [
        *(f"{UBUNTU}22.04/stable/current/{cpu}/hvm/ebs-gp2/ami-id" for cpu in ("amd64", "arm64")),
        *(f"{UBUNTU}24.04/stable/current/{cpu}/hvm/ebs-gp3/ami-id" for cpu in ("amd64", "arm64")),
        *(f"/aws/service/debian/release/{n}/latest/{cpu}" for n in (11, 12) for cpu in ("amd64", "arm64")),
        f"{WINDOWS}-Base",
        f"{WINDOWS}-ECS_Optimized/image_id",
    ]
    found = {read(api, name) for name in names}
    assert len(found) == len(names)
    assert all(re.fullmatch(r"ami-0[0-9a-f]{16}", each) for each in found)
    assert api("GetParameter", Name=names[0])["Parameter"]["DataType"] == "aws:ec2:image"
    optimized = json.loads(read(api, f"{WINDOWS}-ECS_Optimized"))
    assert optimized["image_id"] == read(api, f"{WINDOWS}-ECS_Optimized/image_id")
    assert optimized["image_name"].startswith("Windows_Server-2022-English-Full-ECS_Optimized-20")
    pinned = read(api, "/aws/service/aws-for-fluent-bit/2.31.12")
    assert pinned == "906394416424.dkr.ecr.us-east-1.amazonaws.com/aws-for-fluent-bit:2.31.12"
    assert read(api, "/aws/service/aws-for-fluent-bit/init-2.31.12") == pinned.replace(":", ":init-")


def test_places_are_those_that_ec2_knows(api: Api) -> None:
    places = "/aws/service/global-infrastructure"
    assert set(LONG_NAMES) == set(region_names())
    assert read(api, f"{places}/regions/eu-central-1/longName") == "Europe (Frankfurt)"
    assert read(api, f"{places}/regions/eu-central-1/partition") == "aws"
    assert "ecs" in {name.rpartition("/")[2] for name in by_path(api, f"{places}/regions/us-west-2/services")}
    assert read(api, f"{places}/services/ecs/longName") == "Amazon Elastic Container Service (ECS)"
    assert f"{places}/services/ecs/regions/ap-south-1" in by_path(api, f"{places}/services/ecs/regions")
    assert api.error("GetParameter", Name=f"{places}/regions/eu-central-1/services/x").code == "ParameterNotFound"


def test_a_secret_is_read_as_a_parameter(api: Api) -> None:
    secrets = beside(api, secretsmanager)
    secrets("CreateSecret", Name="shop/db", SecretString="one", ClientRequestToken="1" * 32)
    secrets("PutSecretValue", SecretId="shop/db", SecretString="two", ClientRequestToken="2" * 32)
    secrets("CreateSecret", Name="bytes", SecretBinary=b"x")
    name = "/aws/reference/secretsmanager/shop/db"
    shown = api("GetParameter", Name=name, WithDecryption=True)["Parameter"]
    assert (shown["Name"], shown["Type"], shown["Value"]) == (name, "SecureString", "two")
    assert json.loads(shown["SourceResult"])["versionStages"] == ["AWSCURRENT"]
    assert read(api, f"{name}:AWSPREVIOUS") == "one"
    assert read(api, f"{name}:{'1' * 32}") == "one"
    assert api.error("GetParameter", Name=name).message == (
        "WithDecryption flag must be True for retrieving a Secret Manager secret."
    )
    for missing in (f"{name}x", f"{name}:NONE", "/aws/reference/secretsmanager/bytes"):
        assert api.error("GetParameter", Name=missing, WithDecryption=True).code == "ParameterNotFound"
    answer = api("GetParameters", Names=[name, f"{name}x"], WithDecryption=True)
    assert [each["Value"] for each in answer["Parameters"]] == ["two"]
    assert answer["InvalidParameters"] == [f"{name}x"]
    assert api.error("PutParameter", Name=name, Value="x", Type="String").code == "AccessDeniedException"


def test_an_account_s_key_for_parameters_is_made_once(api: Api) -> None:
    put(api, "a", kind="SecureString")
    put(api, "b", kind="SecureString")
    (key,) = api.store.all(EncryptionKey)
    assert (key.manager, "ssm" in key.description) == ("AWS", True)

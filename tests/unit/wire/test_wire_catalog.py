"""Identification, validation texts, error envelopes and limits of the wire's catalog."""

from __future__ import annotations

import gzip
import json
from typing import Any

import cbor2
import pytest

from longshore.wire.catalog import Catalog
from longshore.wire.errors import ApiError
from longshore.wire.http import HttpRequest
from tests.support.wire_samples import SERVICES, client_request, client_view, service_model

ECS = "AmazonEC2ContainerServiceV20141113"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog(SERVICES, unwrapped_errors={"s3"}, validation_codes={"ecs": "InvalidParameterException"})


def json_request(target: str, body: Any) -> HttpRequest:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpRequest("POST", "/", "", {"x-amz-target": target, "content-type": "application/x-amz-json-1.1"}, raw)


def form_request(body: str, service: str | None = None) -> HttpRequest:
    headers = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    if service:
        scope = f"AKID/20260131/eu-west-1/{service}/aws4_request"
        headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
    return HttpRequest("POST", "/", "", headers, body.encode())


def refusal(catalog: Catalog, request: HttpRequest) -> ApiError:
    with pytest.raises(ApiError) as caught:
        catalog.parse(catalog.identify(request), request)
    return caught.value


def test_scope_names_key_region_and_service(catalog: Catalog) -> None:
    scope = catalog.scope(form_request("Action=X", "sts"))
    assert scope == ("AKID", "20260131", "eu-west-1", "sts")
    presigned = HttpRequest("GET", "/", "X-Amz-Credential=AKID%2F20260131%2Feu-west-1%2Fsts%2Faws4_request", {}, b"")
    assert catalog.scope(presigned) == scope
    assert catalog.scope(HttpRequest("GET", "/", "", {"authorization": "Basic xyz"}, b"")) is None


@pytest.mark.parametrize(
    ("body", "service", "operation"),
    [
        ("Action=GetCallerIdentity&Version=2011-06-15", "sts", "GetCallerIdentity"),
        ("Action=DescribeLoadBalancers&Version=2015-12-01", "elbv2", "DescribeLoadBalancers"),
        ("Action=DescribeTags&Version=2016-11-15", "ec2", "DescribeTags"),
        ("Action=PutMetricData&Version=2010-08-01&Namespace=x", "cloudwatch", "PutMetricData"),
    ],
)
def test_unsigned_form_is_identified_by_action_and_version(
    catalog: Catalog, body: str, service: str, operation: str
) -> None:
    assert catalog.identify(form_request(body))[:2] == (service, operation)


def test_form_in_the_query_string_is_read(catalog: Catalog) -> None:
    request = HttpRequest("GET", "/", "Action=AssumeRole&Version=2011-06-15&RoleArn=a&RoleSessionName=b", {}, b"")
    target = catalog.identify(request)
    assert catalog.read(target, request) == {"RoleArn": "a", "RoleSessionName": "b"}


@pytest.mark.parametrize(
    ("request_", "code", "words"),
    [
        (json_request("DynamoDB_20120810.ListTables", {}), "UnknownOperationException", "does not serve the service"),
        (json_request(f"{ECS}.Nope", {}), "UnknownOperationException", "The service ecs has no operation 'Nope'"),
        (json_request("nodots", {}), "UnknownOperationException", "does not serve"),
        (form_request("Action=Nope&Version=2016-11-15", "ec2"), "InvalidAction", "has no action 'Nope'"),
        (form_request("Action=ListTopics&Version=2010-03-31", "sns"), "InvalidAction", "service 'sns'"),
        (form_request("Action=ListTopics&Version=2010-03-31"), "InvalidAction", "2010-03-31"),
        (HttpRequest("POST", "/service/Nope/operation/Go", "", {}, b""), "UnknownOperationException", "'Nope'"),
        (HttpRequest("BREW", "/pot", "", {}, b""), "UnknownOperationException", "BREW"),
    ],
)
def test_unknown_services_and_operations_are_named_clearly(
    catalog: Catalog, request_: HttpRequest, code: str, words: str
) -> None:
    error = refusal(catalog, request_)
    assert error.code == code
    assert words in error.message
    answer = catalog.error(None, request_, error, "request-1")
    assert 400 <= answer.status < 500
    assert code.encode() in answer.body or ("X-Amzn-Errortype", code) in answer.headers


@pytest.mark.parametrize(
    ("operation", "body", "text"),
    [
        ("DescribeTasks", {}, "Value null at 'tasks' failed to satisfy constraint: Member must not be null"),
        (
            "DescribeTasks",
            {"tasks": ["a"], "include": ["NOPE"]},
            (
                "Value '[NOPE]' at 'include' failed to satisfy constraint: "
                "Member must satisfy constraint: [Member must satisfy enum value set: [TAGS]]"
            ),
        ),
        (
            "CreateService",
            {"serviceName": "a", "launchType": "MOON"},
            (
                "Value 'MOON' at 'launchType' failed to satisfy constraint: Member must satisfy enum value set: "
                "[EC2, FARGATE, EXTERNAL, MANAGED_INSTANCES]"
            ),
        ),
        (
            "TagResource",
            {"resourceArn": "a", "tags": [{"key": ""}]},
            (
                "Value '' at 'tags.1.member.key' failed to satisfy constraint: "
                "Member must have length greater than or equal to 1"
            ),
        ),
        (
            "TagResource",
            {"resourceArn": "a", "tags": [{"key": "a", "value": "b|c"}]},
            (
                "Value 'b|c' at 'tags.1.member.value' failed to satisfy constraint: "
                "Member must satisfy regular expression "
                r"pattern: ([\p{L}\p{Z}\p{N}_.:/=+\-@]*)"
            ),
        ),
    ],
)
def test_validation_speaks_as_aws_does(catalog: Catalog, operation: str, body: Any, text: str) -> None:
    error = refusal(catalog, json_request(f"{ECS}.{operation}", body))
    assert error.code == "InvalidParameterException"
    assert error.message == f"1 validation error detected: {text}"


def test_several_violations_are_counted(catalog: Catalog) -> None:
    error = refusal(catalog, json_request("Logs_20140328.PutLogEvents", {}))
    assert error.code == "ValidationException"
    assert error.message.startswith("3 validation errors detected: Value null at 'logGroupName'")


def test_sensitive_values_are_not_shown(catalog: Catalog) -> None:
    body = {"SecretId": "a", "ClientRequestToken": "b" * 32, "SecretString": "s" * 70_000}
    error = refusal(catalog, json_request("secretsmanager.PutSecretValue", body))
    assert "Value at 'secretString' failed" in error.message
    assert "sss" not in error.message


@pytest.mark.parametrize(
    ("form", "code", "text"),
    [
        ("Action=DeleteVpc&Version=2016-11-15", "MissingParameter", "The request must contain the parameter VpcId"),
        (
            "Action=DescribeVpcs&Version=2016-11-15&MaxResults=1",
            "InvalidParameterValue",
            "Value (1) for parameter MaxResults",
        ),
        ("Action=DescribeVpcs&Version=2016-11-15&MaxResults=lots", "InvalidParameterValue", "whole number"),
        ("Action=AssumeRole&Version=2011-06-15", "ValidationError", "Value null at 'roleArn'"),
        ("Action=AssumeRole&Version=2011-06-15&DurationSeconds=x", "MalformedInput", "DurationSeconds"),
        ("Action=DescribeVpcs&Action=DescribeVpcs", "MalformedQueryString", "given twice"),
        ("Action=DescribeVpcs&Version=2016-11-15&VpcId.x=1", "InvalidParameterValue", "no index"),
        ("Action=DescribeVpcs&Version=2016-11-15&VpcId=1", "InvalidParameterValue", "Expected a list"),
    ],
)
def test_forms_are_refused_with_the_codes_of_their_protocol(catalog: Catalog, form: str, code: str, text: str) -> None:
    error = refusal(catalog, form_request(form))
    assert error.code == code
    assert text in error.message


def test_absurd_indexes_cost_nothing_and_keep_their_order(catalog: Catalog) -> None:
    request = form_request("Action=DescribeVpcs&Version=2016-11-15&VpcId.999999999=b&VpcId.7=a")
    assert catalog.parse(catalog.identify(request), request) == {"VpcIds": ["a", "b"]}
    huge = form_request(f"Action=DescribeVpcs&Version=2016-11-15&VpcId.{'9' * 5000}=b")
    assert refusal(catalog, huge).code == "InvalidParameterValue"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "could not be read"),
        (b'{"tasks": ["\xff"]}', "could not be read"),
        (b"[]", "Start of list"),
        (b'{"tasks": "a"}', "Expected list or null (at 'tasks')"),
        (b'{"tasks": [1]}', "NUMBER_VALUE can not be converted to a String (at 'tasks.1')"),
        (b'{"tasks": [true]}', "TRUE_VALUE can not be converted to a String"),
        (b'{"tasks": [{}]}', "Start of structure or map found where not expected"),
        (b'{"tasks": ["a"], "tasks": ["b"]}', "same key twice"),
        (b'{"tasks": ["a"], "t\\u0061sks": ["b"]}', "same key twice"),
        (b'{"x": NaN, "tasks": []}', "could not be read"),
        (b'{"x": 1e999, "tasks": []}', "could not be read"),
        (b'{"x": ' + b"9" * 10_000 + b"}", "could not be read"),
        (b'{"x": ' + b"[" * 100_000, "nested too deeply"),
        (b"\x00" * 100, "could not be read"),
    ],
)
def test_bad_json_is_a_serialization_exception(catalog: Catalog, body: bytes, words: str) -> None:
    error = refusal(catalog, json_request(f"{ECS}.DescribeTasks", body))
    assert (error.code, error.status) == ("SerializationException", 400)
    assert words in error.message


def test_text_full_of_quotes_is_read_in_one_pass(catalog: Catalog) -> None:
    """Looking for keys must not begin anew at every quote inside a text: that would take hours."""
    text = '{"level": "info"}' * 100_000
    request = json_request(f"{ECS}.DescribeTasks", {"cluster": text})
    assert catalog.read(catalog.identify(request), request) == {"cluster": text}


def test_integers_have_their_models_range(catalog: Catalog) -> None:
    def count(value: Any) -> ApiError:
        return refusal(catalog, json_request(f"{ECS}.UpdateService", {"service": "a", "desiredCount": value}))

    assert "STRING_VALUE can not be converted to an Integer (at 'desiredCount')" in count("1").message
    assert "does not fit an Integer" in count(2**31).message
    assert "NUMBER_VALUE can not be converted to an Integer" in count(1.5).message
    request = json_request(f"{ECS}.UpdateService", {"service": "a", "desiredCount": 2.0})
    assert catalog.parse(catalog.identify(request), request)["desiredCount"] == 2


@pytest.mark.parametrize(
    "body",
    [
        bytes.fromhex("9b1000000000000000"),
        b"\x81" * 100_000,
        bytes.fromhex("d81c81d81d00"),
        bytes.fromhex("c249ffffffffffffffffff"),
        bytes.fromhex("d82361282a"),
        cbor2.dumps([1]),
        cbor2.dumps({"Namespace": b"x"}),
        cbor2.dumps({"Namespace": 1}),
        b"\xa2" + cbor2.dumps("Namespace") * 4,
        cbor2.dumps({"Namespace": "a", "MetricData": [{"MetricName": "m", "Timestamp": cbor2.CBORTag(1, 1e300)}]}),
        cbor2.dumps({"Namespace": "a"}) + b"\x00",
        b"\xf7",
        b"\xe0",
    ],
)
def test_bad_cbor_is_a_modelled_400(catalog: Catalog, body: bytes) -> None:
    path = "/service/GraniteServiceVersion20100801/operation/PutMetricData"
    error = refusal(catalog, HttpRequest("POST", path, "", {"smithy-protocol": "rpc-v2-cbor"}, body))
    assert error.code in ("SerializationException", "ValidationException")
    assert error.status in (400, None)


@pytest.mark.parametrize(
    "body",
    [
        b"<a",
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;">]><a>&z;</a>',
        b"<a>" * 50_000,
        b"<a>" * 500 + b"</a>" * 500,
        b'<?xml version="1.0" encoding="nope"?><a/>',
        b"\xff\xfe",
        b"<CreateHostedZoneRequest><Name>a</Name><Name>b</Name></CreateHostedZoneRequest>",
        b"<CreateHostedZoneRequest><Name><b/></Name></CreateHostedZoneRequest>",
    ],
)
def test_bad_xml_is_a_modelled_400(catalog: Catalog, body: bytes) -> None:
    error = refusal(catalog, HttpRequest("POST", "/2013-04-01/hostedzone", "", {}, body))
    assert (error.code, error.status) == ("MalformedXML", 400)


def test_unknown_members_are_ignored_and_can_be_listed(catalog: Catalog) -> None:
    request = json_request(f"{ECS}.DescribeTasks", {"tasks": ["a"], "novelty": 1})
    target = catalog.identify(request)
    assert catalog.parse(target, request) == {"tasks": ["a"]}
    assert catalog.unknown_members(target, request) == ["novelty"]
    form = form_request("Action=DescribeVpcs&Version=2016-11-15&VpcId.1=a&Novelty.1=b")
    assert catalog.unknown_members(catalog.identify(form), form) == ["Novelty"]


def test_unknown_members_are_found_wherever_they_are(catalog: Catalog) -> None:
    containers = [{"name": "a", "size": 1}, {"environment": [{"name": "b", "kind": 2}]}]
    request = json_request(f"{ECS}.RunTask", {"overrides": {"containerOverrides": containers}, "tags": [{"Key": "c"}]})
    target = catalog.identify(request)
    assert catalog.read(target, request)["tags"] == [{}]
    assert catalog.unknown_members(target, request) == [
        "overrides.containerOverrides.1.size",
        "overrides.containerOverrides.2.environment.1.kind",
        "tags.1.Key",
    ]
    many = json_request(f"{ECS}.RunTask", {"tags": [{"Key": "c"}] * 200})
    assert len(catalog.unknown_members(target, many)) == 50


def test_nulls_are_unset_and_results_leave_none_out(catalog: Catalog) -> None:
    request = json_request(f"{ECS}.DescribeTasks", {"tasks": ["a"], "cluster": None})
    target = catalog.identify(request)
    assert catalog.parse(target, request) == {"tasks": ["a"]}
    response = catalog.serialize(target, {"tasks": [{"taskArn": "a", "group": None}], "failures": None}, "r")
    assert json.loads(response.body) == {"tasks": [{"taskArn": "a"}]}


@pytest.mark.parametrize(
    "result", [{"task": []}, {"tasks": [{"arn": "a"}]}, {"tasks": [{"taskArn": 5}]}, {"tasks": "a"}]
)
def test_result_that_the_model_lacks_is_a_programming_error(catalog: Catalog, result: Any) -> None:
    with pytest.raises(TypeError):
        catalog.serialize(catalog.target("ecs", "DescribeTasks", "json"), result, "r")


def test_large_metric_data_may_come_compressed_but_not_as_a_bomb(catalog: Catalog) -> None:
    operation = service_model("cloudwatch").operation_model("PutMetricData")
    for protocol in ("smithy-rpc-v2-cbor", "json", "query"):
        plain = client_request("cloudwatch", operation, {"Namespace": "n" * 50, "MetricData": []}, protocol)
        packed = plain._replace(
            headers={**plain.headers, "content-encoding": "gzip"}, body=gzip.compress(plain.body, mtime=0)
        )
        parameters = catalog.parse(catalog.identify(packed), packed)
        assert parameters == {"Namespace": "n" * 50, "MetricData": []}
        for bad in (b"nope", gzip.compress(b"\0" * 40_000_000), gzip.compress(plain.body)[:-4]):
            assert refusal(catalog, packed._replace(body=bad)).code == "SerializationException"


def test_error_status_and_envelope_follow_model_and_protocol(catalog: Catalog) -> None:
    body = "Action=DescribeLoadBalancers&Version=2015-12-01"
    request = form_request(body)
    target = catalog.identify(request)
    answer = catalog.error(target, request, ApiError("LoadBalancerNotFoundException", "None & <none>."), "r-1")
    assert b"<Code>LoadBalancerNotFound</Code><Message>None &amp; &lt;none&gt;.</Message>" in answer.body
    assert b"<RequestId>r-1</RequestId></ErrorResponse>" in answer.body
    ec2 = form_request("Action=DescribeVpcs&Version=2016-11-15")
    answer = catalog.error(catalog.identify(ec2), ec2, ApiError("InvalidVpcID.NotFound", "No such VPC."), "r-1")
    assert b"<Response><Errors><Error><Code>InvalidVpcID.NotFound</Code>" in answer.body
    assert b"<RequestID>r-1</RequestID>" in answer.body
    ecs = json_request(f"{ECS}.DescribeTasks", {"tasks": []})
    answer = catalog.error(catalog.identify(ecs), ecs, ApiError("ServerException", "Sorry."), "r-1")
    assert answer.status == 500
    eks = HttpRequest("GET", "/clusters/none", "", {}, b"")
    answer = catalog.error(catalog.identify(eks), eks, ApiError("ResourceNotFoundException", "No cluster."), "r-1")
    assert answer.status == 404
    assert ("X-Amzn-Errortype", "ResourceNotFoundException") in answer.headers


def test_query_compatible_service_tells_the_older_code_in_a_header(catalog: Catalog) -> None:
    target = catalog.target("cloudwatch", "DescribeAlarms", "smithy-rpc-v2-cbor")
    request = HttpRequest("POST", "/service/GraniteServiceVersion20100801/operation/DescribeAlarms", "", {}, b"")
    answer = catalog.error(target, request, ApiError("InvalidNextToken", "Bad token."), "r-1")
    assert ("x-amzn-query-error", "InvalidNextToken;Sender") in answer.headers
    assert client_view("smithy-rpc-v2-cbor", answer, None)["Error"]["Code"] == "InvalidNextToken"


def test_object_store_errors_have_no_envelope_and_head_has_no_body(catalog: Catalog) -> None:
    request = HttpRequest("HEAD", "/bucket/key", "", {}, b"")
    target = catalog.identify(request)
    assert target.operation == "HeadObject"
    error = ApiError("NoSuchKey", "No such key.", status=404)
    assert catalog.error(target, request, error, "r-1").body == b""
    answer = catalog.error(target, request._replace(method="GET"), error, "r-1")
    assert b"<Error><Code>NoSuchKey</Code>" in answer.body
    assert b"ErrorResponse" not in answer.body


def test_header_values_cannot_end_their_header(catalog: Catalog) -> None:
    target = catalog.target("s3", "GetObject", "rest-xml")
    response = catalog.serialize(target, {"ContentType": "a\r\nx: y", "Metadata": {"k": "v\n"}}, "r")
    assert all("\n" not in value and "\r" not in value for _, value in response.headers)


def test_every_pattern_of_the_declared_services_compiles() -> None:
    from longshore.wire.patterns import compiled

    models = [service_model(service) for service in SERVICES]
    shapes = [model.shape_for(name) for model in models for name in model.shape_names]
    patterns = {shape.metadata["pattern"] for shape in shapes if "pattern" in shape.metadata}
    assert [pattern for pattern in patterns if compiled(pattern) is None] == []

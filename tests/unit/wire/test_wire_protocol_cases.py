"""The protocol test cases that botocore's own developers run, turned around to the server's side.

Input cases: the request on the wire must parse to the parameters. Output cases: the result must become a response
that botocore's parser reads as it reads the case's own response. Error cases likewise, with code and status.
"""

from __future__ import annotations

import base64
import datetime as dt
import math
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.awsrequest import HeadersDict
from botocore.parsers import create_parser
from botocore.utils import parse_timestamp

from longshore.wire.catalog import Catalog, Target
from longshore.wire.errors import ApiError
from longshore.wire.http import HttpRequest
from tests.support.protocol_cases import Case, cases

# Cases left out knowingly: words of the case's id, and why.
_COMPRESSED = "the case's body stands for a compressed one without being it; see test_wire_catalog for real gzip"
_MADE_UP = "the client makes the token up; the request does carry it"
_EMPTY = "the wire does not tell an empty value from none"
_BASE_PATH = "a client with a base path of its own before the operation's path; our endpoint has none"
_QUERY_MAP = "the client's map repeats parameters that other members carry; ours holds only the others"
INPUT_EXCLUDED = {
    "SDKAppliedContentEncoding": _COMPRESSED,
    "SDKAppend": _COMPRESSED,
    "IdempotencyTokenAutoFill": _MADE_UP,
    "PrefixHeadersAreNotPresent": _EMPTY,
    "Ec2EmptyQueryLists": _EMPTY,
    "QueryEmptyQueryMaps": _EMPTY,
    "RestJsonOmitsEmptyListQueryValues": _EMPTY,
    "RestJsonHttpWithEmptyStructurePayload": _EMPTY,
    "RestJsonHttpWithHeadersButNoPayload": _EMPTY,
    "RestJsonHostWithPath": _BASE_PATH,
    "MediaTypeHeaderInputBase64": "the case gives JSON as text; boto3's users give, and we return, the value",
    "QueryPrecedence": _QUERY_MAP,
    "rest-json:RestJsonAllQueryStringTypes": _QUERY_MAP,
    "rest-json:RestJsonQueryStringEscaping": _QUERY_MAP,
    "rest-json:RestJsonSupportsNaNFloatQueryValues": _QUERY_MAP,
    "rest-json:RestJsonSupportsInfinityFloatQueryValues": _QUERY_MAP,
    "rest-json:RestJsonSupportsNegativeInfinityFloatQueryValues": _QUERY_MAP,
    "rest-json:RestJsonZeroAndFalseQueryValues": _QUERY_MAP,
    "rest-xml:BodyWithXmlName": "botocore drops the root element's name from the model, so any root is read",
}
OUTPUT_EXCLUDED = {
    "XmlLists": "botocore reads flattened lists by their element's name, and the model gives two lists one name",
    "TraitsWithNoBlobBody": "botocore reads an empty body as an empty blob",
    "HttpPayloadWithUnsetUnion": "botocore refuses an empty body for a union, and says so in its own ignore list",
    "rest-json:HttpPrefixHeadersResponse": "a map of all headers also holds those that the protocol adds",
    "QuotedStringHeaders": "botocore does not read quoted strings in header lists; ours are as Smithy has them",
    "WithTimestampHeaders": "botocore does not read lists of HTTP dates, which hold commas",
}


def catalog_of(case: Case) -> tuple[Catalog, Target]:
    metadata = {"jsonVersion": "1.1", "endpointPrefix": "service", **case.description["metadata"]}
    operation = {"http": {"method": "POST", "requestUri": "/"}, **case.case["given"]}
    description = {**case.description, "metadata": metadata, "operations": {operation["name"]: operation}}
    catalog = Catalog([])
    catalog.shelf.add("service", description)
    return catalog, catalog.target("service", operation["name"], metadata["protocol"])


def simplified(value: Any) -> Any:
    """Bring blobs, timestamps and special floats of both sides to one form; leave nulls of structures out."""
    if isinstance(value, dict):
        return {key: simplified(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [simplified(item) for item in value]
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode()
    if isinstance(value, dt.datetime):
        return value.timestamp()
    if isinstance(value, float) and not math.isfinite(value):
        return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    return value


def request_of(case: Case) -> HttpRequest:
    wire = case.case["serialized"]
    parts = urlsplit(wire.get("uri", "/"))
    body = wire.get("body", "")
    raw = base64.b64decode(body) if case.description["metadata"]["protocol"] == "smithy-rpc-v2-cbor" else body.encode()
    headers = {name.lower(): value for name, value in wire.get("headers", {}).items()}
    metadata = case.description["metadata"]
    if metadata["protocol"] == "json":  # some cases state only the headers that they are about
        headers.setdefault("x-amz-target", f"{metadata['targetPrefix']}.{case.case['given']['name']}")
    elif metadata["protocol"] in ("query", "ec2"):
        headers.setdefault("content-type", "application/x-www-form-urlencoded")
    return HttpRequest(wire.get("method", "POST"), parts.path, parts.query, headers, raw)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in cases("input")])
def test_request_on_the_wire_parses_to_the_parameters(case: Case) -> None:
    reason = next((why for end, why in INPUT_EXCLUDED.items() if end in case.id), None)
    if reason:
        pytest.skip(reason)
    catalog, target = catalog_of(case)
    request = request_of(case)
    assert catalog.identify(request)[:3] == target[:3]
    assert simplified(catalog.read(target, request)) == simplified(case.case["params"])


def as_result(value: Any, shape: Any) -> Any:
    """Turn a case's JSON into what a handler returns."""
    if value is None or shape is None:
        return value
    kind = shape.type_name
    if kind == "structure" and not getattr(shape, "is_document_type", False):
        return {name: as_result(item, shape.members[name]) for name, item in value.items()}
    if kind == "list":
        return [as_result(item, shape.member) for item in value]
    if kind == "map":
        return {key: as_result(item, shape.value) for key, item in value.items()}
    if kind in ("float", "double"):
        return float(value)
    return value.encode() if kind == "blob" else value


def seen_by_botocore(target: Target, status: int, headers: Any, body: Any, shape: Any) -> Any:
    parser = create_parser(target.protocol)
    parser._timestamp_parser = lambda value: parse_timestamp(value).timestamp()
    answer = {"status_code": status, "headers": HeadersDict(headers), "body": body, "context": {}}
    parsed = parser.parse(answer, shape)
    parsed.pop("ResponseMetadata", None)
    return simplified(parsed)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in cases("output") if "result" in case.case])
def test_result_becomes_a_response_that_botocore_reads_so(case: Case) -> None:
    reason = next((why for end, why in OUTPUT_EXCLUDED.items() if end in case.id), None)
    if reason:
        pytest.skip(reason)
    catalog, target = catalog_of(case)
    shape = target.model.output_shape
    if target.protocol == "query" and shape is not None:
        shape.serialization["resultWrapper"] = f"{target.operation}Result"
    result = as_result(case.case["result"], shape)
    response = catalog.serialize(target, result, "request-1")
    assert response.status == case.case["response"].get("status_code", 200)
    seen = seen_by_botocore(target, response.status, response.headers, response.body, shape)
    assert seen == simplified(case.case["result"])


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in cases("output") if "error" in case.case])
def test_error_becomes_a_response_that_botocore_reads_so(case: Case) -> None:
    catalog, target = catalog_of(case)
    given = {name: value for name, value in case.case["error"].items() if name.lower() != "message"}
    code, message = case.case["errorCode"], case.case.get("errorMessage", "")
    error = ApiError(code, message, status=case.case["response"]["status_code"], members=given)
    response = catalog.error(target, HttpRequest("POST", "/", "", {}, b""), error, "request-1")
    assert response.status == case.case["response"]["status_code"]
    general = seen_by_botocore(target, response.status, response.headers, response.body, target.model.output_shape)
    assert (general["Error"]["Code"], general["Error"].get("Message", "")) == (code, message)
    shape = target.model.service_model.shape_for_error_code(code)
    seen = seen_by_botocore(target, response.status, response.headers, response.body, shape)
    assert {name: value for name, value in seen.items() if name.lower() != "message"} == given

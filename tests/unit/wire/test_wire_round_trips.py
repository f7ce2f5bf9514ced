"""Every operation of every declared service, in every protocol that it lists, against botocore's own client code."""

from __future__ import annotations

from typing import Any

import pytest

from longshore.wire.catalog import Catalog
from longshore.wire.errors import ApiError
from longshore.wire.http import HttpRequest
from tests.support.wire_samples import SERVICES, Sampler, client_request, client_view, plain, service_model

# Left out knowingly: four deprecated operations that share method and path with their successors, which win; one that
# only its host tells from another …
TWINS = {("s3", f"{verb}Bucket{noun}") for verb in ("Get", "Put") for noun in ("Lifecycle", "Notification")}
TWINS |= {("s3", "ListDirectoryBuckets")}
# … and answers that are event streams, which the wire refuses to write (see the test at the end).
SAMPLES = ("full", "sparse")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog(SERVICES, unwrapped_errors={"s3"})


def protocols_of(service: str) -> list[str]:
    metadata = service_model(service).metadata
    return list(dict.fromkeys([*metadata.get("protocols", []), metadata["protocol"]]))


CASES = [(service, protocol) for service in SERVICES for protocol in protocols_of(service)]


@pytest.mark.parametrize(("service", "protocol"), CASES)
def test_requests_of_botocore_come_back_as_their_parameters(catalog: Catalog, service: str, protocol: str) -> None:
    model = service_model(service)
    for name in model.operation_names:
        if (service, name) in TWINS:
            continue
        operation = model.operation_model(name)
        for kind in SAMPLES if service != "ec2" else ("full",):
            sampler = Sampler(f"{service}.{name}.{kind}", full=kind == "full")
            shape = operation.input_shape
            params = sampler.structure(shape, sparse=kind == "sparse") if shape is not None else {}
            request = client_request(service, operation, params, protocol)
            target = catalog.identify(request)
            assert (target.service, target.operation, target.protocol) == (service, name, protocol), request.path
            parsed, wanted = plain(catalog.parse(target, request)), expected_parameters(params, operation)
            if "ContentLength" not in params:
                parsed.pop("ContentLength", None)  # HTTP's own header, which S3's model names too
            if protocol == "query":
                parsed, wanted = without_empty(parsed), without_empty(wanted)
            assert parsed == wanted, name


@pytest.mark.parametrize(("service", "protocol"), CASES)
def test_results_reach_botocore_as_they_are(catalog: Catalog, service: str, protocol: str) -> None:
    model = service_model(service)
    for name in model.operation_names:
        if (service, name) in TWINS:
            continue
        operation = model.operation_model(name)
        if operation.has_event_stream_output:
            continue
        for kind in SAMPLES if service != "ec2" else ("full",):
            sampler = Sampler(f"{service}.{name}.{kind}.out", full=kind == "full")
            shape = operation.output_shape
            result = sampler.structure(shape, sparse=kind == "sparse") if shape is not None else {}
            target = catalog.target(service, name, protocol)
            response = catalog.serialize(target, result, "request-1")
            assert ("x-amzn-RequestId", "request-1") in response.headers
            assert client_view(protocol, response, shape) == expected_result(result, operation), name


@pytest.mark.parametrize(("service", "protocol"), CASES)
def test_modelled_errors_reach_botocore_with_their_code_status_and_members(
    catalog: Catalog, service: str, protocol: str
) -> None:
    model = service_model(service)
    target = catalog.target(service, model.operation_names[0], protocol)
    request = HttpRequest("POST", "/", "", {}, b"")
    for shape in model.error_shapes:
        members = Sampler(f"{service}.{shape.name}", full=True, for_header_safe=True).structure(shape)
        message_names = [name for name in members if name.lower() == "message"]
        extra = {name: value for name, value in members.items() if name.lower() not in ("message", "code", "type")}
        response = catalog.error(target, request, ApiError(shape.name, "Too bad.", members=extra), "request-1")
        general = client_view(protocol, response, model.operation_model(target.operation).output_shape)
        assert general["Error"]["Message"] == "Too bad."
        assert general["Error"]["Code"] in (shape.error_code, shape.name)
        assert (
            model.shape_for_error_code(general["Error"]["Code"]) is not None or general["Error"]["Code"] == shape.name
        )
        assert response.status == (shape.metadata.get("error", {}).get("httpStatusCode") or response.status)
        assert response.status >= 400
        if message_names:
            extra[message_names[0]] = "Too bad."
        seen = client_view(protocol, response, shape)
        seen = {name: value for name, value in seen.items() if name.lower() not in ("code", "type")}
        assert {k: v for k, v in seen.items() if k.lower() != "message"} == {
            k: v for k, v in extra.items() if k.lower() != "message"
        }, shape.name


def expected_parameters(params: dict[str, Any], operation: Any) -> dict[str, Any]:
    """Header names have no case: the keys of metadata come back in lower case."""
    out = dict(params)
    for name, value in params.items():
        if operation.input_shape.members[name].serialization.get("location") == "headers":
            out[name] = {key.lower(): item for key, item in value.items()}
    return out


def expected_result(result: dict[str, Any], operation: Any) -> dict[str, Any]:
    """botocore makes an empty structure of a payload that is not there."""
    shape = operation.output_shape
    for name, member in shape.members.items() if shape is not None else ():
        if member.serialization.get("location") == "headers":
            result = {name: {}, **result}
    payload = shape.serialization.get("payload") if shape is not None else None
    if payload and payload not in result:
        empty: Any = {"structure": {}, "blob": b"", "string": ""}[shape.members[payload].type_name]
        return {**result, payload: empty}
    return result


def without_empty(value: Any) -> Any:
    """Forms cannot carry an empty structure."""
    if isinstance(value, dict):
        inner = {key: without_empty(item) for key, item in value.items()}
        return {key: item for key, item in inner.items() if item != {}}
    return [without_empty(item) for item in value] if isinstance(value, list) else value


def test_an_event_stream_is_refused_rather_than_written_wrongly(catalog: Catalog) -> None:
    with pytest.raises(TypeError, match="event stream"):
        catalog.serialize(catalog.target("logs", "StartLiveTail", "json"), {"responseStream": {}}, "request-1")

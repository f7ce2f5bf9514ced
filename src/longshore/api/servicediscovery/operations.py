"""Operations: what Cloud Map answers instead of the thing itself. Here they are done when they are answered."""

import hashlib
from typing import Any

import msgspec

from longshore.api.operation import Call, Operation
from longshore.api.servicediscovery.filters import Filter, chosen
from longshore.api.servicediscovery.listing import listed
from longshore.api.servicediscovery.lookup import Answer, check_owner, invalid, present
from longshore.domain.names.naming import NamingOperation, OperationType
from longshore.wire.errors import ApiError


def done(
    call: Call, kind: OperationType, *, token: str | None = None, error: tuple[str, str] = ("", ""), **targets: str
) -> Answer:
    """The answer of a request that has changed something: the id of its operation. Targets by NAMESPACE, SERVICE, …

    `error` is the code and the text of one that came to nothing.
    """
    operation = NamingOperation(
        account=call.scope.account,
        region=call.scope.region,
        operation_id=f"{call.ids.token(32).lower()}-{call.ids.token(8).lower()}",
        type=kind,
        targets=targets,
        created_at=call.now,
        error_code=error[0],
        error_message=error[1],
        token=_token(kind, token) if token else "",
        request_digest=_digest(call.params) if token else "",
    )
    call.tx.put(operation)
    return {"OperationId": operation.operation_id}


def repeated(call: Call, kind: OperationType, token: str | None) -> NamingOperation | None:
    """The last operation of a request like this, as its token and all of its input tell."""
    digest = _digest(call.params)
    known = call.tx.select(NamingOperation, "token", (*call.scope, _token(kind, token))) if token else ()
    alike = [operation for operation in known if operation.request_digest == digest]
    return alike[-1] if alike else None  # an index lists in the order of coming


def get_operation(call: Call) -> Answer:
    """GetOperation."""
    owner, operation_id = call.params.get("OwnerAccount"), call.params["OperationId"]
    check_owner(call, owner)
    found = call.tx.get(NamingOperation, (*call.scope, operation_id))
    if found is None:
        raise ApiError("OperationNotFound", f"Failed to find operation {operation_id}")
    view = {
        "Id": found.operation_id,
        "OwnerAccount": found.account,
        "Type": found.type,
        "Status": found.status,
        "ErrorCode": found.error_code or None,
        "ErrorMessage": found.error_message or None,
        "CreateDate": found.created_at,
        "UpdateDate": found.created_at,
        "Targets": found.targets,
    }
    return {"Operation": present(view)}


FILTERS: dict[str, Filter[NamingOperation]] = {
    "NAMESPACE_ID": Filter(lambda operation: operation.targets.get("NAMESPACE", ""), ("EQ",)),
    "SERVICE_ID": Filter(lambda operation: operation.targets.get("SERVICE", ""), ("EQ",)),
    "STATUS": Filter(lambda operation: operation.status, ("EQ", "IN")),
    "TYPE": Filter(lambda operation: operation.type, ("EQ", "IN")),
    "UPDATE_DATE": Filter(lambda operation: f"{operation.created_at * 1000:020.0f}", ("BETWEEN",)),
}


def list_operations(call: Call) -> Answer:
    """ListOperations, by time."""
    filters = [_milliseconds(given) if given["Name"] == "UPDATE_DATE" else given for given in _filters(call)]
    found = chosen(call.tx.select(NamingOperation, "scope", call.scope), filters, FILTERS)
    shown, more = listed(call, "ListOperations", found, lambda each: f"{each.created_at:020.6f} {each.operation_id}")
    return {"Operations": [{"Id": each.operation_id, "Status": each.status} for each in shown], "NextToken": more}


def _filters(call: Call) -> list[dict[str, Any]]:
    return list(call.params.get("Filters") or ())


def _milliseconds(given: dict[str, Any]) -> dict[str, Any]:
    """Dates as texts that compare as numbers do: users give milliseconds since the epoch."""
    try:
        return {**given, "Values": [f"{float(value):020.0f}" for value in given["Values"]]}
    except (ValueError, OverflowError):
        raise invalid("The values of the filter UPDATE_DATE are milliseconds since the epoch") from None


def _token(kind: str, token: str | None) -> str:
    return f"{kind} {token}"


def _digest(params: dict[str, Any]) -> str:
    return hashlib.sha256(msgspec.json.encode(params, order="deterministic")).hexdigest()


OPERATIONS: dict[str, Operation] = {
    "GetOperation": Operation(get_operation),
    "ListOperations": Operation(list_operations),
}

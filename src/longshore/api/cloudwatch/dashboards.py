"""Dashboards: documents that are kept and answered; nobody draws them here."""

import json

from longshore.api.cloudwatch.lookup import Answer, bad_value, checked_tags
from longshore.api.operation import Call, Operation
from longshore.domain.record import Scope
from longshore.domain.scaling.alarm import Dashboard
from longshore.wire.errors import ApiError
from longshore.wire.pagination import page

PAGE = 1000
NAME_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
NAME_LENGTH = 255
MAX_WIDGETS = 500


def global_scope(call: Call) -> Scope:
    """Where dashboards are kept: one place for all regions of an account."""
    return Scope(call.scope.account, "")


def put_dashboard(call: Call) -> Answer:
    """PutDashboard: a new one, or another body of one that is there."""
    name, body = call.params["DashboardName"], call.params["DashboardBody"]
    if not name or len(name) > NAME_LENGTH or not NAME_LETTERS.issuperset(name):
        raise bad_value("The name of a dashboard has 1 to 255 letters, digits, hyphens and underscores.")
    fault = _fault_in(body)
    if fault:
        message = {"DataPath": "", "Message": fault}
        raise ApiError(
            "DashboardInvalidInputError",
            f"The field DashboardBody is not a dashboard: {fault}",
            members={"dashboardValidationMessages": [message]},
        )
    scope = global_scope(call)
    present = call.tx.get(Dashboard, (*scope, name))
    given = checked_tags({}, call.params.get("Tags"))
    if present is not None and given and given != present.tags:
        raise bad_value("Tags can be given only when a dashboard is new: use TagResource.")
    tags = given if present is None else present.tags
    place = {"account": scope.account, "region": scope.region}
    call.tx.put(Dashboard(**place, name=name, body=body, modified_at=call.now, tags=tags))
    return {"DashboardValidationMessages": []}


def _fault_in(body: str) -> str:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return "it is not JSON."
    if not isinstance(document, dict) or not isinstance(document.get("widgets"), list):
        return "it has no widgets."
    widgets = document["widgets"]
    if len(widgets) > MAX_WIDGETS:
        return f"it has more than {MAX_WIDGETS} widgets."
    for number, widget in enumerate(widgets):
        if not isinstance(widget, dict) or not isinstance(widget.get("type"), str):
            return f"widget {number} has no type."
        if not isinstance(widget.get("properties"), dict):
            return f"widget {number} has no properties."
    return ""


def get_dashboard(call: Call) -> Answer:
    """GetDashboard."""
    dashboard = _found(call, call.params["DashboardName"])
    return {"DashboardArn": dashboard.arn, "DashboardBody": dashboard.body, "DashboardName": dashboard.name}


def list_dashboards(call: Call) -> Answer:
    """ListDashboards."""
    prefix = call.params.get("DashboardNamePrefix") or ""
    scope = global_scope(call)
    found = [each for each in call.tx.select(Dashboard, "scope", scope) if each.name.startswith(prefix)]
    shown, more = page(
        sorted(found, key=lambda each: each.name),
        lambda each: each.name,
        PAGE,
        call.params.get("NextToken"),
        operation="ListDashboards",
        code="InvalidParameterValueException",
        scope=prefix,
    )
    return {"DashboardEntries": [_entry(each) for each in shown], "NextToken": more}


def delete_dashboards(call: Call) -> Answer:
    """DeleteDashboards: all of them, or none where one is not there."""
    for name in call.params["DashboardNames"]:
        call.tx.delete(Dashboard, _found(call, name).key)
    return {}


def _found(call: Call, name: str) -> Dashboard:
    dashboard = call.tx.get(Dashboard, (*global_scope(call), name))
    if dashboard is None:
        raise ApiError("DashboardNotFoundError", f"Dashboard {name} does not exist")
    return dashboard


def _entry(dashboard: Dashboard) -> Answer:
    return {
        "DashboardName": dashboard.name,
        "DashboardArn": dashboard.arn,
        "LastModified": dashboard.modified_at,
        "Size": len(dashboard.body.encode("utf-8", "surrogatepass")),
    }


OPERATIONS: dict[str, Operation] = {
    "PutDashboard": Operation(put_dashboard, inert={"DashboardBody": "Kept and answered; nobody draws it."}),
    "GetDashboard": Operation(get_dashboard),
    "ListDashboards": Operation(list_dashboards),
    "DeleteDashboards": Operation(delete_dashboards),
}

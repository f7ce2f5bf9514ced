"""Saved queries of Logs Insights: kept for the tools that keep them; queries themselves are not served."""

from longshore.api.logs.lookup import Answer, invalid, milliseconds
from longshore.api.operation import Call
from longshore.domain.log import QueryDefinition
from longshore.wire.errors import ApiError
from longshore.wire.pagination import page

PAGE = 1000
MAX_DEFINITIONS = 1000


def put_query_definition(call: Call) -> Answer:
    """A new definition, or all of one that is there."""
    params = call.params
    definition_id, token = params.get("queryDefinitionId"), params.get("clientToken") or ""
    repeated = call.tx.select(QueryDefinition, "token", (*call.scope, token)) if token and not definition_id else []
    if repeated:
        return {"queryDefinitionId": repeated[0].definition_id}
    if definition_id is not None:
        _found(call, definition_id)
    elif call.tx.count(QueryDefinition, "scope", call.scope) >= MAX_DEFINITIONS:
        raise ApiError("LimitExceededException", "Resource limit exceeded.")
    definition = QueryDefinition(
        account=call.scope.account,
        region=call.scope.region,
        definition_id=definition_id or call.ids.uuid(),
        name=params["name"],
        query=params["queryString"],
        language=params.get("queryLanguage") or "CWLI",
        groups=tuple(params.get("logGroupNames") or ()),
        client_token=token,
        modified_at=call.now,
    )
    call.tx.put(definition)
    return {"queryDefinitionId": definition.definition_id}


def describe_query_definitions(call: Call) -> Answer:
    """Definitions in the order of their names."""
    prefix, language = call.params.get("queryDefinitionNamePrefix") or "", call.params.get("queryLanguage")
    found = [
        each
        for each in call.tx.select(QueryDefinition, "scope", call.scope)
        if each.name.startswith(prefix) and language in (None, each.language)
    ]
    shown, more = page(
        sorted(found, key=_order),
        _order,
        call.params.get("maxResults") or PAGE,
        call.params.get("nextToken"),
        operation="DescribeQueryDefinitions",
        scope=prefix,
    )
    return {"queryDefinitions": [_view(each) for each in shown], "nextToken": more}


def _order(definition: QueryDefinition) -> str:
    return f"{definition.name}\0{definition.definition_id}"


def _view(definition: QueryDefinition) -> Answer:
    view: Answer = {
        "queryDefinitionId": definition.definition_id,
        "name": definition.name,
        "queryString": definition.query,
        "queryLanguage": definition.language,
        "lastModified": milliseconds(definition.modified_at),
    }
    return {**view, "logGroupNames": list(definition.groups)} if definition.groups else view


def delete_query_definition(call: Call) -> Answer:
    """DeleteQueryDefinition."""
    call.tx.delete(QueryDefinition, _found(call, call.params["queryDefinitionId"]).key)
    return {"success": True}


def _found(call: Call, definition_id: str) -> QueryDefinition:
    if not definition_id:
        raise invalid("queryDefinitionId can't be empty.")
    found = call.tx.get(QueryDefinition, (*call.scope, definition_id))
    if found is None:
        raise ApiError("ResourceNotFoundException", "The specified query definition does not exist.")
    return found

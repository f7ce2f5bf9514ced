"""Policies of a log group: what of its events is to be masked, and which fields to be indexed. Kept and answered."""

import json
from typing import Any

from longshore.api.logs.lookup import Answer, group_arn, group_at, invalid, milliseconds
from longshore.api.operation import Call
from longshore.domain.log import LogGroup
from longshore.wire.errors import ApiError

MAX_DOCUMENT = 30_720
MAX_FIELDS, MAX_FIELD = 20, 100
INDEX_TYPES = ("FIELD_INDEX", "FACET")
BLOCKS = 2


def put_data_protection_policy(call: Call) -> Answer:
    """PutDataProtectionPolicy."""
    group = group_at(call, call.params["logGroupIdentifier"])
    document = call.params["policyDocument"]
    _check_protection(document)
    call.tx.put(group.but(data_protection=document, data_protection_at=call.now))
    return _protection(call, document, call.now)


def _check_protection(text: str) -> None:
    """An audit of some kinds of data, and the masking of the same."""
    document = _object(text, "data protection policy")
    if len(text) > MAX_DOCUMENT:
        raise invalid(f"A data protection policy has at most {MAX_DOCUMENT} characters.")
    statements = document.get("Statement")
    if (
        not isinstance(statements, list)
        or len(statements) != BLOCKS
        or not all(isinstance(s, dict) for s in statements)
    ):
        raise _unfit("It has two statements: one that audits, and one that masks.")
    identifiers = [each.get("DataIdentifier") for each in statements]
    if not isinstance(identifiers[0], list) or not identifiers[0] or identifiers[0] != identifiers[1]:
        raise _unfit("Both statements have the same list DataIdentifier.")
    operations = [each.get("Operation") for each in statements]
    audits = [each["Audit"] for each in operations if isinstance(each, dict) and "Audit" in each]
    masks = [each["Deidentify"] for each in operations if isinstance(each, dict) and "Deidentify" in each]
    if (
        len(audits) != 1
        or not isinstance(audits[0], dict)
        or not isinstance(audits[0].get("FindingsDestination"), dict)
    ):
        raise _unfit("One statement has an Operation with Audit and, in that, FindingsDestination.")
    if len(masks) != 1 or masks[0] != {"MaskConfig": {}}:
        raise _unfit("One statement has an Operation with Deidentify and, in that, an empty MaskConfig.")


def _unfit(why: str) -> ApiError:
    return invalid(f"Invalid data protection policy: {why}")


def _object(text: str, what: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise invalid(f"The {what} is no JSON object.")
    return document


def get_data_protection_policy(call: Call) -> Answer:
    """GetDataProtectionPolicy; without a document where there is none."""
    group = group_at(call, call.params["logGroupIdentifier"])
    return _protection(call, group.data_protection, group.data_protection_at)


def _protection(call: Call, document: str, at: float) -> Answer:
    answer: Answer = {"logGroupIdentifier": call.params["logGroupIdentifier"]}
    return {**answer, "policyDocument": document, "lastUpdatedTime": milliseconds(at)} if document else answer


def delete_data_protection_policy(call: Call) -> Answer:
    """DeleteDataProtectionPolicy."""
    group = group_at(call, call.params["logGroupIdentifier"])
    if not group.data_protection:
        raise ApiError("ResourceNotFoundException", "The log group has no data protection policy.")
    call.tx.put(group.but(data_protection=""))
    return {}


def protection_status(group: LogGroup) -> str:
    """`dataProtectionStatus`; empty for a group that has never had a policy."""
    if group.data_protection:
        return "ACTIVATED"
    return "DELETED" if group.data_protection_at else ""


# ------------------------------------------------------------------------------------------------------------- indexes


def put_index_policy(call: Call) -> Answer:
    """PutIndexPolicy."""
    group = group_at(call, call.params["logGroupIdentifier"])
    if group.log_group_class != "STANDARD":
        raise invalid(f"Index policies are not supported for log groups of the class {group.log_group_class}.")
    document = call.params["policyDocument"]
    _check_index(document)
    group = group.but(index_policy=document, index_policy_at=call.now)
    call.tx.put(group)
    return {"indexPolicy": _index_view(group)}


def _check_index(text: str) -> None:
    document = _object(text, "index policy")
    plain, typed = document.get("Fields", []), document.get("FieldsV2", {})
    if not isinstance(plain, list) or not isinstance(typed, dict) or set(document) - {"Fields", "FieldsV2"}:
        raise invalid("An index policy has Fields, a list, and FieldsV2, an object.")
    names = [*plain, *typed]
    if not all(isinstance(name, str) and 1 <= len(name) <= MAX_FIELD for name in names):
        raise invalid(f"The names of fields in an index policy have 1 to {MAX_FIELD} characters.")
    if not 1 <= len(names) <= MAX_FIELDS or len(set(names)) < len(names):
        raise invalid(f"An index policy has 1 to {MAX_FIELDS} fields, each once.")
    if not all(isinstance(each, dict) and each.get("type") in INDEX_TYPES for each in typed.values()):
        raise invalid(f"The type of each field in FieldsV2 is one of {', '.join(INDEX_TYPES)}.")


def describe_index_policies(call: Call) -> Answer:
    """DescribeIndexPolicies: those of some groups that have one."""
    groups = [group_at(call, each) for each in call.params["logGroupIdentifiers"]]
    return {"indexPolicies": [_index_view(group) for group in groups if group.index_policy]}


def _index_view(group: LogGroup) -> Answer:
    return {
        "logGroupIdentifier": group_arn(group),
        "lastUpdateTime": milliseconds(group.index_policy_at),
        "policyDocument": group.index_policy,
        "source": "LOG_GROUP",
    }


def delete_index_policy(call: Call) -> Answer:
    """DeleteIndexPolicy."""
    group = group_at(call, call.params["logGroupIdentifier"])
    if not group.index_policy:
        raise ApiError("ResourceNotFoundException", "The log group has no index policy.")
    call.tx.put(group.but(index_policy=""))
    return {}

"""PutParameter, and DeleteParameter(s)."""

import base64
from typing import Any

import re2

from longshore.api.kms.lookup import encrypt_under, symmetric_key
from longshore.api.operation import Call, Operation
from longshore.api.ssm.lookup import Answer, find, invalid, newest_of, versions_of
from longshore.api.ssm.names import check_name
from longshore.api.ssm.tags import checked_tags
from longshore.decide.secrets.encryption import KeyRefused
from longshore.decide.secrets.parameters import ParameterRefused, name_in
from longshore.domain.secrets.parameter import (
    DEFAULT_ALIAS,
    Parameter,
    ParameterType,
    ParameterVersion,
    Tier,
    parameter_arn,
    parameter_context,
)
from longshore.wire.errors import ApiError

SIZES: dict[Tier, int] = {"Standard": 4096, "Advanced": 8192}
MAX_VERSIONS = 100
DATA_TYPES = ("text", "aws:ec2:image")
GUIDE = "https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"
EXISTS = "The parameter already exists. To overwrite this value, set the overwrite option in the request to true."
DOWNGRADE = (
    "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the advanced-parameter tier "
    "to the standard-parameter tier. If necessary, you can delete the advanced parameter and recreate it as a standard "
    "parameter."
)
TAGS_AND_OVERWRITE = (
    "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove "
    "overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource."
)


def put_parameter(call: Call) -> Answer:
    """PutParameter: a new parameter, or a new version of one that is to be overwritten."""
    params = call.params
    name = _name(call)
    if params.get("Overwrite") and params.get("Tags"):
        raise invalid(TAGS_AND_OVERWRITE)
    known = call.tx.get(Parameter, (*call.scope, name))
    before = newest_of(call, known) if known is not None else None
    if known is not None and not params.get("Overwrite"):
        raise ApiError("ParameterAlreadyExists", EXISTS)
    version = _version(call, name, before)
    if known is None:
        place: dict[str, Any] = {"account": call.scope.account, "region": call.scope.region}
        call.tx.put(Parameter(**place, name=name, version=1, tags=checked_tags({}, params.get("Tags"))))
    else:
        _make_room(call, known)
        call.tx.put(known.but(version=version.version))
    call.tx.put(version)
    return {"Version": version.version, "Tier": version.tier}


def _name(call: Call) -> str:
    """The name that is asked for; an ARN of this account and region is one too."""
    try:
        name = name_in(call.tx, call.scope, call.params["Name"])
    except ParameterRefused:
        raise invalid("Parameter name: an ARN must be that of a parameter of this account and region.") from None
    check_name(name)
    return name


def _version(call: Call, name: str, before: ParameterVersion | None) -> ParameterVersion:
    params = call.params
    kind = _type(params.get("Type"), before)
    pattern = params.get("AllowedPattern")
    pattern = (before.allowed_pattern if before else "") if pattern is None else pattern
    value: str = params["Value"]
    description = params.get("Description")
    tier = _tier(params.get("Tier"), value, before)
    _check_value(kind, value, pattern, tier)
    stored, key_reference = _stored(call, name, kind, value, before)
    return ParameterVersion(
        account=call.scope.account,
        region=call.scope.region,
        parameter_name=name,
        version=before.version + 1 if before else 1,
        type=kind,
        value=stored,
        key_reference=key_reference,
        description=(before.description if before else "") if description is None else description,
        allowed_pattern=pattern,
        tier=tier,
        data_type=_data_type(params.get("DataType"), before),
        modified_at=call.now,
        modified_by=call.principal_arn,
    )


def _type(asked: ParameterType | None, before: ParameterVersion | None) -> ParameterType:
    if before is None:
        if asked is None:
            raise invalid("A parameter type is required when you create a parameter.")
        return asked
    return asked or before.type


def _tier(asked: str | None, value: str, before: ParameterVersion | None) -> Tier:
    """The tier that is kept: an advanced parameter stays one."""
    if asked == "Standard" and before is not None and before.tier == "Advanced":
        raise invalid(DOWNGRADE)
    if asked == "Advanced" or (before is not None and before.tier == "Advanced"):
        return "Advanced"
    large = len(value.encode("utf-8", "surrogatepass")) > SIZES["Standard"]
    return "Advanced" if asked == "Intelligent-Tiering" and large else "Standard"


def _check_value(kind: ParameterType, value: str, pattern: str, tier: Tier) -> None:
    if not value:
        text = "Member must have length greater than or equal to 1."
        raise invalid(f"1 validation error detected: Value '' at 'value' failed to satisfy constraint: {text}")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise invalid("Value must be valid UTF-8: it holds half of a surrogate pair.")
    if len(value.encode()) > SIZES[tier]:
        text = f"{tier} tier parameters support a maximum parameter value of {SIZES[tier]} characters."
        more = (
            " To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier. "
            f"For more information, see {GUIDE}"
        )
        raise invalid(text + more if tier == "Standard" else text)
    if kind == "StringList" and any(not item for item in value.split(",")):
        raise invalid("Parameter value, for a StringList, must be items separated by commas, none of them empty.")
    if pattern and not _matches(pattern, value):
        text = f"Parameter value, cannot be validated against allowedPattern: {pattern}"
        raise ApiError("ParameterPatternMismatchException", text)


def _matches(pattern: str, value: str) -> bool:
    """By RE2, which takes no more time than the value is long. Raises InvalidAllowedPatternException."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options).fullmatch(value) is not None
    except (re2.error, UnicodeError):
        text = f"{pattern} is no regular expression that RE2 takes: it has no look-around and no back references."
        raise ApiError("InvalidAllowedPatternException", text) from None


def _data_type(asked: str | None, before: ParameterVersion | None) -> str:
    if not asked:
        return before.data_type if before else "text"
    if asked not in DATA_TYPES:
        raise invalid(f"The following data type is not supported: {asked} (Data type names are all lowercase.)")
    return asked


def _stored(call: Call, name: str, kind: ParameterType, value: str, before: ParameterVersion | None) -> tuple[str, str]:
    """`(what is kept, the key it is under)`: a SecureString is encrypted."""
    reference = call.params.get("KeyId")
    if kind != "SecureString":
        return value, ""  # AWS takes a KeyId here too, and does nothing with it
    reference = reference or (before.key_reference if before else "") or DEFAULT_ALIAS
    try:
        key = symmetric_key(call, reference)
        blob = encrypt_under(call, key, value.encode(), parameter_context(parameter_arn(call.scope, name)))
    except KeyRefused as refusal:
        raise ApiError("InvalidKeyId", f"{refusal.text} ({refusal.code})") from refusal
    return base64.b64encode(blob).decode(), reference


def _make_room(call: Call, parameter: Parameter) -> None:
    """Remove the oldest version once there are as many as there may be, unless a label names it."""
    known = versions_of(call, parameter)
    if len(known) < MAX_VERSIONS:
        return
    oldest = known[0]
    if oldest.labels:
        text = (
            f"You attempted to create a new version of {parameter.name} by calling the PutParameter API with the "
            f"overwrite flag. Version {oldest.version}, the oldest version, can't be deleted because it has a label "
            "associated with it. Move the label to another version of the parameter, and try again."
        )
        raise ApiError("ParameterMaxVersionLimitExceeded", text)
    call.tx.delete(ParameterVersion, oldest.key)


def delete_parameter(call: Call) -> Answer:
    """DeleteParameter, with all its versions."""
    _delete(call, find(call, call.params["Name"]))
    return {}


def delete_parameters(call: Call) -> Answer:
    """DeleteParameters. What is not there is told."""
    deleted, missing = [], []
    for name in dict.fromkeys(call.params["Names"]):
        try:
            _delete(call, find(call, name))
        except ApiError:
            missing.append(name)
        else:
            deleted.append(name)
    return {"DeletedParameters": deleted, "InvalidParameters": missing}


def _delete(call: Call, parameter: Parameter) -> None:
    for version in versions_of(call, parameter):
        call.tx.delete(ParameterVersion, version.key)
    call.tx.delete(Parameter, parameter.key)


OPERATIONS: dict[str, Operation] = {
    "DeleteParameter": Operation(delete_parameter),
    "DeleteParameters": Operation(delete_parameters),
    "PutParameter": Operation(
        put_parameter,
        refuses={"Policies": "Parameter policies (expiration and notices) are not served: leave Policies out."},
    ),
}

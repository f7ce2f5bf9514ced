"""Account settings: explicit ones of a principal, the account's defaults, and AWS's defaults under both."""

from typing import Any, NamedTuple

from longshore.api.operation import Call, Operation
from longshore.domain.arn import Arn
from longshore.domain.ecs.cluster import AccountSetting
from longshore.wire.errors import ApiError
from longshore.wire.pagination import page

ON_OFF = ("enabled", "disabled")
LONG_ARN = "The long format of ARNs can not be turned off: AWS withdrew the short one in 2021. Set it to enabled."
RETIREMENT = "fargateTaskRetirementWaitPeriod"


class Known(NamedTuple):
    """What a setting may be, and what it is where nobody set it. No values: read-only."""

    default: str
    values: tuple[str, ...] = ON_OFF


SETTINGS: dict[str, Known] = {
    "serviceLongArnFormat": Known("enabled", ("enabled",)),
    "taskLongArnFormat": Known("enabled", ("enabled",)),
    "containerInstanceLongArnFormat": Known("enabled", ("enabled",)),
    "awsvpcTrunking": Known("disabled"),
    "containerInsights": Known("disabled", ("enabled", "enhanced", "disabled")),
    "fargateFIPSMode": Known("disabled"),
    "tagResourceAuthorization": Known("on", ("on", "off")),
    RETIREMENT: Known("7", ("0", "7", "14")),
    "guardDutyActivate": Known("off", ()),
    "defaultLogDriverMode": Known("non-blocking", ("blocking", "non-blocking")),
    "fargateEventWindows": Known("disabled"),
}
INERT = {
    "value": (
        "Kept and answered. containerInsights is what new clusters begin with; the other settings change nothing here."
    )
}


def effective_value(call: Call, name: str, principal: str | None = None) -> str:
    """What holds for a principal (the caller): its own setting, else the account's, else AWS's default."""
    return _effective(call, name, principal or call.principal_arn)["value"]


def put_account_setting(call: Call) -> dict[str, Any]:
    """PutAccountSetting: for the caller unless a principal is named."""
    return _put(call, _principal(call))


def put_account_setting_default(call: Call) -> dict[str, Any]:
    """PutAccountSettingDefault: for all principals of the account that have no setting of their own."""
    return _put(call, _root(call))


def delete_account_setting(call: Call) -> dict[str, Any]:
    """DeleteAccountSetting: answers what holds from now on."""
    principal, name = _principal(call), call.params["name"]
    call.tx.delete(AccountSetting, (*call.scope, principal, name))
    return {"setting": {**_effective(call, name, principal), "principalArn": principal}}


def list_account_settings(call: Call) -> dict[str, Any]:
    """ListAccountSettings: a principal's explicit settings, or with `effectiveSettings` all that hold for it."""
    params = call.params
    name, value = params.get("name"), params.get("value")
    if value is not None and name is None:
        raise ApiError("InvalidParameterException", "To list settings by value, give a name too.")
    given: int | None = params.get("maxResults")
    limit = 10 if given is None else given
    if not 1 <= limit <= 10:
        raise ApiError("InvalidParameterException", "maxResults should be between 1 and 10")
    principal = _principal(call)
    names = sorted(SETTINGS) if name is None else [name]
    found = _all_effective(call, names, principal) if params.get("effectiveSettings") else _own(call, names, principal)
    shown, token = page(
        [setting for setting in found if value in {None, setting["value"]}],
        lambda setting: setting["name"],
        limit,
        params.get("nextToken"),
        operation="ListAccountSettings",
        scope=repr((principal, name, value, bool(params.get("effectiveSettings")))),
    )
    return {"settings": shown, "nextToken": token}


def _put(call: Call, principal: str) -> dict[str, Any]:
    name, value = call.params["name"], call.params["value"].strip()
    known = SETTINGS[name]
    if not known.values:
        raise ApiError("InvalidParameterException", f"The setting {name} is managed by AWS and can not be changed.")
    if value not in known.values:
        if known.values == ("enabled",) and value == "disabled":
            raise ApiError("InvalidParameterException", LONG_ARN)
        text = f"Invalid value '{value}' for {name}: use one of {', '.join(known.values)}."
        raise ApiError("InvalidParameterException", text)
    if name == RETIREMENT and principal != _root(call):
        text = f"{RETIREMENT} holds for the whole account: set it with PutAccountSettingDefault."
        raise ApiError("InvalidParameterException", text)
    setting = AccountSetting(
        account=call.scope.account, region=call.scope.region, principal_arn=principal, name=name, value=value
    )
    call.tx.put(setting)
    return {"setting": _view(name, value, principal)}


def _own(call: Call, names: list[str], principal: str) -> list[dict[str, str]]:
    found = (call.tx.get(AccountSetting, (*call.scope, principal, name)) for name in names)
    return [_view(setting.name, setting.value, principal) for setting in found if setting is not None]


def _all_effective(call: Call, names: list[str], principal: str) -> list[dict[str, str]]:
    return [_effective(call, name, principal) for name in names]


def _effective(call: Call, name: str, principal: str) -> dict[str, str]:
    for holder in (principal, _root(call)):
        setting = call.tx.get(AccountSetting, (*call.scope, holder, name))
        if setting is not None:
            return _view(name, setting.value, holder)
    return _view(name, SETTINGS[name].default, _root(call))


def _view(name: str, value: str, principal: str) -> dict[str, str]:
    kind = "user" if SETTINGS[name].values else "aws_managed"
    return {"name": name, "value": value, "principalArn": principal, "type": kind}


def _root(call: Call) -> str:
    return f"arn:aws:iam::{call.scope.account}:root"


def _principal(call: Call) -> str:
    given: str | None = call.params.get("principalArn")
    if not given:
        return call.principal_arn
    arn = Arn.parse(given)
    if arn is None or arn.service not in {"iam", "sts"} or arn.scope.account != call.scope.account:
        text = f"Invalid principalArn '{given}': name a user, a role or the root of account {call.scope.account}."
        raise ApiError("InvalidParameterException", text)
    return given


OPERATIONS: dict[str, Operation] = {
    "PutAccountSetting": Operation(put_account_setting, inert=INERT),
    "PutAccountSettingDefault": Operation(put_account_setting_default, inert=INERT),
    "ListAccountSettings": Operation(list_account_settings),
    "DeleteAccountSetting": Operation(delete_account_setting),
}

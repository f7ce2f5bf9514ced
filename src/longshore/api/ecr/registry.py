"""The registry as a whole: its settings, and the passwords for it."""

from longshore.api.ecr.lookup import Answer, constraint, host
from longshore.api.ecr.token import TOKEN_S, basic, login_password
from longshore.api.operation import Call, Operation
from longshore.domain.ecr.repository import RegistrySettings
from longshore.wire.errors import ApiError

ACCOUNT_SETTINGS = {
    "BASIC_SCAN_TYPE_VERSION": ("AWS_NATIVE", "CLAIR"),
    "BLOB_MOUNTING": ("DISABLED", "ENABLED"),
    "REGISTRY_POLICY_SCOPE": ("V2", "V1"),
}
"""The values of each account setting, its default first."""
NO_SCANS = "Kept and answered; images are not scanned here."
NO_REPLICATION = "Images are not copied to other registries here: leave the rules empty."


def settings(call: Call) -> RegistrySettings:
    """The settings of the caller's registry, as they are or as they begin."""
    found = call.tx.get(RegistrySettings, call.scope)
    return found or RegistrySettings(account=call.scope.account, region=call.scope.region)


def get_authorization_token(call: Call) -> Answer:
    """A password for the user AWS, good for twelve hours."""
    account = call.scope.account
    others = sorted({*(call.params.get("registryIds") or ())} - {account})
    if others:
        raise constraint("registryIds", f"A token is for the registry of its own account, {account}, alone")
    token = {
        "authorizationToken": basic(login_password(call.vault, call.caller.principal, call.now)),
        "expiresAt": call.now + TOKEN_S,
        "proxyEndpoint": f"http://{host(call.tx)}",
    }
    return {"authorizationData": [token]}


def describe_registry(call: Call) -> Answer:
    """The registry; it copies images nowhere."""
    return {"registryId": call.scope.account, "replicationConfiguration": {"rules": []}}


def put_replication_configuration(call: Call) -> Answer:
    """Take a configuration without rules."""
    return {"replicationConfiguration": {"rules": call.params["replicationConfiguration"]["rules"]}}


def get_registry_scanning_configuration(call: Call) -> Answer:
    """How images are to be scanned."""
    return {"registryId": call.scope.account, "scanningConfiguration": _scanning(settings(call))}


def put_registry_scanning_configuration(call: Call) -> Answer:
    """Keep how images are to be scanned."""
    scan_type = call.params.get("scanType", "BASIC")
    rules = call.params.get("rules") or []
    for rule in rules:
        if rule["scanFrequency"] == "CONTINUOUS_SCAN" and scan_type == "BASIC":
            raise constraint("rules", "CONTINUOUS_SCAN is of the scan type ENHANCED only")
    kept = settings(call).but(scan_type=scan_type, scan_rules=tuple(rules))
    call.tx.put(kept)
    return {"registryScanningConfiguration": _scanning(kept)}


def get_account_setting(call: Call) -> Answer:
    """A setting of the registry."""
    name = _known(call.params["name"])
    return {"name": name, "value": settings(call).account_settings.get(name, ACCOUNT_SETTINGS[name][0])}


def put_account_setting(call: Call) -> Answer:
    """Change a setting of the registry."""
    name, value = _known(call.params["name"]), call.params["value"]
    if value not in ACCOUNT_SETTINGS[name]:
        text = f"Invalid value for the account setting {name}: it can be {' or '.join(ACCOUNT_SETTINGS[name])}."
        raise ApiError("InvalidParameterException", text)
    found = settings(call)
    call.tx.put(found.but(account_settings={**found.account_settings, name: value}))
    return {"name": name, "value": value}


def _known(name: str) -> str:
    if name not in ACCOUNT_SETTINGS:
        text = f"There is no account setting of that name: there are {', '.join(ACCOUNT_SETTINGS)}."
        raise ApiError("InvalidParameterException", text)
    return name


def _scanning(kept: RegistrySettings) -> Answer:
    return {"scanType": kept.scan_type, "rules": list(kept.scan_rules)}


OPERATIONS = {
    "DescribeRegistry": Operation(describe_registry),
    "GetAccountSetting": Operation(get_account_setting),
    "GetAuthorizationToken": Operation(get_authorization_token),
    "GetRegistryScanningConfiguration": Operation(get_registry_scanning_configuration),
    "PutAccountSetting": Operation(
        put_account_setting,
        inert={"value": "BLOB_MOUNTING has its effect; the settings of scans and policies are kept and answered."},
    ),
    "PutRegistryScanningConfiguration": Operation(
        put_registry_scanning_configuration, inert={"scanType": NO_SCANS, "rules": NO_SCANS}
    ),
    "PutReplicationConfiguration": Operation(
        put_replication_configuration, refuses={"replicationConfiguration.rules": NO_REPLICATION}
    ),
}

"""Rotation of symmetric keys: a new material from time to time, or at once; what was encrypted before stays readable.

Automatic rotation is done when the key is next used to encrypt, once its period is over: an idle key needs none.
"""

from longshore.api.kms.lookup import DAY_S, Answer, find_by_id, find_own, new_material, random_bytes
from longshore.api.kms.paging import listed
from longshore.api.operation import Call, Operation
from longshore.domain.secrets.encryption_key import SYMMETRIC, EncryptionKey, KeyMaterial
from longshore.wire.errors import ApiError

PERIOD_DAYS = 365
MAX_ON_DEMAND = 25


def enable_key_rotation(call: Call) -> Answer:
    """EnableKeyRotation; the period counts from now."""
    key = _rotatable(call)
    period = call.params.get("RotationPeriodInDays") or (key.rotation_period_days if key.rotates else PERIOD_DAYS)
    since = key.rotation_since if key.rotates else call.now
    call.tx.put(key.but(rotates=True, rotation_period_days=period, rotation_since=since))
    return {}


def disable_key_rotation(call: Call) -> Answer:
    """DisableKeyRotation."""
    key = _rotatable(call)
    call.tx.put(key.but(rotates=False))
    return {}


def get_key_rotation_status(call: Call) -> Answer:
    """GetKeyRotationStatus. A key that can't rotate is answered as one that doesn't."""
    key = find_by_id(call)
    view: Answer = {"KeyRotationEnabled": key.rotates and key.deletion_at is None, "KeyId": key.arn}
    if view["KeyRotationEnabled"]:
        view |= {"RotationPeriodInDays": key.rotation_period_days, "NextRotationDate": _next(key)}
    return view


def rotate_key_on_demand(call: Call) -> Answer:
    """RotateKeyOnDemand: new material at once."""
    key = _rotatable(call)
    if sum(material.rotation == "ON_DEMAND" for material in key.materials) >= MAX_ON_DEMAND:
        raise ApiError("LimitExceededException", f"A key can be rotated on demand {MAX_ON_DEMAND} times.")
    call.tx.put(_with_new_material(call, key, "ON_DEMAND"))
    return {"KeyId": key.arn}


def list_key_rotations(call: Call) -> Answer:
    """ListKeyRotations: the rotations, and the first material too where all are asked for."""
    key = find_by_id(call)
    if key.spec != SYMMETRIC:
        raise _unsupported(key)
    whole = call.params.get("IncludeKeyMaterial") == "ALL_KEY_MATERIAL"
    materials = [material for material in key.materials if whole or material.rotation]
    shown, more = listed(
        call,
        "ListKeyRotations",
        materials,
        lambda material: f"{material.created_at:020.6f} {material.material_id}",
        100,
        scope=f"{key.key_id} {whole}",
    )
    return {"Rotations": [_rotation(key, material, whole=whole) for material in shown], **more}


def _rotation(key: EncryptionKey, material: KeyMaterial, *, whole: bool) -> Answer:
    view = {
        "KeyId": key.arn,
        "KeyMaterialId": material.material_id,
        "KeyMaterialState": ("CURRENT" if material is key.materials[-1] else "NON_CURRENT") if whole else None,
        "RotationDate": material.created_at if material.rotation else None,
        "RotationType": material.rotation or None,
    }
    return {name: value for name, value in view.items() if value is not None}


def rotated_when_due(call: Call, key: EncryptionKey) -> EncryptionKey:
    """The key with a new material, if it rotates by itself and its period is over."""
    if not key.rotates or call.now < _next(key):
        return key
    made = _with_new_material(call, key, "AUTOMATIC").but(rotation_since=call.now)
    call.tx.put(made)
    return made


def _with_new_material(call: Call, key: EncryptionKey, rotation: str) -> EncryptionKey:
    return key.but(materials=(*key.materials, new_material(call, random_bytes(call, 32), rotation)))


def _next(key: EncryptionKey) -> float:
    return key.rotation_since + key.rotation_period_days * DAY_S


def _rotatable(call: Call) -> EncryptionKey:
    key = find_own(call)
    if key.spec != SYMMETRIC:
        raise _unsupported(key)
    if key.deletion_at is not None:
        raise ApiError("KMSInvalidStateException", f"{key.arn} is pending deletion.")
    if not key.enabled:
        raise ApiError("DisabledException", f"{key.arn} is disabled.")
    return key


def _unsupported(key: EncryptionKey) -> ApiError:
    return ApiError("UnsupportedOperationException", f"{key.arn} is no symmetric key: only those rotate.")


OPERATIONS: dict[str, Operation] = {
    "DisableKeyRotation": Operation(disable_key_rotation),
    "EnableKeyRotation": Operation(enable_key_rotation),
    "GetKeyRotationStatus": Operation(get_key_rotation_status),
    "ListKeyRotations": Operation(list_key_rotations),
    "RotateKeyOnDemand": Operation(rotate_key_on_demand),
}

"""Trust stores: the authorities whose client certificates mutual TLS accepts, and what these have revoked.

AWS reads both from S3. There is no S3 here, so the contents stand where the key of the object would: the bucket is
`inline`, and the key the text itself, in PEM. Tools that read a file into the key need nothing else.
"""

from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from longshore.api.common.pem import certificates_in, pem_of, revocations_in
from longshore.api.elbv2.lookup import find_trust_store
from longshore.api.elbv2.paging import paged
from longshore.api.elbv2.tags import checked_tags
from longshore.api.operation import Call, Operation
from longshore.domain.elbv2.balancer import Listener, TrustStore
from longshore.wire.errors import ApiError

INLINE = "inline"
NO_S3 = f"There is no S3 here: use the bucket '{INLINE}', and as the key the contents themselves, in PEM."
ID_DIGITS = 16
MAX_REVOKED = 500_000
"""Entries of a trust store's revocation lists, as on AWS."""


def create_trust_store(call: Call) -> dict[str, Any]:
    """CreateTrustStore, under a name that no other has."""
    name = call.params["Name"]
    if call.tx.count(TrustStore, "name", (*call.scope, name)):
        raise ApiError("DuplicateTrustStoreName", f"A trust store with the name '{name}' already exists")
    store = TrustStore(
        account=call.scope.account,
        region=call.scope.region,
        store_id=call.ids.hex(ID_DIGITS),
        name=name,
        bundle_pem=_bundle(call),
        created_at=call.now,
        tags=checked_tags(call.params.get("Tags")),
    )
    call.tx.put(store)
    return {"TrustStores": [view(store)]}


def modify_trust_store(call: Call) -> dict[str, Any]:
    """ModifyTrustStore: other authorities. Revocation lists stay."""
    store = find_trust_store(call, call.params["TrustStoreArn"]).but(bundle_pem=_bundle(call))
    call.tx.put(store)
    return {"TrustStores": [view(store)]}


def describe_trust_stores(call: Call) -> dict[str, Any]:
    """DescribeTrustStores: those with the ARNs or names that are given, or all."""
    arns, names = call.params.get("TrustStoreArns") or (), call.params.get("Names") or ()
    if arns and names:
        raise ApiError("ValidationError", "Trust store ARNs and names cannot be specified at the same time")
    if arns:
        found = [find_trust_store(call, arn) for arn in dict.fromkeys(arns)]
    elif names:
        found = [_named(call, name) for name in dict.fromkeys(names)]
    else:
        found = call.tx.select(TrustStore, "scope", call.scope)
    found.sort(key=_name)
    shown, marker = paged(call, "DescribeTrustStores", found, _name)
    return {"TrustStores": [view(store) for store in shown], "NextMarker": marker}


def delete_trust_store(call: Call) -> dict[str, Any]:
    """DeleteTrustStore, unless a listener uses it."""
    store = find_trust_store(call, call.params["TrustStoreArn"])
    if call.tx.count(Listener, "trust_store", (store.arn,)):
        raise ApiError("TrustStoreInUse", f"Trust store '{store.arn}' is currently in use by a listener")
    call.tx.delete(TrustStore, store.key)
    return {}


def describe_trust_store_associations(call: Call) -> dict[str, Any]:
    """DescribeTrustStoreAssociations: the load balancers with a listener that uses it."""
    store = find_trust_store(call, call.params["TrustStoreArn"])
    listeners = call.tx.select(Listener, "trust_store", (store.arn,))
    arns = sorted({listener.load_balancer_arn for listener in listeners})
    shown, marker = paged(call, "DescribeTrustStoreAssociations", arns, str)
    return {"TrustStoreAssociations": [{"ResourceArn": arn} for arn in shown], "NextMarker": marker}


def view(store: TrustStore) -> dict[str, Any]:
    """A trust store, as ELBv2 answers it."""
    return {
        "Name": store.name,
        "TrustStoreArn": store.arn,
        "Status": "ACTIVE",
        "NumberOfCaCertificates": store.bundle_pem.count("-----BEGIN CERTIFICATE-----"),
        "TotalRevokedEntries": _revoked(store.revocations),
    }


def _bundle(call: Call) -> str:
    """The authorities of an input in PEM, each written anew."""
    params = call.params
    if params["CaCertificatesBundleS3Bucket"] != INLINE:
        raise ApiError("CaCertificatesBundleNotFound", NO_S3)
    try:
        found = certificates_in(params["CaCertificatesBundleS3Key"].encode("utf-8", "replace"))
    except ValueError:
        raise ApiError("InvalidCaCertificatesBundle", "The bundle must be X.509 certificates in PEM") from None
    return pem_of(*found)


def _named(call: Call, name: str) -> TrustStore:
    found = call.tx.select(TrustStore, "name", (*call.scope, name))
    if not found:
        raise ApiError("TrustStoreNotFound", f"Trust store '{name}' not found")
    return found[0]


def _name(store: TrustStore) -> str:
    return store.name


# Revocation lists


def add_trust_store_revocations(call: Call) -> dict[str, Any]:
    """AddTrustStoreRevocations: each list gets a number of its own."""
    store = find_trust_store(call, call.params["TrustStoreArn"])
    last = max((each["RevocationId"] for each in store.revocations), default=0)
    added = [
        {"RevocationId": last + place, **_revocation(content)}
        for place, content in enumerate(call.params.get("RevocationContents") or (), 1)
    ]
    if not added:
        raise ApiError("ValidationError", "A revocation list must be specified")
    store = store.but(revocations=(*store.revocations, *added))
    if _revoked(store.revocations) > MAX_REVOKED:
        text = f"A trust store can have at most {MAX_REVOKED} revoked certificates"
        raise ApiError("TooManyTrustStoreRevocationEntries", text)
    call.tx.put(store)
    return {"TrustStoreRevocations": [_revocation_view(store, each) for each in added]}


def remove_trust_store_revocations(call: Call) -> dict[str, Any]:
    """RemoveTrustStoreRevocations, by their numbers."""
    store = find_trust_store(call, call.params["TrustStoreArn"])
    gone = {each["RevocationId"] for each in _chosen(store, call.params["RevocationIds"])}
    kept = tuple(each for each in store.revocations if each["RevocationId"] not in gone)
    call.tx.put(store.but(revocations=kept))
    return {}


def describe_trust_store_revocations(call: Call) -> dict[str, Any]:
    """DescribeTrustStoreRevocations: those with the numbers that are given, or all."""
    store = find_trust_store(call, call.params["TrustStoreArn"])
    asked = call.params.get("RevocationIds")
    found = _chosen(store, asked) if asked else list(store.revocations)
    shown, marker = paged(call, "DescribeTrustStoreRevocations", found, _number)
    return {"TrustStoreRevocations": [_revocation_view(store, each) for each in shown], "NextMarker": marker}


def _revocation(content: dict[str, Any]) -> dict[str, Any]:
    if content.get("S3Bucket") != INLINE:
        raise ApiError("RevocationContentNotFound", NO_S3)
    try:
        found = revocations_in((content.get("S3Key") or "").encode("utf-8", "replace"))
    except ValueError:
        raise ApiError(
            "InvalidRevocationContent", "The contents must be a certificate revocation list in PEM"
        ) from None
    return {
        "RevocationType": content.get("RevocationType") or "CRL",
        "NumberOfRevokedEntries": len(found),
        "Pem": found.public_bytes(Encoding.PEM).decode(),
    }


def _chosen(store: TrustStore, ids: Sequence[int]) -> list[dict[str, Any]]:
    by_id = {each["RevocationId"]: each for each in store.revocations}
    for number in ids:
        if number not in by_id:
            raise ApiError("RevocationIdNotFound", f"Revocation '{number}' not found in trust store '{store.arn}'")
    return [by_id[number] for number in sorted(set(ids))]


def _revocation_view(store: TrustStore, revocation: dict[str, Any]) -> dict[str, Any]:
    shown = {key: value for key, value in revocation.items() if key != "Pem"}
    return {"TrustStoreArn": store.arn, **shown}


def _revoked(revocations: Sequence[dict[str, Any]]) -> int:
    return sum(each["NumberOfRevokedEntries"] for each in revocations)


def _number(revocation: dict[str, Any]) -> str:
    return f"{revocation['RevocationId']:020d}"


_NO_VERSIONS = "There is no S3 here, and so no version of an object."
_VERSION = {"CaCertificatesBundleS3ObjectVersion": _NO_VERSIONS}
OPERATIONS: dict[str, Operation] = {
    "AddTrustStoreRevocations": Operation(
        add_trust_store_revocations, refuses={"RevocationContents[].S3ObjectVersion": _NO_VERSIONS}
    ),
    "CreateTrustStore": Operation(create_trust_store, refuses=_VERSION),
    "DeleteTrustStore": Operation(delete_trust_store),
    "DescribeTrustStoreAssociations": Operation(describe_trust_store_associations),
    "DescribeTrustStoreRevocations": Operation(describe_trust_store_revocations),
    "DescribeTrustStores": Operation(describe_trust_stores),
    "ModifyTrustStore": Operation(modify_trust_store, refuses=_VERSION),
    "RemoveTrustStoreRevocations": Operation(remove_trust_store_revocations),
}

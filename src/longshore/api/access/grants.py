"""The policies that a caller is held to: those of the user or role behind it, and its session's."""

from dataclasses import dataclass

from longshore.api.callers.credentials import Principal
from longshore.decide.policy.document import parse
from longshore.decide.policy.evaluate import Grants, Source
from longshore.decide.policy.grants import grants_of, managed_source
from longshore.domain.iam import Identity, Role, User, iam_key_of
from longshore.domain.tag import Tags
from longshore.store.store import Reader


@dataclass(frozen=True, slots=True)
class Held:
    """Who a caller is, by the records, and what that one is held to."""

    identity: Identity
    grants: Grants
    tags: Tags


def identity_of(reader: Reader, principal: Principal) -> Identity | None:
    """The user or role behind a caller; None where it is not there, or is another one by now."""
    for kind in (Role, User):
        key = iam_key_of(principal.source, kind.arn_type)
        found: Identity | None = reader.get(kind, key) if key else None
        if found is not None and found.arn == principal.source:
            return found if principal.unique_id in {"", found.unique_id} else None
    return None


def held(reader: Reader, principal: Principal) -> Held | None:
    """What a caller is held to; None where there is nobody by that name."""
    identity = identity_of(reader, principal)
    if identity is None:
        return None
    return Held(identity, _narrowed(reader, identity, principal), {**identity.tags, **principal.tags})


def _narrowed(reader: Reader, identity: Identity, principal: Principal) -> Grants:
    grants = grants_of(reader, identity)
    if not principal.policies and not principal.policy_arns:
        return grants
    session = [Source("session", parse(text)) for text in principal.policies]
    session += [managed_source(reader, arn) for arn in principal.policy_arns]
    return Grants(grants.identity, grants.boundary, tuple(session))

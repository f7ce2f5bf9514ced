"""The policies that a caller is held to, from records: its own, its groups', its boundary and its session's."""

from dataclasses import dataclass

from longshore.api.credentials import Principal
from longshore.decide.policy.document import Document, PolicyRefused, parse
from longshore.decide.policy.evaluate import Grants, Source
from longshore.decide.policy.managed import managed_document
from longshore.domain.iam import Group, Identity, Policy, Role, User, iam_key_of
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


def grants_of(reader: Reader, identity: Identity) -> Grants:
    """What a user, role or group may do, without any session."""
    sources = list(_sources(reader, identity))
    if isinstance(identity, User):
        for name in identity.groups:
            group = reader.get(Group, (*identity.scope, name))
            sources += _sources(reader, group) if group else []
    boundary = _managed(reader, identity.boundary_arn) if identity.boundary_arn else None
    return Grants(tuple(sources), boundary)


def _narrowed(reader: Reader, identity: Identity, principal: Principal) -> Grants:
    grants = grants_of(reader, identity)
    if not principal.policies and not principal.policy_arns:
        return grants
    session = [Source("session", parse(text)) for text in principal.policies]
    session += [_managed(reader, arn) for arn in principal.policy_arns]
    return Grants(grants.identity, grants.boundary, tuple(session))


def _sources(reader: Reader, identity: Identity) -> list[Source]:
    inline = [Source(name, _parsed(text)) for name, text in identity.inline.items()]
    return inline + [_managed(reader, arn) for arn in identity.attached]


def _managed(reader: Reader, arn: str) -> Source:
    """A managed policy; one that is not here grants nothing."""
    document = managed_document(arn)
    if document is None:
        key = iam_key_of(arn, "policy")
        policy = reader.get(Policy, key) if key else None
        document = _parsed(policy.default.document) if policy and policy.arn == arn else Document((), variables=True)
    return Source(arn, document)


def _parsed(text: str) -> Document:
    """A document that was checked when it was kept; one that an older Longshore took and this one doesn't allows
    nothing."""
    try:
        return parse(text)
    except PolicyRefused:
        return Document((), variables=True)

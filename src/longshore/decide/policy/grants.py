"""The policies that a user, role or group has, from its record: its own, its groups' and its boundary. Pure."""

from longshore.decide.policy.document import Document, PolicyRefused, parse
from longshore.decide.policy.evaluate import Grants, Source
from longshore.decide.policy.managed import managed_document
from longshore.domain.iam import Group, Identity, Policy, User, iam_key_of
from longshore.domain.record import Records


def grants_of(records: Records, identity: Identity) -> Grants:
    """What a user, role or group may do, without any session."""
    sources = list(_sources(records, identity))
    if isinstance(identity, User):
        for name in identity.groups:
            group = records.get(Group, (*identity.scope, name))
            sources += _sources(records, group) if group else []
    boundary = managed_source(records, identity.boundary_arn) if identity.boundary_arn else None
    return Grants(tuple(sources), boundary)


def _sources(records: Records, identity: Identity) -> list[Source]:
    owner = f"{identity.arn_type}_{identity.name}"
    inline = [Source(f"{owner}_{name}", _parsed(text)) for name, text in identity.inline.items()]
    return inline + [managed_source(records, arn) for arn in identity.attached]


def managed_source(records: Records, arn: str) -> Source:
    """A managed policy; one that is not here grants nothing."""
    document = managed_document(arn)
    if document is None:
        key = iam_key_of(arn, "policy")
        policy = records.get(Policy, key) if key else None
        document = _parsed(policy.default.document) if policy and policy.arn == arn else Document((), variables=True)
    return Source(arn, document)


def _parsed(text: str) -> Document:
    """A document that was checked when it was kept; one that an older Longshore took and this one doesn't allows
    nothing."""
    try:
        return parse(text)
    except PolicyRefused:
        return Document((), variables=True)

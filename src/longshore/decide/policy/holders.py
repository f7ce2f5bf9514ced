"""The policies that a user, role or group is held to, from records: its own, its groups', its boundary. Pure.

Called by `api/access` for who asks, and by `decide/task_secrets.py` for the execution roles of tasks.
"""

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
    boundary = managed(records, identity.boundary_arn) if identity.boundary_arn else None
    return Grants(tuple(sources), boundary)


def _sources(records: Records, identity: Identity) -> list[Source]:
    inline = [Source(name, _parsed(text)) for name, text in identity.inline.items()]
    return inline + [managed(records, arn) for arn in identity.attached]


def managed(records: Records, arn: str) -> Source:
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

"""Which resources an operation of KMS, Secrets Manager or Parameter Store is about, with the keys behind them.

Policies name secrets and keys by their whole ARNs, and requests by name or alias: the records tell which is meant.
"""

from collections.abc import Iterable, Iterator

from longshore.api.access.asking import ANY, Ask, Need, On, Values, on
from longshore.decide.policy.context import key_values, way_values
from longshore.decide.policy.resources import GRANT_ID, OPERATIONS
from longshore.decide.secrets import parameters, secrets
from longshore.decide.secrets.encryption import KeyRefused, Sealed, context_values, find_key
from longshore.decide.secrets.parameters import SECRETS, ParameterRefused, chosen, name_in, secret_named
from longshore.decide.secrets.secrets import SecretRefused, chosen_version, find_secret
from longshore.domain.secrets.ciphertext import CiphertextError, Context, opened
from longshore.domain.secrets.encryption_key import SYMMETRIC, EncryptionKey, KeyGrant
from longshore.domain.secrets.parameter import (
    Parameter,
    ParameterVersion,
    parameter_arn,
    parameter_context,
    split_selector,
)
from longshore.domain.secrets.secret import MOVED_STAGES, SecretVersion

NO_KEY = frozenset({"GenerateRandom", "ListKeys", "ListAliases", "ListRetirableGrants"})
NOW = 0.0
"""Whether a deletion is due is the handler's to see: what a policy says of a resource does not depend on it."""
WRITES = frozenset({"CreateSecret", "PutSecretValue", "UpdateSecret"})

# ------------------------------------------------------------------------------------------------------------- keys


def kms(ask: Ask) -> On:
    """Any operation of KMS: the key that an id, alias or ciphertext means; an alias beside it where that changes."""
    if ask.operation == "CreateKey":
        return _new_key(ask)
    if ask.operation in NO_KEY:
        return On((ANY,))
    if ask.operation == "ReEncrypt":
        return _re_encrypt(ask)
    references = ask.texts("KeyId", "TargetKeyId")
    aliases = ask.texts("AliasName")
    if not references and not aliases:
        references = [*_key_of_blob(ask), *_key_of_grant(ask)]
    resources = [*(ask.arn("kms", alias) for alias in aliases), *(key_arn(ask, each) for each in references)]
    if ask.operation in {"DeleteAlias", "UpdateAlias"}:
        resources += [arn for alias in aliases if (arn := key_arn(ask, alias)) not in resources]
    return on(resources, {**_aliases(references), **_context(ask, "EncryptionContext"), **_grant(ask)})


def _new_key(ask: Ask) -> On:
    """No resource yet, but conditions may look at the kind of key; what a key may be is its handler's to say."""
    spec = ask.text("KeySpec") or ask.text("CustomerMasterKeySpec") or SYMMETRIC
    tagged = [Need("kms:TagResource", ask.arn("kms", "key/*"))] if ask.params.get("Tags") else []
    return on([], key_values(spec, ask.text("KeyUsage") or "ENCRYPT_DECRYPT"), tagged)


def _re_encrypt(ask: Ask) -> On:
    """Two actions, neither of them the operation's name."""
    sources = ask.texts("SourceKeyId") or list(_key_of_blob(ask))
    before, after = _context(ask, "SourceEncryptionContext"), _context(ask, "DestinationEncryptionContext")
    source = (Need("kms:ReEncryptFrom", key_arn(ask, each), values=before) for each in sources)
    target = (Need("kms:ReEncryptTo", key_arn(ask, each), values=after) for each in ask.texts("DestinationKeyId"))
    return On((), more=(*source, *target))


def key_arn(ask: Ask, reference: str) -> str:
    """The ARN of the key that is meant; of what is not there, as it would be."""
    try:
        return find_key(ask.reader, ask.scope, reference, NOW).arn
    except KeyRefused:
        kind = "" if reference.startswith("alias/") else "key/"
        return reference if reference.startswith("arn:") else ask.arn("kms", f"{kind}{reference}")


def _key_of_blob(ask: Ask) -> Iterator[str]:
    blob = ask.params.get("CiphertextBlob")
    if isinstance(blob, bytes):
        try:
            yield opened(blob).key_id
        except CiphertextError:
            return


def _grants(ask: Ask) -> list[KeyGrant]:
    """The grant that a token means."""
    token = ask.text("GrantToken")
    return ask.reader.select(KeyGrant, "token", (*ask.scope, token)) if token else []


def _key_of_grant(ask: Ask) -> Iterator[str]:
    yield from (grant.key_id for grant in _grants(ask))


def _grant(ask: Ask) -> Values:
    """What a grant would give, or which one is to be retired."""
    if ask.operation == "RetireGrant":
        ids = ask.texts("GrantId") or [grant.grant_id for grant in _grants(ask)]
        return {GRANT_ID: tuple(ids)}
    if ask.operation != "CreateGrant":
        return {}
    named = {"kms:granteeprincipal": "GranteePrincipal", "kms:retiringprincipal": "RetiringPrincipal"}
    return {
        OPERATIONS: tuple(ask.texts("Operations")),
        **{key: (ask.text(member),) for key, member in named.items() if ask.text(member)},
    }


def _aliases(references: Iterable[str]) -> Values:
    names = tuple(each[each.index("alias/") :] for each in references if "alias/" in each)
    return {"kms:requestalias": names} if names else {}


def _context(ask: Ask, member: str) -> Values:
    """`kms:EncryptionContext:KEY` and `kms:EncryptionContextKeys`."""
    given = ask.params.get(member)
    return context_values(given) if isinstance(given, dict) else {}


def _by_way_of(ask: Ask, service: str, key: EncryptionKey | None, context: Context, *actions: str) -> Iterator[Need]:
    """What a user's own key must allow the caller by way of a service; AWS's keys allow it the account."""
    if key is not None and key.manager == "CUSTOMER":
        via = way_values(service, ask.scope.region)
        yield from (Need(f"kms:{action}", key.arn, values={**via, **context_values(context)}) for action in actions)


def _meant(ask: Ask, reference: str) -> EncryptionKey | None:
    """The key that a reference means."""
    try:
        return find_key(ask.reader, ask.scope, reference, NOW)
    except KeyRefused:
        return None


def _opening(ask: Ask, service: str, sealed: Sealed | None) -> Iterator[Need]:
    """What it takes to read what is encrypted."""
    if sealed is not None:
        key = ask.reader.get(EncryptionKey, (*ask.scope, sealed.key_id))
        yield from _by_way_of(ask, service, key, sealed.context, "Decrypt")


# ---------------------------------------------------------------------------------------------------------- secrets


def secretsmanager(ask: Ask) -> On:
    """Any operation of Secrets Manager: the secret that is meant, and the key that its value is under."""
    if ask.operation in {"ListSecrets", "GetRandomPassword"}:
        return On((ANY,))
    references = ask.texts("SecretId", "SecretIdList", "Name")
    if ask.operation == "BatchGetSecretValue":  # its handler asks for each secret by itself
        listing = ask.params.get("Filters")
        return On((ANY,), more=(Need("secretsmanager:ListSecrets", ANY),) if listing else ())
    resources, also = [], {}
    more: list[Need] = []
    for each in references:
        arn, other = _secret_arn(ask, each)
        resources.append(arn)
        also[arn] = other
        more += _keys_of_secret(ask, each)
    if ask.operation == "CreateSecret" and ask.params.get("Tags"):
        more += [Need("secretsmanager:TagResource", arn, also[arn]) for arn in resources]
    return On(tuple(dict.fromkeys(resources)) or (ANY,), _of_secret(ask), also, tuple(more))


def _secret_arn(ask: Ask, reference: str) -> tuple[str, tuple[str, ...]]:
    """The ARN, and other ways to write it: a secret that is not there yet has not its six characters."""
    try:
        return find_secret(ask.reader, ask.scope, reference, NOW).arn, ()
    except SecretRefused:
        arn = reference if reference.startswith("arn:") else ask.arn("secretsmanager", f"secret:{reference}")
        return arn, () if reference.startswith("arn:") else (f"{arn}-000000",)


def _keys_of_secret(ask: Ask, reference: str) -> Iterator[Need]:
    """The key of the version that is read; of what is written, the key that it will be under."""
    try:
        secret = find_secret(ask.reader, ask.scope, reference, NOW)
        if ask.operation == "GetSecretValue":
            version = chosen_version(ask.reader, secret, ask.text("VersionId"), ask.text("VersionStage"))
            yield from _opening(ask, "secretsmanager", secrets.sealed(secret, version))
    except SecretRefused:
        secret = None
    if ask.operation not in WRITES:
        return
    other = ask.text("KmsKeyId")
    if ask.operation == "UpdateSecret" and not {"KmsKeyId", "SecretString", "SecretBinary"} & ask.params.keys():
        return  # nothing is encrypted
    own = secret.key_reference if secret is not None and "KmsKeyId" not in ask.params else ""
    if other or own:
        arn = secret.arn if secret is not None else ask.arn("secretsmanager", f"secret:{reference}")
        context = {"SecretARN": arn}
        key = _meant(ask, other or own)
        yield from _by_way_of(ask, "secretsmanager", key, context, "GenerateDataKey", "Decrypt")
    if secret is not None and ask.operation == "UpdateSecret" and "KmsKeyId" in ask.params:
        for version_id in dict.fromkeys(secret.stages.get(stage, "") for stage in MOVED_STAGES):
            moved = ask.reader.get(SecretVersion, (*secret.scope, secret.name, version_id))
            if moved is not None:  # what it holds goes over to the other key
                yield from _opening(ask, "secretsmanager", secrets.sealed(secret, moved))


def _of_secret(ask: Ask) -> Values:
    named = {
        "secretsmanager:secretid": "SecretId",
        "secretsmanager:name": "Name",
        "secretsmanager:versionid": "VersionId",
        "secretsmanager:versionstage": "VersionStage",
        "secretsmanager:kmskeyid": "KmsKeyId",
    }
    return {key: (ask.text(member),) for key, member in named.items() if ask.text(member)}


# ------------------------------------------------------------------------------------------------------- parameters


def ssm(ask: Ask) -> On:
    """Any operation of Parameter Store: parameters, a path, and the keys of SecureStrings."""
    if ask.operation == "DescribeParameters":
        return on([ask.arn("ssm", "*")])
    also, resources = {}, []
    more: list[Need] = []
    for each in ask.texts("Name", "Names", "ResourceId"):
        bare, selector = split_selector(each)
        name = _parameter(ask, bare)
        arn = name if name.startswith("arn:") else parameter_arn(ask.scope, name)
        resources.append(arn)
        more += _keys_of_parameter(ask, name, selector)
        if ask.operation == "PutParameter" and ask.params.get("Tags"):
            more.append(Need("ssm:AddTagsToResource", arn))
    for path in ask.texts("Path"):
        arn = ask.arn("ssm", f"parameter/{path.strip('/')}")
        resources.append(arn)
        also[arn] = (arn.rstrip("/"), arn.rstrip("/") + "/")
        index = "below" if ask.params.get("Recursive") else "in"
        for parameter in ask.reader.select(Parameter, index, (*ask.scope, path.rstrip("/") or "/")):
            more += _keys_of_parameter(ask, parameter.name, "")
    return On(tuple(dict.fromkeys(resources)) or (ANY,), also=also, more=tuple(more))


def _parameter(ask: Ask, reference: str) -> str:
    try:
        return name_in(ask.reader, ask.scope, reference)
    except ParameterRefused:
        return reference


def _keys_of_parameter(ask: Ask, name: str, selector: str) -> Iterator[Need]:
    """The keys of the versions that are read, or that the one that is written will be under."""
    if ask.params.get("WithDecryption"):
        if name.startswith(SECRETS):
            yield from _secret_by_name(ask, name, selector)
            return
        for version in _versions(ask, name, selector):
            yield from _opening(ask, "ssm", parameters.sealed(ask.scope, version))
    elif ask.operation == "PutParameter":
        newest = next(iter(_versions(ask, name, "")), None)
        if (ask.text("Type") or (newest and newest.type)) == "SecureString":
            own = newest.key_reference if newest else ""
            key = _meant(ask, ask.text("KeyId") or own or "alias/aws/ssm")
            yield from _by_way_of(ask, "ssm", key, parameter_context(parameter_arn(ask.scope, name)), "Encrypt")


def _versions(ask: Ask, name: str, selector: str) -> list[ParameterVersion]:
    """The version that is meant; all of them where the history is asked for."""
    if ask.operation == "GetParameterHistory":
        return ask.reader.select(ParameterVersion, "parameter", (*ask.scope, name))
    try:
        return [chosen(ask.reader, ask.scope, name, selector)]
    except ParameterRefused:
        return []


def _secret_by_name(ask: Ask, name: str, selector: str) -> Iterator[Need]:
    """A secret under a parameter's name: the secret, and the key of its version."""
    yield Need("secretsmanager:GetSecretValue", *_secret_arn(ask, name.removeprefix(SECRETS)))
    try:
        secret, version = secret_named(ask.reader, ask.scope, name, selector, NOW)
    except SecretRefused:
        return
    yield from _opening(ask, "secretsmanager", secrets.sealed(secret, version))

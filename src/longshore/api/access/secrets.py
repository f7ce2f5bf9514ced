"""Which resources an operation of KMS, Secrets Manager or Parameter Store is about, with the keys behind them.

Policies name secrets and keys by their whole ARNs, and requests by name or alias: the records tell which is meant.
"""

from collections.abc import Iterable, Iterator

from longshore.api.access.asking import ANY, Ask, Need, On, Values, on
from longshore.decide.secrets.encryption import KeyRefused, find_key
from longshore.decide.secrets.parameters import SECRETS, ParameterRefused, name_in
from longshore.decide.secrets.secrets import SecretRefused, find_secret
from longshore.domain.secrets.ciphertext import CiphertextError, opened
from longshore.domain.secrets.encryption_key import EncryptionKey
from longshore.domain.secrets.parameter import Parameter, ParameterVersion, parameter_arn, split_selector

NO_KEY = frozenset({"CreateKey", "GenerateRandom", "ListKeys", "ListAliases", "ListRetirableGrants"})
NOW = 0.0
"""Whether a deletion is due is the handler's to see: what a policy says of a resource does not depend on it."""
READS = frozenset({"BatchGetSecretValue", "GetSecretValue"})
WRITES = frozenset({"CreateSecret", "PutSecretValue", "UpdateSecret"})

# ------------------------------------------------------------------------------------------------------------- keys


def kms(ask: Ask) -> On:
    """Any operation of KMS: the key that an id, alias or ciphertext means; an alias beside it where that changes."""
    if ask.operation in NO_KEY:
        return On((ANY,))
    if ask.operation == "ReEncrypt":
        return _re_encrypt(ask)
    references = ask.texts("KeyId", "TargetKeyId")
    aliases = ask.texts("AliasName")
    if not references and not aliases:
        references = list(_key_of_blob(ask))
    resources = [*(ask.arn("kms", alias) for alias in aliases), *(key_arn(ask, each) for each in references)]
    if ask.operation in {"DeleteAlias", "UpdateAlias"}:
        resources += [arn for alias in aliases if (arn := key_arn(ask, alias)) not in resources]
    return on(resources, {**_aliases(references), **_context(ask, "EncryptionContext")})


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


def _aliases(references: Iterable[str]) -> Values:
    names = tuple(each[each.index("alias/") :] for each in references if "alias/" in each)
    return {"kms:requestalias": names} if names else {}


def _context(ask: Ask, member: str) -> Values:
    """`kms:EncryptionContext:KEY` and `kms:EncryptionContextKeys`."""
    given = ask.params.get(member)
    if not isinstance(given, dict) or not given:
        return {}
    pairs = {f"kms:encryptioncontext:{name.lower()}": (value,) for name, value in given.items()}
    return {**pairs, "kms:encryptioncontextkeys": tuple(given)}


def _own_key(ask: Ask, reference: str, service: str, *actions: str) -> Iterator[Need]:
    """What a user's own key must allow the caller by way of a service; AWS's keys allow it the account."""
    try:
        key: EncryptionKey = find_key(ask.reader, ask.scope, reference, NOW)
    except KeyRefused:
        return
    if key.manager == "CUSTOMER":
        via = {"kms:viaservice": (f"{service}.{ask.scope.region}.amazonaws.com",)}
        yield from (Need(f"kms:{action}", key.arn, values=via) for action in actions)


# ---------------------------------------------------------------------------------------------------------- secrets


def secretsmanager(ask: Ask) -> On:
    """Any operation of Secrets Manager: the secret that is meant, and the key that its value is under."""
    if ask.operation in {"ListSecrets", "GetRandomPassword"}:
        return On((ANY,))
    references = ask.texts("SecretId", "SecretIdList", "Name")
    if ask.operation == "BatchGetSecretValue":
        reads = [Need("secretsmanager:GetSecretValue", _secret_arn(ask, each)[0]) for each in references]
        keys = [need for each in references for need in _keys_of_secret(ask, each)]
        return On((ANY,), more=(*reads, *keys))
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
    try:
        own = find_secret(ask.reader, ask.scope, reference, NOW).key_reference
    except SecretRefused:
        own = ""
    if ask.operation in READS and own:
        yield from _own_key(ask, own, "secretsmanager", "Decrypt")
    elif ask.operation in WRITES and (ask.text("KmsKeyId") or own):
        yield from _own_key(ask, ask.text("KmsKeyId") or own, "secretsmanager", "GenerateDataKey", "Decrypt")


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
        name = _parameter(ask, split_selector(each)[0])
        arn = name if name.startswith("arn:") else parameter_arn(ask.scope, name)
        resources.append(arn)
        more += _keys_of_parameter(ask, name)
        if ask.operation == "PutParameter" and ask.params.get("Tags"):
            more.append(Need("ssm:AddTagsToResource", arn))
    for path in ask.texts("Path"):
        arn = ask.arn("ssm", f"parameter/{path.strip('/')}")
        resources.append(arn)
        also[arn] = (arn.rstrip("/"), arn.rstrip("/") + "/")
        index = "below" if ask.params.get("Recursive") else "in"
        for parameter in ask.reader.select(Parameter, index, (*ask.scope, path.rstrip("/") or "/")):
            more += _keys_of_parameter(ask, parameter.name)
    return On(tuple(dict.fromkeys(resources)) or (ANY,), also=also, more=tuple(more))


def _parameter(ask: Ask, reference: str) -> str:
    try:
        return name_in(ask.reader, ask.scope, reference)
    except ParameterRefused:
        return reference


def _keys_of_parameter(ask: Ask, name: str) -> Iterator[Need]:
    parameter = ask.reader.get(Parameter, (*ask.scope, name))
    newest = ask.reader.get(ParameterVersion, (*ask.scope, name, str(parameter.version))) if parameter else None
    own = newest.key_reference if newest else ""
    if ask.params.get("WithDecryption") and own:
        yield from _own_key(ask, own, "ssm", "Decrypt")
    elif ask.params.get("WithDecryption") and name.startswith(SECRETS):
        yield Need("secretsmanager:GetSecretValue", *_secret_arn(ask, name.removeprefix(SECRETS)))
    elif ask.operation == "PutParameter" and (ask.text("Type") or (newest and newest.type)) == "SecureString":
        yield from _own_key(ask, ask.text("KeyId") or own or "alias/aws/ssm", "ssm", "Encrypt")

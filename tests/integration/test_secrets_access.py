"""Secrets, parameters and keys through real clients, signed as users whose policies name few of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.test_iam_clients import Site, refused
from tests.support.identities import allow, deny, document
from tests.support.serving import ACCOUNT, REGION, furnished

if TYPE_CHECKING:
    from collections.abc import Iterator

PARAMETERS = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter"
READ = "secretsmanager:GetSecretValue"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with furnished(auth=True) as serving:
        made = Site(serving)
        kms, manager, ssm = (serving.client(name) for name in ("kms", "secretsmanager", "ssm"))
        key = kms.create_key()["KeyMetadata"]["Arn"]
        kms.create_alias(AliasName="alias/own", TargetKeyId=key)
        manager.create_secret(Name="mine/one", SecretString="1", Tags=[{"Key": "app", "Value": "shop"}])
        manager.create_secret(Name="mine/keyed", SecretString="2", KmsKeyId=key)
        manager.create_secret(Name="other", SecretString="3")
        for name in ("/mine/a", "/other/a"):
            ssm.put_parameter(Name=name, Value="4", Type="SecureString", KeyId=key)
        yield made


def key_arn(site: Site) -> str:
    arn: str = site.serving.client("kms").describe_key(KeyId="alias/own")["KeyMetadata"]["Arn"]
    return arn


def test_a_user_reads_the_secrets_that_its_policy_names(site: Site) -> None:
    name, keys = site.user(allow(READ, on=f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:mine/*"))
    manager = site.client("secretsmanager", keys)
    assert manager.get_secret_value(SecretId="mine/one")["SecretString"] == "1"
    code, text = refused(manager.get_secret_value, SecretId="other")
    assert code == "AccessDeniedException"
    assert f"user/{name} is not authorized to perform: {READ} on resource: " in text
    assert ":secret:other-" in text
    code, text = refused(manager.get_secret_value, SecretId="mine/keyed")
    assert (code, key_arn(site) in text, "kms:Decrypt" in text) == ("AccessDeniedException", True, True)
    assert refused(manager.describe_secret, SecretId="mine/one")[0] == "AccessDeniedException"
    assert refused(manager.batch_get_secret_value, SecretIdList=["mine/one"])[0] == "AccessDeniedException"


def test_a_user_is_held_to_the_tags_of_secrets(site: Site) -> None:
    tagged = {"Condition": {"StringEquals": {"aws:ResourceTag/app": "shop"}}}
    _, keys = site.user({**allow(READ, on="*"), **tagged})
    manager = site.client("secretsmanager", keys)
    assert manager.get_secret_value(SecretId="mine/one")["SecretString"] == "1"
    assert refused(manager.get_secret_value, SecretId="other")[0] == "AccessDeniedException"


def test_a_user_reads_the_parameters_that_its_policy_names(site: Site) -> None:
    _, keys = site.user(allow("ssm:GetParameter*", on=f"{PARAMETERS}/mine/*"), allow("kms:Decrypt", on=key_arn(site)))
    ssm = site.client("ssm", keys)
    assert ssm.get_parameter(Name="/mine/a", WithDecryption=True)["Parameter"]["Value"] == "4"
    assert refused(ssm.get_parameter, Name="/other/a")[0] == "AccessDeniedException"
    assert refused(ssm.get_parameters, Names=["/mine/a", "/other/a"])[0] == "AccessDeniedException"
    _, keys = site.user(allow("ssm:GetParameter", on=f"{PARAMETERS}/mine/a"))
    ssm = site.client("ssm", keys)
    assert ssm.get_parameter(Name="/mine/a")["Parameter"]["Value"] != "4"
    assert "kms:Decrypt" in refused(ssm.get_parameter, Name="/mine/a", WithDecryption=True)[1]


def test_a_user_encrypts_under_the_key_that_its_policy_names_and_in_its_context(site: Site) -> None:
    context: dict[str, Any] = {"Condition": {"StringEquals": {"kms:EncryptionContext:tenant": "one"}}}
    _, keys = site.user({**allow("kms:Encrypt", "kms:Decrypt", on=key_arn(site)), **context})
    kms = site.client("kms", keys)
    blob = kms.encrypt(KeyId="alias/own", Plaintext=b"p", EncryptionContext={"tenant": "one"})["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext={"tenant": "one"})["Plaintext"] == b"p"
    for wrong in ({}, {"tenant": "two"}):
        assert refused(kms.encrypt, KeyId="alias/own", Plaintext=b"p", EncryptionContext=wrong)[0] == (
            "AccessDeniedException"
        )
    assert refused(kms.disable_key, KeyId=key_arn(site))[0] == "AccessDeniedException"
    elsewhere = site.serving.client("kms").create_key()["KeyMetadata"]["Arn"]
    asked = {"CiphertextBlob": blob, "SourceEncryptionContext": {"tenant": "one"}, "DestinationKeyId": elsewhere}
    assert "kms:ReEncryptFrom" in refused(kms.re_encrypt, **asked)[1]


def arn_of(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:user/{name}"


def test_a_secret_s_own_policy_lets_a_user_in_and_keeps_one_out(site: Site) -> None:
    root = site.serving.client("secretsmanager")
    root.create_secret(Name="shared", SecretString="5")
    name, keys = site.user()
    manager = site.client("secretsmanager", keys)
    assert refused(manager.get_secret_value, SecretId="shared")[0] == "AccessDeniedException"
    gives = allow(READ, Principal={"AWS": arn_of(name)})
    root.put_resource_policy(SecretId="shared", ResourcePolicy=document(gives))
    assert manager.get_secret_value(SecretId="shared")["SecretString"] == "5"
    assert refused(manager.describe_secret, SecretId="shared")[0] == "AccessDeniedException"
    other, keys = site.user(allow(READ))
    root.put_resource_policy(SecretId="shared", ResourcePolicy=document(deny(READ, Principal={"AWS": arn_of(other)})))
    code, text = refused(site.client("secretsmanager", keys).get_secret_value, SecretId="shared")
    assert (code, "explicit deny in a resource-based policy" in text) == ("AccessDeniedException", True)
    code, text = refused(root.put_resource_policy, SecretId="shared", ResourcePolicy=document(allow(READ)))
    assert (code, "Principal" in text) == ("MalformedPolicyDocumentException", True)


def test_a_key_is_whose_its_policy_and_its_grants_say(site: Site) -> None:
    root = site.serving.client("kms")
    name, keys = site.user(allow("kms:*"))
    mine: dict[str, Any] = {"Principal": {"AWS": arn_of(name)}}
    kms = site.client("kms", keys)
    admin = allow("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:role/admin"})
    code, text = refused(root.create_key, Policy=document(admin))
    assert (code, "invalid principals" in text) == ("MalformedPolicyDocumentException", True)
    trust = document({"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"})
    site.serving.client("iam").create_role(RoleName="admin", AssumeRolePolicyDocument=trust)
    key = root.create_key(Policy=document(admin))["KeyMetadata"]["Arn"]
    code, text = refused(kms.encrypt, KeyId=key, Plaintext=b"p")
    assert (code, "no resource-based policy allows the kms:Encrypt action" in text) == ("AccessDeniedException", True)

    grant = root.create_grant(
        KeyId=key,
        GranteePrincipal=arn_of(name),
        Operations=["Encrypt"],
        Constraints={"EncryptionContextSubset": {"tenant": "one"}},
    )["GrantId"]
    assert kms.encrypt(KeyId=key, Plaintext=b"p", EncryptionContext={"tenant": "one", "more": "x"})["KeyId"] == key
    assert refused(kms.encrypt, KeyId=key, Plaintext=b"p")[0] == "AccessDeniedException"
    root.revoke_grant(KeyId=key, GrantId=grant)
    context = {"tenant": "one"}
    assert refused(kms.encrypt, KeyId=key, Plaintext=b"p", EncryptionContext=context)[0] == "AccessDeniedException"

    root.put_key_policy(KeyId=key, Policy=document(admin, allow("kms:PutKeyPolicy", "kms:Encrypt", **mine)))
    assert kms.encrypt(KeyId=key, Plaintext=b"p")["KeyId"] == key
    code, text = refused(kms.put_key_policy, KeyId=key, Policy=document(admin))
    assert (code, "not allow you to update the key policy" in text) == ("MalformedPolicyDocumentException", True)
    kms.put_key_policy(KeyId=key, Policy=document(admin), BypassPolicyLockoutSafetyCheck=True)
    assert refused(kms.encrypt, KeyId=key, Plaintext=b"p")[0] == "AccessDeniedException"


def test_many_secrets_are_asked_about_one_by_one(site: Site) -> None:
    _, keys = site.user(
        allow("secretsmanager:BatchGetSecretValue", "secretsmanager:ListSecrets"),
        allow(READ, on=f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:mine/*"),
    )
    manager = site.client("secretsmanager", keys)
    for asked in ({"Filters": [{"Key": "name", "Values": ["mine", "other"]}]}, {"SecretIdList": ["mine/one", "other"]}):
        answer = manager.batch_get_secret_value(**asked)
        assert [each["Name"] for each in answer["SecretValues"]] == ["mine/one"]
        assert {each["ErrorCode"] for each in answer["Errors"]} == {"AccessDeniedException"}
    _, keys = site.user(allow("secretsmanager:BatchGetSecretValue"))
    by_name = {"Filters": [{"Key": "name", "Values": ["mine"]}]}
    assert "ListSecrets" in refused(site.client("secretsmanager", keys).batch_get_secret_value, **by_name)[1]


def test_nobody_takes_a_secret_away_from_under_its_key(site: Site) -> None:
    _, keys = site.user(allow("secretsmanager:*"))
    manager = site.client("secretsmanager", keys)
    code, text = refused(manager.update_secret, SecretId="mine/keyed", KmsKeyId="alias/aws/secretsmanager")
    assert (code, "kms:Decrypt" in text, key_arn(site) in text) == ("AccessDeniedException", True, True)
    manager.update_secret(SecretId="mine/keyed", Description="it may do that")
    ssm = site.client("ssm", site.user(allow("ssm:*", "secretsmanager:*"))[1])
    reference = "/aws/reference/secretsmanager/mine/keyed"
    assert "kms:Decrypt" in refused(ssm.get_parameter, Name=reference, WithDecryption=True)[1]


def test_a_grant_gives_no_more_than_it_says(site: Site) -> None:
    root = site.serving.client("kms")
    key = root.create_key()["KeyMetadata"]["Arn"]
    (one, keys), (two, other_keys) = site.user(), site.user()
    kms, other = site.client("kms", keys), site.client("kms", other_keys)
    given = ["CreateGrant", "RetireGrant", "Encrypt"]
    own = root.create_grant(KeyId=key, GranteePrincipal=arn_of(one), Operations=given)["GrantId"]
    wider = {"KeyId": key, "GranteePrincipal": arn_of(one), "Operations": ["Decrypt"]}
    assert refused(kms.create_grant, **wider)[0] == "AccessDeniedException"
    made = kms.create_grant(
        KeyId=key, GranteePrincipal=arn_of(two), RetiringPrincipal=arn_of(two), Operations=["Encrypt"]
    )
    assert other.encrypt(KeyId=key, Plaintext=b"p")["KeyId"] == key
    assert refused(kms.retire_grant, KeyId=key, GrantId=made["GrantId"])[0] == "AccessDeniedException"
    assert refused(other.retire_grant, KeyId=key, GrantId=own)[0] == "AccessDeniedException"
    other.retire_grant(GrantToken=made["GrantToken"])
    assert refused(other.encrypt, KeyId=key, Plaintext=b"p")[0] == "AccessDeniedException"
    kms.retire_grant(KeyId=key, GrantId=own)
    assert refused(kms.encrypt, KeyId=key, Plaintext=b"p")[0] == "AccessDeniedException"
    context = {"EncryptionContextEquals": {"Tenant": "one"}}
    root.create_grant(
        KeyId=key, GranteePrincipal=arn_of(one), Operations=["Encrypt", "DescribeKey"], Constraints=context
    )
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"] == key
    assert kms.encrypt(KeyId=key, Plaintext=b"p", EncryptionContext={"tenant": "one"})["KeyId"] == key
    wrong = {"tenant": "one", "more": "x"}
    assert refused(kms.encrypt, KeyId=key, Plaintext=b"p", EncryptionContext=wrong)[0] == "AccessDeniedException"


def test_a_user_may_put_a_policy_under_a_condition_that_it_meets(site: Site) -> None:
    name, keys = site.user(allow("kms:*"))
    but_me: dict[str, Any] = {"Condition": {"StringNotEquals": {"aws:PrincipalArn": arn_of(name)}}}
    account = allow("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
    kms = site.client("kms", keys)
    key = kms.create_key(Policy=document(account, deny("kms:*", Principal="*", **but_me)))["KeyMetadata"]["Arn"]
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"] == key
    _, keys = site.user(allow("kms:*"))
    assert "explicit deny" in refused(site.client("kms", keys).describe_key, KeyId=key)[1]


def test_a_repository_s_policy_lets_a_user_in(site: Site) -> None:
    root = site.serving.client("ecr")
    root.create_repository(repositoryName="shared")
    name, keys = site.user()
    ecr = site.client("ecr", keys)
    assert refused(ecr.list_images, repositoryName="shared")[0] == "AccessDeniedException"
    policy = {"Effect": "Allow", "Principal": {"AWS": arn_of(name)}, "Action": "ecr:ListImages"}
    root.set_repository_policy(repositoryName="shared", policyText=document(policy))
    assert ecr.list_images(repositoryName="shared")["imageIds"] == []

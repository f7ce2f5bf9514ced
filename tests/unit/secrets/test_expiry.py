"""What was marked for deletion is removed when its time is over, and not before."""

from __future__ import annotations

from longshore.api import kms, secretsmanager
from longshore.control.expiry import Expiry
from longshore.domain.secrets.encryption_key import EncryptionKey, KeyAlias, KeyGrant
from longshore.domain.secrets.secret import Secret, SecretVersion
from tests.support.api import Api
from tests.support.services import ClockOf

DAY_S = 86_400.0


async def test_a_secret_goes_with_its_versions_after_its_recovery_window() -> None:
    api = Api(secretsmanager.SERVICE.operations, service="secretsmanager")
    expiry = Expiry(api.store, ClockOf(api))
    for name in ("gone", "kept"):
        api("CreateSecret", Name=name, SecretString="one")
        api("PutSecretValue", SecretId=name, SecretString="two")
    api("DeleteSecret", SecretId="gone", RecoveryWindowInDays=7)
    for elapsed, count in ((0.0, 2), (7 * DAY_S - 1, 2), (7 * DAY_S, 1)):
        began = api.now
        api.now += elapsed
        await expiry.sweep()
        api.now = began if count == 2 else api.now
        assert len(list(api.store.all(Secret))) == count
        assert len(list(api.store.all(SecretVersion))) == 2 * count
    assert [secret.name for secret in api.store.all(Secret)] == ["kept"]
    revision = api.store.revision
    await expiry.sweep()
    assert api.store.revision == revision


async def test_a_key_goes_with_what_names_it_after_its_waiting_period() -> None:
    api = Api(kms.SERVICE.operations, service="kms")
    expiry = Expiry(api.store, ClockOf(api))
    keys = [api("CreateKey")["KeyMetadata"]["KeyId"] for _ in range(2)]
    for number, key in enumerate(keys):
        api("CreateAlias", AliasName=f"alias/{number}", TargetKeyId=key)
        api("CreateGrant", KeyId=key, GranteePrincipal="arn:g", Operations=["Encrypt"])
    api("ScheduleKeyDeletion", KeyId=keys[0], PendingWindowInDays=7)
    await expiry.sweep()
    assert len(list(api.store.all(EncryptionKey))) == 2
    api.now += 7 * DAY_S
    await expiry.sweep()
    assert [key.key_id for key in api.store.all(EncryptionKey)] == [keys[1]]
    assert [alias.name for alias in api.store.all(KeyAlias)] == ["alias/1"]
    assert [grant.key_id for grant in api.store.all(KeyGrant)] == [keys[1]]

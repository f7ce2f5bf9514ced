"""Tags of roles, users, policies, instance profiles and identity providers.

A service-linked role is its account's to tag.
"""

from collections.abc import Callable

from longshore.api.iam.lookup import Answer, checked_tags, find, listed
from longshore.api.iam.policies import find_policy
from longshore.api.iam.providers import find_provider
from longshore.api.operation import Call, Operation
from longshore.decide.policy.managed import is_of_aws
from longshore.domain.iam import Global, IdentityProvider, InstanceProfile, Role, User
from longshore.wire.errors import ApiError

NAMED: dict[str, type[Global]] = {"Role": Role, "User": User, "InstanceProfile": InstanceProfile}
PROVIDER = "OpenIDConnectProvider"
TAGGED = (*NAMED, "Policy", PROVIDER)
Owner = Global | IdentityProvider
Handler = Callable[[Call], Answer]


def _owner(call: Call, noun: str, *, change: bool) -> Owner:
    if noun == PROVIDER:
        return find_provider(call)
    if noun != "Policy":
        return find(call, NAMED[noun], call.params[f"{noun}Name"])
    arn = call.params["PolicyArn"]
    if change and is_of_aws(arn):
        raise ApiError("AccessDenied", f"{arn} can't be tagged: AWS manages it.", status=403)
    return find_policy(call, arn)


def _tag(noun: str) -> Handler:
    def tag(call: Call) -> Answer:
        """Tag…: adds to what is there."""
        owner = _owner(call, noun, change=True)
        call.tx.put(owner.but(tags=checked_tags(call.params["Tags"], owner.tags)))
        return {}

    return tag


def _untag(noun: str) -> Handler:
    def untag(call: Call) -> Answer:
        """Untag…: keys that are not there are no error."""
        owner = _owner(call, noun, change=True)
        gone = {key.lower() for key in call.params["TagKeys"]}
        call.tx.put(owner.but(tags={key: value for key, value in owner.tags.items() if key.lower() not in gone}))
        return {}

    return untag


def _list(noun: str) -> Handler:
    def list_tags(call: Call) -> Answer:
        """List…Tags."""
        tags = _owner(call, noun, change=False).tags
        return listed(call, tags, str, lambda key: {"Key": key, "Value": tags[key]}, "Tags")

    return list_tags


OPERATIONS: dict[str, Operation] = {
    **{f"Tag{noun}": Operation(_tag(noun)) for noun in TAGGED},
    **{f"Untag{noun}": Operation(_untag(noun)) for noun in TAGGED},
    **{f"List{noun}Tags": Operation(_list(noun)) for noun in TAGGED},
}

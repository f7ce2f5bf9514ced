"""Real clients, signed as users and roles with narrow policies, against a server that checks signatures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from longshore.api.callers.credentials import KeyPair
from longshore.domain.ecs.cluster import Host
from tests.support.identities import allow, deny, document, trust
from tests.support.serving import ACCOUNT, REGION, Serving, furnished

ROLE = f"arn:aws:iam::{ACCOUNT}:role"
CLUSTER = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster"
Refused = tuple[str, str]


class Site:
    """A server with authentication on, its root's clients, and users made on the way."""

    def __init__(self, serving: Serving) -> None:
        self.serving = serving
        self.iam = serving.client("iam")
        self.ecs = serving.client("ecs")
        self._made = 0

    def user(self, *statements: dict[str, Any]) -> tuple[str, KeyPair]:
        """A new user with one policy: its name and its keys."""
        self._made += 1
        name = f"user{self._made}"
        self.iam.create_user(UserName=name)
        if statements:
            self.iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(*statements))
        key = self.iam.create_access_key(UserName=name)["AccessKey"]
        return name, KeyPair(key["AccessKeyId"], key["SecretAccessKey"])

    def client(self, service: str, keys: KeyPair) -> Any:
        return self.serving.client(service, keys=keys)

    def session_client(self, service: str, credentials: dict[str, Any]) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.serving.url,
            region_name=REGION,
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
            config=Config(retries={"total_max_attempts": 1}, read_timeout=20),
        )


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    serving = furnished(auth=True)
    with serving.store.transaction() as tx:
        tx.put(Host(account="", region="", cpu_units=2**16, memory_mib=2**16))
    with serving:
        made = Site(serving)
        made.ecs.create_cluster(clusterName="prod", tags=[{"key": "env", "value": "prod"}])
        made.ecs.create_cluster(clusterName="test")
        made.ecs.register_task_definition(
            family="web",
            networkMode="awsvpc",
            cpu="256",
            memory="512",
            requiresCompatibilities=["FARGATE"],
            taskRoleArn=f"{ROLE}/app",
            containerDefinitions=[{"name": "app", "image": "app"}],
        )
        yield made


def refused(call: Callable[..., Any], **params: Any) -> Refused:
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def sentence(name: str, action: str, resource: str) -> str:
    where = f" on resource: {resource}" if resource else ""
    return (
        f"User: arn:aws:iam::{ACCOUNT}:user/{name} is not authorized to perform: {action}{where} because no "
        f"identity-based policy allows the {action} action"
    )


# ----------------------------------------------------------------------------------------------------------- users


def test_a_user_may_what_its_policy_says_and_no_more_of_ecs(site: Site) -> None:
    name, keys = site.user(allow("ecs:DescribeClusters", on=f"{CLUSTER}/prod"), allow("ecs:ListClusters"))
    ecs = site.client("ecs", keys)
    assert len(ecs.list_clusters()["clusterArns"]) >= 2
    assert ecs.describe_clusters(clusters=["prod"])["clusters"][0]["clusterName"] == "prod"
    code, text = refused(ecs.describe_clusters, clusters=["prod", "test"])
    assert (code, text) == ("AccessDeniedException", sentence(name, "ecs:DescribeClusters", f"{CLUSTER}/test"))
    code, text = refused(ecs.delete_cluster, cluster="prod")
    assert (code, text) == ("AccessDeniedException", sentence(name, "ecs:DeleteCluster", f"{CLUSTER}/prod"))
    assert site.ecs.describe_clusters(clusters=["prod"])["clusters"][0]["status"] == "ACTIVE"


def test_a_user_may_what_its_policy_says_and_no_more_of_logs(site: Site) -> None:
    group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/mine"
    name, keys = site.user(allow("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", on=f"{group}:*"))
    logs = site.client("logs", keys)
    logs.create_log_group(logGroupName="/mine")
    logs.create_log_stream(logGroupName="/mine", logStreamName="s")
    logs.put_log_events(logGroupName="/mine", logStreamName="s", logEvents=[{"timestamp": 1, "message": "m"}])
    code, text = refused(logs.create_log_group, logGroupName="/other")
    other = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/other:log-stream:"
    assert (code, text) == ("AccessDeniedException", sentence(name, "logs:CreateLogGroup", other))
    stream = f"{group}:log-stream:s"
    assert refused(logs.get_log_events, logGroupName="/mine", logStreamName="s")[1] == sentence(
        name, "logs:GetLogEvents", stream
    )
    assert refused(logs.describe_log_groups)[0] == "AccessDeniedException"


def test_a_user_may_what_its_policy_says_and_no_more_of_ec2(site: Site) -> None:
    name, keys = site.user(allow("ec2:DescribeVpcs"))
    ec2 = site.client("ec2", keys)
    assert ec2.describe_vpcs()["Vpcs"]
    code, text = refused(ec2.describe_subnets)
    assert code == "UnauthorizedOperation"
    assert text == "You are not authorized to perform this operation. " + sentence(name, "ec2:DescribeSubnets", "")


def test_refusals_have_the_code_of_their_protocol(site: Site) -> None:
    _, keys = site.user()
    assert refused(site.client("iam", keys).list_roles)[0] == "AccessDenied"
    assert refused(site.client("elbv2", keys).describe_load_balancers)[0] == "AccessDenied"
    assert refused(site.client("route53", keys).list_hosted_zones)[0] == "AccessDenied"
    assert refused(site.client("servicediscovery", keys).list_namespaces)[0] == "AccessDeniedException"
    assert refused(site.client("acm", keys).list_certificates)[0] == "AccessDeniedException"


def test_who_one_is_needs_no_permission(site: Site) -> None:
    name, keys = site.user()
    found = site.client("sts", keys).get_caller_identity()
    assert found["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/{name}"
    assert found["UserId"] == site.iam.get_user(UserName=name)["User"]["UserId"]
    assert refused(site.client("iam", keys).get_user)[0] == "AccessDenied"


def test_a_denial_wins_and_groups_and_managed_policies_count(site: Site) -> None:
    name, keys = site.user(deny("ecs:DeleteCluster"))
    ecs = site.client("ecs", keys)
    assert refused(ecs.list_clusters)[0] == "AccessDeniedException"
    site.iam.create_group(GroupName="admins")
    site.iam.attach_group_policy(GroupName="admins", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    site.iam.add_user_to_group(GroupName="admins", UserName=name)
    assert ecs.list_clusters()["clusterArns"]
    assert refused(ecs.delete_cluster, cluster="test")[1].endswith("with an explicit deny in an identity-based policy")
    site.iam.put_user_permissions_boundary(
        UserName=name, PermissionsBoundary="arn:aws:iam::aws:policy/CloudWatchLogsFullAccess"
    )
    assert refused(ecs.list_clusters)[1].endswith("because no permissions boundary allows the ecs:ListClusters action")


def test_a_new_version_of_a_policy_holds_at_once(site: Site) -> None:
    name, keys = site.user()
    arn = site.iam.create_policy(PolicyName="changing", PolicyDocument=document(allow("ecs:ListClusters")))["Policy"][
        "Arn"
    ]
    site.iam.attach_user_policy(UserName=name, PolicyArn=arn)
    ecs = site.client("ecs", keys)
    ecs.list_clusters()
    site.iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(allow("logs:*")), SetAsDefault=True)
    assert refused(ecs.list_clusters)[0] == "AccessDeniedException"


def test_keys_that_are_off_or_gone_are_refused(site: Site) -> None:
    name, keys = site.user(allow("*"))
    sts = site.client("sts", keys)
    sts.get_caller_identity()
    site.iam.update_access_key(UserName=name, AccessKeyId=keys.access_key_id, Status="Inactive")
    assert refused(sts.get_caller_identity)[0] == "InvalidClientTokenId"
    site.iam.update_access_key(UserName=name, AccessKeyId=keys.access_key_id, Status="Active")
    sts.get_caller_identity()
    wrong = site.client("sts", KeyPair(keys.access_key_id, "x" * 40))
    assert refused(wrong.get_caller_identity)[0] == "SignatureDoesNotMatch"
    site.iam.delete_access_key(UserName=name, AccessKeyId=keys.access_key_id)
    assert refused(sts.get_caller_identity)[0] == "InvalidClientTokenId"


def test_when_a_key_was_used_is_told(site: Site) -> None:
    _, keys = site.user(allow("ecs:*"))
    unused = site.iam.get_access_key_last_used(AccessKeyId=keys.access_key_id)["AccessKeyLastUsed"]
    assert unused == {"Region": "N/A", "ServiceName": "N/A"}
    site.client("ecs", keys).list_clusters()
    used = site.iam.get_access_key_last_used(AccessKeyId=keys.access_key_id)["AccessKeyLastUsed"]
    assert (used["Region"], used["ServiceName"]) == (REGION, "ecs")
    assert used["LastUsedDate"]


# ------------------------------------------------------------------------------------------------------ conditions


def test_conditions_look_at_clusters_tags_regions_and_addresses(site: Site) -> None:
    of_prod = allow("ecs:DescribeTasks", "ecs:ListTasks", Condition={"ArnEquals": {"ecs:cluster": f"{CLUSTER}/prod"}})
    tagged = allow("ecs:DescribeClusters", Condition={"StringEquals": {"aws:ResourceTag/env": "prod"}})
    new = {"StringEquals": {"aws:RequestTag/env": "test"}, "ForAllValues:StringEquals": {"aws:TagKeys": ["env"]}}
    tags = allow("ecs:CreateCluster", "ecs:TagResource", Condition=new)
    here = {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}, "IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}
    there = allow("ec2:DescribeVpcs", Condition=here)
    _, keys = site.user(of_prod, tagged, tags, there)
    ecs = site.client("ecs", keys)
    ecs.list_tasks(cluster="prod")
    assert refused(ecs.list_tasks, cluster="test")[0] == "AccessDeniedException"
    ecs.describe_clusters(clusters=["prod"])
    assert refused(ecs.describe_clusters, clusters=["test"])[0] == "AccessDeniedException"
    ecs.create_cluster(clusterName="made", tags=[{"key": "env", "value": "test"}])
    assert refused(ecs.create_cluster, clusterName="x")[0] == "AccessDeniedException"
    more = [{"key": "env", "value": "test"}, {"key": "b", "value": ""}]
    assert refused(ecs.create_cluster, clusterName="x", tags=more)[0] == "AccessDeniedException"
    assert refused(site.client("ec2", keys).describe_vpcs)[0] == "UnauthorizedOperation"
    assert site.serving.client("ec2", keys=keys, region="eu-west-1").describe_vpcs()["Vpcs"] == []


def test_a_user_may_change_only_its_own_keys(site: Site) -> None:
    own = allow("iam:*AccessKey*", on=f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}")
    name, keys = site.user(own)
    other, _ = site.user()
    iam = site.client("iam", keys)
    assert len(iam.list_access_keys()["AccessKeyMetadata"]) == 1
    assert len(iam.list_access_keys(UserName=name)["AccessKeyMetadata"]) == 1
    assert refused(iam.create_access_key, UserName=other)[0] == "AccessDenied"


# ---------------------------------------------------------------------------------------------------- passed roles


def test_whoever_gives_a_task_a_role_must_be_allowed_to(site: Site) -> None:
    passed = f"{ROLE}/passed"
    site.iam.create_role(RoleName="passed", AssumeRolePolicyDocument=trust(Service="ecs-tasks.amazonaws.com"))
    to_tasks = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    _, bare = site.user(allow("ecs:*"))
    _, passing = site.user(allow("ecs:*"), allow("iam:PassRole", on=passed, Condition=to_tasks))
    container = {"name": "app", "image": "app", "memory": 64}
    asked = {"family": "passing", "taskRoleArn": passed, "containerDefinitions": [container]}
    code, text = refused(site.client("ecs", bare).register_task_definition, **asked)
    assert (code, f"iam:PassRole on resource: {passed} because" in text) == ("AccessDeniedException", True)
    site.client("ecs", passing).register_task_definition(**asked)
    execution = {**asked, "executionRoleArn": f"{ROLE}/other"}
    assert f"{ROLE}/other" in refused(site.client("ecs", passing).register_task_definition, **execution)[1]
    assert f"{ROLE}/app" in refused(site.client("ecs", passing).run_task, cluster="prod", taskDefinition="web")[1]


def test_roles_of_tasks_must_exist_and_trust_ecs(site: Site) -> None:
    subnets = [each["SubnetId"] for each in site.serving.client("ec2").describe_subnets()["Subnets"]]
    asked: dict[str, Any] = {
        "cluster": "prod",
        "taskDefinition": "web",
        "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": {"subnets": subnets}},
    }
    code, text = refused(site.ecs.run_task, **asked)
    assert code == "ClientException"
    assert text.startswith(f"ECS was unable to assume the role '{ROLE}/app' that was provided for this task.")
    site.iam.create_role(RoleName="app", AssumeRolePolicyDocument=trust(Service="ec2.amazonaws.com"))
    assert refused(site.ecs.run_task, **asked)[0] == "ClientException"
    tasks = trust(Service="ecs-tasks.amazonaws.com")
    site.iam.update_assume_role_policy(RoleName="app", PolicyDocument=tasks)
    assert site.ecs.run_task(**asked)["tasks"]


# -------------------------------------------------------------------------------------------------------- sessions


def test_a_role_is_assumed_by_whom_it_trusts_and_acts_by_its_policies(site: Site) -> None:
    name, keys = site.user(allow("sts:AssumeRole", on=f"{ROLE}/team/*"))
    arn = site.iam.create_role(
        RoleName="reader", Path="/team/", AssumeRolePolicyDocument=trust(AWS=f"arn:aws:iam::{ACCOUNT}:root")
    )["Role"]["Arn"]
    site.iam.put_role_policy(RoleName="reader", PolicyName="own", PolicyDocument=document(allow("ecs:List*")))
    made = site.client("sts", keys).assume_role(RoleArn=arn, RoleSessionName="s1", DurationSeconds=900)
    assert made["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/s1"
    ecs = site.session_client("ecs", made["Credentials"])
    assert ecs.list_clusters()["clusterArns"]
    code, text = refused(ecs.describe_clusters, clusters=["prod"])
    assert code == "AccessDeniedException"
    assert text.startswith(f"User: arn:aws:sts::{ACCOUNT}:assumed-role/reader/s1 is not authorized to perform: ecs:")
    sts = site.session_client("sts", made["Credentials"])
    assert sts.get_caller_identity()["UserId"] == made["AssumedRoleUser"]["AssumedRoleId"]
    assert refused(sts.get_session_token)[0] == "AccessDenied"

    narrow = site.client("sts", keys).assume_role(
        RoleArn=arn, RoleSessionName="s2", Policy=document(allow("ecs:ListTasks"))
    )
    of_session = site.session_client("ecs", narrow["Credentials"])
    of_session.list_tasks(cluster="prod")
    assert "no session policy allows" in refused(of_session.list_clusters)[1]

    site.iam.delete_role_policy(RoleName="reader", PolicyName="own")
    assert refused(ecs.list_clusters)[0] == "AccessDeniedException"
    site.iam.delete_role(RoleName="reader")
    assert refused(ecs.list_clusters)[0] == "UnrecognizedClientException"
    assert name


def test_a_role_is_not_assumed_by_others(site: Site) -> None:
    name, keys = site.user(allow("sts:AssumeRole"))
    _, bare = site.user()
    user = f"arn:aws:iam::{ACCOUNT}:user/{name}"
    for role, trusted in (("of-user", {"AWS": user}), ("of-tasks", {"Service": "ecs-tasks.amazonaws.com"})):
        site.iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust(**trusted))
    asked = {"RoleArn": f"{ROLE}/of-user", "RoleSessionName": "one"}
    assert site.client("sts", keys).assume_role(**asked)
    assert refused(site.client("sts", bare).assume_role, **asked)[0] == "AccessDenied"
    asked["RoleArn"] = f"{ROLE}/of-tasks"
    code, text = refused(site.client("sts", keys).assume_role, **asked)
    assert (code, "no resource-based policy allows the sts:AssumeRole action" in text) == ("AccessDenied", True)
    asked["RoleArn"] = f"{ROLE}/nobodys"
    code, text = refused(site.client("sts", keys).assume_role, **asked)
    assert (code, text) == ("AccessDenied", sentence(name, "sts:AssumeRole", f"{ROLE}/nobodys"))


def test_how_long_a_session_lasts_is_the_roles_to_say(site: Site) -> None:
    site.iam.create_role(
        RoleName="long", AssumeRolePolicyDocument=trust("sts:TagSession", AWS=ACCOUNT), MaxSessionDuration=7200
    )
    sts = site.serving.client("sts")
    asked: dict[str, Any] = {"RoleArn": f"{ROLE}/long", "RoleSessionName": "one"}
    assert sts.assume_role(**asked, DurationSeconds=7200)
    code, text = refused(sts.assume_role, **asked, DurationSeconds=7201)
    assert code == "ValidationError"
    assert text == "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    assert refused(sts.assume_role, **asked, Policy="{}")[0] == "MalformedPolicyDocument"
    tags = [{"Key": f"k{number}", "Value": "v" * 200} for number in range(20)]
    assert refused(sts.assume_role, **asked, Tags=tags)[0] == "PackedPolicyTooLarge"


def test_tags_of_a_session_are_those_of_its_principal(site: Site) -> None:
    team = {"StringEquals": {"aws:PrincipalTag/team": "a"}}
    site.iam.create_role(RoleName="tagged", AssumeRolePolicyDocument=trust("sts:TagSession", AWS=ACCOUNT))
    site.iam.put_role_policy(
        RoleName="tagged", PolicyName="own", PolicyDocument=document(allow("ecs:List*", Condition=team))
    )
    sts = site.serving.client("sts")
    asked: dict[str, Any] = {"RoleArn": f"{ROLE}/tagged", "RoleSessionName": "one"}
    for value, may in (("a", True), ("b", False)):
        made = sts.assume_role(**asked, Tags=[{"Key": "team", "Value": value}])
        ecs = site.session_client("ecs", made["Credentials"])
        if may:
            ecs.list_clusters()
        else:
            assert refused(ecs.list_clusters)[0] == "AccessDeniedException"


def test_a_users_session_may_what_the_user_may(site: Site) -> None:
    name, keys = site.user(allow("ecs:ListClusters"))
    made = site.client("sts", keys).get_session_token(DurationSeconds=900)["Credentials"]
    ecs = site.session_client("ecs", made)
    ecs.list_clusters()
    assert refused(ecs.delete_cluster, cluster="prod")[0] == "AccessDeniedException"
    who = site.session_client("sts", made).get_caller_identity()
    assert who["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/{name}"
    assert refused(site.session_client("iam", made).list_users)[0] == "InvalidClientTokenId"
    root = site.serving.client("sts").get_session_token()["Credentials"]
    assert site.session_client("ecs", root).list_clusters()["clusterArns"]
    assert refused(site.session_client("iam", root).list_users)[0] == "InvalidClientTokenId"


def test_a_key_of_another_user_is_out_of_reach(site: Site) -> None:
    own = f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}"
    _, keys = site.user(allow("iam:*AccessKey*", on=own))
    other, others = site.user(allow("ecs:ListClusters"))
    iam = site.client("iam", keys)
    named = {"AccessKeyId": others.access_key_id}
    assert refused(iam.delete_access_key, **named, UserName=other)[0] == "AccessDenied"
    assert refused(iam.delete_access_key, **named)[0] == "NoSuchEntity"
    assert refused(iam.update_access_key, **named, Status="Inactive")[0] == "NoSuchEntity"
    assert refused(iam.get_access_key_last_used, **named)[0] == "AccessDenied"
    assert site.client("ecs", others).list_clusters()
    iam.update_access_key(AccessKeyId=keys.access_key_id, Status="Inactive")


def test_a_deny_holds_by_whatever_name(site: Site) -> None:
    ec2 = site.serving.client("ec2")
    group = ec2.create_security_group(GroupName="kept", Description="d")["GroupId"]
    address = ec2.allocate_address()
    held = [f"arn:aws:ec2:*:*:security-group/{group}", f"arn:aws:ec2:*:*:elastic-ip/{address['AllocationId']}"]
    _, keys = site.user(allow("ec2:*"), deny("ec2:*", on=held))
    theirs = site.client("ec2", keys)
    for call, params in (
        (theirs.delete_security_group, {"GroupName": "kept"}),
        (theirs.delete_security_group, {"GroupId": group}),
        (theirs.release_address, {"AllocationId": address["AllocationId"]}),
    ):
        code, text = refused(call, **params)
        assert (code, "with an explicit deny in an identity-based policy" in text) == ("UnauthorizedOperation", True)


def test_nothing_is_encoded_in_refusals(site: Site) -> None:
    code, _ = refused(site.serving.client("sts").decode_authorization_message, EncodedMessage="x")
    assert code == "InvalidAuthorizationMessageException"


# ------------------------------------------------------------------------------------- where nobody's word is checked


def test_without_authentication_keys_name_who_calls() -> None:
    serving = furnished()
    with serving:
        site = Site(serving)
        name, keys = site.user(allow("ecs:ListClusters"))
        named = site.client("sts", keys).get_caller_identity()
        assert named["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/{name}"
        assert refused(site.client("ecs", keys).create_cluster)[0] == "AccessDeniedException"
        deploy = "arn:aws:iam::999999999999:role/deploy"
        made = serving.client("sts").assume_role(RoleArn=deploy, RoleSessionName="ci")
        session = site.session_client("sts", made["Credentials"]).get_caller_identity()
        assert (session["Account"], session["Arn"]) == (
            "999999999999",
            "arn:aws:sts::999999999999:assumed-role/deploy/ci",
        )
        site.session_client("ecs", made["Credentials"]).create_cluster(clusterName="theirs")
        assert not serving.client("ecs").list_clusters()["clusterArns"]


def test_identities_of_others_are_refused_with_a_sentence() -> None:
    with furnished() as serving:
        sts = serving.client("sts")
        asked = {"RoleArn": f"{ROLE}/any-role-of-it", "RoleSessionName": "one"}
        of_provider = "e30.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIn0.c2ln"
        code, text = refused(sts.assume_role_with_web_identity, **asked, WebIdentityToken=of_provider)
        assert code == "InvalidIdentityToken"
        assert text.startswith("No OpenIDConnect provider found in your account for https://id.example.com")
        assert refused(sts.assume_role_with_web_identity, **asked, WebIdentityToken="nonsense")[0] == code
        saml = {"RoleArn": f"{ROLE}/any-role-of-it", "PrincipalArn": f"{ROLE}/any-role-of-it", "SAMLAssertion": "YWJj"}
        assert refused(sts.assume_role_with_saml, **saml)[0] == code

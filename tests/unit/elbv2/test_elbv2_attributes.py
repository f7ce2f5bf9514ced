"""Attributes, tags, limits and security policies."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longshore.api import elbv2
from longshore.domain.elbv2.balancer import TrustStore
from longshore.domain.elbv2.balancer_attributes import (
    LOAD_BALANCER,
    TARGET_GROUP,
    Attribute,
    group_attributes,
    group_type,
    load_balancer_attributes,
)
from longshore.domain.elbv2.tls_policy import DEFAULT_POLICY, POLICIES
from tests.support.api import Api
from tests.support.balancers import ARN, PLACE, create_balancer, create_group, forward, listener_of, rule_of


@pytest.fixture
def api() -> Api:
    return Api(elbv2.OPERATIONS, service="elbv2")


def pairs(**attributes: str) -> list[dict[str, str]]:
    """Dots are written as two underscores."""
    return [{"Key": key.replace("__", "."), "Value": value} for key, value in attributes.items()]


def balancer_attributes(api: Api, arn: str) -> dict[str, str]:
    answer = api("DescribeLoadBalancerAttributes", LoadBalancerArn=arn)
    return {pair["Key"]: pair["Value"] for pair in answer["Attributes"]}


# ------------------------------------------------------------------------------------------------------ attributes


def test_every_attribute_has_its_default_until_it_is_set(api: Api) -> None:
    arn = create_balancer(api).arn
    before = balancer_attributes(api, arn)
    assert before["idle_timeout.timeout_seconds"] == "60"
    assert before["load_balancing.cross_zone.enabled"] == "true"
    changes = pairs(idle_timeout__timeout_seconds="4000", routing__http2__enabled="false")
    answer = api("ModifyLoadBalancerAttributes", LoadBalancerArn=arn, Attributes=changes)
    after = balancer_attributes(api, arn)
    assert {pair["Key"]: pair["Value"] for pair in answer["Attributes"]} == after
    changed = {key: value for key, value in after.items() if before[key] != value}
    assert changed == {"idle_timeout.timeout_seconds": "4000", "routing.http2.enabled": "false"}


def test_each_type_has_its_own_attributes(api: Api) -> None:
    network = balancer_attributes(api, create_balancer(api, Type="network").arn)
    assert network["load_balancing.cross_zone.enabled"] == "false"
    assert "idle_timeout.timeout_seconds" not in network
    by_http, by_tcp = (group_attributes(create_group(api, p.lower(), Protocol=p)) for p in ("HTTP", "TCP"))
    assert (by_http["stickiness.type"], by_tcp["stickiness.type"]) == ("lb_cookie", "source_ip")
    assert "proxy_protocol_v2.enabled" not in by_http
    assert by_tcp["preserve_client_ip.enabled"] == "false"
    instances = create_group(api, "instances", Protocol="TCP", TargetType="instance")
    assert group_attributes(instances)["preserve_client_ip.enabled"] == "false", "on AWS they do"


def test_ipv6_from_outside_is_denied_to_internal_load_balancers_until_it_is_set(api: Api) -> None:
    key = "ipv6.deny_all_igw_traffic"
    outer, inner = create_balancer(api, "outer"), create_balancer(api, "inner", Scheme="internal")
    network = create_balancer(api, "network", Type="network", Scheme="internal")
    assert [balancer_attributes(api, each.arn)[key] for each in (outer, inner, network)] == ["false", "true", "true"]
    api("ModifyLoadBalancerAttributes", LoadBalancerArn=inner.arn, Attributes=[{"Key": key, "Value": "false"}])
    assert balancer_attributes(api, inner.arn)[key] == "false"


WRONG: list[tuple[str, str, str]] = [
    ("idle_timeout.timeout_seconds", "0", "ValidationError"),
    ("idle_timeout.timeout_seconds", "4001", "ValidationError"),
    ("idle_timeout.timeout_seconds", "060", "ValidationError"),
    ("idle_timeout.timeout_seconds", "", "ValidationError"),
    ("client_keep_alive.seconds", "59", "ValidationError"),
    ("routing.http2.enabled", "True", "ValidationError"),
    ("load_balancing.cross_zone.enabled", "false", "ValidationError"),
    ("access_logs.s3.bucket", "Bucket", "ValidationError"),
    ("access_logs.s3.prefix", "../out", "ValidationError"),
    ("access_logs.s3.prefix", "a/..", "ValidationError"),
    ("access_logs.s3.prefix", "/etc", "ValidationError"),
    ("access_logs.s3.enabled", "true", "InvalidConfigurationRequest"),
    ("connection_logs.s3.enabled", "true", "InvalidConfigurationRequest"),
    ("dns_record.client_routing_policy", "any_availability_zone", "InvalidConfigurationRequest"),
    ("colour", "red", "ValidationError"),
]


@pytest.mark.parametrize(("key", "value", "code"), WRONG)
def test_what_a_load_balancer_can_not_be(api: Api, key: str, value: str, code: str) -> None:
    arn = create_balancer(api).arn
    attributes = [{"Key": key, "Value": value}]
    assert api.error("ModifyLoadBalancerAttributes", LoadBalancerArn=arn, Attributes=attributes).code == code


@pytest.mark.parametrize(
    ("protocol", "attributes", "code"),
    [
        ("HTTP", pairs(slow_start__duration_seconds="29"), "ValidationError"),
        ("HTTP", pairs(stickiness__type="source_ip"), "ValidationError"),
        ("TCP", pairs(stickiness__type="lb_cookie"), "ValidationError"),
        ("TCP", pairs(slow_start__duration_seconds="30"), "InvalidConfigurationRequest"),
        ("TLS", pairs(stickiness__enabled="true"), "InvalidConfigurationRequest"),
        ("HTTP", pairs(stickiness__enabled="true", stickiness__type="app_cookie"), "InvalidConfigurationRequest"),
        ("HTTP", pairs(stickiness__app_cookie__cookie_name="AWSALBX"), "ValidationError"),
        ("HTTP", pairs(stickiness__app_cookie__cookie_name="a b"), "ValidationError"),
        (
            "HTTP",
            pairs(slow_start__duration_seconds="30", load_balancing__algorithm__type="weighted_random"),
            "InvalidConfigurationRequest",
        ),
        ("HTTP", pairs(load_balancing__algorithm__anomaly_mitigation="on"), "InvalidConfigurationRequest"),
        ("HTTP", [*pairs(stickiness__enabled="true"), *pairs(stickiness__enabled="false")], "ValidationError"),
        ("HTTP", pairs(deregistration_delay__timeout_seconds="3601"), "ValidationError"),
        ("TCP", pairs(preserve_client_ip__enabled="true"), "InvalidConfigurationRequest"),
        ("HTTP", [{}], "ValidationError"),
    ],
)
def test_what_a_target_group_can_not_be(api: Api, protocol: str, attributes: list[Any], code: str) -> None:
    arn = create_group(api, Protocol=protocol).arn
    assert api.error("ModifyTargetGroupAttributes", TargetGroupArn=arn, Attributes=attributes).code == code


def test_network_load_balancers_that_are_to_log_are_refused(api: Api) -> None:
    arn = create_balancer(api, Type="network").arn
    wanted = pairs(access_logs__s3__bucket="logs", access_logs__s3__enabled="true")
    error = api.error("ModifyLoadBalancerAttributes", LoadBalancerArn=arn, Attributes=wanted)
    assert error.code == "InvalidConfigurationRequest"
    assert "Only application load balancers log" in error.message


def test_stickiness_by_a_cookie_of_the_application_needs_its_name(api: Api) -> None:
    arn = create_group(api).arn
    name = pairs(stickiness__app_cookie__cookie_name="SESSION")
    sticky = pairs(stickiness__enabled="true", stickiness__type="app_cookie")
    api("ModifyTargetGroupAttributes", TargetGroupArn=arn, Attributes=name)
    api("ModifyTargetGroupAttributes", TargetGroupArn=arn, Attributes=sticky)
    answer = api("DescribeTargetGroupAttributes", TargetGroupArn=arn)
    for pair in (*name, *sticky):
        assert pair in answer["Attributes"]


@pytest.mark.parametrize("table", [LOAD_BALANCER, TARGET_GROUP])
def test_every_default_is_accepted_and_every_key_stands_once_for_a_type(table: tuple[Attribute, ...]) -> None:
    for each in table:
        assert each.accepts(each.default), each.key
        assert not (each.inert and each.refused), each.key
        assert each.takes
    keys = [(each.key, kind) for each in table for kind in each.types]
    assert len(keys) == len(set(keys))


def attributed(api: Api, kind: str) -> tuple[str, str, tuple[Attribute, ...], dict[str, str]]:
    """Something new of a type or a protocol: its noun, its ARN, the attributes it can have, and those it has."""
    if kind in {"application", "network"}:
        balancer = create_balancer(api, Type=kind)
        own = tuple(each for each in LOAD_BALANCER if balancer.type in each.types)
        return "LoadBalancer", balancer.arn, own, load_balancer_attributes(balancer)
    group = create_group(api, Protocol=kind)
    own = tuple(each for each in TARGET_GROUP if group_type(group) in each.types)
    return "TargetGroup", group.arn, own, group_attributes(group)


@settings(deadline=None)
@given(st.sampled_from(("application", "network", "HTTP", "HTTPS", "TCP", "TLS")), st.data())
def test_what_is_set_is_described_and_changes_nothing_else(kind: str, data: st.DataObject) -> None:
    api = Api(elbv2.OPERATIONS, service="elbv2")
    noun, arn, own, before = attributed(api, kind)
    each = data.draw(st.sampled_from(own))
    numbers = st.integers(each.least - 1, max(each.most, each.least) + 1).map(str)
    value = data.draw(st.one_of(st.sampled_from(each.words or ("",)), numbers, st.text(max_size=20)))
    asked = {f"{noun}Arn": arn, "Attributes": [{"Key": each.key, "Value": value}]}
    if not each.accepts(value) or (each.refused and value != each.default):
        assert api.error(f"Modify{noun}Attributes", **asked).code in {"ValidationError", "InvalidConfigurationRequest"}
    elif (each.key, value) not in {("access_logs.s3.enabled", "true"), ("stickiness.enabled", "true")}:
        answer = api(f"Modify{noun}Attributes", **asked)["Attributes"]
        assert {pair["Key"]: pair["Value"] for pair in answer} == {**before, each.key: value}
        assert api(f"Describe{noun}Attributes", **{f"{noun}Arn": arn})["Attributes"] == answer


# ------------------------------------------------------------------------------------------------------------ tags


def test_tags_of_all_five_kinds_and_of_a_default_rule(api: Api) -> None:
    group, balancer = create_group(api), create_balancer(api)
    listener = listener_of(balancer, forward(group))
    rule = rule_of(listener, 1, forward(group))
    store = TrustStore(**PLACE, store_id="0123456789abcdef", name="ca", bundle_pem="", created_at=0.0)
    api.put(listener, rule, store)
    arns = [balancer.arn, group.arn, listener.arn, listener.default_rule_arn, rule.arn, store.arn]
    for number, arn in enumerate(arns):
        api("AddTags", ResourceArns=[arn], Tags=[{"Key": "n", "Value": str(number)}])
    api("AddTags", ResourceArns=arns, Tags=[{"Key": "both", "Value": "yes"}, {"Key": "empty"}])
    api("RemoveTags", ResourceArns=arns, TagKeys=["empty", "never"])
    described = api("DescribeTags", ResourceArns=[*arns, arns[0]])["TagDescriptions"]
    assert [each["ResourceArn"] for each in described] == arns
    for number, each in enumerate(described):
        assert each["Tags"] == [{"Key": "n", "Value": str(number)}, {"Key": "both", "Value": "yes"}]


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        (f"{ARN}loadbalancer/app/front/0123456789abcdef", "LoadBalancerNotFound"),
        (f"{ARN}targetgroup/web/0123456789abcdef", "TargetGroupNotFound"),
        (f"{ARN}listener/app/front/0123456789abcdef/0123456789abcdef", "ListenerNotFound"),
        (f"{ARN}listener-rule/app/front/0123456789abcdef/0123456789abcdef/0123456789abcdef", "RuleNotFound"),
        (f"{ARN}truststore/ca/0123456789abcdef", "TrustStoreNotFound"),
        (f"{ARN}loadbalancer/front", "ValidationError"),
        (f"{ARN}queue/front", "ValidationError"),
        ("arn:aws:ecs:us-east-1:123456789012:cluster/default", "ValidationError"),
        ("front", "ValidationError"),
    ],
)
def test_tags_of_what_is_not_there(api: Api, arn: str, code: str) -> None:
    group = create_group(api)
    asked = {"ResourceArns": [group.arn, arn]}
    assert api.error("DescribeTags", **asked).code == code
    assert api.error("AddTags", **asked, Tags=[{"Key": "a", "Value": "b"}]).code == code
    assert api.error("RemoveTags", **asked, TagKeys=["a"]).code == code


def test_tags_have_limits(api: Api) -> None:
    arns = [create_group(api).arn]
    api("AddTags", ResourceArns=arns, Tags=[{"Key": f"k{n}"} for n in range(50)])
    api("AddTags", ResourceArns=arns, Tags=[{"Key": "k1", "Value": "again"}])
    assert api.error("AddTags", ResourceArns=arns, Tags=[{"Key": "more"}]).code == "TooManyTags"
    assert api.error("AddTags", ResourceArns=arns, Tags=[{"Key": "k1"}, {"Key": "k1"}]).code == "DuplicateTagKeys"
    assert api.error("AddTags", ResourceArns=arns, Tags=[{"Key": "AWS:x"}]).code == "ValidationError"
    assert api.error("DescribeTags", ResourceArns=[]).code == "ValidationError"
    assert api.error("DescribeTags", ResourceArns=[f"{arns[0]}{n}" for n in range(21)]).code == "ValidationError"


# -------------------------------------------------------------------------------------------- limits and policies


def test_account_limits_page(api: Api) -> None:
    whole = api("DescribeAccountLimits")["Limits"]
    assert {"Name": "targets-per-application-load-balancer", "Max": "1000"} in whole
    first = api("DescribeAccountLimits", PageSize=5)
    second = api("DescribeAccountLimits", PageSize=400, Marker=first["NextMarker"])
    assert [*first["Limits"], *second["Limits"]] == whole


def test_the_default_security_policy(api: Api) -> None:
    (policy,) = api("DescribeSSLPolicies", Names=[DEFAULT_POLICY])["SslPolicies"]
    assert policy["SslProtocols"] == ["TLSv1.2", "TLSv1.1", "TLSv1"]
    assert policy["Ciphers"][0] == {"Name": "ECDHE-ECDSA-AES128-GCM-SHA256", "Priority": 1}
    assert policy["Ciphers"][-1] == {"Name": "AES256-SHA", "Priority": 18}
    assert policy["SupportedLoadBalancerTypes"] == ["application", "network"]


@pytest.mark.parametrize(
    ("name", "protocols", "ciphers"),
    [
        ("TLS13-1-3-2021-06", "TLSv1.3", 3),
        ("TLS13-1-3-FIPS-2023-04", "TLSv1.3", 2),
        ("TLS13-1-2-Res-PQ-2025-09", "TLSv1.3 TLSv1.2", 7),
        ("TLS13-1-2-2021-06", "TLSv1.3 TLSv1.2", 11),
        ("TLS13-1-2-Ext0-FIPS-2023-04", "TLSv1.3 TLSv1.2", 14),
        ("TLS13-1-2-Ext1-2021-06", "TLSv1.3 TLSv1.2", 15),
        ("TLS13-1-2-Ext2-FIPS-PQ-2025-09", "TLSv1.3 TLSv1.2", 20),
        ("TLS13-1-0-2021-06", "TLSv1.3 TLSv1.2 TLSv1.1 TLSv1", 21),
        ("TLS-1-2-2017-01", "TLSv1.2", 12),
        ("FS-1-2-Res-2020-10", "TLSv1.2", 4),
        ("FS-1-1-2019-08", "TLSv1.2 TLSv1.1", 12),
    ],
)
def test_policies_offer_as_many_ciphers_as_on_aws(name: str, protocols: str, ciphers: int) -> None:
    policy = POLICIES[f"ELBSecurityPolicy-{name}"]
    assert " ".join(policy.protocols) == protocols
    assert len(policy.ciphers) == len(set(policy.ciphers)) == ciphers


def test_policies_of_a_type_and_by_name(api: Api) -> None:
    listed = {
        kind: {each["Name"] for each in api("DescribeSSLPolicies", LoadBalancerType=kind)["SslPolicies"]}
        for kind in ("application", "network", "gateway")
    }
    assert listed["network"] - listed["application"] == {"ELBSecurityPolicy-2015-05"}
    assert listed["gateway"] == set()
    assert api.error("DescribeSSLPolicies", Names=["ELBSecurityPolicy-1999"]).code == "SSLPolicyNotFound"
    first = api("DescribeSSLPolicies", PageSize=30)
    rest = api("DescribeSSLPolicies", PageSize=30, Marker=first["NextMarker"])
    assert [each["Name"] for each in (*first["SslPolicies"], *rest["SslPolicies"])] == sorted(POLICIES)

"""What load balancer drivers are told, from what users asked for."""

from typing import Any

import pytest

from longshore.api import elbv2
from longshore.decide.elbv2.balancing import plan_of
from longshore.domain.elbv2.balancer import Listener, LoadBalancer, Rule, TargetGroup, TrustStore
from longshore.domain.elbv2.balancing import (
    BalancerPlan,
    CertificatePlan,
    Forward,
    GroupPlan,
    HostPort,
    ListenerPlan,
    MutualTls,
    WeightedGroup,
)
from tests.support.api import VPC_CIDR, Api
from tests.support.balancers import PLACE, create_balancer, create_group, forward, listener_of, rule_of

PEM = "-----BEGIN CERTIFICATE-----"
CERTIFICATE_ARN = "arn:aws:acm:us-east-1:123456789012:certificate/c1"
CERTIFICATE = CertificatePlan(certificate_id="c1", pem=PEM)


@pytest.fixture
def api() -> Api:
    return Api(elbv2.OPERATIONS, service="elbv2")


def plan(
    api: Api,
    certificates: dict[str, CertificatePlan] | None = None,
    aliases: dict[str, frozenset[str]] | None = None,
) -> BalancerPlan:
    read = api.store
    return plan_of(
        read.all(LoadBalancer),
        read.all(Listener),
        read.all(Rule),
        read.all(TargetGroup),
        certificates or {},
        read.all(TrustStore),
        {"vpc-1": VPC_CIDR},
        aliases or {},
    )


def only_listener(api: Api, certificates: dict[str, CertificatePlan] | None = None) -> ListenerPlan:
    (balancer,) = plan(api, certificates).load_balancers
    (listener,) = balancer.listeners
    return listener


def set_attributes(api: Api, of: LoadBalancer | TargetGroup, **attributes: str) -> None:
    """Dots are written as two underscores."""
    noun = "LoadBalancer" if isinstance(of, LoadBalancer) else "TargetGroup"
    pairs = [{"Key": key.replace("__", "."), "Value": value} for key, value in attributes.items()]
    api(f"Modify{noun}Attributes", **{f"{noun}Arn": of.arn}, Attributes=pairs)


def only_group(api: Api, group: TargetGroup, balancer: LoadBalancer | None = None) -> GroupPlan:
    api.put(listener_of(balancer or create_balancer(api), forward(group)))
    (made,) = plan(api).groups
    return made


def test_a_load_balancer_alone(api: Api) -> None:
    balancer = create_balancer(api)
    (made,) = plan(api).load_balancers
    assert (made.lb_id, made.path, made.dns_name) == (balancer.lb_id, balancer.path, balancer.dns_name)
    assert (made.vpc_id, made.vpc_cidr) == ("vpc-1", VPC_CIDR)
    assert made.addresses == tuple(zone.address for zone in balancer.zones)
    assert (made.idle_timeout_s, made.keepalive_s, made.http2) == (60, 3600, True)
    assert made.listeners == ()
    assert plan(api).groups == ()


def test_attributes_of_a_load_balancer_reach_the_plan(api: Api) -> None:
    set_attributes(
        api,
        create_balancer(api),
        idle_timeout__timeout_seconds="9",
        client_keep_alive__seconds="90",
        routing__http2__enabled="false",
        routing__http__drop_invalid_header_fields__enabled="true",
        routing__http__xff_header_processing__mode="remove",
        routing__http__xff_client_port__enabled="true",
        routing__http__preserve_host_header__enabled="true",
        routing__http__x_amzn_tls_version_and_cipher_suite__enabled="true",
        access_logs__s3__enabled="true",
        access_logs__s3__bucket="logs",
        access_logs__s3__prefix="front/a",
    )
    (made,) = plan(api).load_balancers
    assert (made.idle_timeout_s, made.keepalive_s, made.http2, made.drop_invalid_headers) == (9, 90, False, True)
    assert (made.forwarded_for, made.forwarded_for_port, made.preserve_host) == ("remove", True, True)
    assert made.tls_headers
    assert (made.access_log_bucket, made.access_log_prefix) == ("logs", "front/a")


def test_names_that_lead_to_load_balancers_are_in_the_plan(api: Api) -> None:
    one, two = create_balancer(api, "one"), create_balancer(api, "two")
    group = create_group(api)
    secure = listener_of(one, forward(group), port=443, protocol="HTTPS", certificates=(CERTIFICATE_ARN,))
    api.put(listener_of(one, forward(group)), listener_of(two, forward(group)), secure)
    certificate = CertificatePlan(certificate_id="c1", pem=PEM, names=("one.test",))
    made = plan(api, {CERTIFICATE_ARN: certificate}, {two.dns_name: frozenset({"two.test"})}).host_ports
    listeners = {each.lb_id: each.listeners[0].listener_id for each in plan(api).load_balancers}
    assert made == (
        HostPort(port=80, names=(("one.test", listeners[one.lb_id]), ("two.test", listeners[two.lb_id]))),
        HostPort(port=443, every=secure.listener_id),
    )


def test_headers_of_a_listener_are_in_the_plan(api: Api) -> None:
    plain = listener_of(create_balancer(api), forward(create_group(api)))
    api.put(plain)
    made = only_listener(api)
    assert (made.header_names, made.response_headers, made.server_header) == ((), (), True)
    changes = {
        "routing.http.response.x_frame_options.header_value": "DENY",
        "routing.http.response.server.enabled": "false",
        "routing.http.request.x_amzn_tls_version.header_name": "X-Tls",
    }
    api.put(plain.but(protocol="HTTPS", attributes=changes))
    made = only_listener(api)
    assert made.header_names == (("X-Amzn-Tls-Version", "X-Tls"),)
    assert (made.response_headers, made.server_header) == ((("X-Frame-Options", "DENY"),), False)


def test_access_logs_that_are_off_go_nowhere(api: Api) -> None:
    set_attributes(api, create_balancer(api), access_logs__s3__bucket="logs")
    assert plan(api).load_balancers[0].access_log_bucket == ""


def test_rules_come_by_priority_and_the_default_one_last(api: Api) -> None:
    group = create_group(api)
    listener = listener_of(create_balancer(api), forward(group))
    api.put(listener, *(rule_of(listener, priority, forward(group)) for priority in (30, 4, 200)))
    rules = only_listener(api).rules
    assert [rule.rule_id for rule in rules[:-1]] == [f"{priority:016x}" for priority in (4, 30, 200)]
    assert (rules[-1].rule_id, rules[-1].conditions) == (listener.default_rule_id, ())


def test_forwarding_to_several_groups_by_weight(api: Api) -> None:
    one, two, unused = (create_group(api, name) for name in ("one", "two", "three"))
    api.put(listener_of(create_balancer(api), forward(one, two, weight=3, sticky_s=60)))
    weighted = tuple(WeightedGroup(group_id=group.group_id, weight=3) for group in (one, two))
    assert only_listener(api).rules[0].action == Forward(groups=weighted, stickiness_s=60)
    assert {group.group_id for group in plan(api).groups} == {one.group_id, two.group_id}
    assert unused.group_id not in {group.group_id for group in plan(api).groups}


def secure(api: Api, **changes: Any) -> None:
    balancer = create_balancer(api)
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
    certificates = (CERTIFICATE_ARN, "arn:aws:acm:us-east-1:123456789012:certificate/gone")
    api.put(listener_of(balancer, answer, protocol="HTTPS", port=443, certificates=certificates, **changes))


def test_certificates_that_a_listener_has_are_in_the_plan(api: Api) -> None:
    secure(api, ssl_policy="ELBSecurityPolicy-2016-08")
    known = {CERTIFICATE_ARN: CERTIFICATE, "other": CertificatePlan(certificate_id="c2", pem=PEM)}
    listener = only_listener(api, known)
    assert (listener.certificates, listener.ssl_policy) == (("c1",), "ELBSecurityPolicy-2016-08")
    assert listener.alpn == ("h2", "http/1.1")
    assert plan(api, known).certificates == (CERTIFICATE,)


def test_the_default_certificate_is_told_once(api: Api) -> None:
    secure(api)
    (made,) = api.store.all(Listener)
    api.put(made.but(certificates=(CERTIFICATE_ARN, CERTIFICATE_ARN)))
    assert only_listener(api, {CERTIFICATE_ARN: CERTIFICATE}).certificates == ("c1",)


def test_without_http2_it_is_not_offered(api: Api) -> None:
    secure(api)
    set_attributes(api, next(api.store.all(LoadBalancer)), routing__http2__enabled="false")
    assert only_listener(api).alpn == ("http/1.1",)


def test_clients_are_checked_against_the_trust_store(api: Api) -> None:
    revocation = {"RevocationId": 1, "RevocationType": "CRL", "NumberOfRevokedEntries": 1, "Pem": "crl"}
    store = TrustStore(
        **PLACE, store_id="0123456789abcdef", name="ca", bundle_pem=PEM, revocations=(revocation,), created_at=0.0
    )
    api.put(store)
    verify = {"Mode": "verify", "TrustStoreArn": store.arn, "IgnoreClientCertificateExpiry": True}
    secure(api, mutual_authentication=verify)
    checked = MutualTls(mode="verify", bundle_pem=PEM, revocations_pem=("crl",), ignore_expiry=True)
    assert only_listener(api).mutual_tls == checked
    with api.transaction() as tx:
        tx.delete(TrustStore, store.key)
    assert only_listener(api).mutual_tls == MutualTls(mode="verify", ignore_expiry=True)


@pytest.mark.parametrize(
    ("document", "expected"),
    [({}, None), ({"Mode": "off"}, None), ({"Mode": "passthrough"}, MutualTls(mode="passthrough"))],
)
def test_clients_that_are_not_checked(api: Api, document: dict[str, Any], expected: MutualTls | None) -> None:
    secure(api, mutual_authentication=document)
    assert only_listener(api).mutual_tls == expected


def test_a_listener_of_a_network_load_balancer(api: Api) -> None:
    balancer, group = create_balancer(api, Type="network"), create_group(api, Protocol="TLS")
    tls: dict[str, Any] = {
        "protocol": "TLS",
        "alpn_policy": "HTTP2Preferred",
        "attributes": {"tcp.idle_timeout.seconds": "70"},
    }
    api.put(listener_of(balancer, forward(group), **tls))
    listener = only_listener(api)
    assert (listener.protocol, listener.tcp_idle_timeout_s) == ("TLS", 70)
    assert listener.alpn == ("h2", "http/1.1", "http/1.0")
    (made,) = plan(api).groups
    assert (made.layer, made.tls, made.protocol_version, made.idle_timeout_s) == ("tcp", True, "", 70)
    assert not made.proxy_protocol


def test_a_group_and_its_check(api: Api) -> None:
    group = create_group(
        api, Protocol="HTTPS", HealthCheckPort="81", HealthCheckPath="/up", Matcher={"HttpCode": "200,301-302"}
    )
    set_attributes(api, group, load_balancing__algorithm__type="least_outstanding_requests")
    balancer = create_balancer(api)
    set_attributes(api, balancer, idle_timeout__timeout_seconds="5")
    made = only_group(api, group, balancer)
    assert (made.layer, made.tls, made.protocol_version) == ("http", True, "HTTP1")
    assert (made.algorithm, made.slow_start_s, made.idle_timeout_s) == ("least_outstanding_requests", 0, 5)
    check = made.check
    assert (check.protocol, check.port, check.path, check.grpc) == ("HTTP", 81, "/up", False)
    assert check.codes == ((200, 200), (301, 302))
    assert (check.interval_s, check.timeout_s, check.healthy_threshold, check.unhealthy_threshold) == (30, 5, 5, 2)


def test_checks_by_grpc_and_by_tcp(api: Api) -> None:
    grpc = only_group(api, create_group(api, ProtocolVersion="GRPC", Matcher={"GrpcCode": "0-99"}))
    assert (grpc.check.grpc, grpc.check.codes, grpc.check.port) == (True, ((0, 99),), None)
    other = Api(elbv2.OPERATIONS, service="elbv2")
    balancer = create_balancer(other, Type="network")
    tcp = only_group(other, create_group(other, Protocol="TCP"), balancer)
    assert (tcp.check.protocol, tcp.check.codes, tcp.check.path) == ("TCP", (), "")


@pytest.mark.parametrize(
    ("protocol", "attributes", "expected"),
    [
        ("HTTP", {}, ("", 0, "")),
        ("HTTP", {"stickiness.type": "lb_cookie"}, ("lb_cookie", 86400, "")),
        ("HTTP", {"stickiness.lb_cookie.duration_seconds": "60"}, ("lb_cookie", 60, "")),
        (
            "HTTP",
            {
                "stickiness.type": "app_cookie",
                "stickiness.app_cookie.cookie_name": "SESSION",
                "stickiness.app_cookie.duration_seconds": "90",
            },
            ("app_cookie", 90, "SESSION"),
        ),
        ("TCP", {"stickiness.type": "source_ip"}, ("source_ip", 0, "")),
    ],
)
def test_stickiness(api: Api, protocol: str, attributes: dict[str, str], expected: tuple[str, int, str]) -> None:
    group = create_group(api, Protocol=protocol)
    enabled = {"stickiness.enabled": "true"} if attributes else {}
    set_attributes(api, group, **{key.replace(".", "__"): value for key, value in {**enabled, **attributes}.items()})
    balancer = create_balancer(api, Type="application" if protocol == "HTTP" else "network")
    made = only_group(api, group, balancer)
    assert (made.stickiness, made.stickiness_s, made.cookie_name) == expected


def test_attributes_of_a_network_group(api: Api) -> None:
    group = create_group(api, Protocol="TCP", TargetType="instance")
    set_attributes(api, group, proxy_protocol_v2__enabled="true")
    made = only_group(api, group, create_balancer(api, Type="network"))
    assert made.proxy_protocol

"""Listeners through their handlers: created, described, changed; their certificates and attributes."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from longshore.api import elbv2
from longshore.api.elbv2.limits import LIMITS
from longshore.domain.ec2.network import Vpc
from longshore.domain.elbv2.balancer import Listener, LoadBalancer, Rule, TargetGroup
from longshore.domain.elbv2.listener_attributes import request_header_names, response_headers
from tests.support.api import SCOPE, Api
from tests.support.balancers import create_balancer, create_group, import_certificate

ANSWER = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
KEPT_ANSWER = {**ANSWER, "Order": 1}


@pytest.fixture
def api() -> Api:
    return Api(elbv2.OPERATIONS, service="elbv2")


@pytest.fixture
def balancer(api: Api) -> LoadBalancer:
    return create_balancer(api)


@pytest.fixture
def network(api: Api) -> LoadBalancer:
    return create_balancer(api, "net", Type="network")


def create(api: Api, balancer: LoadBalancer, action: dict[str, Any] = ANSWER, **params: Any) -> dict[str, Any]:
    asked: dict[str, Any] = {"Protocol": "HTTP", "Port": 80, "DefaultActions": [action], **params}
    (made,) = api("CreateListener", LoadBalancerArn=balancer.arn, **asked)["Listeners"]
    shown: dict[str, Any] = made
    return shown


def secure(api: Api, balancer: LoadBalancer, action: dict[str, Any] = ANSWER, **params: Any) -> dict[str, Any]:
    protocol = "HTTPS" if balancer.type == "application" else "TLS"
    asked = {"Protocol": protocol, "Port": 443, **params}
    asked.setdefault("Certificates", [{"CertificateArn": import_certificate(api)}])
    return create(api, balancer, action, **asked)


def refusal(api: Api, balancer: LoadBalancer, **params: Any) -> tuple[str, str]:
    asked: dict[str, Any] = {"Protocol": "HTTP", "Port": 80, "DefaultActions": [ANSWER], **params}
    error = api.error("CreateListener", LoadBalancerArn=balancer.arn, **asked)
    return error.code, error.message


def forward(*groups: TargetGroup, **changes: Any) -> dict[str, Any]:
    return {
        "Type": "forward",
        "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": g.arn} for g in groups], **changes},
    }


# What is answered


def test_an_http_listener_is_described_as_it_was_made(api: Api, balancer: LoadBalancer) -> None:
    group = create_group(api)
    made = create(api, balancer, {"Type": "forward", "TargetGroupArn": group.arn}, Tags=[{"Key": "a", "Value": "b"}])
    arn = made["ListenerArn"]
    assert arn.startswith(balancer.arn.replace(":loadbalancer/", ":listener/") + "/")
    assert made == {
        "ListenerArn": arn,
        "LoadBalancerArn": balancer.arn,
        "Port": 80,
        "Protocol": "HTTP",
        "DefaultActions": [
            {
                "Type": "forward",
                "Order": 1,
                "TargetGroupArn": group.arn,
                "ForwardConfig": {
                    "TargetGroups": [{"TargetGroupArn": group.arn, "Weight": 1}],
                    "TargetGroupStickinessConfig": {"Enabled": False},
                },
            }
        ],
    }
    assert api("DescribeListeners", ListenerArns=[arn])["Listeners"] == [made]
    assert api("DescribeListeners", LoadBalancerArn=balancer.arn)["Listeners"] == [made]
    assert api("DescribeTags", ResourceArns=[arn])["TagDescriptions"][0]["Tags"] == [{"Key": "a", "Value": "b"}]


def test_an_https_listener_has_a_policy_a_certificate_and_no_client_certificates(
    api: Api, balancer: LoadBalancer
) -> None:
    arn = import_certificate(api)
    made = secure(api, balancer, Certificates=[{"CertificateArn": arn}])
    assert made["Certificates"] == [{"CertificateArn": arn}]
    assert made["SslPolicy"] == "ELBSecurityPolicy-2016-08"
    assert made["MutualAuthentication"] == {"Mode": "off"}
    assert "AlpnPolicy" not in made


def test_a_tls_listener_keeps_its_alpn_policy(api: Api, network: LoadBalancer) -> None:
    group = create_group(api, Protocol="TLS", Port=443)
    made = secure(api, network, forward(group), AlpnPolicy=["HTTP2Preferred"])
    assert made["AlpnPolicy"] == ["HTTP2Preferred"]
    assert "MutualAuthentication" not in made


def test_forwarding_to_several_groups_keeps_weights_and_stickiness(api: Api, balancer: LoadBalancer) -> None:
    one, two = create_group(api, "one"), create_group(api, "two")
    config = {
        "TargetGroups": [{"TargetGroupArn": one.arn, "Weight": 9}, {"TargetGroupArn": two.arn, "Weight": 0}],
        "TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 60},
    }
    (action,) = create(api, balancer, {"Type": "forward", "ForwardConfig": config})["DefaultActions"]
    assert action == {"Type": "forward", "Order": 1, "ForwardConfig": config}


def test_a_redirect_is_answered_whole(api: Api, balancer: LoadBalancer) -> None:
    asked = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
    (action,) = create(api, balancer, {"Type": "redirect", "RedirectConfig": asked})["DefaultActions"]
    own = {"Host": "#{host}", "Path": "/#{path}", "Query": "#{query}"}
    assert action == {"Type": "redirect", "Order": 1, "RedirectConfig": {**asked, **own}}


# Created twice


def test_the_same_listener_can_be_created_twice(api: Api, balancer: LoadBalancer) -> None:
    made = create(api, balancer, Tags=[{"Key": "a", "Value": "b"}])
    assert create(api, balancer, Tags=[{"Key": "a", "Value": "b"}]) == made
    assert refusal(api, balancer, Protocol="HTTP")[0] == "DuplicateListener"
    own = [{"CertificateArn": import_certificate(api)}]
    made = secure(api, balancer, Certificates=own)
    more = [{"CertificateArn": import_certificate(api, "b.example.com")}]
    api("AddListenerCertificates", ListenerArn=made["ListenerArn"], Certificates=more)
    assert secure(api, balancer, Certificates=own) == made
    assert len(list(api.store.all(Listener))) == 2


# Refusals


@pytest.mark.parametrize(
    ("params", "code", "text"),
    [
        ({"Protocol": None}, "ValidationError", "A listener protocol must be specified"),
        ({"Port": None}, "ValidationError", "A listener port must be specified"),
        ({"Protocol": "TCP"}, "UnsupportedProtocol", "HTTP or HTTPS"),
        ({"Protocol": "UDP"}, "UnsupportedProtocol", "no datagrams"),
        ({"Protocol": "HTTPS"}, "ValidationError", "A certificate must be specified for HTTPS listeners"),
        ({"SslPolicy": "ELBSecurityPolicy-2016-08"}, "InvalidConfigurationRequest", "HTTP listeners"),
        ({"AlpnPolicy": ["None"]}, "InvalidConfigurationRequest", "HTTP listeners"),
        ({"MutualAuthentication": {"Mode": "passthrough"}}, "InvalidConfigurationRequest", "Mutual authentication"),
        ({"DefaultActions": []}, "ValidationError", "An action must be specified"),
        ({"DefaultActions": [ANSWER, ANSWER]}, "InvalidLoadBalancerAction", "exactly one"),
        ({"DefaultActions": [{"Type": "jwt-validation"}]}, "InvalidLoadBalancerAction", "don't authenticate"),
        ({"Tags": [{"Key": "a"}, {"Key": "a"}]}, "DuplicateTagKeys", "more than once"),
    ],
)
def test_what_no_http_listener_can_be(
    api: Api, balancer: LoadBalancer, params: dict[str, Any], code: str, text: str
) -> None:
    found = refusal(api, balancer, **params)
    assert (found[0], text in found[1]) == (code, True), found


def test_authentication_is_refused_by_its_configuration_too(api: Api, balancer: LoadBalancer) -> None:
    cognito = {"UserPoolArn": "a", "UserPoolClientId": "b", "UserPoolDomain": "c"}
    action = {**ANSWER, "AuthenticateCognitoConfig": cognito}
    assert refusal(api, balancer, DefaultActions=[action])[0] == "InvalidLoadBalancerAction"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"SslPolicy": "ELBSecurityPolicy-none"}, "SSLPolicyNotFound"),
        ({"SslPolicy": "ELBSecurityPolicy-2015-05"}, "SSLPolicyNotFound"),
        ({"AlpnPolicy": ["HTTP2Only"]}, "InvalidConfigurationRequest"),
        ({"Certificates": [{}]}, "ValidationError"),
        ({"Certificates": [{"CertificateArn": "x"}]}, "CertificateNotFound"),
        ({"Certificates": [{"CertificateArn": "arn:aws:iam::1:server-certificate/a"}]}, "CertificateNotFound"),
        (
            {"Certificates": [{"CertificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/a"}]},
            "CertificateNotFound",
        ),
        ({"MutualAuthentication": {"Mode": "always"}}, "ValidationError"),
        ({"MutualAuthentication": {"Mode": "verify"}}, "ValidationError"),
        ({"MutualAuthentication": {"Mode": "off", "TrustStoreArn": "x"}}, "ValidationError"),
        ({"MutualAuthentication": {"Mode": "verify", "TrustStoreArn": "x"}}, "ValidationError"),
    ],
)
def test_what_no_https_listener_can_be(api: Api, balancer: LoadBalancer, params: dict[str, Any], code: str) -> None:
    good = {"Protocol": "HTTPS", "Port": 443, "Certificates": [{"CertificateArn": import_certificate(api)}]}
    assert refusal(api, balancer, **{**good, **params})[0] == code


def test_certificates_must_be_one_and_strong(api: Api, balancer: LoadBalancer) -> None:
    one, two = {"CertificateArn": import_certificate(api)}, {"CertificateArn": import_certificate(api)}
    https = {"Protocol": "HTTPS", "Port": 443}
    assert refusal(api, balancer, **https, Certificates=[one, two])[0] == "TooManyCertificates"
    assert refusal(api, balancer, **https, Certificates=[{**one, "IsDefault": True}])[0] == "ValidationError"
    short = rsa.generate_private_key(65537, 1024)  # noqa: S505  that it is too short is what is tested
    weak = {"CertificateArn": import_certificate(api, key=short)}
    assert refusal(api, balancer, **https, Certificates=[weak])[0] == "UnsupportedCertificate"


@pytest.mark.parametrize(
    ("action", "code"),
    [
        ({"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301"}}, "InvalidLoadBalancerAction"),
        (
            {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Protocol": "HTTP", "Host": "x.y"}},
            "InvalidLoadBalancerAction",
        ),
        (
            {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Protocol": "HTTPS", "Port": "443"}},
            "InvalidLoadBalancerAction",
        ),
        ({"Type": "redirect"}, "ValidationError"),
        ({"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Path": "x"}}, "ValidationError"),
        ({"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Path": "/#{query}"}}, "ValidationError"),
        ({"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Port": "0"}}, "ValidationError"),
        ({"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Query": "?a"}}, "ValidationError"),
        ({"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Host": "a\r\nb"}}, "ValidationError"),
        ({"Type": "fixed-response"}, "ValidationError"),
        (
            {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "ContentType": "image/png"}},
            "ValidationError",
        ),
        (
            {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "MessageBody": "é" * 513}},
            "ValidationError",
        ),
        (
            {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "MessageBody": "a\0b"}},
            "ValidationError",
        ),
        ({**ANSWER, "TargetGroupArn": "x"}, "ValidationError"),
        ({**ANSWER, "RedirectConfig": {"StatusCode": "HTTP_301"}}, "ValidationError"),
        ({"Type": "forward"}, "ValidationError"),
        ({"Type": "forward", "TargetGroupArn": "x"}, "ValidationError"),
    ],
)
def test_actions_that_no_https_listener_has(
    api: Api, balancer: LoadBalancer, action: dict[str, Any], code: str
) -> None:
    certificates = [{"CertificateArn": import_certificate(api)}]
    https = {"Protocol": "HTTPS", "Port": 443, "Certificates": certificates}
    assert refusal(api, balancer, **https, DefaultActions=[action])[0] == code


def test_names_of_authorities_are_not_sent(api: Api, balancer: LoadBalancer) -> None:
    mutual = {"Mode": "off", "AdvertiseTrustStoreCaNames": "on"}
    assert "not sent to clients" in refusal(api, balancer, MutualAuthentication=mutual)[1]


# Target groups


def test_groups_must_be_there_and_fit(api: Api, balancer: LoadBalancer, network: LoadBalancer) -> None:
    gone = create_group(api, "gone")
    api("DeleteTargetGroup", TargetGroupArn=gone.arn)
    assert refusal(api, balancer, DefaultActions=[forward(gone)])[0] == "TargetGroupNotFound"
    raw = create_group(api, "raw", Protocol="TCP")
    assert refusal(api, balancer, DefaultActions=[forward(raw)])[0] == "IncompatibleProtocols"
    grpc = create_group(api, "grpc", ProtocolVersion="GRPC")
    found = refusal(api, balancer, DefaultActions=[forward(grpc)])
    assert (found[0], "GRPC" in found[1]) == ("InvalidConfigurationRequest", True)
    secure(api, balancer, forward(grpc))
    api.put(Vpc(account=SCOPE.account, region=SCOPE.region, vpc_id="vpc-2", cidr="10.0.0.0/16"))
    far = create_group(api, "far", VpcId="vpc-2")
    assert refusal(api, balancer, DefaultActions=[forward(far)])[0] == "InvalidConfigurationRequest"
    tls = create_group(api, "tls", Protocol="TLS")
    assert refusal(api, network, Protocol="TCP", DefaultActions=[forward(tls)])[0] == "IncompatibleProtocols"
    secure(api, network, forward(raw))


def test_a_group_has_one_load_balancer(api: Api, balancer: LoadBalancer) -> None:
    group = create_group(api)
    create(api, balancer, forward(group))
    create(api, balancer, forward(group), Port=81)
    other = create_balancer(api, "other")
    found = refusal(api, other, DefaultActions=[forward(group)])
    assert (found[0], group.arn in found[1]) == ("TargetGroupAssociationLimit", True)


def test_an_action_has_at_most_five_groups_and_a_load_balancer_a_hundred(api: Api, balancer: LoadBalancer) -> None:
    groups = [create_group(api, f"g{number}") for number in range(101)]
    found = refusal(api, balancer, DefaultActions=[forward(*groups[:6])])
    assert found[0] == "TooManyTargetGroups"
    for number in range(20):
        create(api, balancer, forward(*groups[number * 5 : number * 5 + 5]), Port=1000 + number)
    found = refusal(api, balancer, DefaultActions=[forward(groups[100])])
    assert found[0] == "TooManyUniqueTargetGroupsPerLoadBalancer"
    create(api, balancer, forward(groups[0]))


def test_network_listeners_forward_to_one_group_without_stickiness(api: Api, network: LoadBalancer) -> None:
    one, two = create_group(api, "one", Protocol="TCP"), create_group(api, "two", Protocol="TCP")
    assert refusal(api, network, Protocol="TCP")[0] == "InvalidLoadBalancerAction"
    both = forward(one, two)
    assert refusal(api, network, Protocol="TCP", DefaultActions=[both])[0] == "InvalidLoadBalancerAction"
    sticky = forward(one, TargetGroupStickinessConfig={"Enabled": True, "DurationSeconds": 1})
    assert refusal(api, network, Protocol="TCP", DefaultActions=[sticky])[0] == "InvalidLoadBalancerAction"
    create(api, network, forward(one), Protocol="TCP")


def test_there_are_so_many_listeners_and_no_more(api: Api, balancer: LoadBalancer) -> None:
    most = LIMITS["listeners-per-application-load-balancer"]
    for number in range(most):
        create(api, balancer, Port=1000 + number)
    assert refusal(api, balancer)[0] == "TooManyListeners"
    assert create(api, balancer, Port=1000)["Port"] == 1000


# Changes


def test_what_is_not_given_stays(api: Api, balancer: LoadBalancer) -> None:
    arn = create(api, balancer)["ListenerArn"]
    group = create_group(api)
    (changed,) = api("ModifyListener", ListenerArn=arn, DefaultActions=[forward(group)])["Listeners"]
    assert (changed["Port"], changed["DefaultActions"][0]["TargetGroupArn"]) == (80, group.arn)
    (changed,) = api("ModifyListener", ListenerArn=arn, Port=8080)["Listeners"]
    assert (changed["Port"], changed["DefaultActions"][0]["TargetGroupArn"]) == (8080, group.arn)


def test_tls_comes_and_goes_with_the_protocol(api: Api, balancer: LoadBalancer) -> None:
    arn = create(api, balancer)["ListenerArn"]
    error = api.error("ModifyListener", ListenerArn=arn, Protocol="HTTPS")
    assert (error.code, "certificate" in error.message) == ("ValidationError", True)
    first, second, third = (import_certificate(api, f"{name}.example.com") for name in "abc")
    api("ModifyListener", ListenerArn=arn, Protocol="HTTPS", Certificates=[{"CertificateArn": first}])
    api("AddListenerCertificates", ListenerArn=arn, Certificates=[{"CertificateArn": second}])
    policy = "ELBSecurityPolicy-TLS13-1-2-2021-06"
    (changed,) = api("ModifyListener", ListenerArn=arn, SslPolicy=policy)["Listeners"]
    assert (changed["SslPolicy"], changed["Certificates"]) == (policy, [{"CertificateArn": first}])
    api("ModifyListener", ListenerArn=arn, Certificates=[{"CertificateArn": third}])
    views = api("DescribeListenerCertificates", ListenerArn=arn)["Certificates"]
    assert views == [{"CertificateArn": third, "IsDefault": True}, {"CertificateArn": second, "IsDefault": False}]
    (changed,) = api("ModifyListener", ListenerArn=arn, Protocol="HTTP")["Listeners"]
    assert set(changed) == {"ListenerArn", "LoadBalancerArn", "Port", "Protocol", "DefaultActions"}


def test_a_change_must_suit_the_rules(api: Api, balancer: LoadBalancer) -> None:
    arn = create(api, balancer)["ListenerArn"]
    to_443 = {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Port": "443"}}
    condition = {"Field": "path-pattern", "Values": ["/a"]}
    api("CreateRule", ListenerArn=arn, Priority=1, Conditions=[condition], Actions=[to_443])
    assert api.error("ModifyListener", ListenerArn=arn, Port=443).code == "InvalidLoadBalancerAction"
    api("ModifyListener", ListenerArn=arn, Port=444)
    create(api, balancer, Port=445)
    assert api.error("ModifyListener", ListenerArn=arn, Port=445).code == "DuplicateListener"


def test_a_deleted_listener_is_gone_with_its_rules(api: Api, balancer: LoadBalancer) -> None:
    arn = create(api, balancer)["ListenerArn"]
    condition = {"Field": "path-pattern", "Values": ["/a"]}
    api("CreateRule", ListenerArn=arn, Priority=1, Conditions=[condition], Actions=[ANSWER])
    api("DeleteListener", ListenerArn=arn)
    assert (list(api.store.all(Listener)), list(api.store.all(Rule))) == ([], [])
    assert api.error("DeleteListener", ListenerArn=arn).code == "ListenerNotFound"


def test_listeners_are_asked_for_in_one_way(api: Api, balancer: LoadBalancer) -> None:
    arns = sorted(create(api, balancer, Port=port)["ListenerArn"] for port in (80, 81, 82))
    both = {"LoadBalancerArn": balancer.arn, "ListenerArns": arns}
    assert api.error("DescribeListeners").code == "ValidationError"
    assert api.error("DescribeListeners", **both).code == "ValidationError"
    assert api.error("DescribeListeners", ListenerArns=[arns[0] + "0"]).code == "ListenerNotFound"
    first = api("DescribeListeners", LoadBalancerArn=balancer.arn, PageSize=2)
    marker = first["NextMarker"]
    rest = api("DescribeListeners", LoadBalancerArn=balancer.arn, PageSize=2, Marker=marker)
    assert [each["ListenerArn"] for each in (*first["Listeners"], *rest["Listeners"])] == arns


# Certificates and attributes


def test_certificates_come_and_go_beside_the_default_one(api: Api, balancer: LoadBalancer) -> None:
    default, other = import_certificate(api), import_certificate(api, "b.example.com")
    arn = secure(api, balancer, Certificates=[{"CertificateArn": default}])["ListenerArn"]
    both = [{"CertificateArn": default}, {"CertificateArn": other}]
    for _ in range(2):
        added = api("AddListenerCertificates", ListenerArn=arn, Certificates=both)["Certificates"]
        assert [each["IsDefault"] for each in added] == [False, False]
    views = api("DescribeListenerCertificates", ListenerArn=arn)["Certificates"]
    assert [each["IsDefault"] for each in views] == [True, False, False]
    api("RemoveListenerCertificates", ListenerArn=arn, Certificates=both)
    views = api("DescribeListenerCertificates", ListenerArn=arn)["Certificates"]
    assert views == [{"CertificateArn": default, "IsDefault": True}]
    error = api.error("RemoveListenerCertificates", ListenerArn=arn, Certificates=[{"CertificateArn": default}])
    assert error.code == "OperationNotPermitted"
    many = [{"CertificateArn": import_certificate(api, f"n{number}.example.com")} for number in range(26)]
    assert api.error("AddListenerCertificates", ListenerArn=arn, Certificates=many).code == "TooManyCertificates"
    api("AddListenerCertificates", ListenerArn=arn, Certificates=many[:25])


def test_a_listener_without_tls_has_no_certificates(api: Api, balancer: LoadBalancer) -> None:
    arn = create(api, balancer)["ListenerArn"]
    given = [{"CertificateArn": import_certificate(api)}]
    error = api.error("AddListenerCertificates", ListenerArn=arn, Certificates=given)
    assert error.code == "InvalidConfigurationRequest"
    assert api("DescribeListenerCertificates", ListenerArn=arn)["Certificates"] == []


def attributes(api: Api, arn: str) -> dict[str, str]:
    pairs = api("DescribeListenerAttributes", ListenerArn=arn)["Attributes"]
    return {pair["Key"]: pair["Value"] for pair in pairs}


def test_each_protocol_has_its_attributes(api: Api, balancer: LoadBalancer, network: LoadBalancer) -> None:
    raw = create_group(api, Protocol="TCP")
    http = attributes(api, create(api, balancer)["ListenerArn"])
    https = attributes(api, secure(api, balancer)["ListenerArn"])
    assert http["routing.http.response.server.enabled"] == "true"
    assert set(http) < set(https)
    assert https["routing.http.request.x_amzn_tls_version.header_name"] == "X-Amzn-Tls-Version"
    tcp = create(api, network, forward(raw), Protocol="TCP")["ListenerArn"]
    assert attributes(api, tcp) == {"tcp.idle_timeout.seconds": "350"}
    assert attributes(api, secure(api, network, forward(raw))["ListenerArn"]) == {}


def test_the_idle_timeout_changes_and_goes_with_the_protocol(api: Api, network: LoadBalancer) -> None:
    raw = create_group(api, Protocol="TCP")
    arn = create(api, network, forward(raw), Protocol="TCP")["ListenerArn"]
    pair = {"Key": "tcp.idle_timeout.seconds", "Value": "60"}
    assert api("ModifyListenerAttributes", ListenerArn=arn, Attributes=[pair])["Attributes"] == [pair]
    assert attributes(api, arn) == {"tcp.idle_timeout.seconds": "60"}
    (made,) = api.store.all(Listener)
    assert made.attributes == {"tcp.idle_timeout.seconds": "60"}
    api("ModifyListener", ListenerArn=arn, Protocol="TLS", Certificates=[{"CertificateArn": import_certificate(api)}])
    assert attributes(api, arn) == {}
    (made,) = api.store.all(Listener)
    assert made.attributes == {}


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("none", "1", "ValidationError"),
        ("tcp.idle_timeout.seconds", "60", "InvalidConfigurationRequest"),
        ("routing.http.request.x_amzn_tls_version.header_name", "X-Amzn-Tls-Version", "InvalidConfigurationRequest"),
        ("routing.http.response.server.enabled", "no", "ValidationError"),
        ("routing.http.response.x_frame_options.header_value", 'a"b', "ValidationError"),
        ("routing.http.response.x_frame_options.header_value", "a\r\nb", "ValidationError"),
        ("routing.http.response.x_frame_options.header_value", "a" * 1025, "ValidationError"),
    ],
)
def test_attributes_that_an_http_listener_does_not_take(
    api: Api, balancer: LoadBalancer, key: str, value: str, code: str
) -> None:
    arn = create(api, balancer)["ListenerArn"]
    pairs = [{"Key": key, "Value": value}]
    assert api.error("ModifyListenerAttributes", ListenerArn=arn, Attributes=pairs).code == code


def set_attributes(api: Api, arn: str, **values: str) -> dict[str, str]:
    """Of headers in requests and answers; what is said of each is all that tells it."""
    keys = {name: f"routing.http.{name.replace('__', '.')}" for name in values}
    pairs = [{"Key": keys[name], "Value": value} for name, value in values.items()]
    answer = api("ModifyListenerAttributes", ListenerArn=arn, Attributes=pairs)["Attributes"]
    return {pair["Key"]: pair["Value"] for pair in answer if pair["Key"] in keys.values()}


def test_headers_of_answers_are_set_and_reset(api: Api, balancer: LoadBalancer) -> None:
    arn = create(api, balancer)["ListenerArn"]
    hsts, server = "response__strict_transport_security__header_value", "response__server__enabled"
    age = "max-age=31536000; includeSubDomains"
    assert set_attributes(api, arn, **{hsts: age, server: "false"}) == {
        "routing.http.response.strict_transport_security.header_value": age,
        "routing.http.response.server.enabled": "false",
    }
    (made,) = api.store.all(Listener)
    assert response_headers(made) == {"Strict-Transport-Security": age}
    set_attributes(api, arn, **{hsts: ""})
    (made,) = api.store.all(Listener)
    assert response_headers(made) == {}


def test_headers_about_client_certificates_are_renamed_each_to_a_name_of_its_own(
    api: Api, balancer: LoadBalancer
) -> None:
    arn = secure(api, balancer)["ListenerArn"]
    subject = "request__x_amzn_mtls_clientcert_subject__header_name"
    issuer = "request__x_amzn_mtls_clientcert_issuer__header_name"
    set_attributes(api, arn, **{subject: "X-Client_Subject"})
    (made,) = api.store.all(Listener)
    changed = {usual: name for usual, name in request_header_names(made).items() if usual != name}
    assert changed == {"X-Amzn-Mtls-Clientcert-Subject": "X-Client_Subject"}
    for name, text in (("x-client_subject", "same name"), ("Host", "requests have"), ("X-Forwarded-For", "requests")):
        pair = {"Key": "routing.http.request.x_amzn_mtls_clientcert_issuer.header_name", "Value": name}
        error = api.error("ModifyListenerAttributes", ListenerArn=arn, Attributes=[pair])
        assert error.code == "InvalidConfigurationRequest"
        assert text in error.message
    told = set_attributes(api, arn, **{subject: "", issuer: "x-client_subject"})
    assert list(told.values()) == ["x-client_subject", "X-Amzn-Mtls-Clientcert-Subject"]

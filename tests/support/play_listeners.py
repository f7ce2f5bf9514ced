"""Each operation of ELBv2 on listeners, rules, certificates and trust stores, with each member that it serves."""

from collections.abc import Callable
from typing import Any, NamedTuple

from tests.support.api import Api
from tests.support.balancers import import_certificate
from tests.support.certificates import make, revoking

Call = Callable[..., dict[str, Any]]
TAGS = [{"Key": "k", "Value": "v"}]


class Stage(NamedTuple):
    """What listeners need: ARNs."""

    balancer: str
    network: str
    group: str
    raw: str
    store: str


def play_listeners(call: Call, api: Api) -> None:
    """All of it."""
    stage = _stage(call)
    arn = _listeners(call, api, stage)
    _rules(call, arn, _forward(stage.group))
    call("DeleteListener", ListenerArn=arn)
    _trust_stores(call, stage.store)


def _stage(call: Call) -> Stage:
    balancer = call("CreateLoadBalancer", Name="l", Subnets=["subnet-a", "subnet-b"])["LoadBalancers"][0]
    network = call("CreateLoadBalancer", Name="m", Subnets=["subnet-a"], Type="network")["LoadBalancers"][0]
    basic = {"Port": 80, "VpcId": "vpc-1", "TargetType": "ip"}
    group = call("CreateTargetGroup", Name="w", Protocol="HTTP", **basic)["TargetGroups"][0]
    raw = call("CreateTargetGroup", Name="x", Protocol="TCP", **basic)["TargetGroups"][0]
    store = call("CreateTrustStore", Name="t", Tags=TAGS, **_bundle())["TrustStores"][0]
    return Stage(
        balancer["LoadBalancerArn"],
        network["LoadBalancerArn"],
        group["TargetGroupArn"],
        raw["TargetGroupArn"],
        store["TrustStoreArn"],
    )


def _bundle() -> dict[str, str]:
    pem = make("root", ca=True).pem.decode()
    return {"CaCertificatesBundleS3Bucket": "inline", "CaCertificatesBundleS3Key": pem}


def _forward(group: str) -> dict[str, Any]:
    sticky = {"Enabled": True, "DurationSeconds": 1}
    config = {"TargetGroups": [{"TargetGroupArn": group, "Weight": 1}], "TargetGroupStickinessConfig": sticky}
    return {"Type": "forward", "Order": 1, "TargetGroupArn": group, "ForwardConfig": config}


def _other_actions() -> list[dict[str, Any]]:
    redirect = {"Protocol": "HTTPS", "Port": "444", "Host": "h", "Path": "/", "Query": "", "StatusCode": "HTTP_301"}
    answer = {"StatusCode": "200", "ContentType": "text/plain", "MessageBody": "m"}
    return [
        {"Type": "redirect", "RedirectConfig": redirect},
        {"Type": "fixed-response", "FixedResponseConfig": answer},
    ]


def _listeners(call: Call, api: Api, stage: Stage) -> str:
    certificate, second = import_certificate(api), import_certificate(api)
    tls = {"Certificates": [{"CertificateArn": certificate}], "SslPolicy": "ELBSecurityPolicy-2016-08"}
    mutual = {"Mode": "verify", "IgnoreClientCertificateExpiry": True, "TrustStoreArn": stage.store}
    https = {"Protocol": "HTTPS", "Port": 443, "MutualAuthentication": mutual, **tls}
    made = call(
        "CreateListener", LoadBalancerArn=stage.balancer, DefaultActions=[_forward(stage.group)], Tags=TAGS, **https
    )
    arn: str = made["Listeners"][0]["ListenerArn"]
    for port, action in enumerate(_other_actions(), 81):
        call("CreateListener", LoadBalancerArn=stage.balancer, Protocol="HTTP", Port=port, DefaultActions=[action])
    for action in (*_other_actions(), _forward(stage.group)):
        call("ModifyListener", ListenerArn=arn, DefaultActions=[action], **https)
    to_raw = [{"Type": "forward", "TargetGroupArn": stage.raw}]
    plain = {"Protocol": "TLS", "Port": 443, "DefaultActions": to_raw, "AlpnPolicy": ["None"], **tls}
    raw: str = call("CreateListener", LoadBalancerArn=stage.network, **plain)["Listeners"][0]["ListenerArn"]
    call("ModifyListener", ListenerArn=raw, **plain)
    call("ModifyListener", ListenerArn=raw, Protocol="TCP")
    idle = [{"Key": "tcp.idle_timeout.seconds", "Value": "60"}]
    call("ModifyListenerAttributes", ListenerArn=raw, Attributes=idle)
    call("DescribeListenerAttributes", ListenerArn=raw)
    call("DescribeListeners", ListenerArns=[arn])
    call("DescribeListeners", LoadBalancerArn=stage.balancer)
    call("AddListenerCertificates", ListenerArn=arn, Certificates=[{"CertificateArn": second}])
    call("DescribeListenerCertificates", ListenerArn=arn)
    call("RemoveListenerCertificates", ListenerArn=arn, Certificates=[{"CertificateArn": second}])
    return arn


def _rules(call: Call, listener: str, forward: dict[str, Any]) -> None:
    actions = [*_other_actions(), forward]
    rules = [
        call("CreateRule", ListenerArn=listener, Priority=number, Actions=[each], Tags=TAGS, **_parts(number))["Rules"][
            0
        ]
        for number, each in enumerate(actions, 1)
    ]
    rule = rules[0]["RuleArn"]
    for number, each in enumerate(actions, 1):
        call("ModifyRule", RuleArn=rule, Actions=[each], **_parts(number))
    call("ModifyRule", RuleArn=rule, ResetTransforms=True)
    call("SetRulePriorities", RulePriorities=[{"RuleArn": rule, "Priority": 9}])
    call("DescribeRules", ListenerArn=listener)
    call("DescribeRules", RuleArns=[rule])
    call("DeleteRule", RuleArn=rule)


def _parts(number: int) -> dict[str, Any]:
    """Conditions and transforms of a rule, all their members in three of them."""
    header = {"HttpHeaderName": "X"}
    conditions: dict[int, list[dict[str, Any]]] = {
        1: [
            {"Field": "host-header", "HostHeaderConfig": {"RegexValues": ["a"]}},
            {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a"]}},
            {"Field": "http-header", "HttpHeaderConfig": {**header, "Values": ["a"]}},
            {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "k", "Value": "v"}]}},
        ],
        2: [
            {"Field": "host-header", "HostHeaderConfig": {"Values": ["a.b"]}},
            {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["/a"]}},
            {"Field": "http-header", "HttpHeaderConfig": {**header, "RegexValues": ["a"]}},
            {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}},
            {"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"]}},
        ],
        3: [{"Field": "path-pattern", "Values": ["/a"]}, {"Field": "host-header", "RegexValues": ["a"]}],
    }
    rewrites = {"Rewrites": [{"Regex": "a", "Replace": "b"}]}
    transforms = [
        {"Type": "url-rewrite", "UrlRewriteConfig": rewrites},
        {"Type": "host-header-rewrite", "HostHeaderRewriteConfig": rewrites},
    ]
    return {"Conditions": conditions[number], "Transforms": transforms}


def _trust_stores(call: Call, store: str) -> None:
    call("ModifyTrustStore", TrustStoreArn=store, **_bundle())
    call("DescribeTrustStores", Names=["t"])
    call("DescribeTrustStores", TrustStoreArns=[store])
    call("DescribeTrustStoreAssociations", TrustStoreArn=store)
    revocation = {"S3Bucket": "inline", "S3Key": revoking(make("root", ca=True), 1), "RevocationType": "CRL"}
    call("AddTrustStoreRevocations", TrustStoreArn=store, RevocationContents=[revocation])
    call("DescribeTrustStoreRevocations", TrustStoreArn=store, RevocationIds=[1])
    call("RemoveTrustStoreRevocations", TrustStoreArn=store, RevocationIds=[1])
    call("DeleteTrustStore", TrustStoreArn=store)

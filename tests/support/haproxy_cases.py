"""Plans that between them use everything the renderer knows."""

from longshore.domain.elbv2.balancing import (
    CertificatePlan,
    Condition,
    FixedResponse,
    Forward,
    HostPort,
    MutualTls,
    Redirect,
    Rewrite,
    WeightedGroup,
)
from longshore.drivers.haproxy.render import Settings, Share
from longshore.drivers.haproxy.slots import EMPTY, Slot
from tests.support.plans import balancer, check, forward, group, listener, path, plan, rule, text

SETTINGS = Settings(
    folder="/run/longshore/test",
    cookie_key="key",
    shares=(Share("127.0.0.1", 80, 80), Share("::1", 80, 80), Share("127.0.0.1", 8443, 443)),
    access_logs=True,
)
SLOTS = (
    Slot("10.0.0.1", 80, serving=True, registered=True),
    Slot("10.0.0.2", 8080, registered=True),
    Slot("10.0.0.3", 80),
    EMPTY,
)
LAYOUT = dict.fromkeys(("0a", "0b", "0c", "0d"), SLOTS)
HOSTILE = "a\"b'c $HOME %[src] \\ # {x}\n\x01é"
CERTIFICATE = CertificatePlan(certificate_id="c1", pem="CERTIFICATE AND KEY\n")

CONDITIONS = (
    rule(forward("0a"), Condition(field="host-header", values=("example.com", "*.example.org"))),
    rule(
        forward("0b"),
        path("/api/*", "/exact", "*.png", "/a?c*"),
        Condition(field="http-request-method", values=("GET",)),
    ),
    rule(forward("0a"), Condition(field="host-header", regexes=("^[a-z]+\\.test$",))),
    rule(
        text("q"),
        Condition(field="query-string", pairs=(("version", "v*"), ("", "any"), ("a\\*b", "?"))),
        Condition(field="source-ip", values=("10.0.0.0/8", "192.0.2.1/32")),
    ),
    rule(text(HOSTILE), Condition(field="http-header", name="X-It's", values=(f"*{HOSTILE}*",), regexes=(HOSTILE,))),
    rule(text("no answer with this code has a body", 204), path("/204")),
    rule(FixedResponse(status=404)),
)
ACTIONS = (
    rule(Redirect(protocol="HTTPS", port="443", status=301), path("/1")),
    rule(Redirect(host="h-#{host}", path="/100%/#{path}", query="a=1&#{query}", status=302), path("/2")),
    rule(Redirect(query="", status=302), path("/3")),
    rule(Forward(groups=(WeightedGroup(group_id="0a", weight=9), WeightedGroup(group_id="0b"))), path("/4")),
    rule(forward("0a", "0b", stickiness_s=60), path("/5")),
    rule(Forward(groups=(WeightedGroup(group_id="0a", weight=0),)), path("/6")),
    rule(
        forward("0a"),
        path("/7"),
        rewrites=(
            Rewrite(what="host-header", regex="^(.*)\\.a$", replacement="$1.b"),
            Rewrite(what="url", regex="^/('7\"|,)(.*)", replacement="/$2\\$1"),
        ),
    ),
    rule(forward("0a")),
)
GROUPS = (
    group("0a", stickiness="lb_cookie", stickiness_s=60, slow_start_s=30),
    group("0b", stickiness="app_cookie", stickiness_s=60, cookie_name="SID", algorithm="least_outstanding_requests"),
)

CASES = {
    "plain": plan([balancer("10.0.0.9", listener(80))], [group(source="10.0.0.9")]),
    "shared": plan(
        [
            balancer("10.0.0.9", listener(80, listener_id="e1"), listener(443, protocol="TCP", listener_id="e2")),
            balancer("10.0.0.10", listener(80, listener_id="e3"), lb_id="b2"),
        ],
        [group()],
        host_ports=(
            HostPort(port=80, names=(("*.shop.test", "e3"), ("shop.test", "e1"), ("gone.test", "e9"))),
            HostPort(port=443, every="e2"),
        ),
    ),
    "conditions": plan([balancer("10.0.0.9", listener(8080, *CONDITIONS))], GROUPS),
    "actions": plan([balancer("10.0.0.9", listener(8080, *ACTIONS))], GROUPS),
    "attributes": plan(
        [
            balancer(
                "10.0.0.9",
                listener(81),
                http2=False,
                forwarded_for="append",
                forwarded_for_port=True,
                drop_invalid_headers=True,
                idle_timeout_s=7,
                keepalive_s=100,
                access_log_bucket="logs",
            ),
            balancer("10.0.0.10", listener(82), lb_id="b2", forwarded_for="remove", preserve_host=True),
            balancer("10.0.0.11", listener(83), lb_id="b3", forwarded_for="preserve"),
        ],
        [group(algorithm="weighted_random")],
    ),
    "secure": plan(
        [
            balancer(
                "10.0.0.9",
                listener(
                    443,
                    protocol="HTTPS",
                    certificates=("c1",),
                    ssl_policy="ELBSecurityPolicy-TLS13-1-2-2021-06",
                    alpn=("h2", "http/1.1"),
                ),
                listener(
                    8443,
                    protocol="HTTPS",
                    certificates=("c1",),
                    ssl_policy="ELBSecurityPolicy-2016-08",
                    mutual_tls=MutualTls(mode="passthrough"),
                ),
                listener(
                    8444,
                    protocol="HTTPS",
                    certificates=("c1",),
                    ssl_policy="ELBSecurityPolicy-FS-1-2-Res-2020-10",
                    mutual_tls=MutualTls(
                        mode="verify", bundle_pem="BUNDLE\n", revocations_pem=("CRL\n",), ignore_expiry=True
                    ),
                    header_names=(
                        ("X-Amzn-Mtls-Clientcert-Subject", "Client_Subject"),
                        ("X-Amzn-Tls-Version", "Tls-Version"),
                    ),
                    response_headers=(("Strict-Transport-Security", "max-age=9; includeSubDomains"),),
                    server_header=False,
                ),
                tls_headers=True,
            )
        ],
        [group(tls=True, protocol_version="HTTP2", check=check(protocol="HTTPS", port=99))],
        certificates=(CERTIFICATE,),
    ),
    "grpc": plan(
        [balancer("10.0.0.9", listener(80, rule(forward("0a"), path("/a")), rule(forward("0b"))))],
        [
            group("0a", protocol_version="GRPC", check=check(grpc=True, codes=((12, 12),))),
            group("0b", protocol_version="GRPC", check=check(grpc=True, codes=((0, 3), (12, 12)))),
        ],
    ),
    "network": plan(
        [
            balancer(
                "10.0.0.9",
                listener(5432, protocol="TCP", rules=(rule(forward("0a", "0b")),), tcp_idle_timeout_s=99),
                listener(
                    443,
                    protocol="TLS",
                    rules=(rule(forward("0c")),),
                    certificates=("c1",),
                    ssl_policy="ELBSecurityPolicy-2016-08",
                    alpn=("h2",),
                ),
                listener(444, protocol="TCP", rules=(rule(forward("0d")),)),
                type="network",
            )
        ],
        [
            group("0a", layer="tcp", protocol_version="", check=check(protocol="TCP", path=""), source="10.0.0.9"),
            group("0b", layer="tcp", protocol_version="", stickiness="source_ip", proxy_protocol=True),
            group("0c", layer="tcp", protocol_version="", tls=True, check=check(protocol="TLS", path="")),
            group("0d", layer="tcp", protocol_version="", check=check(enabled=False)),
        ],
        certificates=(CERTIFICATE,),
    ),
}

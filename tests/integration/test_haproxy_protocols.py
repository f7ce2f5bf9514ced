"""What can be spoken through a load balancer: TLS with SNI and ALPN, HTTP/2, gRPC, WebSockets, TCP."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from longshore.domain.elbv2.balancing import CertificatePlan, HostPort, MutualTls, TargetPlan
from longshore.domain.elbv2.tls_policy import POLICIES
from longshore.drivers.haproxy import http2
from longshore.drivers.haproxy.access_log import LogFolder
from tests.support import certificates
from tests.support.access_logs import lines_below
from tests.support.clock import HandClock
from tests.support.h2_target import H2Target
from tests.support.haproxy_rig import NET, planned, rig
from tests.support.plans import balancer, check, forward, group, listener, plan, rule, text
from tests.support.targets import Target, serving

if TYPE_CHECKING:
    from pathlib import Path

    from longshore.domain.elbv2.balancing import BalancerPlan

pytestmark = pytest.mark.haproxy
ADDRESS = f"{NET}.7.1"
ONE = certificates.make("one.test")
TWO = certificates.make("two.test", "*.wild.test")
CERTIFICATES = (
    CertificatePlan(certificate_id="c1", pem=ONE.bundle),
    CertificatePlan(certificate_id="c2", pem=TWO.bundle),
)
RSA = certificates.make("rsa.test", key=rsa.generate_private_key(public_exponent=65537, key_size=2048))
POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"


def secure(port: int = 8443, **fields: Any) -> Any:
    given = {
        "protocol": "HTTPS",
        "certificates": ("c1", "c2"),
        "ssl_policy": POLICY,
        "alpn": ("h2", "http/1.1"),
        **fields,
    }
    return listener(port, **given)


def client_context(*alpn: str, certificate: Path | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if certificate is not None:
        context.load_cert_chain(certificate)
    return context


async def common_name(name: str, port: int = 8443) -> str:
    """Whose certificate is shown for a name."""
    _, writer = await asyncio.open_connection(ADDRESS, port, ssl=client_context(), server_hostname=name)
    try:
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        subject = x509.load_der_x509_certificate(shown).subject
        return str(subject.rfc4514_string())
    finally:
        writer.transport.abort()


async def test_certificate_is_chosen_by_sni_and_replaced_by_a_plan() -> None:
    def version(*given: CertificatePlan) -> BalancerPlan:
        return plan([balancer(ADDRESS, secure(rules=(rule(text("x")),)))], [], certificates=given)

    async with rig() as it:
        assert await it.driver.apply(version(*CERTIFICATES)) == {}
        assert [await common_name(name) for name in ("one.test", "two.test", "a.wild.test", "none.test")] == [
            "CN=one.test",
            "CN=two.test",
            "CN=two.test",
            "CN=one.test",
        ]
        new = CertificatePlan(certificate_id="c1", pem=certificates.make("new.test").bundle)
        assert await it.driver.apply(version(new, CERTIFICATES[1])) == {}
        assert await common_name("none.test") == "CN=new.test"
        certs = it.driver.process.folder / "certs"
        assert len(list(certs.iterdir())) == 2
        assert {file.stat().st_mode & 0o777 for file in certs.iterdir()} == {0o600}
        assert certs.parent.stat().st_mode & 0o777 == 0o700


async def test_certificate_that_haproxy_refuses_leaves_the_one_before_at_work() -> None:
    def version(first: CertificatePlan) -> BalancerPlan:
        front = balancer(ADDRESS, secure(rules=(rule(text("x")),)))
        return plan([front], [], certificates=[first, CERTIFICATES[1]])

    broken = CertificatePlan(certificate_id="c1", pem=ONE.pem.decode())  # without its key
    async with rig() as it:
        assert await it.driver.apply(version(CERTIFICATES[0])) == {}
        problems = await it.driver.apply(version(broken))
        assert problems["b1"].serving
        assert await common_name("one.test") == "CN=one.test"


async def test_access_log_names_the_certificate_of_each_connection_and_clients_that_give_up(tmp_path: Path) -> None:
    arns = {"one.test": "arn:one", "two.test": "arn:two"}
    named = [
        CertificatePlan(certificate_id=each.certificate_id, arn=arn, pem=each.pem)
        for each, arn in zip(CERTIFICATES, arns.values(), strict=True)
    ]
    front = balancer(ADDRESS, secure(ssl_policy="ELBSecurityPolicy-TLS-1-2-2017-01"), access_log_bucket="logs")
    clock = HandClock(1_764_374_690.5)
    async with (
        rig(access_logs=LogFolder(tmp_path, clock, lambda: "0a1b2c3d")) as it,
        serving(one := Target("one", f"{NET}.8.1", 8000)),
    ):
        assert await it.driver.apply(plan([front], [group()], certificates=named)) == {}
        await it.healthy(planned(one))
        context, asked = client_context(), ("one.test", "two.test", "two.test")
        context.maximum_version = ssl.TLSVersion.TLSv1_2

        def ask(number: int, name: str, session: ssl.SSLSession | None) -> ssl.SSLSession | None:
            with (
                socket.create_connection((ADDRESS, 8443)) as plain,
                context.wrap_socket(plain, server_hostname=name, session=session) as connection,
            ):
                connection.sendall(f"GET /{number} HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
                assert connection.recv(12) == b"HTTP/1.1 200"
                assert connection.session_reused == (session is not None)
                return connection.session

        def give_up() -> None:
            with (
                socket.create_connection((ADDRESS, 8443)) as plain,
                context.wrap_socket(plain, server_hostname="one.test") as connection,
            ):
                connection.sendall(b"POST /cut HTTP/1.1\r\nHost: one.test\r\nContent-Length: 1000\r\n\r\nabc")

        await asyncio.to_thread(ask, 1, asked[0], None)
        session = await asyncio.to_thread(ask, 2, asked[1], None)
        await asyncio.to_thread(ask, 3, asked[2], session)
        await asyncio.to_thread(give_up)
        async with asyncio.timeout(20):
            while len(lines := lines_below(tmp_path / "logs")) < len(asked) + 1:  # noqa: ASYNC110  files say nothing
                await asyncio.sleep(0.1)
    for number, name in enumerate(asked, 1):
        (line,) = (each for each in lines if f"/{number} HTTP/1.1" in each)
        assert f' "{name}" "{arns[name]}" ' in line
    (cut,) = (each for each in lines if "/cut HTTP/1.1" in each)
    assert " 460 - " in cut


async def test_missing_certificate_fails_its_own_load_balancer_alone() -> None:
    other = balancer(f"{NET}.7.2", listener(8080, rule(text("other")), listener_id="e2"), lb_id="b2")
    async with rig() as it, httpx.AsyncClient() as client:
        problems = await it.driver.apply(plan([balancer(ADDRESS, secure()), other], [group()]))
        assert set(problems) == {"b1"}
        assert (await client.get(f"http://{NET}.7.2:8080")).text == "other"


async def curl(*arguments: str) -> str:
    """What curl prints; httpx speaks HTTP/1.1 only."""
    process = await asyncio.create_subprocess_exec(
        "curl", "-sk", "--max-time", "10", *arguments, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode()


async def test_http2_and_http11_clients_reach_the_same_target_over_tls() -> None:
    async with rig() as it, serving(one := Target("one", f"{NET}.8.1", 8000)):
        front = balancer(ADDRESS, secure(), tls_headers=True)
        await it.driver.apply(plan([front], [group()], certificates=CERTIFICATES))
        await it.healthy(planned(one))
        for flag, spoken in (("--http2", "2"), ("--http1.1", "1.1")):
            body, _, version = (await curl(flag, "-w", "\n%{http_version}", f"https://{ADDRESS}:8443/a")).rpartition(
                "\n"
            )
            seen = json.loads(body)
            assert (version, seen["target"], seen["path"]) == (spoken, "one", "/a")
            assert (seen["headers"]["x-forwarded-proto"], seen["headers"]["x-forwarded-port"]) == ("https", "8443")
            assert seen["headers"]["x-amzn-tls-version"] == "TLSv1.3"
            assert seen["headers"]["x-amzn-tls-cipher-suite"].startswith("TLS_")


async def test_http2_can_be_switched_off() -> None:
    async with rig() as it:
        front = balancer(ADDRESS, secure(rules=(rule(text("x")),), alpn=("http/1.1",)), http2=False)
        await it.driver.apply(plan([front], [], certificates=CERTIFICATES))
        assert await curl("--http2", "-w", "%{http_version}", f"https://{ADDRESS}:8443/") == "x1.1"


@pytest.mark.parametrize(
    ("policy", "offered", "works"),
    [
        (POLICY, ssl.TLSVersion.TLSv1_2, True),
        ("ELBSecurityPolicy-TLS13-1-3-2021-06", ssl.TLSVersion.TLSv1_2, False),
        ("ELBSecurityPolicy-TLS13-1-3-2021-06", ssl.TLSVersion.TLSv1_3, True),
        ("ELBSecurityPolicy-FS-1-2-Res-2020-10", ssl.TLSVersion.TLSv1_2, True),
        ("ELBSecurityPolicy-2016-08", ssl.TLSVersion.TLSv1_3, False),
    ],
)
async def test_security_policy_says_which_versions(policy: str, offered: ssl.TLSVersion, *, works: bool) -> None:
    context = client_context()
    context.minimum_version = context.maximum_version = offered
    async with rig() as it:
        front = balancer(ADDRESS, secure(rules=(rule(text("x")),), ssl_policy=policy))
        await it.driver.apply(plan([front], [], certificates=CERTIFICATES))
        try:
            _, writer = await asyncio.open_connection(ADDRESS, 8443, ssl=context)
        except (ssl.SSLError, ConnectionResetError):
            assert not works
        else:
            writer.transport.abort()
            assert works


@pytest.mark.parametrize(
    ("policy", "cipher", "works"),
    [
        ("ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04", "ECDHE-RSA-AES128-SHA256", True),
        ("ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04", "ECDHE-RSA-AES128-SHA", False),
        ("ELBSecurityPolicy-TLS-1-2-2017-01", "AES128-SHA256", True),
        ("ELBSecurityPolicy-TLS-1-2-2017-01", "AES128-SHA", False),
        ("ELBSecurityPolicy-FS-1-2-Res-2020-10", "ECDHE-RSA-AES128-GCM-SHA256", True),
        ("ELBSecurityPolicy-FS-1-2-Res-2020-10", "ECDHE-RSA-AES128-SHA256", False),
    ],
)
async def test_security_policy_says_which_ciphers(policy: str, cipher: str, *, works: bool) -> None:
    assert (cipher in POLICIES[policy].ciphers) is works
    context = client_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(cipher)
    async with rig() as it:
        front = balancer(ADDRESS, secure(certificates=("c3",), rules=(rule(text("x")),), ssl_policy=policy))
        certificate = CertificatePlan(certificate_id="c3", pem=RSA.bundle)
        assert await it.driver.apply(plan([front], [], certificates=(certificate,))) == {}
        try:
            _, writer = await asyncio.open_connection(ADDRESS, 8443, ssl=context)
        except (ssl.SSLError, ConnectionResetError):
            assert not works
        else:
            writer.transport.abort()
            assert works


async def call_grpc(status: int) -> dict[bytes, bytes]:
    """A call's `:status` and `grpc-status`, over TLS as ELBv2 demands for gRPC."""
    reader, writer = await asyncio.open_connection(ADDRESS, 8443, ssl=client_context("h2"), server_hostname="one.test")
    try:
        assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2"
        headers = [
            (":method", "POST"),
            (":scheme", "https"),
            (":path", f"/greeter/{status}"),
            (":authority", "one.test"),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
        ]
        return await http2.exchange(reader, writer, headers, b"\0" * 5, wanted=(b":status", b"grpc-status"))
    finally:
        writer.transport.abort()


async def called(event: asyncio.Event) -> None:
    """Wait for the next time."""
    event.clear()
    async with asyncio.timeout(20):
        await event.wait()


@pytest.mark.parametrize("message", [None, b"\0\0\0\0\2hi"])
async def test_grpc_call_goes_through_with_its_trailers(message: bytes | None) -> None:
    grpc = group(
        protocol_version="GRPC",
        check=check(grpc=True, path="/AWS.ALB/healthcheck", codes=((5, 7),), interval_s=1, timeout_s=1),
    )
    target = H2Target(f"{NET}.8.2", 8000, status=7, message=message)
    if message is not None:
        grpc = group(
            protocol_version="GRPC", check=check(grpc=True, path="/x", codes=((0, 12),), interval_s=1, timeout_s=1)
        )
    async with rig() as it, target.serving():
        await it.driver.apply(plan([balancer(ADDRESS, secure())], [grpc], certificates=CERTIFICATES))
        one = TargetPlan(group_id="0a", address=target.address, port=target.port)
        await it.healthy(one)
        assert await call_grpc(7) == {b":status": b"200", b"grpc-status": b"7"}
        for _ in range(2):  # HAProxy's own checks take it for healthy as well
            await called(target.called)
        assert it.state(one) == "healthy"


async def test_grpc_target_with_another_status_is_unhealthy_by_both_kinds_of_check() -> None:
    quick = check(grpc=True, path="/x", codes=((12, 12),), interval_s=1, timeout_s=1, unhealthy_threshold=1)
    target = H2Target(f"{NET}.8.2", 8000, status=5, message=None)
    async with rig() as it, target.serving():
        await it.driver.apply(
            plan(
                [balancer(ADDRESS, secure())], [group(protocol_version="GRPC", check=quick)], certificates=CERTIFICATES
            )
        )
        one = TargetPlan(group_id="0a", address=target.address, port=target.port)
        await it.driver.serve(one)
        report = await it.until(one, "unhealthy")
        assert report.description == "Health checks failed with these codes: [5]"
        target.status = 12
        await it.until(one, "healthy")
        target.status = 5
        report = await it.until(one, "unhealthy")
        assert report.reason == "Target.ResponseCodeMismatch"


async def test_targets_that_speak_tls_are_reached_and_checked() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    async with rig() as it, httpx.AsyncClient() as client:
        pem = it.driver.process.folder / "target.pem"
        pem.write_text(TWO.bundle)
        context.load_cert_chain(pem)
        one = Target("one", f"{NET}.8.3", 8000)
        quick = check(protocol="HTTPS", interval_s=1, timeout_s=1)
        async with serving(one, context=context):
            await it.driver.apply(plan([balancer(ADDRESS, listener(8080))], [group(tls=True, check=quick)]))
            await it.healthy(planned(one))
            assert (await client.get(f"http://{ADDRESS}:8080/")).json()["target"] == "one"
            for _ in range(2):
                await called(one.checked)
            assert it.state(planned(one)) == "healthy"
            assert {request.header("host") for request in one.checks} == {f"{NET}.8.3:8000"}


async def test_websocket_stays_open_over_a_reload_and_drains_when_it_is_closed() -> None:
    async with rig() as it, serving(one := Target("one", f"{NET}.8.4", 8000)):
        await it.driver.apply(plan([balancer(ADDRESS, listener(8080))], [group()]))
        await it.healthy(planned(one))
        echo = await asyncio.start_server(_websocket, f"{NET}.8.5", 8000)
        async with echo:
            socket = TargetPlan(group_id="0a", address=f"{NET}.8.5", port=8000)
            await it.driver.drain(planned(one))
            await it.healthy(socket)
            reader, writer = await asyncio.open_connection(ADDRESS, 8080)
            writer.write(
                b"GET /chat HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            )
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
            await it.driver.apply(plan([balancer(ADDRESS, listener(8080), listener(8081))], [group()]))
            await it.driver.drain(socket)
            writer.write(b"ping")
            assert await reader.readexactly(4) == b"ping"
            assert it.state(socket) == "healthy"
            writer.close()
            await it.until(socket, "drained")


async def _websocket(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accepts any upgrade and sends back what comes."""
    head = await reader.readuntil(b"\r\n\r\n")
    if b"upgrade: websocket" in head.lower():
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
        )
        while data := await reader.read(100):
            writer.write(data)
    else:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    writer.close()


async def test_idle_connection_of_a_client_ends() -> None:
    async with rig() as it:
        front = balancer(ADDRESS, listener(8080, rule(text("x"))), idle_timeout_s=1)
        await it.driver.apply(plan([front], []))
        reader, writer = await asyncio.open_connection(ADDRESS, 8080)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        async with asyncio.timeout(20):
            assert (await reader.read(-1)).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_old_connection_is_told_to_close() -> None:
    async with rig() as it, httpx.AsyncClient() as client:
        front = balancer(ADDRESS, listener(8080, rule(text("x"))), keepalive_s=0)
        await it.driver.apply(plan([front], []))
        assert (await client.get(f"http://{ADDRESS}:8080/")).headers["connection"] == "close"


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(100):
        writer.write(data)
    writer.close()


def tcp(group_id: str = "0a", **fields: Any) -> Any:
    given = {"layer": "tcp", "protocol_version": "", "check": check(protocol="TCP", path=""), **fields}
    return group(group_id, **given)


def network(*listeners: Any) -> Any:
    return balancer(ADDRESS, *listeners, type="network", path="net/n/b1")


async def test_tcp_connection_goes_through_and_drains_when_it_ends() -> None:
    async with rig() as it, await asyncio.start_server(_echo, f"{NET}.8.6", 7000):
        front = network(listener(7000, protocol="TCP"), secure(7443, protocol="TLS", alpn=("echo",)))
        assert await it.driver.apply(plan([front], [tcp()], certificates=CERTIFICATES)) == {}
        one = TargetPlan(group_id="0a", address=f"{NET}.8.6", port=7000)
        await it.healthy(one)
        reader, writer = await asyncio.open_connection(ADDRESS, 7000)
        secure_reader, secure_writer = await asyncio.open_connection(
            ADDRESS, 7443, ssl=client_context("echo"), server_hostname="two.test"
        )
        assert secure_writer.get_extra_info("ssl_object").selected_alpn_protocol() == "echo"
        for to, back in ((writer, reader), (secure_writer, secure_reader)):
            to.write(b"ping")
            assert await back.readexactly(4) == b"ping"
        await it.driver.drain(one)
        writer.write(b"more")
        assert await reader.readexactly(4) == b"more"
        writer.close()
        secure_writer.write(b"last")
        assert await secure_reader.readexactly(4) == b"last"
        assert it.state(one) == "healthy"
        secure_writer.close()
        await it.until(one, "drained")


async def test_proxy_protocol_tells_the_client_and_checks_use_it() -> None:
    heads: list[bytes] = []

    async def told(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readexactly(16)
        heads.append(head + await reader.readexactly(int.from_bytes(head[14:], "big")))
        writer.write(b"hello")
        writer.close()

    async with rig() as it, await asyncio.start_server(told, f"{NET}.8.7", 7000):
        await it.driver.apply(plan([network(listener(7000, protocol="TCP"))], [tcp(proxy_protocol=True)]))
        await it.healthy(TargetPlan(group_id="0a", address=f"{NET}.8.7", port=7000))
        reader, writer = await asyncio.open_connection(ADDRESS, 7000)
        assert await reader.readexactly(5) == b"hello"
        mine = writer.get_extra_info("sockname")
        writer.close()
        assert all(head.startswith(b"\r\n\r\n\0\r\nQUIT\n") for head in heads)
        addresses = (
            b"\x7f\x00\x00\x01"
            + bytes(map(int, ADDRESS.split(".")))
            + mine[1].to_bytes(2, "big")
            + (7000).to_bytes(2, "big")
        )
        assert addresses in heads[-1]


async def test_client_stays_at_its_target_by_source_address() -> None:
    async with rig() as it, httpx.AsyncClient() as client:
        targets = [Target(f"t{n}", f"{NET}.8.{10 + n}", 8000) for n in range(4)]
        async with serving(*targets):
            sticky = tcp(stickiness="source_ip", check=check())
            await it.driver.apply(plan([network(listener(8080, protocol="TCP"))], [sticky]))
            await it.healthy(*(planned(target) for target in targets))
            names = set()
            for _ in range(8):
                answer = await client.get(f"http://{ADDRESS}:8080/", headers={"connection": "close"})
                names.add(answer.json()["target"])
            assert len(names) == 1


async def test_client_certificates_are_passed_on_or_verified(tmp_path: Path) -> None:
    authority = certificates.make("authority", ca=True)
    good, bad, old = (tmp_path / f"{name}.pem" for name in ("good", "bad", "old"))
    good.write_text(certificates.make("client.test", issuer=authority, days=9_634).bundle)
    bad.write_text(certificates.make("stranger.test").bundle)
    old.write_text(certificates.make("old.test", issuer=authority, begin=946_684_800.0).bundle)
    front = balancer(
        ADDRESS,
        secure(8443, mutual_tls=MutualTls(mode="passthrough")),
        secure(8444, mutual_tls=MutualTls(mode="verify", bundle_pem=authority.pem.decode())),
        secure(
            8445,
            mutual_tls=MutualTls(mode="passthrough"),
            header_names=(("X-Amzn-Mtls-Clientcert", "Client_Certificate"), ("X-Amzn-Tls-Version", "Tls")),
        ),
        tls_headers=True,
    )

    async def ask(port: int, certificate: Path | None) -> dict[str, str] | None:
        async with httpx.AsyncClient(verify=client_context(certificate=certificate)) as client:
            try:
                forged = dict.fromkeys(("x-amzn-mtls-clientcert", "client_certificate", "tls"), "forged")
                answer = await client.get(f"https://{ADDRESS}:{port}/", headers=forged)
            except (httpx.TransportError, ssl.SSLError):
                return None
            return dict(answer.json()["headers"])

    async with rig() as it, serving(one := Target("one", f"{NET}.8.8", 8000)):
        assert await it.driver.apply(plan([front], [group()], certificates=CERTIFICATES)) == {}
        await it.healthy(planned(one))
        anonymous = await ask(8443, None)
        assert anonymous is not None
        assert "x-amzn-mtls-clientcert" not in anonymous
        passed = await ask(8443, bad)
        assert passed is not None
        shown = x509.load_pem_x509_certificate(unquote(passed["x-amzn-mtls-clientcert"]).encode())
        assert shown.subject.rfc4514_string() == "CN=stranger.test"
        assert passed["x-amzn-tls-version"] == "TLSv1.3"
        for certificate, there in ((None, False), (bad, True)):
            renamed = await ask(8445, certificate)
            assert renamed is not None
            assert (renamed.get("client_certificate") == passed["x-amzn-mtls-clientcert"]) == there
            assert ("client_certificate" in renamed, renamed["tls"]) == (there, "TLSv1.3")
            assert not {"x-amzn-mtls-clientcert", "x-amzn-tls-version"} & renamed.keys()
        assert await ask(8444, None) is None
        assert await ask(8444, bad) is None
        verified = await ask(8444, good)
        assert verified is not None
        assert verified["x-amzn-mtls-clientcert-subject"] == "CN=client.test"
        assert verified["x-amzn-mtls-clientcert-issuer"] == "CN=authority"
        leaf = x509.load_pem_x509_certificate(unquote(verified["x-amzn-mtls-clientcert-leaf"]).encode())
        assert leaf.serial_number == int(verified["x-amzn-mtls-clientcert-serial-number"], 16)
        assert (
            verified["x-amzn-mtls-clientcert-validity"]
            == "NotBefore=2020-09-13T12:26:40Z;NotAfter=2047-01-29T12:26:40Z"
        )
        verified = await ask(8444, old)
        assert verified is not None
        assert (
            verified["x-amzn-mtls-clientcert-validity"]
            == "NotBefore=2000-01-01T00:00:00Z;NotAfter=2054-10-04T00:00:00Z"
        )


async def test_load_balancers_share_a_port_of_the_host_by_name() -> None:
    def one(number: int) -> Any:
        rules = (rule(text(f"plain {number}")),)
        return balancer(
            f"{NET}.9.{number}",
            listener(8080, *rules, listener_id=f"p{number}"),
            secure(8443, rules=(rule(text(f"secure {number}")),), listener_id=f"s{number}"),
            lb_id=f"b{number}",
        )

    async with rig(host_addresses=(f"{NET}.9.100",), host_ports={8080: 8081, 8443: 8444}) as it:
        assert await it.driver.apply(plan([one(1), one(2)], [], certificates=CERTIFICATES)) == {}
        for number in (1, 2):
            name = f"web-b{number}.us-east-1.elb.localhost"
            place = ("--resolve", f"{name}:8081:{NET}.9.100", "--resolve", f"{name}:8444:{NET}.9.100")
            assert await curl(*place, f"http://{name}:8081/") == f"plain {number}"
            assert await curl(*place, "--http2", f"https://{name}:8444/") == f"secure {number}"
        missing = await curl("-w", "%{http_code}", "-H", "Host: none.localhost", f"http://{NET}.9.100:8081/")
        assert missing == "No load balancer has this name and a listener at this port.\n404"


async def test_other_names_lead_to_load_balancers_at_a_shared_port() -> None:
    def one(number: int) -> Any:
        return balancer(
            f"{NET}.9.{number}",
            listener(8080, rule(text(f"plain {number}")), listener_id=f"p{number}"),
            secure(8443, rules=(rule(text(f"secure {number}")),), listener_id=f"s{number}"),
            lb_id=f"b{number}",
        )

    alone = balancer(f"{NET}.9.1", listener(8082, rule(text("alone")), listener_id="a1"), lb_id="b3")
    host_ports = (
        HostPort(port=8080, names=(("*.shop.test", "p2"), ("shop.test", "p1"), ("www.shop.test", "p1"))),
        HostPort(port=8082, every="a1"),
        HostPort(port=8443, names=(("*.shop.test", "s2"), ("shop.test", "s1"))),
    )
    shared = {8080: 8081, 8082: 8083, 8443: 8444}
    at = f"{NET}.9.100"
    async with rig(host_addresses=(at,), host_ports=shared) as it:
        every = plan([one(1), one(2), alone], [], certificates=CERTIFICATES, host_ports=host_ports)
        assert await it.driver.apply(every) == {}
        for host, wanted in (
            ("shop.test", "plain 1"),
            ("Www.Shop.test:8081", "plain 1"),
            ("other.shop.test", "plain 2"),
            ("a.b.shop.test", "No load balancer has this name and a listener at this port.\n"),
            ("web-b2.us-east-1.elb.localhost", "plain 2"),
        ):
            assert await curl("-H", f"Host: {host}", f"http://{at}:8081/") == wanted
        for host, wanted in (("shop.test", "secure 1"), ("new.shop.test", "secure 2")):
            assert await curl("--resolve", f"{host}:8444:{at}", f"https://{host}:8444/") == wanted
        assert await curl(f"http://{at}:8083/") == "alone"
        assert await curl("-0", "-H", "Host:", f"http://{at}:8083/") == "alone"


async def test_client_behind_a_shared_port_is_seen_as_itself() -> None:
    async with (
        rig(host_addresses=(f"{NET}.9.100",), host_ports={8080: 8081}) as it,
        serving(target := Target("one", f"{NET}.8.9", 8000)),
        httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(local_address=f"{NET}.9.77")) as client,
    ):
        await it.driver.apply(plan([balancer(f"{NET}.9.1", listener(8080, rule(forward("0a"))))], [group()]))
        await it.healthy(planned(target))
        name = "web-b1.us-east-1.elb.localhost:8081"
        seen = (await client.get(f"http://{NET}.9.100:8081/", headers={"host": name})).json()["headers"]
        assert (seen["x-forwarded-for"], seen["host"]) == (f"{NET}.9.77", name)

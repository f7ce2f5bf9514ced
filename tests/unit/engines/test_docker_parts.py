"""The pure parts of the Docker driver: log lines, times, bindings, routes, names, the pause program."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longshore.domain.ecs.launch import ContainerLaunch, ContainerObservation, PortMapping, RestartPolicy, TaskLaunch
from longshore.domain.log import LogEvent
from longshore.drivers.docker.images import digest, with_tag
from longshore.drivers.docker.inspect import bindings, seconds
from longshore.drivers.docker.lines import EventMaker, Frames, Piece, RecentPieces, nanoseconds
from longshore.drivers.docker.names import Names
from longshore.drivers.docker.network import routes
from longshore.drivers.docker.pause import BASE_ADDRESS, HEADERS_SIZE, pause_program
from longshore.drivers.docker.probe import cpu_architecture
from longshore.drivers.docker.slot import Slot
from longshore.drivers.ports import Permanent

STAMP = "2026-01-02T03:04:05.123456789Z"


def frame(source: int, content: bytes) -> bytes:
    data = STAMP.encode() + b" " + content
    return bytes([source, 0, 0, 0]) + len(data).to_bytes(4, "big") + data


def piece(content: bytes, *, at_ns: int = 5_000_000, source: int = 1, complete: bool = True) -> Piece:
    return Piece(source, at_ns, content, complete)


@given(st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=50))), st.integers(1, 30))
def test_frames_are_found_however_the_stream_is_cut(contents: list[tuple[int, bytes]], step: int) -> None:
    data = b"".join(frame(source, content.replace(b"\n", b"") + b"\n") for source, content in contents)
    frames = Frames(terminal=False)
    pieces = [p for at in range(0, len(data), step) for p in frames.feed(data[at : at + step])]
    assert [(p.source, p.content) for p in pieces] == [(s, c.replace(b"\n", b"")) for s, c in contents]
    assert all(p.complete and p.timestamp_ns == nanoseconds(STAMP) for p in pieces)


@given(st.integers(0, 60_000), st.integers(1, 20_000))
def test_terminal_lines_lose_the_stamps_inside_them(length: int, step: int) -> None:
    line = b"x" * length
    cut = [line[at : at + 16384] for at in range(0, length, 16384)] or [b""]
    data = b"".join(STAMP.encode() + b" " + part for part in cut) + b"\n" + STAMP.encode() + b" next\r\n"
    frames, maker = Frames(terminal=True), EventMaker()
    pieces = [p for at in range(0, len(data), step) for p in frames.feed(data[at : at + step])]
    events = [event for p in pieces + frames.rest() for event in maker.add(p)] + maker.finish()
    assert [event.message for event in events if event.message or not length] == ["x" * length, "next"]


def test_parts_of_lines_of_stdout_and_stderr_are_not_mixed() -> None:
    maker = EventMaker()
    assert maker.add(piece(b"a", complete=False)) == []
    assert maker.add(piece(b"b", source=2, complete=False)) == []
    assert [e.message for e in maker.add(piece(b"a"))] == ["aa"]
    assert [e.message for e in maker.finish()] == ["b"]


def test_a_line_too_long_for_an_event_goes_on_in_the_next_and_cuts_no_character() -> None:
    events = EventMaker().add(piece("é".encode() * 200_000))
    assert [len(e.message) for e in events] == [131072, 68928]
    assert "\ufffd" not in events[0].message + events[1].message


def test_lines_up_to_the_newest_delivered_are_left_out_after_a_restart() -> None:
    maker = EventMaker(after_ms=5)
    assert maker.add(piece(b"old", at_ns=5_900_000)) == []
    assert maker.add(piece(b"new", at_ns=6_000_000)) == [LogEvent(6, "new")]


def test_the_rest_of_a_delivered_multiline_event_is_left_out_after_a_restart() -> None:
    maker = EventMaker(after_ms=5, multiline_pattern="^E")
    for content, at_ns in ((b"E one", 5_000_000), (b" more", 6_000_000), (b"E two", 7_000_000), (b" more", 8_000_000)):
        assert maker.add(piece(content, at_ns=at_ns)) == []
    assert maker.finish() == [LogEvent(7, "E two\n more")]


def test_a_second_reading_tells_the_new_pieces_of_one_timestamp() -> None:
    recent = RecentPieces(size=4)
    for at_ns in (1, 2, 2, 3):
        recent.add(piece(b"", at_ns=at_ns))
    again = [1, 2, 2, 2, 3, 4]
    assert [recent.had(piece(b"", at_ns=at_ns)) for at_ns in again] == [True, True, True, False, True, False]


def test_times_of_docker() -> None:
    assert seconds("0001-01-01T00:00:00Z") is None
    assert seconds(None) is None
    assert seconds("1970-01-01T00:00:01Z") == 1.0
    assert seconds("1970-01-01T00:00:01.5Z") == 1.5
    assert seconds("1970-01-01T01:00:01.123456789+01:00") == pytest.approx(1.123456789)
    assert nanoseconds("1970-01-01T00:00:01.000000002Z") == 1_000_000_002
    assert nanoseconds("no time") == 0


def test_ports_are_reported_once_although_docker_binds_ipv6_too() -> None:
    container = ContainerLaunch(name="a", image="i", ports=(PortMapping(container_port=80),))
    launch = TaskLaunch(
        task_id="t", task_arn="t", account="1", region="r", cluster="c", cluster_arn="c", family="f", revision=1,
        launch_type="EC2", network_mode="bridge", containers=(container,),
    )  # fmt: skip
    published = [{"HostIp": "0.0.0.0", "HostPort": "49153"}, {"HostIp": "::", "HostPort": "49153"}]  # noqa: S104  Docker's
    (binding,) = bindings(launch, container, {"NetworkSettings": {"Ports": {"80/tcp": published}}})
    assert (binding.container_port, binding.host_port) == (80, 49153)


def test_an_image_without_a_tag_is_pulled_as_latest() -> None:
    assert with_tag("busybox") == "busybox:latest"
    assert with_tag("host:5000/a/b") == "host:5000/a/b:latest"
    assert with_tag("a/b:1") == "a/b:1"
    assert with_tag("a/b@sha256:00") == "a/b@sha256:00"
    assert digest({"Id": "sha256:1", "RepoDigests": ["a/b@sha256:2"]}) == "sha256:2"
    assert digest({"Id": "sha256:1", "RepoDigests": []}) == "sha256:1"


def test_routes_of_the_machine_but_not_the_default_and_not_our_own() -> None:
    table = (
        "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
        "eth0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
        "eth0\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
        "ls-1\t00001FAC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
    )
    assert [str(n) for n in routes(table, without={"ls-1"})] == ["192.168.0.0/24"]


def test_bridge_devices_fit_and_differ_between_instances_and_vpcs() -> None:
    a, b = Names("a"), Names("b")
    devices = {n.device(n.vpc_network(vpc)) for n in (a, b) for vpc in ("vpc-1", "vpc-2")}
    assert len(devices) == 4
    assert all(len(device) <= 15 for device in devices)


@pytest.mark.parametrize(("architecture", "machine"), [("x86_64", 62), ("aarch64", 183)])
def test_the_pause_program_is_a_small_elf_whose_data_is_where_its_code_looks(architecture: str, machine: int) -> None:
    program = pause_program(architecture)
    assert len(program) < 300
    assert struct.unpack_from("<H", program, 18) == (machine,)
    assert struct.unpack_from("<Q", program, 24) == (BASE_ADDRESS + HEADERS_SIZE,)
    assert struct.unpack_from("<Q", program, 64 + 32) == (len(program),)
    if architecture == "x86_64":
        action = struct.unpack_from("<I", program, HEADERS_SIZE + 11)[0] - BASE_ADDRESS
    else:
        instruction = struct.unpack_from("<I", program, HEADERS_SIZE + 4)[0]
        action = HEADERS_SIZE + 4 + ((instruction >> 5 & 0x7FFFF) << 2)
    assert program[action:] == struct.pack("<QQQQ", 1, 0, 0, 0)


def test_an_architecture_without_a_pause_program_is_refused() -> None:
    with pytest.raises(Permanent, match="riscv64"):
        pause_program("riscv64")


@pytest.mark.parametrize(
    ("ran_s", "exit_code", "restarts"), [(59.0, 1, False), (60.0, 1, True), (60.0, 0, True), (60.0, 9, False)]
)
def test_restart_policy_needs_a_whole_period_and_a_code_that_counts(
    ran_s: float, exit_code: int, *, restarts: bool
) -> None:
    policy = RestartPolicy(attempt_period_s=60, ignored_exit_codes=(9,))
    seen = ContainerObservation(name="a", status="STOPPED", exit_code=exit_code, finished_at=100.0 + ran_s)
    slot = Slot(ContainerLaunch(name="a", image="i", restart_policy=policy), seen, last_start=100.0)
    assert slot.should_restart() is restarts


@pytest.mark.parametrize(("machine", "asked"), [("x86_64", "X86_64"), ("aarch64", "ARM64"), ("arm64", "ARM64")])
def test_the_engine_s_architecture_is_said_as_task_definitions_ask_for_it(machine: str, asked: str) -> None:
    assert cpu_architecture(machine) == asked

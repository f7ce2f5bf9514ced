"""The pause image: one program of some 250 bytes that sleeps for ever and reaps, so that nothing has to be pulled.

Called by the engine at open. The program is assembled here, by hand, for x86_64 and aarch64.
"""

import hashlib
import io
import struct
import tarfile
from urllib.parse import quote

from longshore.drivers.docker.client import DockerClient, DockerError
from longshore.drivers.ports import Permanent

REPOSITORY = "longshore/pause"
BASE_ADDRESS = 0x400000
HEADERS_SIZE = 64 + 56  # one ELF header, one program header
CHANGE = 'ENTRYPOINT ["/pause"]'

# struct kernel_sigaction {handler = SIG_IGN, flags, restorer, mask}: children given to us are reaped by the kernel.
IGNORE_ACTION = struct.pack("<QQQQ", 1, 0, 0, 0)


def pause_program(architecture: str) -> bytes:
    """A static ELF that does `rt_sigaction(SIGCHLD, SIG_IGN); for (;;) sleep`. Architectures as `uname -m` has them."""
    build = {"x86_64": (62, _x86_64), "aarch64": (183, _aarch64)}.get(architecture)
    if build is None:
        raise Permanent(
            f"Longshore has no pause program for the architecture {architecture} of this Docker Engine; "
            "it knows x86_64 and aarch64."
        )
    machine, assemble = build
    code = assemble()
    size = HEADERS_SIZE + len(code) + len(IGNORE_ACTION)
    identity = b"\x7fELF\x02\x01\x01" + bytes(9)  # 64 bits, little endian, version 1
    entry = BASE_ADDRESS + HEADERS_SIZE
    header = struct.pack("<16sHHIQQQIHHHHHH", identity, 2, machine, 1, entry, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, BASE_ADDRESS, BASE_ADDRESS, size, size, 0x1000)  # PT_LOAD, read+execute
    return header + segment + code + IGNORE_ACTION


def _x86_64() -> bytes:
    action = BASE_ADDRESS + HEADERS_SIZE + 34  # right behind the code
    return b"".join(
        (
            b"\xb8\x0d\x00\x00\x00",  # mov eax, 13             rt_sigaction
            b"\xbf\x11\x00\x00\x00",  # mov edi, 17             SIGCHLD
            b"\xbe" + struct.pack("<I", action),  # mov esi, action
            b"\x31\xd2",  # xor edx, edx
            b"\x41\xba\x08\x00\x00\x00",  # mov r10d, 8         size of the mask
            b"\x0f\x05",  # syscall
            b"\xb8\x22\x00\x00\x00",  # again: mov eax, 34      pause
            b"\x0f\x05",  # syscall
            b"\xeb\xf7",  # jmp again (9 bytes back)
        )
    )


def _aarch64() -> bytes:
    """Eleven instructions; `adr` finds the action right behind them."""
    instructions = (
        0xD2800220,  # mov x0, #17         SIGCHLD
        0x10000141,  # adr x1, action      (+40 bytes)
        0xD2800002,  # mov x2, #0
        0xD2800103,  # mov x3, #8          size of the mask
        0xD28010C8,  # mov x8, #134        rt_sigaction
        0xD4000001,  # svc #0
        0xD2800000,  # again: mov x0, #0   ppoll(NULL, 0, NULL, NULL): there is no pause here
        0xD2800001,  # mov x1, #0
        0xD2800928,  # mov x8, #73         (x2 is 0 already; x3 is ignored with a NULL mask)
        0xD4000001,  # svc #0
        0x17FFFFFC,  # b again             (4 instructions back)
    )
    return struct.pack("<11I", *instructions)


def image_tag(program: bytes) -> str:
    """The image's name with a digest of what is in it: a changed program is another image."""
    digest = hashlib.sha256(program + CHANGE.encode()).hexdigest()
    return f"{REPOSITORY}:{digest[:12]}"


def root_tar(program: bytes) -> bytes:
    """The image's root: one file."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo("pause")
        entry.size, entry.mode = len(program), 0o755
        tar.addfile(entry, io.BytesIO(program))
    return buffer.getvalue()


async def ensure_pause_image(client: DockerClient, architecture: str) -> str:
    """The name of the pause image, imported into the Engine if it isn't there."""
    program = pause_program(architecture)
    tag = image_tag(program)
    try:
        await client.get(f"/images/{tag}/json")
    except DockerError as error:
        if error.status != 404:
            raise
        repository, version = tag.split(":")
        await client.request(
            "POST",
            f"/images/create?fromSrc=-&repo={repository}&tag={version}" + f"&changes={quote(CHANGE)}",
            body=root_tar(program),
        )
        await client.get(f"/images/{tag}/json")  # an error of the import stands in its stream, with status 200
    return tag

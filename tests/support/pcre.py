"""PCRE2, which HAProxy compiles regular expressions with, by its C library: plainly, and then to machine code."""

import ctypes
import ctypes.util
from functools import cache
from typing import Any

JIT_COMPLETE = 1
JIT_BAD_OPTION = -45
"""The library can't compile to machine code at all: HAProxy goes on without."""


@cache
def library() -> Any:
    """The library, or None where the machine lacks it."""
    name = ctypes.util.find_library("pcre2-8")
    if name is None:
        return None
    found = ctypes.CDLL(name)
    found.pcre2_compile_8.restype = ctypes.c_void_p
    found.pcre2_code_free_8.argtypes = [ctypes.c_void_p]
    found.pcre2_jit_compile_8.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
    return found


def compiles(pattern: str) -> bool:
    """Whether PCRE2 takes a pattern."""
    text = pattern.encode()
    error, offset = ctypes.c_int(), ctypes.c_size_t()
    code = library().pcre2_compile_8(
        text, ctypes.c_size_t(len(text)), ctypes.c_uint32(0), ctypes.byref(error), ctypes.byref(offset), None
    )
    if not code:
        return False
    jit = library().pcre2_jit_compile_8(code, JIT_COMPLETE)
    library().pcre2_code_free_8(code)
    return jit in (0, JIT_BAD_OPTION)

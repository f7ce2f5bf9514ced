"""PCRE2, which HAProxy compiles regular expressions with, by its C library."""

import ctypes
import ctypes.util
from functools import cache
from typing import Any


@cache
def library() -> Any:
    """The library, or None where the machine lacks it."""
    name = ctypes.util.find_library("pcre2-8")
    if name is None:
        return None
    found = ctypes.CDLL(name)
    found.pcre2_compile_8.restype = ctypes.c_void_p
    found.pcre2_code_free_8.argtypes = [ctypes.c_void_p]
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
    library().pcre2_code_free_8(code)
    return True

"""What a parameter may be called, and the paths and labels that there may be. Pure.

The texts are AWS's, from its documentation of PutParameter and from what it answers.
"""

import re

from longshore.api.ssm.lookup import invalid
from longshore.wire.errors import ApiError

MAX_LENGTH = 1011
"""Of the name, so that its ARN fits into 2048."""
MAX_LEVELS = 15
CHARACTERS = re.compile(r"[A-Za-z0-9_.\-/]+")
LABEL = re.compile(r"[A-Za-z_.\-][A-Za-z0-9_.\-]*")
PREFIXES = ("aws", "ssm")
PATH_RULE = (
    "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash "
    '"/". It can\'t be prefixed with \\"aws\\" or \\"ssm\\" (case-insensitive). It must use only letters, numbers, or '
    "the following symbols: . (period), - (hyphen), _ (underscore). Special characters are not allowed. All sub-paths, "
    'if specified, must use the forward slash symbol "/". Valid example: /get/parameters2-/by1./path0_.'
)


def check_name(name: str) -> None:
    """A name for a new parameter. Raises ApiError."""
    bare = name.lstrip("/").lower()
    if bare.startswith(PREFIXES):
        if name.lower().startswith("/aws/"):
            raise ApiError("AccessDeniedException", f"No access to reserved parameter name: {name}.")
        nested = name.count("/") > 1
        words = '"ssm"' if nested else '"aws" or "ssm"'
        text = f"Parameter name: can't be prefixed with {words} (case-insensitive)."
        raise invalid(f"{text} {_FORM}" if nested else text)
    if not CHARACTERS.fullmatch(name) or "//" in name:
        raise invalid(f'Parameter name: can\'t be prefixed with "ssm" (case-insensitive). {_FORM}')
    if "/" in name and not name.startswith("/"):
        raise invalid("Parameter name must be a fully qualified name.")
    if name.endswith("/"):
        raise invalid("Parameter name must not end with a slash.")
    if len(name) > MAX_LENGTH:
        raise invalid(f"Parameter name: must have at most {MAX_LENGTH} characters.")
    if name.count("/") > MAX_LEVELS:
        text = (
            f"A hierarchy can have a maximum of {MAX_LEVELS} levels. For more information, see Requirements and "
            "constraints for parameter names in the AWS Systems Manager User Guide."
        )
        raise ApiError("HierarchyLevelLimitExceededException", text)


_FORM = (
    "If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of "
    "letters, numbers and the following 3 symbols .-_"
)


def checked_path(path: str) -> str:
    """A path to look below, without its last slash. Raises ApiError."""
    bare = path.rstrip("/") or "/"
    if not path.startswith("/") or "//" in path or not CHARACTERS.fullmatch(path):
        raise invalid(PATH_RULE)
    if bare.count("/") > MAX_LEVELS:
        raise invalid(PATH_RULE)
    return bare


def is_label(label: str) -> bool:
    """Whether a version can have it: no number first, none of AWS's prefixes."""
    return LABEL.fullmatch(label) is not None and not label.lower().startswith(PREFIXES)

"""GetRandomPassword."""

import string

from longshore.api.operation import Call
from longshore.api.secretsmanager.lookup import Answer, invalid, refused

LENGTH = 32


def get_random_password(call: Call) -> Answer:
    """A password, with at least one character of each kind that is not excluded."""
    params = call.params
    length: int = params.get("PasswordLength") or LENGTH
    excluded = set(params.get("ExcludeCharacters") or "")
    kinds = [
        [character for character in kind if character not in excluded]
        for kind, left_out in (
            (string.ascii_uppercase, params.get("ExcludeUppercase")),
            (string.ascii_lowercase, params.get("ExcludeLowercase")),
            (string.digits, params.get("ExcludeNumbers")),
            (string.punctuation, params.get("ExcludePunctuation")),
            (" ", not params.get("IncludeSpace")),
        )
        if not left_out
    ]
    kinds = [kind for kind in kinds if kind]
    if not kinds:
        raise invalid("At least one kind of characters must be left: everything is excluded.")
    alphabet = [character for kind in kinds for character in kind]
    each = params.get("RequireEachIncludedType")
    needed = kinds if each is None or each else []
    if length < len(needed):
        raise refused(f"The password length must be at least {len(needed)}, for one character of each included type.")
    chosen = [kind[call.ids.choice(len(kind))] for kind in needed]
    chosen += [alphabet[call.ids.choice(len(alphabet))] for _ in range(length - len(chosen))]
    for at in range(len(chosen) - 1, 0, -1):  # Fisher and Yates: the needed ones may be anywhere
        other = call.ids.choice(at + 1)
        chosen[at], chosen[other] = chosen[other], chosen[at]
    return {"RandomPassword": "".join(chosen)}

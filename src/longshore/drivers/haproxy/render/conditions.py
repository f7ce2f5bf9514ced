"""A rule's conditions as HAProxy ACLs. Lines of one name are alternatives; a rule needs all of its names."""

from collections.abc import Iterator

from longshore.domain.elbv2.balancing import Condition
from longshore.drivers.haproxy.render.text import argument, quoted, wildcard, wildcard_regex

HOST = "var(txn.host)"
"""The Host header in lower case, without its port."""
NO_SEPARATOR = "[^&]"


def acls(name: str, condition: Condition) -> Iterator[str]:
    """The `acl` lines of a condition, all of the given name."""
    match condition.field:
        case "host-header":
            yield from _matches(name, HOST, condition, insensitive=True)
        case "path-pattern":
            yield from _matches(name, "path", condition, insensitive=False)
        case "http-header":
            yield from _matches(name, f"req.fhdr({argument(condition.name)})", condition, insensitive=True)
        case "http-request-method":
            yield f"acl {name} method -- {' '.join(quoted(value) for value in condition.values)}"
        case "source-ip":
            yield f"acl {name} src -- {' '.join(quoted(value) for value in condition.values)}"
        case "query-string":
            patterns = [_pair(key, value) for key, value in condition.pairs]
            yield f"acl {name} query -m reg -i -- {' '.join(quoted(pattern) for pattern in patterns)}"


def _matches(name: str, fetch: str, condition: Condition, *, insensitive: bool) -> Iterator[str]:
    methods: dict[str, list[str]] = {}
    for value in condition.values:
        method, text = wildcard(value)
        methods.setdefault(method, []).append(text)
    methods.setdefault("reg", []).extend(condition.regexes)
    flag = " -i" if insensitive else ""
    for method, texts in methods.items():
        if texts:
            yield f"acl {name} {quoted_fetch(fetch)} -m {method}{flag} -- {' '.join(quoted(text) for text in texts)}"


def quoted_fetch(fetch: str) -> str:
    """A fetch as one word."""
    return fetch if "'" not in fetch else quoted(fetch)


def _pair(key: str, value: str) -> str:
    """A regular expression that finds `key=value` among a query's parameters; without a key, any of that value."""
    wanted = wildcard_regex(value, NO_SEPARATOR)
    if key:
        return f"(?:^|&){wildcard_regex(key, NO_SEPARATOR)}={wanted}(?:&|$)"
    return f"(?:^|&)(?:[^&=]*=)?{wanted}(?:&|$)"

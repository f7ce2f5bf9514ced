"""What a rule does, as HAProxy directives under a condition that says that this rule was chosen."""

import re
from collections.abc import Iterator

from longshore.domain.elbv2.balancing import FixedResponse, Forward, Redirect, Rewrite
from longshore.drivers.haproxy.render.errors import OWN_SERVER, internal, moved, unavailable
from longshore.drivers.haproxy.render.text import argument, group_backend, name_of, quoted, verbatim

GROUP_COOKIE = "AWSALBTG"
PLACEHOLDER = re.compile(r"#\{(protocol|host|port|path|query)\}")
BODILESS = frozenset({204, 304})
"""Of the statuses that HAProxy answers with, those that never have a body (RFC 9110, 15)."""
CAUGHT = re.compile(r"\$(\d)")


def forward(action: Forward, chosen: str) -> Iterator[str]:
    """Choose the target group: `txn.group` is the name of its backend. Without any weight the answer is 503."""
    shares = [share for share in action.groups if share.weight]
    if not shares:
        yield f"http-request return {unavailable()} if {chosen}"
        return
    if len(shares) == 1:
        yield f"http-request set-var(txn.group) str({group_backend(shares[0].group_id)}) if {chosen}"
        return
    unset = "!{ var(txn.group) -m found }"
    if action.stickiness_s:
        for share in shares:
            yield (
                f"http-request set-var(txn.group) str({group_backend(share.group_id)}) if {chosen} "
                f"{{ req.cook({GROUP_COOKIE}) -m str {name_of(share.group_id)} }}"
            )
        yield f"http-request set-var(txn.group_s) int({action.stickiness_s}) if {chosen}"
    total = sum(share.weight for share in shares)
    yield f"http-request set-var(txn.dice) rand({total}) if {chosen}"
    below = 0
    for share in shares:
        below += share.weight
        yield (
            f"http-request set-var(txn.group) str({group_backend(share.group_id)}) if {chosen} {unset} "
            f"{{ var(txn.dice) -m int lt {below} }}"
        )


def group_cookies() -> Iterator[str]:
    """Answers of a rule with group stickiness carry the group: its backend's name without the `g-`."""
    for suffix, more in (("", ""), ("CORS", "; SameSite=None; Secure")):
        value = f"{GROUP_COOKIE}{suffix}=%[var(txn.group),bytes(2)]; Max-Age=%[var(txn.group_s)]; Path=/{more}"
        yield f'http-after-response add-header set-cookie "{value}" if {{ var(txn.group_s) -m found }}'


def fixed(action: FixedResponse, chosen: str) -> Iterator[str]:
    """Answer with a text, where the status allows one."""
    body = action.body if action.status not in BODILESS else ""
    content = f" content-type {quoted(action.content_type or 'text/plain')} string {quoted(body)}" if body else ""
    yield f"http-request return status {action.status}{content} {OWN_SERVER} if {chosen}"
    if action.content_type and not body and action.status not in BODILESS:
        # A `return` tells the type of nothing but a body.
        yield f"http-after-response set-header content-type {quoted(action.content_type)} if {chosen}"


def redirect(action: Redirect, scheme: str, chosen: str) -> Iterator[str]:
    """Answer with a redirect. ELBv2 names the port always, and no question mark without a query."""
    parts = {
        "protocol": scheme,
        "host": "%[var(txn.host)]",
        "port": "%[dst_port]",
        "path": "%[path,bytes(1)]",
        "query": "%[query]",
    }
    filled = [_fill(text, parts) for text in (action.protocol.lower(), action.host, action.port, action.path)]
    location = f"{filled[0]}://{filled[1]}:{filled[2]}{filled[3]}"
    with_query = f"{location}?{_fill(action.query, parts)}"
    answer = moved(action.status)
    if action.query == "#{query}":
        yield f'http-request return {answer} hdr location "{with_query}" if {chosen} {{ query -m len gt 0 }}'
    elif action.query:
        yield f'http-request return {answer} hdr location "{with_query}" if {chosen}'
        return
    yield f'http-request return {answer} hdr location "{location}" if {chosen}'


def rewrite(rewrites: tuple[Rewrite, ...], chosen: str) -> Iterator[str]:
    """Replace what a regular expression finds in the Host header or the URL (path and query).

    What is no host or path then is answered 500, as ELBv2 answers where a transform fails.
    """
    for item in rewrites:
        replacement = CAUGHT.sub(r"\\\1", item.replacement.replace("\\", "\\\\"))
        subject = "req.hdr(host)" if item.what == "host-header" else "pathq"
        expression = f"{subject},regsub({argument(item.regex)},{argument(replacement)})"
        yield f"http-request set-var(txn.rewritten) {quoted(expression)} if {chosen}"
        if item.what == "host-header":
            yield f"http-request return {internal()} if {chosen} !{{ var(txn.rewritten) -m len gt 0 }}"
            yield f"http-request set-header host %[var(txn.rewritten)] if {chosen}"
        else:
            has_path = f"{chosen} {{ pathq -m beg / }}"  # `OPTIONS *` has none
            yield f"http-request return {internal()} if {has_path} !{{ var(txn.rewritten) -m beg / }}"
            yield f"http-request set-pathq %[var(txn.rewritten)] if {has_path}"


def _fill(text: str, parts: dict[str, str]) -> str:
    """A log-format from a text with placeholders."""
    pieces = PLACEHOLDER.split(text)
    return "".join(parts[piece] if index % 2 else verbatim(piece) for index, piece in enumerate(pieces))

"""The pages that a load balancer answers by itself when something is wrong: ELBv2's."""

from collections.abc import Iterator

from longshore.drivers.haproxy.render.backends import CONNECT_S
from longshore.drivers.haproxy.render.text import verbatim

OWN_NAME = "awselb/2.0"
OWN_SERVER = f"hdr server {OWN_NAME}"
"""What the load balancer itself answers says so."""
TITLES = {
    400: "400 Bad Request",
    403: "403 Forbidden",
    408: "408 Request Time-out",
    413: "413 Request Entity Too Large",
    500: "500 Internal Server Error",
    502: "502 Bad Gateway",
    504: "504 Gateway Time-out",
}
MOVED = {301: "301 Moved Permanently", 302: "302 Found"}
UNAVAILABLE = "503 Service Temporarily Unavailable"
FAILED = "be_name,nbsrv,bool,set-var(txn.failed)"
"""HAProxy says 503 both without a target and for one that does not take connections; ELBv2 says 502 then."""
LATE = f"date,sub(txn.came),div({CONNECT_S}),bool,and(txn.failed),set-var(txn.late)"
"""It did not even refuse them: 504."""
WHY = (
    f"%[var(txn.failed),iif('','{UNAVAILABLE}')]"
    f"%[var(txn.late),iif('{TITLES[504]}','')]"
    f"%[var(txn.failed),sub(txn.late),bool,iif('{TITLES[502]}','')]"
)


def error_pages() -> Iterator[str]:
    """The `http-error` lines."""
    for status, title in TITLES.items():
        yield f"http-error status {status} {_answer('string', _page(title))}"
    # What went wrong is found out while the page is made: whoever gets no page pays nothing for it.
    found_out = f"%[{FAILED},iif('','')]%[{LATE},iif('','')]"
    yield f"http-error status 503 {_answer('lf-string', found_out + _page(WHY))}"


def true_status() -> Iterator[str]:
    """The last rules for answers: those that HAProxy made a 503 get the status that their page speaks of."""
    yield "http-after-response allow unless { var(txn.failed) -m bool }"
    yield "http-after-response set-status 504 if { var(txn.late) -m bool }"
    yield "http-after-response set-status 502 unless { var(txn.late) -m bool }"


def unavailable() -> str:
    """The parameters of a `return` when there is no target to ask."""
    return f"status 503 {_answer('string', _page(UNAVAILABLE))}"


def internal() -> str:
    """The parameters of a `return` when the load balancer itself fails."""
    return f"status 500 {_answer('string', _page(TITLES[500]))}"


def moved(status: int) -> str:
    """The parameters of a `return` that redirects, but for where to."""
    return f"status {status} {_answer('string', _page(MOVED[status]))}"


def _answer(kind: str, page: str) -> str:
    return f'content-type text/html {kind} "{page}" {OWN_SERVER}'


def _page(title: str) -> str:
    before, between, after = (
        "<html>\r\n<head><title>",
        "</title></head>\r\n<body>\r\n<center><h1>",
        "</h1></center>\r\n</body>\r\n</html>\r\n",
    )
    return verbatim(before) + title + verbatim(between) + title + verbatim(after)

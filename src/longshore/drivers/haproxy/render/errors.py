"""The pages that a load balancer answers by itself when something is wrong: ELBv2's."""

from collections.abc import Iterator

from longshore.drivers.haproxy.render.text import verbatim

TITLES = {
    400: "400 Bad Request",
    403: "403 Forbidden",
    408: "408 Request Time-out",
    413: "413 Request Entity Too Large",
    500: "500 Internal Server Error",
    502: "502 Bad Gateway",
    504: "504 Gateway Time-out",
}
BAD_GATEWAY = TITLES[502]
UNAVAILABLE = "503 Service Temporarily Unavailable"
FAILED = f"%[be_name,nbsrv,bool,iif('{BAD_GATEWAY}','{UNAVAILABLE}')]"
"""HAProxy says 503 both without a target and for one that does not take connections; see frontends._closing."""


def error_pages() -> Iterator[str]:
    """The `http-error` lines."""
    for status, title in TITLES.items():
        yield f'http-error status {status} content-type text/html string "{_page(title, title)}" hdr server awselb/2.0'
    page = _page(FAILED, FAILED)
    yield f'http-error status 503 content-type text/html lf-string "{page}" hdr server awselb/2.0'


def _page(title: str, heading: str) -> str:
    before, between, after = (
        "<html>\r\n<head><title>",
        "</title></head>\r\n<body>\r\n<center><h1>",
        "</h1></center>\r\n</body>\r\n</html>\r\n",
    )
    return verbatim(before) + title + verbatim(between) + heading + verbatim(after)

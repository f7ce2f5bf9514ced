"""What both services of the shop run: `api` knows the orders, `web` asks it by its name. Needs Python alone."""

import http.server
import os
import signal
import sys
import urllib.request

ROLE = os.environ["ROLE"]


def api(_path: str) -> tuple[int, str]:
    """The orders, for who knows the password; that comes from Secrets Manager and is never shown."""
    known = len(os.environ["DB_PASSWORD"]) > 0
    return (
        200,
        f"{os.environ['GREETING']} from the api ({os.environ['TABLE']}, password {'known' if known else 'lost'})",
    )


def web(path: str) -> tuple[int, str]:
    """A page, made from what the api answers."""
    if path != "/hello":
        return 404, "There is nothing here."
    with urllib.request.urlopen(os.environ["API_URL"], timeout=5) as answer:  # noqa: S310  the URL is ours
        return 200, f"web says: {answer.read().decode()}"


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers GET; `/health` without asking anybody."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """One answer."""
        try:
            status, text = (200, "well") if self.path == "/health" else {"api": api, "web": web}[ROLE](self.path)
        except OSError as error:
            status, text = 502, f"The api does not answer: {error}"
        body = f"{text}\n".encode()
        self.send_response(status)
        self.send_header("content-type", "text/plain; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()

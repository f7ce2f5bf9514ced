"""Programs for containers of Service Connect's tests: servers that end well, and a client that counts what fails."""

from __future__ import annotations

from typing import Any

from tests.support.images import PYTHON
from tests.support.server import LOG_GROUP, REGION

HTTP_SERVER = """
import http.server, os, signal, sys, threading
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version, disable_nagle_algorithm = "HTTP/1.1", True
    def do_GET(self):
        body = os.environ["TEXT"].encode()
        self.send_response(200); self.send_header("content-length", str(len(body))); self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), Handler)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
server.serve_forever()
"""
TCP_SERVER = """
import os, signal, socketserver, sys
class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(1000): self.request.sendall(os.environ["TEXT"].encode())
class Server(socketserver.ThreadingTCPServer): daemon_threads = allow_reuse_address = True; request_queue_size = 100
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
Server(("", int(os.environ["PORT"])), Handler).serve_forever()
"""
CLIENT = """
import collections, os, signal, socket, sys, time, http.client
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
counted, failures = collections.Counter(), 0
pool = http.client.HTTPConnection("web", 80, timeout=10)
def fresh():
    # resolves and connects each time
    connection = http.client.HTTPConnection("web", 80, timeout=10)
    try: connection.request("GET", "/"); return "web", connection.getresponse().read().decode()
    finally: connection.close()
def pooled():
    pool.request("GET", "/"); return "pool", pool.getresponse().read().decode()
def tcp():
    with socket.create_connection(("cache", 6379), timeout=10) as connection:
        connection.sendall(b"ping"); answer = connection.recv(1000).decode()
        if not answer: raise OSError("closed")
        return "cache", answer
begun = said = time.monotonic()
ready = {f: False for f in (fresh, pooled, tcp)}
while True:
    for ask in ready:
        try:
            counted[ask()] += 1; ready[ask] = True
        except Exception as error:
            pool.close()
            if ready[ask]: failures += 1; print("FAILED", ask.__name__, repr(error), flush=True)
    now = time.monotonic()
    if now - said > 0.5:
        said = now
        counts = " ".join(f"{name}:{text}={count}" for (name, text), count in sorted(counted.items()))
        print(f"SEEN failures={failures} {counts}", flush=True); counted.clear()
    begun = max(begun + 0.02, now - 0.1); time.sleep(max(0, begun - time.monotonic()))
"""


def program(script: str, *ports: dict[str, Any], **environment: str) -> dict[str, Any]:
    """A container `app` that runs a Python program."""
    return {
        "name": "app",
        "image": PYTHON,
        "command": ["python3", "-c", script],
        "essential": True,
        "stopTimeout": 5,
        "portMappings": list(ports),
        "environment": [{"name": name, "value": value} for name, value in environment.items()],
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {"awslogs-group": LOG_GROUP, "awslogs-region": REGION, "awslogs-stream-prefix": "t"},
        },
    }


def connect(*services: dict[str, Any], namespace: str = "shop") -> dict[str, Any]:
    """A `serviceConnectConfiguration`."""
    return {"enabled": True, "namespace": namespace, **({"services": list(services)} if services else {})}

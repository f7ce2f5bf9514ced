"""moto in this process: its WSGI application, called in threads. Its state is in memory, and gone when Longshore ends.

moto reads the account from a header that we set, and the region from the signature, so that accounts and regions are
apart there as they are here; names of Longshore's own things are known there (`mirror.py`). `main` makes it for
`longshore up --with moto`; nothing of moto is imported before `open`.
"""

import asyncio
import contextlib
import importlib.util
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

from botocore.model import OperationNotFoundError

from longshore.drivers.elsewhere.mirror import Mirror
from longshore.drivers.ports import PassedAnswer, PassedRequest, ProviderRefused, Unserved
from longshore.wire.virtual_host import bucket_in

THREADS = 64
"""A long poll of a queue holds one for up to 20 seconds. They are daemons: a poll doesn't hold up the end."""
PIECE = 256 * 1024
NOT_FOUND = 404
REQUEST = "longshore.request"
"""Where a WSGI environment has the request that it was made of."""
MISSING = (
    "moto is not installed beside Longshore. Install the extra (`pip install 'longshore[moto]'`), or start without "
    "`--with moto`."
)
_ACCOUNT = "x-moto-account-id"
_HOP_BY_HOP = frozenset({"connection", "transfer-encoding", "keep-alive", "te", "upgrade", "expect", _ACCOUNT})

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Moto:
    """Answers what moto does."""

    name = "moto (in memory)"
    looks_around = True

    def __init__(self) -> None:
        self._mirror = Mirror()
        self._app: Wsgi | None = None
        self._threads = asyncio.Semaphore(THREADS)

    async def open(self) -> None:
        """Load moto. Raises ProviderRefused where it is not installed."""
        if importlib.util.find_spec("moto") is None or importlib.util.find_spec("flask_cors") is None:
            raise ProviderRefused(MISSING)
        self._app = await asyncio.to_thread(_load, self._mirror)

    async def close(self) -> None:
        """Nothing is held."""

    def reset(self) -> None:
        """Forget everything."""
        if self._app is not None:
            from moto.moto_api._internal.models import moto_api_backend  # noqa: PLC0415  only with moto

            moto_api_backend.reset()
            self._mirror.forget()

    async def answer(self, request: PassedRequest) -> PassedAnswer:
        """What moto says. Raises Unserved for a service or an operation that it lacks."""
        assert self._app is not None, "asked before it was opened"  # noqa: S101  a fault of main's
        async with self._threads:
            status, headers, body = await _in_thread(self._app, request)
        return PassedAnswer(status, headers, _pieces(body))


def _load(mirror: Mirror) -> Wsgi:
    os.environ.setdefault("MOTO_S3_ALLOW_CROSSACCOUNT_ACCESS", "false")  # moto's own setting: it may be set otherwise
    from moto.moto_server.werkzeug_app import (  # noqa: PLC0415  takes a second, and is not always installed
        DomainDispatcherApplication,
        create_backend_app,
    )

    class Dispatcher(DomainDispatcherApplication):
        """moto's own, which says of what it lacks that it does, and is shown what requests may name."""

        def get_application(self, environ: dict[str, Any]) -> Any:
            found = super().get_application(environ)
            mirror.show(environ[REQUEST])  # after the service has loaded what it looks names up in
            return found

        def get_backend_for_host(self, host: str | None) -> Any:
            known = host is None or "amazonaws.com" not in host
            if not known and not any(pattern.match(f"http://{host}") for _, pattern in self.backend_url_patterns):
                raise Unserved  # moto prints a line, and fails
            return super().get_backend_for_host(host)

    app: Wsgi = Dispatcher(lambda backend: _frank(create_backend_app(backend)))
    return app


def _frank(app: Any) -> Any:
    """An application of moto's in which a path that none of its operations has is no page in HTML."""
    from flask import request  # noqa: PLC0415  comes with moto
    from werkzeug.exceptions import MethodNotAllowed, NotFound  # noqa: PLC0415

    def before() -> None:
        if isinstance(request.routing_exception, NotFound | MethodNotAllowed):
            raise Unserved

    app.before_request(before)
    return app


async def _in_thread(app: Wsgi, request: PassedRequest) -> "Answered":
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Answered] = loop.create_future()

    def settle(answered: "Answered | None", error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        elif answered is not None:
            done.set_result(answered)

    def work() -> None:
        answered, fault = None, None
        try:
            answered = _call(app, request)
        except Exception as error:  # noqa: BLE001  whatever it is, it is the caller's to see
            fault = error
        with contextlib.suppress(RuntimeError):  # the loop is gone: nobody waits any more
            loop.call_soon_threadsafe(settle, answered, fault)

    threading.Thread(target=work, name="moto", daemon=True).start()
    return await done


def environ_of(request: PassedRequest) -> dict[str, Any]:
    """A request as WSGI has it (PEP 3333), with moto's own mark for names of metadata that have underscores."""
    bucket = bucket_in(dict(request.headers).get("host", "")) if request.signing_name == "s3" else ""
    path = f"/{bucket}{request.path}" if bucket else request.path  # moto has rules of its own for host names
    raw = path + (f"?{request.query}" if request.query else "")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": request.query,
        "RAW_URI": raw,
        "REQUEST_URI": raw,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": request.body,
        "wsgi.input_terminated": True,
        "wsgi.errors": _Silent(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    preserved: dict[str, str] = {}
    for name, value in request.headers:
        if name in _HOP_BY_HOP or ("_" in name and not name.startswith("x-amz-meta-")):
            continue  # x_amz_date would stand in for x-amz-date
        key = name.upper().replace("-", "_")
        key = key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
        if "_" in name:
            preserved[key] = name
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    host, _, port = environ.setdefault("HTTP_HOST", "localhost").partition(":")
    if request.signing_name == "s3":
        environ["HTTP_HOST"] = f"localhost:{port or 80}"
    environ.update({"SERVER_NAME": host, "SERVER_PORT": port or "80", "CONTENT_LENGTH": str(request.size)})
    environ["HTTP_X_MOTO_ACCOUNT_ID"] = request.account if _tells_account(request) else _owner(request, path)
    environ["moto.preserved_header_names"] = preserved
    environ[REQUEST] = request
    return environ


def _tells_account(request: PassedRequest) -> bool:
    """Whether a request is signed so that its account is known: with version 4."""
    signed = dict(request.headers).get("authorization", "").startswith("AWS4-")
    return signed or "X-Amz-Credential=" in request.query


def _owner(request: PassedRequest, path: str) -> str:
    """The account of other requests: that of the bucket, of which moto then gives what is public, or presigned."""
    models = sys.modules.get("moto.s3.models")
    if request.signing_name != "s3" or models is None:
        return request.account
    bucket = unquote_to_bytes(path).decode("utf-8", "replace").split("/")[1]
    owner: str = models.s3_backends.bucket_accounts.get(bucket, ("", request.account))[1]
    return owner


class _Silent:
    """Where WSGI applications write what goes wrong: moto's answers say it already."""

    def write(self, _text: str) -> None:
        """Nothing."""

    def writelines(self, _lines: Iterable[str]) -> None:
        """Nothing."""

    def flush(self) -> None:
        """Nothing."""


Answered = tuple[int, list[tuple[str, str]], list[bytes]]
"""Status, headers and body."""


def _call(app: Wsgi, request: PassedRequest) -> Answered:
    answered: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _error: Any = None) -> Callable[[bytes], None]:
        answered[:] = [(status, headers)]
        return parts.append

    parts: list[bytes] = []
    try:
        whole = app(environ_of(request), start_response)
    except (NotImplementedError, OperationNotFoundError) as error:
        raise Unserved from error
    try:
        parts.extend(whole)
    finally:
        close = getattr(whole, "close", None)
        if close is not None:
            close()
    status, headers = int(answered[0][0].split(" ", 1)[0]), answered[0][1]
    if status == NOT_FOUND and not any(parts) and request.signing_name != "s3":
        raise Unserved  # how moto says that no operation of a service has a path
    return status, headers, parts


async def _pieces(parts: list[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        for start in range(0, len(part), PIECE):
            yield part[start : start + PIECE]

"""Longshore's own paths beside the AWS APIs: health, metrics, and the reset of the sim engine."""

from collections.abc import Callable
from typing import Any

import msgspec

from longshore import __version__
from longshore.api.callers.auth import Listener, refuse_strangers
from longshore.api.metrics.page import Metrics
from longshore.domain.ecs.task import Task
from longshore.store.store import Store
from longshore.wire.errors import ApiError
from longshore.wire.http import HttpRequest, HttpResponse

RESETS = ("/_longshore/reset", "/moto-api/reset")
RESET_ONLY_SIM = "Only the sim engine can be reset (`longshore up --engine sim`): here there are real containers."


def internal_paths(
    *, store: Store, metrics: Metrics, engine: str, listener: Listener, reset: Callable[[], None] | None
) -> Callable[[HttpRequest], HttpResponse | None]:
    """A function that answers the own paths, and None for all others. `reset` is None where it is not allowed."""

    def health(_request: HttpRequest) -> HttpResponse:
        failed = store.failed
        state = {
            "status": "failed" if failed else "ok",
            "version": __version__,
            "engine": engine,
            "live_tasks": store.count(Task, "live", ()),
            "commits": store.revision,
        }
        if failed:
            state["reason"] = str(failed)
        return _json(503 if failed else 200, state)

    def page(_request: HttpRequest) -> HttpResponse:
        return HttpResponse(200, [("content-type", "text/plain; version=0.0.4; charset=utf-8")], metrics.render())

    def clear(request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            return _json(405, {"message": "Use POST."})
        if reset is None:
            return _json(403, {"message": RESET_ONLY_SIM})
        reset()
        return _json(200, {"status": "ok"})

    pages = {"/_longshore/health": health, "/metrics": page, **dict.fromkeys(RESETS, clear)}

    def answer(request: HttpRequest) -> HttpResponse | None:
        handler = pages.get(request.path)
        if handler is None:
            return None
        if handler is not health:
            if listener.signatures:
                return _json(403, {"message": "Where requests must be signed, only /_longshore/health answers here."})
            try:
                refuse_strangers(request.headers)
            except ApiError as error:
                return _json(403, {"message": error.message})
        return handler(request)

    return answer


def _json(status: int, document: dict[str, Any]) -> HttpResponse:
    return HttpResponse(status, [("content-type", "application/json")], msgspec.json.encode(document))

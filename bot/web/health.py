"""/health and /metrics: before the door, for programs that watch. They tell how all stands, and no text.

/health says of each check only whether it is well; /metrics answers this computer alone.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.exceptions import HTTPException

from bot.records import Check
from bot.web.address import LOOPBACK, is_loopback

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


class Examined(Protocol):
    @property
    def ok(self) -> bool: ...
    @property
    def at(self) -> datetime: ...
    @property
    def checks(self) -> Sequence[Check]: ...


def health_router(examine: Callable[[], Examined], metrics: Callable[[], str]) -> APIRouter:
    router = APIRouter()

    @router.get("/health")
    def health() -> Response:
        """200 if all is well, else 503."""
        found = examine()
        checks: dict[str, bool] = {}
        for check in found.checks:
            checks[check.name] = check.ok and checks.get(check.name, True)
        said = {"ok": found.ok, "at": found.at.isoformat(), "checks": checks}
        return JSONResponse(said, 200 if found.ok else 503)

    @router.get("/metrics")
    def numbers(request: Request) -> Response:
        """As Prometheus reads them."""
        if not _asked_from_here(request):
            raise HTTPException(404)
        return PlainTextResponse(metrics(), media_type=PROMETHEUS)

    return router


def _asked_from_here(request: Request) -> bool:
    """Not through a proxy either: that one asks under the page's public name."""
    name = request.headers.get("host", "").rpartition(":")[0] or request.headers.get("host", "")
    return request.client is not None and is_loopback(request.client.host) and name.lower() in LOOPBACK

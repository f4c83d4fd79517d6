"""The application: pages behind the door, the guard around everything.

It knows no page by itself: routers bring them. What is before the door is named here, all else is behind it.
"""

from collections.abc import Sequence

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from bot.errors import BotError
from bot.web import decisions, door, growing, media, outgoing, overview, queue, review
from bot.web.address import Address
from bot.web.answers import say, status_of, wants_json
from bot.web.door import Doors, Forged, NotLoggedIn, person
from bot.web.guard import READING, Guard
from bot.web.office import Office
from bot.web.pages import STATIC

YEAR = "public, max-age=31536000, immutable"  # a file of ours; its address changes with it


def make_app(
    office: Office,
    doors: Doors,
    address: Address,
    open_routers: Sequence[APIRouter] = (),
    routers: Sequence[APIRouter] = (),
) -> FastAPI:
    """open_routers: more that everybody may ask, routers: more behind the door."""
    app = FastAPI(title="wormhorn", openapi_url=None, docs_url=None, redoc_url=None)
    app.state.office, app.state.doors = office, doors
    app.mount("/static", Static(directory=STATIC), "static")
    for router in (door.router, *open_routers):
        app.include_router(router)
    inner = (review, queue, outgoing, overview, decisions, growing, media)
    for router in (door.inner, *(page.router for page in inner), *routers):
        app.include_router(router, dependencies=[Depends(person)])
    app.add_exception_handler(NotLoggedIn, _to_the_door)
    app.add_exception_handler(Forged, _forged)
    app.add_exception_handler(BotError, _in_one_line)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _plain)
    app.add_middleware(Guard, address=address)
    _work_out(app)
    return app


def _work_out(app: FastAPI) -> None:
    """Routes are worked out when first asked for, and no two threads may do so at once: it is done now."""
    scope = {"type": "http", "method": "GET", "path": "/", "root_path": "", "headers": []}
    for route in app.routes:
        route.matches(scope)


class Static(StaticFiles):
    """Our own files, which a browser may keep."""

    def file_response(self, *given: object, **options: object) -> Response:
        answer = super().file_response(*given, **options)  # type: ignore[arg-type]
        answer.headers["cache-control"] = YEAR
        return answer


async def _to_the_door(request: Request, error: Exception) -> Response:
    if request.method in READING and not wants_json(request):
        return RedirectResponse("/login", 303)
    return say(request, 401, "You are not logged in any more: log in again; nothing was decided.")


async def _forged(request: Request, error: Exception) -> Response:
    return say(request, 403, "This form is not of this session: open the page again; nothing was decided.")


async def _in_one_line(request: Request, error: Exception) -> Response:
    return say(request, status_of(error), str(error))


async def _malformed(request: Request, error: Exception) -> Response:
    return say(request, 422, "The page cannot make sense of that request.")


async def _plain(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    answer = say(request, error.status_code, error.detail)
    answer.headers.update(error.headers or {})
    return answer

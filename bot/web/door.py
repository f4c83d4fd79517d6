"""The door: logging in and out, and what every page behind it depends on.

`Person` refuses whoever is not logged in; `Checked` refuses too what did not come from one of our own forms.
"""

import secrets
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from itsdangerous import BadSignature, URLSafeTimedSerializer

from bot.web.pages import render
from bot.web.passwords import Passwords
from bot.web.sessions import Clock, Link, Session, Sessions, Tries

FORM_HOLDS = 3600  # seconds a login form may lie open


class NotLoggedIn(Exception):
    """Nobody is; the answer leads to the door."""


class Forged(Exception):
    """A form that is not ours, or of an earlier session."""


@dataclass
class Doors:
    """owner: under which name decisions are recorded of whoever comes by the link. cookie: its name."""

    passwords: Passwords
    clock: Clock
    owner: str
    cookie: str
    secure: bool
    link: Link = field(init=False)
    sessions: Sessions = field(init=False)
    tries: Tries = field(init=False)

    def __post_init__(self) -> None:
        self.link, self.sessions = Link(self.clock), Sessions(self.clock)
        self.tries = Tries(self.clock)
        self._forms = URLSafeTimedSerializer(secrets.token_bytes(32), salt="login")

    def form_token(self) -> str:
        return str(self._forms.dumps(secrets.token_urlsafe(8)))

    def is_ours(self, token: str) -> bool:
        try:
            self._forms.loads(token, max_age=FORM_HOLDS)
        except BadSignature:
            return False
        return True

    def admit(self, link: str, name: str, password: str) -> str | None:
        """Under which name somebody comes in, None if not at all."""
        if link:
            return self.owner if self.link.use(link) else None
        return name if self.passwords.fit(name, password) else None


def person(request: Request) -> Session:
    """Who asks. Raises NotLoggedIn."""
    doors: Doors = request.app.state.doors
    session = doors.sessions.find(request.cookies.get(doors.cookie, ""))
    if session is None:
        raise NotLoggedIn
    return session


Person = Annotated[Session, Depends(person)]


def checked(session: Person, csrf: Annotated[str, Form()] = "") -> Session:
    """Who asks, by one of our forms. Raises Forged."""
    if not compare_digest(csrf.encode("utf-8", "surrogatepass"), session.csrf.encode()):
        raise Forged
    return session


Checked = Annotated[Session, Depends(checked)]

router = APIRouter()  # open to everybody
inner = APIRouter()


@router.get("/login")
def show_door(request: Request, link: str = "") -> Response:
    """The form; the link's secret is used only when it is sent."""
    return _form(request, link)


@router.post("/login")
def log_in(
    request: Request,
    form: Annotated[str, Form()] = "",
    link: Annotated[str, Form()] = "",
    name: Annotated[str, Form(max_length=64)] = "",
    password: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    doors: Doors = request.app.state.doors
    if not doors.is_ours(form):
        return _form(request, link, "This form is too old; here is a new one.", 403)
    if not doors.tries.may_try(request.client.host if request.client else ""):
        return _form(request, link, "Too many tries; wait a minute.", 429)
    admitted = doors.admit(link, name, password)
    if admitted is None:
        return _form(request, "", _why_not(link), 403)
    doors.sessions.close(request.cookies.get(doors.cookie, ""))  # what was known before opens nothing now
    secret, _ = doors.sessions.open(admitted)
    answer = RedirectResponse("/", 303)
    answer.set_cookie(doors.cookie, secret, path="/", secure=doors.secure, httponly=True, samesite="strict")
    return answer


@inner.post("/logout")
def log_out(request: Request, session: Checked) -> Response:
    doors: Doors = request.app.state.doors
    doors.sessions.close(request.cookies.get(doors.cookie, ""))
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(doors.cookie, path="/", secure=doors.secure, httponly=True, samesite="strict")
    return answer


def _why_not(link: str) -> str:
    if link:
        return "That link was used already or is too old: start `bot web` again for another."
    return "No such name with that password."


def _form(request: Request, link: str, notice: str = "", status: int = 200) -> Response:
    doors: Doors = request.app.state.doors
    with_password = doors.passwords.are_set()
    return render(
        "login.html", status, link=link, form=doors.form_token(), notice=notice, with_password=with_password
    )

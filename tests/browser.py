"""The page in Debian's chromium: a server on loopback, a browser, and what went wrong in it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from os import geteuid
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from bot.web.address import Address, listen
from bot.web.server import serving
from tests.pages import open_app
from tests.queues import Queue

MISSING = "no chromium here: apt-get install chromium"
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
DESKTOP = {"viewport": {"width": 1280, "height": 800}}

# Kept by the page itself, before any script of its own: what its policy has stopped.
WATCH = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective));
window.alert = window.confirm = window.prompt = (what) => { window.ran = what ?? "ran"; };
"""


@contextmanager
def open_browser() -> Iterator[Any]:
    """Chromium, or the test is skipped with the name of the package."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip(MISSING)
    from playwright.sync_api import sync_playwright

    sandbox = ["--no-sandbox"] if geteuid() == 0 else []  # root has no other way
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=sandbox)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visit:
    """A page that is open, and what its console said."""

    page: Any
    here: str
    complaints: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        self.page.goto(self.here + path)

    def violations(self) -> list[str]:
        return list(self.page.evaluate("window.violations"))

    def ran(self) -> object:
        return self.page.evaluate("window.ran ?? null")


@contextmanager
def served(queue: Queue, folder: Path, **other: Any) -> Iterator[tuple[FastAPI, str]]:
    """The page over a queue on a free port of this computer, and where it is."""
    listener, address = listen(Address(port=0))
    app = open_app(queue, folder, address, **other)
    with serving(app, address, listener):
        yield app, address.url()


def visit(browser: Any, here: str, **how: Any) -> Visit:
    """A new browser without memory, at the door; `how`: of the device."""
    context = browser.new_context(**(DESKTOP | how))
    context.set_default_timeout(30_000)  # a busy machine is no failure
    if how.get("java_script_enabled", True):
        context.add_init_script(WATCH)
    made = Visit(context.new_page(), here)
    made.page.on("console", lambda message: made.complaints.append(message.text))
    made.page.on("pageerror", lambda error: made.complaints.append(str(error)))
    return made


def come_in(browser: Any, here: str, app: FastAPI, **how: Any) -> Visit:
    """The same, logged in by a session of its own."""
    made = visit(browser, here, **how)
    secret, _ = app.state.doors.sessions.open("ada")
    made.page.context.add_cookies(
        [
            {
                "name": app.state.doors.cookie,
                "value": secret,
                "url": here,
                "httpOnly": True,
                "sameSite": "Strict",
            }
        ]
    )
    return made

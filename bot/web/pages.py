"""Templates become pages. Everything in them is escaped; what cannot be seen in a text is shown (`shown`)."""

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.review.keys import BY_ACTION
from bot.web.shown import pieces

HERE = Path(__file__).parent
STATIC = HERE / "static"


@cache
def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {"static": static, "pieces": pieces, "keys": BY_ACTION}
    return made


@cache
def static(name: str) -> str:
    """The address of one of our files; it changes with what is in it, so that a browser may keep it."""
    digest = sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?{digest}"


def written(template: str, **values: Any) -> str:
    return _templates().get_template(template).render(values)


def render(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    return HTMLResponse(written(template, **values), status)

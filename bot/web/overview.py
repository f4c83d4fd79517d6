"""How everything stands: bots, what was approved of what, how models learned, what was posted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from bot.records import Delivery
from bot.web.asked import Rooms
from bot.web.door import Checked, Person
from bot.web.office import Curve, Office
from bot.web.pages import render

router = APIRouter()
POSTS = 20  # deliveries, the latest
WEB = ("https://", "http://")
WIDTH, HEIGHT = 320, 120  # of a curve's drawing, in its own units
SPAN = 1.1  # of the losses beside the lowest: a first, enormous one would flatten the rest


@dataclass(frozen=True)
class Plot:
    """A curve as paths of an SVG."""

    curve: Curve
    train: str
    held_out: str
    ngram: float | None

    @property
    def best(self) -> float:
        return min(self.curve.held_out)


@dataclass(frozen=True)
class Posted:
    """places: the targets it has reached, each with its address there, "" if that is none for a browser."""

    draft: int
    text: str
    at: datetime
    places: list[tuple[str, str]]


@dataclass(frozen=True)
class Earned:
    """What was approved of what was decided, of one way to sample."""

    bot: str
    checkpoint: str
    band: str
    sampler: str
    approved: int
    decided: int

    @property
    def share(self) -> float:
        return self.approved / self.decided


@router.get("/overview")
def show_overview(rooms: Rooms, session: Person) -> Response:
    said, session.notice = session.notice, ""
    return render(
        "overview.html",
        session=session,
        notice=said,
        at="overview",
        standings=rooms.standings(),
        fills={bot: fill for bot in rooms.bots if (fill := rooms.last_fill(bot))},
        earned=_earned(rooms),
        plots=[plot(curve) for curve in rooms.curves()],
        posts=_posts(rooms.deliveries.latest_posts(POSTS)),
        size=(WIDTH, HEIGHT),
        checks=rooms.health(),
        halts=rooms.switches.in_force(),
    )


@router.post("/stop")
def stop(rooms: Rooms, session: Checked) -> Response:
    """Nothing is posted any more, from the next send on. Raises Conflict if that is so already."""
    rooms.switches.stop(None, session.name, "by the page")
    session.notice = "Stopped: nothing is posted until somebody says so."
    return RedirectResponse("/overview", 303)


@router.post("/resume")
def resume(rooms: Rooms, session: Checked) -> Response:
    """Whatever keeps posts back is lifted. Raises Conflict if a file does."""
    rooms.switches.resume(None, [], session.name)
    session.notice = "Posts go out again."
    return RedirectResponse("/overview", 303)


def _posts(sent: Sequence[tuple[Delivery, datetime]]) -> Sequence[Posted]:
    """By draft: one that goes to three places is one post to whoever reads this."""
    found: dict[int, Posted] = {}
    for delivery, at in sent:
        post = found.setdefault(delivery.draft, Posted(delivery.draft, delivery.text, at, []))
        post.places.append((delivery.target, delivery.url if delivery.url.startswith(WEB) else ""))
    return list(found.values())


def _earned(rooms: Office) -> Sequence[Earned]:
    return [
        Earned(bot, arm.checkpoint.rpartition("/")[2], arm.band, arm.sampler, share.count, share.total)
        for bot in rooms.bots
        for arm, share in sorted(rooms.earned(bot).items())
    ]


def plot(curve: Curve) -> Plot:
    """Both losses over steps; higher up is worse."""
    lowest = min([*curve.train, *curve.held_out, *filter(None, [curve.ngram])])
    highest = min(max([*curve.train, *curve.held_out]), lowest + SPAN)
    last = max(curve.steps)

    def point(step: int, loss: float) -> tuple[float, float]:
        share = (min(loss, highest) - lowest) / ((highest - lowest) or 1)
        return round(step / last * WIDTH, 1), round(HEIGHT - share * HEIGHT, 1)

    def path(losses: Sequence[float]) -> str:
        return "M" + " L".join(f"{x} {y}" for x, y in map(point, curve.steps, losses))

    ngram = None if curve.ngram is None else point(last, curve.ngram)[1]
    return Plot(curve, path(curve.train), path(curve.held_out), ngram)

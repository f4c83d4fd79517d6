"""Draws docs/review.svg, the picture of the review screen: `python docs/review_screenshot.py`."""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.records import Candidate, Evidence, Judged, Match, Measure, Outlet, Sampling, Span, Verdict
from bot.review.decisions import Desk
from bot.review.shortlist import Shortlist
from bot.review.terminal import Review
from bot.store import Database, Drafts, Judgements

SIZE = (96, 24)  # columns, lines
KEPT = (
    Verdict("length", "accept"),
    Verdict("not_in_training", "accept"),
    Verdict("not_seen_before", "accept"),
    Verdict("gate.safety", "accept"),
    Verdict("gate.copy", "accept"),
)
ASKED = (Verdict("blocklist", "ask", "seems to hide the blocked word 'arson'"), *KEPT)
NEAR = Evidence(11, 3, Match(3, "Arsonata", "bands.csv"), Span("Sonata", "Arsonata", "bands.csv", start=5))
SAMPLES = [
    ("Wormhorn", 0.74, 0.88, KEPT),
    ("Cryptic Vomithron", 0.81, 1.02, KEPT),
    ("Scar Sonata", 0.86, 1.12, ASKED),
    ("Mournspire", 0.79, 0.94, KEPT),
    ("Ashen Throatgrave", 0.90, 1.17, KEPT),
]


def judged(
    index: int, text: str, temperature: float, surprise: float, verdicts: tuple[Verdict, ...]
) -> Judged:
    checkpoint, settings = "death_metal/epoch12.00_1.8132_3fa9c1", Sampling((0.7, 0.9))
    nll, build = round(1.81 * surprise, 2), "torch 2.13.0"
    return Judged(
        Candidate(text, text, checkpoint, settings, 1, index, temperature, nll, surprise, build, "cpu"),
        verdicts,
        NEAR if text == "Scar Sonata" else None,
    )


def outlets(bot: str, text: str) -> tuple[Outlet, ...]:
    return Outlet("x", "@wormhorn_bot", "query", text), Outlet("feed", "feed.xml", "put", text)


async def main() -> None:
    with TemporaryDirectory() as folder, Database(f"sqlite:///{folder}/bot.db") as database:
        drafts = Drafts(database)
        drafts.add("death_metal", [judged(index, *sample) for index, sample in enumerate(SAMPLES)])
        desk = Desk(drafts, lambda *_: (), outlets, "ada")
        shortlist = Shortlist(drafts, Judgements(database), lambda bot: None)
        measures = {"x": Measure(11, 280), "feed": Measure(11, None)}
        app = Review(drafts, desk, shortlist, "death_metal", measures=lambda bot, text: measures)
        async with app.run_test(size=SIZE) as pilot:
            await pilot.press("a", "r")
            await pilot.pause()
            picture = app.export_screenshot(title="bot review death_metal")
    Path(__file__).with_name("review.svg").write_text(picture)


if __name__ == "__main__":
    asyncio.run(main())

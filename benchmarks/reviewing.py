"""What a decision on the page costs, and how soon lists come from a long queue while posts go out.

    python -m benchmarks.reviewing --decisions 50 --drafts 100000

In a real browser (chromium): decisions by keys, with the next card there beforehand, beside the same page
without its script, where each decision is a form that is answered by the next page. Milliseconds are from the
key to the next card. Lists: pages through the server, 200 of each, while a worker approves, claims and
settles as fast as it may; beside them a late page by OFFSET, the statement alone, from the database.
"""

import argparse
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bot.records import Receipt
from tests.browser import Visit, come_in, open_browser, served
from tests.queues import Queue, judged, open_queue, outlet

TEXTS = ("Wormhorn", "Cryptic Vomithron", "Scar Sonata", "Mournspire", "Ashen Throatgrave")
AT_ONCE = 5000  # drafts queued in one transaction
PAGES = 200
BY_OFFSET = """SELECT d.id, r.text FROM drafts d JOIN revisions r ON r.draft = d.id AND r.number = d.revision
WHERE d.state = 'pending' ORDER BY d.id DESC LIMIT 50 OFFSET ?"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--decisions", type=int, default=50)
    parser.add_argument("--drafts", type=int, default=100_000)
    given = parser.parse_args()
    print("| decisions | requests | kB | ms, median | ms, p95 |\n|---|---|---|---|---|")
    with open_browser() as browser:
        for name, script in (("by keys, with the script", True), ("by forms, without", False)):
            print(f"| {name} | {' | '.join(decisions(browser, script, given.decisions))} |", flush=True)
    print(f"\n{given.drafts:,} drafts, while posts go out\n")
    print("| page | ms, median | ms, p95 |\n|---|---|---|")
    for name, times in lists(given.drafts):
        print(f"| {name} | {at(times, 0.5):.0f} | {at(times, 0.95):.0f} |", flush=True)


def decisions(browser: Any, script: bool, count: int) -> Iterator[str]:
    """Requests and kB a decision, and the milliseconds."""
    with TemporaryDirectory() as folder, open_queue(Path(folder)) as queue:
        queue.add(*(f"{TEXTS[number % len(TEXTS)]} {number}" for number in range(count + 5)))
        with served(queue, Path(folder)) as (app, here):
            visitor = come_in(browser, here, app, java_script_enabled=script)
            visitor.go("/review")
            visitor.page.wait_for_load_state("networkidle")
            traffic: list[int] = []
            visitor.page.on("response", lambda answer: traffic.append(size_of(answer)))
            decide = by_key if script else by_form
            times = [decide(visitor, number + 1) for number in range(count)]
            visitor.page.wait_for_load_state("networkidle")
            if len(queue.drafts.list("approved")) != count:
                raise SystemExit("not all were decided")
            yield f"{len(traffic) / count:.1f}"
            yield f"{sum(traffic) / count / 1000:.1f}"
            yield f"{at(times, 0.5):.0f}"
            yield f"{at(times, 0.95):.0f}"


def size_of(answer: Any) -> int:
    sizes = answer.request.sizes()
    return sum(sizes.values())


def by_key(visitor: Visit, id: int) -> float:
    """As the page itself sees it: from the key to the next card."""
    return float(
        visitor.page.evaluate(
            """async (id) => {
              const start = performance.now();
              document.querySelector('[data-key=a]').click();
              const shown = () => document.querySelector('.card')?.dataset.id;
              while (shown() !== id) await new Promise(requestAnimationFrame);
              return performance.now() - start;
            }""",
            str(id + 1),
        )
    )


def by_form(visitor: Visit, id: int) -> float:
    start = time.perf_counter()
    visitor.page.get_by_role("button", name="Approve").click()
    visitor.page.locator(f'.card[data-id="{id + 1}"]').wait_for()
    return (time.perf_counter() - start) * 1000


def lists(count: int) -> Iterator[tuple[str, Sequence[float]]]:
    from tests.pages import log_in, open_app

    with TemporaryDirectory() as name, open_queue(Path(name)) as queue:
        folder = Path(name)
        for start in range(0, count, AT_ONCE):
            texts = (f"{TEXTS[number % 5]} {number}" for number in range(start, min(count, start + AT_ONCE)))
            queue.drafts.add("metal", [judged(text) for text in texts])
        client = log_in(open_app(queue, folder))
        deep = count // 10  # the last tenth, by its id
        pages = {
            "the first": "/queue",
            "a late one": f"/queue?after={deep}",
            "by surprise": "/queue?sort=surprise",
            "a search": "/queue?search=sonata+1234",
            "posted": "/queue?status=posted",
            "the calendar": "/calendar",
            "the overview": "/overview",
            "a draft": f"/drafts/{deep}",
        }
        with posting(queue):
            for label, path in pages.items():
                yield label, timed(lambda path=path: client.get(path).raise_for_status(), PAGES)
            with sqlite3.connect(folder / "bot.db") as plain:
                yield (
                    "a late one by OFFSET, the statement alone",
                    timed(lambda: plain.execute(BY_OFFSET, (count - deep,)).fetchall(), 20),
                )


def timed(act: Callable[[], object], count: int) -> Sequence[float]:
    act()
    times = []
    for _ in range(count):
        start = time.perf_counter()
        act()
        times.append((time.perf_counter() - start) * 1000)
    return times


@contextmanager
def posting(queue: Queue) -> Iterator[None]:
    """A worker that approves, claims, sends and settles without a pause."""
    stop = threading.Event()

    def work() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            [draft] = queue.add(f"posted {number}", bot="other")
            queue.approve(draft, outlet(draft.text, account=f"account {number}"))
            queue.deliveries.schedule_now("other")
            if claimed := queue.deliveries.claim("worker", 60, draft=draft.id):
                sending = queue.deliveries.begin_sending(claimed)
                queue.deliveries.settle(sending, "sent", "", Receipt(str(number)))

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        stop.set()
        worker.join()


def at(times: Sequence[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


if __name__ == "__main__":
    main()

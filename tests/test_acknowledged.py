"""A process that decides is killed again and again: every decision that it told of is there, and whole."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.store.tables import decisions, deliveries
from tests.queues import open_queue, open_url

ROOT = Path(__file__).parents[1]
KILLS, DECISIONS = 8, 7  # kills, and at most so many decisions before each


def decide(url: str, count: int) -> list[tuple[int, str]]:
    """What a deciding process says until it is killed, `count` decisions on or some more."""
    command = [sys.executable, "-W", "error", "-m", "tests.deciding", url]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        said = [process.stdout.readline() for _ in range(count)]
        process.kill()
        said += process.stdout.readlines()  # what it had said before it died
    whole = [line.split() for line in said if line.endswith("\n")]
    return [(int(id), status) for id, status in whole]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_every_acknowledged_decision_survives_a_kill(tmp_path, request, kind):
    """Approvals with their deliveries, edits and rejections; what was cut short has not begun."""
    url = f"sqlite:///{tmp_path}/bot.db"
    if kind == "postgresql":
        url = request.getfixturevalue("postgres").fresh()
    else:
        with open_queue(tmp_path):
            pass
    with open_url(url) as queue:
        queue.add(*(f"Name {number}" for number in range(KILLS * 3 * DECISIONS)))
        told = [one for kill in range(KILLS) for one in decide(url, 1 + kill % DECISIONS)]
        found = {draft.id: draft.status for draft in queue.drafts.list()}
        with queue.database.read() as connection:
            verdicts = dict(
                connection.execute(
                    select(decisions.c.draft, func.max(decisions.c.verdict)).group_by(decisions.c.draft)
                ).all()
            )
            planned = set(connection.scalars(select(deliveries.c.draft)))

    assert len(told) >= sum(1 + kill % DECISIONS for kill in range(KILLS))
    assert [one for one in told if found[one[0]] != one[1]] == []
    approved = {id for id, status in found.items() if status == "approved"}
    assert approved == planned == {id for id, verdict in verdicts.items() if verdict == "approve"}

"""The delivery core in simulated histories: nothing twice, nothing lost, no false `sent`, no idle doubt."""

import logging
import os

import pytest

from benchmarks.simulate import CONTROL, SEARCH, UNPROTECTED, first_found, replay, simulate, simulate_beside
from benchmarks.simulation.history import History
from benchmarks.simulation.mutants import MUTANTS, NAIVE, OURS
from benchmarks.simulation.world import Weather

SOME = 10_000
WHOLE = 1_000_000


@pytest.fixture(autouse=True)
def quiet():
    """Couriers tell of every conflict; here there are thousands."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_no_history_breaks_a_promise():
    """Whatever is killed, stopped, suspended, lost or set: at most one post each, and every end is right."""
    tally = simulate(OURS, range(SOME))

    assert tally.wrong == []
    assert not tally.twice


@pytest.mark.proof
def test_no_history_of_a_million_breaks_a_promise():
    """The same at full size: with none of 10^6, fewer than 3 in 10^6 do (95 %)."""
    tally = simulate_beside("ours", range(WHOLE), os.cpu_count() or 1)

    assert tally.histories == WHOLE
    assert tally.wrong == []


def test_processes_beside_each_other_run_the_same_histories():
    """In any order: the sums are equal."""
    one, two = simulate(OURS, range(40)), simulate_beside("ours", range(40), 2)

    assert (one.histories, one.ends, one.hours) == (two.histories, two.ends, pytest.approx(two.hours))


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_found(name):
    """A plausible mistake breaks a promise in one of the first histories, so these can fail."""
    assert first_found(MUTANTS[name], range(SEARCH)) is not None


def test_to_post_and_then_to_mark_doubles_posts():
    """The control: the naive way, under the same faults, where the place does not know a post again."""
    assert simulate(NAIVE, range(CONTROL)).share_twice(UNPROTECTED) > 0.2


def test_the_faults_that_count_are_met():
    """Every kind is met sent and refused, and doubts are left: all this was not in fair weather."""
    ends = simulate(OURS, range(300)).ends

    assert all(ends[f"{kind} sent"] and ends[f"{kind} refused"] for kind in ("put", "key", "query", "opaque"))
    assert ends["opaque uncertain"]


def test_in_fair_weather_all_is_sent():
    """Without a fault every delivery is sent, soon."""
    for seed in range(50):
        found = History(seed, weather=Weather(until=0)).run()
        assert {state for _, state in found.ends} == {"sent"}
        assert found.wrong == ()


def test_one_seed_is_one_history():
    """A violation is replayed, line by line, by the seed alone."""
    mutant = MUTANTS["key lifetime ignored"]
    found = first_found(mutant, range(SEARCH))

    trace = replay(found.seed, mutant)
    assert trace == replay(found.seed, mutant)
    assert trace[-len(found.wrong) :] == [f"WRONG: {wrong}" for wrong in found.wrong]
    assert replay(found.seed, OURS)[-1] == "WRONG: nothing"

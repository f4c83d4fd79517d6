"""When an account rests: denied three times in a row, or a target that failed three times in ten minutes."""

import pytest

from bot.posting.outcomes import NotSent, Refused, Sent, Unknown
from bot.posting.strikes import REST, WITHIN, Strikes
from bot.records import Receipt
from tests.deliveries import delivery

SENT, DENIED, FAILED = (
    Sent(Receipt("r1")),
    Refused("401 no", denied=True),
    Unknown("KeyError: 'id'"),
)


class Steady:
    at = 0.0

    def __call__(self):
        return self.at


@pytest.fixture
def steady():
    return Steady()


@pytest.fixture
def strikes(steady):
    return Strikes(steady)


def heard(strikes, *outcomes, **fields):
    return [strikes.hear(delivery(**fields), outcome) for outcome in outcomes]


def test_three_denials_in_a_row_are_enough(strikes):
    """The account rests until a person has mended it; the reason is the last one's."""
    *before, rest = heard(strikes, DENIED, DENIED, DENIED)

    assert before == [None, None]
    assert (rest.account, rest.duration) == ("me", None)
    assert "denied 3 times, the last: 401 no" in rest.reason


def test_a_post_between_them_makes_denials_begin_anew(strikes):
    """A refusal of the post itself is no denial, and does not."""
    assert not any(heard(strikes, DENIED, DENIED, SENT, DENIED, Refused("too long"), DENIED))
    assert heard(strikes, DENIED)[0]


def test_each_account_has_its_own(strikes):
    """Three accounts denied once each go on."""
    assert not any(heard(strikes, DENIED, account=name)[0] for name in ("me", "you", "it"))


def test_three_failures_in_ten_minutes_are_enough(strikes, steady):
    """It rests for an hour; what came longer ago does not count."""
    assert not any(heard(strikes, FAILED, FAILED))
    steady.at = WITHIN
    assert not any(heard(strikes, FAILED, FAILED))
    [rest] = heard(strikes, FAILED)

    assert rest.duration == REST
    assert rest.reason == "its target failed 3 times in ten minutes, the last: KeyError: 'id'"


def test_a_target_that_says_what_it_cannot_do_has_not_failed(strikes):
    """NotSent of a post is an answer; of the check before it, that the target could not be asked."""
    assert not any(heard(strikes, *[NotSent("busy")] * 9))
    assert heard(strikes, *[NotSent("died")] * 3, state="claimed")[-1]


def test_after_a_rest_it_begins_anew(strikes):
    """One more failure is one."""
    assert heard(strikes, *[FAILED] * 3)[-1]
    assert not any(heard(strikes, FAILED, FAILED))

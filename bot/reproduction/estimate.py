"""How long the trainings of a recipe will take, by the pace of a few steps of each; and what fits an hour.

Where all take longer than they may, each goes to the same fraction of its own.
"""

import json
from collections.abc import Callable, Iterable, Mapping

from bot.house import House
from bot.model.checkpoint import make_folder, write_atomically
from bot.reproduction.lab import Lab
from bot.trainer import Trainer, opened

Measure = Callable[[Trainer, int], float]

STEPS = 3  # that a pace is taken of, beside those that warm up


def estimate(lab: Lab, models: Iterable[str], measure: Measure | None = None) -> dict[str, float]:
    """Seconds that each training will take in all, by its name; measured once and kept.

    measure: takes the pace of those that are trained otherwise than models are, by so many steps.
    """
    file = lab.folder / "pace.json"
    known: dict[str, float] = json.loads(file.read_bytes()) if file.exists() else {}
    found = {}
    for name in models:
        pace = lab.key(name, "seed")  # another seed has the same pace
        pace += " otherwise" if measure else ""
        if pace not in known:
            lab.tell(f"Measuring the pace of {name} ...")
            with opened(_alone(lab, name), name, lab.corpus(name)) as trainer:
                known[pace] = (measure or _seconds)(trainer, STEPS)
            make_folder(lab.folder)
            write_atomically(file, json.dumps(known).encode())
        found[name] = known[pace]
    return found


def _alone(lab: Lab, name: str) -> House:
    """A pace can be taken before that is trained which a model begins with."""
    model = lab.house.model(name)
    if not model.training.init_from:
        return lab.house
    training = model.training.model_copy(update={"init_from": ""})
    return lab.house.having({name: model.model_copy(update={"training": training})})


def _seconds(trainer: Trainer, steps: int) -> float:
    """A model that is counted takes no time worth the name."""
    if trainer.is_counted:
        return 1.0
    profile = trainer.profile(steps)
    return profile.seconds * profile.steps


def fraction(seconds: Iterable[float], hours: float) -> float:
    """How much of trainings that take so long fits into so many hours, 1 for all of it."""
    return min(1.0, hours * 3600 / max(sum(seconds), 1e-9))


def fit(lab: Lab, seconds: Mapping[str, float], hours: float) -> float:
    """Tell the estimate, and let each training take its fraction of the time; returns that fraction."""
    share = fraction(seconds.values(), hours)
    lab.tell(f"Estimated: {told(sum(seconds.values()))} for {len(seconds)} trainings.")
    if share < 1:
        lab.allow({name: share * span / 60 for name, span in seconds.items()})
        lab.tell(
            f"That is over {hours:g} h: each goes to about {share:.0%} of its own, and the report is marked "
            f"PARTIAL; --hours {sum(seconds.values()) / 3600:.1f} would do all."
        )
    return share


def told(seconds: float) -> str:
    """`2 h 05 min`, `12 min`, `40 s`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"

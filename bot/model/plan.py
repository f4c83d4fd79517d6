"""What a training does about the run that is stored: go on with it, begin anew, nothing. It reads no file."""

from dataclasses import dataclass
from typing import Any, Literal

from bot.errors import TrainingError
from bot.model.run import why_ended
from bot.model.training_state import Position, changes, shaping


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, and in plain words why; "" where that is plain."""

    do: Literal["begin", "go on", "nothing"]
    why: str = ""


def make_plan(name: str, then: Position | None, about: dict[str, Any], settings: Any) -> Plan:
    """What to do for the model `name`. then: where its stored run stands, None if there is none to speak of.

    A finished run goes on where it may take more than before; where anything else is not as it was, a new one
    begins. Raises TrainingError for an unfinished one that was begun otherwise: it would be lost.
    """
    if then is None:
        return Plan("begin")
    changed = ", ".join(changes(then.fingerprint, about | shaping(settings)))
    if not then.ended:
        return _go_on(name, then, changed)
    if changed:
        return Plan("begin", f"Beginning anew: the finished run had {changed}.")
    if ended := why_ended(then, settings):
        return _nothing(name, then, ended)
    more = f"Going on with the finished run after its {then.step} steps, since it may take more now"
    return Plan("go on", f"{more} (--fresh would begin anew).")


def _go_on(name: str, then: Position, changed: str) -> Plan:
    if changed:
        msg = (
            f"the unfinished run of {name} was begun with {changed}; set that back to go on, or begin anew: "
        )
        raise TrainingError(msg + f"bot train {name} --fresh")
    why = f"Going on with the unfinished run after {then.step} steps (--fresh would begin anew)."
    return Plan("go on", why)


def _nothing(name: str, then: Position, ended: str) -> Plan:
    best = min(row.held_out_loss for row in then.history)
    return Plan(
        "nothing",
        f"{name} is trained: {ended}, best held-out loss {best:.4f}.\n"
        "With more max_steps, max_minutes or patience it would go on; --fresh begins anew.",
    )

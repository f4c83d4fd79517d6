"""Where a process kills itself with SIGKILL, as if from outside: at one step of one delivery, once.

The plan and whether it has been carried out are known to all forks of a process. It knows no delivery.
"""

import mmap
import os
import signal
from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """Die at `step` of the delivery of `text`. who: this process; in a sender's child also its parent."""

    step: str
    who: str = "this"  # this, sender, parent, both
    text: str = ""


_plan: Plan | None = None
_done = mmap.mmap(-1, 1)  # shared with every fork


def prepare(plan: Plan | None) -> None:
    global _plan
    _plan, _done[0] = plan, 0


def die(step: str, text: str | None = None) -> None:
    """Die if it was planned here. text: None where a step is of no delivery yet."""
    if _plan is None or _plan.step != step or text not in (None, _plan.text) or _done[0]:
        return
    _done[0] = 1
    if _plan.who in ("both", "parent"):
        os.kill(os.getppid(), signal.SIGKILL)
    if _plan.who != "parent":
        os.kill(os.getpid(), signal.SIGKILL)


def has_died() -> bool:
    return bool(_done[0])

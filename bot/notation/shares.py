"""Many tunes in numbers: how many are right, by our checker and by abc2midi, and what notes they have.

Shares of notes are means over the tunes that have any.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from bot.notation.survey import Survey, survey

OTHER = "abc2midi"  # another's checker, which need not be there
PATIENCE = 60  # seconds that it has for a tune


@dataclass(frozen=True)
class Shares:
    """valid: tunes without a fault. clean: tunes that abc2midi finds nothing wrong with, None without it.

    bars_right: of all bars. foreign, accidentals, pentatonic: of the notes. None where there are none.
    """

    tunes: int
    valid: int
    clean: int | None
    bars_right: float | None
    foreign: float | None
    accidentals: float | None
    pentatonic: float | None


def shares(texts: Sequence[str]) -> Shares:
    """Of these tunes."""
    found = [survey(text) for text in texts]
    heard = [one for one in found if one.notes]
    bars = sum(one.bars for one in found)
    return Shares(
        tunes=len(texts),
        valid=sum(not one.faults for one in found),
        clean=_clean(texts) if shutil.which(OTHER) else None,
        bars_right=1 - sum(one.wrong for one in found) / bars if bars else None,
        foreign=_mean(heard, lambda one: one.foreign),
        accidentals=_mean(heard, lambda one: one.accidentals),
        pentatonic=_mean(heard, lambda one: one.pentatonic),
    )


def _mean(heard: Sequence[Survey], share: Callable[[Survey], float]) -> float | None:
    return fmean(map(share, heard)) if heard else None


def _clean(texts: Sequence[str]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        return sum(_is_clean(text, Path(folder)) for text in texts)


def _is_clean(text: str, folder: Path) -> bool:
    """Whether it makes MIDI of a tune without a warning; a number X: is given to one that has none."""
    (folder / "tune.abc").write_text(text if text.startswith("X:") else f"X:1\n{text}\n", encoding="utf-8")
    command = [OTHER, "tune.abc", "-o", "tune.mid"]
    try:
        said = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return False
    return said.returncode == 0 and not any(word in said.stdout for word in (b"Warning", b"Error"))

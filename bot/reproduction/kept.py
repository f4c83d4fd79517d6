"""What is kept of a training beside its checkpoints: one JSON file a model, so that none is trained twice."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from bot.model.checkpoint import make_folder, write_atomically
from bot.model.watch import Measurement


@dataclass
class Kept:
    """One training so far.

    key: of all that shapes it. limits: how long it might be. remarks, samples: with the step each belongs to.
    """

    key: str
    limits: dict[str, Any] = field(default_factory=dict)
    note: str = ""  # how it ended, "" while it goes on
    failed: bool = False
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    parameters: int = 0
    ngram_loss: float | None = None
    checkpoint: str = ""
    history: list[Measurement] = field(default_factory=list)
    remarks: list[tuple[int, str]] = field(default_factory=list)
    samples: list[tuple[int, list[str]]] = field(default_factory=list)

    def save(self, path: Path) -> None:
        make_folder(path.parent)
        write_atomically(path, json.dumps(asdict(self), ensure_ascii=False).encode())

    def remark(self, step: int, text: str) -> None:
        """Note what the watch said; what it says again at the next evaluation is told once."""
        kind = text.partition(":")[0]
        if kind in ("spike", "a step was skipped") or kind not in {
            old.partition(":")[0] for _, old in self.remarks
        }:
            self.remarks.append((step, text))


_KEPT = TypeAdapter(Kept)


def load(path: Path) -> Kept | None:
    """What `save` wrote; None if there is none or it is damaged: then the training is looked at again."""
    try:
        return _KEPT.validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None

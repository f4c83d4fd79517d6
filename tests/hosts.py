"""A model host without a model: it dies, hangs or fails where it is told to. It loads no torch.

What befalls it is written as file names in the folder `fate` beside config.yaml: STAGE@BOT, or STAGE for any;
a fate with the suffix `.once` is used up.
"""

import os
import signal
from pathlib import Path

from bot.config import Config
from bot.curation.chain import no_profile
from bot.curation.novelty import HashedTrainingSet, build_index
from bot.errors import BotError
from bot.host.serving import SAMPLED, ModelHost
from bot.records import Candidate


def candidate(order, index: int) -> Candidate:
    [part] = order.parts
    text = f"{order.bot.title()} {order.seed} {index:03}"
    checkpoint = f"{order.model}/{part.checkpoint}"
    return Candidate(text, text, checkpoint, part.sampling, order.seed, index, 1.0, 2.0, 1.0, "build", "cpu")


class Sampler:
    """Writes number after number."""

    size = 1000

    def __init__(self, meet):
        self._meet = meet

    def sample_many(self, requests):
        self._meet("sampling")
        return [list(indices) for _, _, indices in requests]


class Loaded:
    size = 1000

    def __init__(self, meet):
        self.sampler, self.training_set = Sampler(meet), HashedTrainingSet(build_index([]))
        self.open_profile = no_profile


class FragileHost(ModelHost):
    """Everything but the model is real."""

    def __init__(self, config: Config):
        super().__init__(config)
        self._fates = config.folder / "fate"
        self._orders = ()

    def __call__(self, orders):
        self._orders = orders
        for piece in super().__call__(orders):
            yield piece
            self._meet("sampled" if piece == SAMPLED else "answered")

    def _weigh(self, model, name):
        return 1000

    def _load(self, model, name):
        self._meet("loading")
        return Loaded(self._meet)

    def _judge(self, order, parts):
        self._meet("judging", order.bot)
        made = [(name, [candidate(order, index) for index in indices]) for name, indices in parts]
        answer = super()._judge(order, made)
        self._meet("judged", order.bot)
        return answer

    def _meet(self, stage: str, bot: str = "") -> None:
        bots = {bot} if bot else {order.bot for order in self._orders}
        for path in sorted(self._fates.glob("*")):
            fate, _, rest = path.name.removesuffix(".once").partition("-")
            where, _, whom = rest.partition("@")
            if where == stage and (not whom or whom in bots):
                if path.suffix == ".once":
                    path.unlink()
                FATES[fate]()


def fail() -> None:
    raise BotError("a setting that a person must mend")


FATES = {"die": lambda: os.kill(os.getpid(), signal.SIGKILL), "hang": signal.pause, "fail": fail}


def doom(folder: Path, *fates: str) -> None:
    """die-sampling, hang-judging@NAME, fail-sampling@NAME.once ..."""
    (folder / "fate").mkdir(exist_ok=True)
    for path in (folder / "fate").iterdir():
        path.unlink()
    for fate in fates:
        (folder / "fate" / fate).touch()

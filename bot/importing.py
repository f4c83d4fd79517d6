"""Brings another program's checkpoint in: a file of torch.save -> a folder that samples like any other.

It brings together the confined reading, the tokens a person names and what a folder must hold besides. What
the network has read is known only if the configuration gives the model's corpus.
"""

import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from statistics import fmean

from bot.config import Model
from bot.curation.novelty import FILE_NAME, build_index
from bot.errors import BotError, CheckpointError
from bot.house import House
from bot.model import checkpoint
from bot.model.checkpoint import Meta, Plugin
from bot.model.foreign.adopting import Adopted, Marks, Nonlinearity, adopt, cell_of
from bot.model.foreign.content import tokens_of
from bot.model.foreign.process import read
from bot.model.sampling import Sampler, calibrate
from bot.model.weights import pack
from bot.records import Sampling
from bot.reports.card import import_card
from bot.text.corpus import Corpus
from bot.text.files import read_lines

MEASURED = 256  # texts of its own
SMALLEST = 1e-6  # nats: a network may know but one text, and every surprise is a share of this


@dataclass(frozen=True)
class Imported:
    """The new folder, what its meta.json says, and of how many items copies will be known.

    before: the checkpoint that `best` named until now, "" if none or this one. unread: why the configured
    corpus could not be read, "" if it was or there is none.
    """

    folder: Path
    meta: Meta
    known_items: int
    before: str
    unread: str


def bring_in(
    house: House, path: Path, name: str, vocabulary: Path | None, marks: Marks, nonlinearity: Nonlinearity
) -> Imported:
    """Import a file as the model `name`. Raises CheckpointError, and then nothing has been written.

    vocabulary: a file of its tokens, see `tokens_in`; those in the file itself if None. nonlinearity: of an
    nn.RNN, whose weights do not tell.
    """
    foreign = read(path)
    tokens = tokens_in(vocabulary, foreign.size) if vocabulary else foreign.vocabulary
    if not tokens:
        msg = f"{path}: it holds no vocabulary, or several: name its tokens with --vocabulary FILE"
        raise CheckpointError(msg)
    cell = Plugin(*cell_of(foreign, nonlinearity))
    try:
        adopted = adopt(foreign, tokens, marks, house.model_maker(cell), nonlinearity)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error
    origin = {"imported": path.name, "sha256": sha256(path.read_bytes()).hexdigest()}
    return _publish(house, name, adopted, cell, origin)


def tokens_in(path: Path, size: int) -> Sequence[str]:
    """The tokens of a file, in the order of their ids: a JSON list or mapping, a token a line, or a text.

    Of a text they are its different characters in the order of their code points. Raises CheckpointError
    where that makes no vocabulary of this size, or two.
    """
    if path.suffix == ".json":
        tokens, found = _from_json(path), "tokens"
        fitting = [tokens] if len(tokens) == size else []
        counts = str(len(tokens))
    else:
        lines = [line.rstrip("\n") for line in read_lines(path)]
        characters = sorted({character for line in read_lines(path) for character in line})
        fitting = [tokens for tokens in (lines, characters) if len(set(tokens)) == len(tokens) == size]
        counts, found = f"{len(lines)} lines and {len(characters)} different", "characters"
    if len(fitting) != 1:
        msg = f"{path}: {counts} {found}, and the network has {size} tokens"
        raise CheckpointError(f"{msg}; if both fit, write a JSON list" if fitting else msg)
    return fitting[0]


def _from_json(path: Path) -> Sequence[str]:
    try:
        return tokens_of(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: no JSON can be read from it ({error!r:.200})") from error


def own_loss(sampler: Sampler) -> float:
    """Mean loss of texts of its own at temperature 1; it stands for the held-out loss, which nobody knows."""
    candidates = sampler.sample(Sampling((1.0, 1.0)), 0, range(MEASURED))
    return max(fmean(candidate.nll for candidate in candidates), SMALLEST)


def _publish(house: House, name: str, adopted: Adopted, cell: Plugin, origin: dict[str, str]) -> Imported:
    tokenizer = (house.config.models.get(name) or Model()).tokenizer
    sampler = partial(Sampler, adopted.model, adopted.vocabulary, house.tokenizer(tokenizer), name)
    loss = own_loss(sampler(held_out_loss=1.0))
    corpus, unread = _corpus(house, name)
    meta = Meta(
        model=name,
        tokenizer=Plugin(tokenizer.name, dict(tokenizer.options)),
        cell=cell,
        vocabulary_size=len(adopted.vocabulary),
        embedding_size=adopted.model.embedding.embedding_dim,
        hidden_size=adopted.model.head.in_features,
        num_layers=len(adopted.model.cells),
        precision="float32",
        step=0,
        epoch=0.0,
        train_loss=loss,
        held_out_loss=loss,
        corpus={"name": corpus.name, "sha256": corpus.sha256} if corpus else {},
        settings=origin,
        build={"torch": version("torch"), "python": platform.python_version()},
        created_at=house.clock().isoformat(timespec="seconds"),
        calibration=calibrate(sampler(held_out_loss=loss)),
    )
    texts = [document.text for document in corpus.documents] if corpus else []
    files = {FILE_NAME: build_index(texts), checkpoint.VOCABULARY: adopted.vocabulary.encoded()}
    before, root = _best(house, name), house.config.checkpoints_folder
    folder = checkpoint.publish(root, meta, pack(adopted.model), files)
    for pointer in checkpoint.POINTERS:  # whatever the losses: one of its own texts compares with no other
        checkpoint.point(root, name, pointer, folder.name)
    _write_card(house, folder, meta, texts)
    return Imported(folder, meta, len(texts), before if before != folder.name else "", unread)


def _write_card(house: House, folder: Path, meta: Meta, texts: Sequence[str]) -> None:
    warning = (house.config.models.get(meta.model) or Model()).warning
    sampler = house.sampler(meta.model, folder.name)
    card = import_card(meta, warning, sampler.sample, house.known_texts(folder), texts)
    checkpoint.write_atomically(folder / checkpoint.CARD, card.encode())


def _best(house: House, name: str) -> str:
    """The checkpoint that the model's name stands for, "" if none does."""
    try:
        return checkpoint.find(house.checkpoint_roots, name).name
    except CheckpointError:
        return ""


def _corpus(house: House, name: str) -> tuple[Corpus | None, str]:
    """What the configuration says the model has read, if it says so; else why that cannot be read."""
    if name not in house.config.models or house.model(name).corpus is None:
        return None, ""
    try:
        return house.corpus(name), ""
    except BotError as error:
        return None, str(error)

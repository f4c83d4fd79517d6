"""Folders of trained models: published whole or not at all, found by name, described by meta.json.

A checkpoint is root/MODEL/NAME/ with weights, vocabulary, meta.json and whatever else belongs to it;
`best` and `latest` beside it are small files that hold a name. This module loads no torch and does
not know what the weights mean.
"""

import hashlib
import json
import math
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import psutil
from pydantic import TypeAdapter, ValidationError

from bot.errors import CheckpointError

FORMAT = 1
META, WEIGHTS, VOCABULARY, HISTORY = "meta.json", "weights.safetensors", "vocabulary.json", "history.csv"
NAME = re.compile(r"[a-z0-9._-]{1,64}")
CARD = "README.md"
POINTERS = ("best", "latest")
UNFINISHED = ".unfinished-"  # followed by the process id of the writer


@dataclass(frozen=True)
class Plugin:
    """A plugin by name with its options, as the configuration gave them."""

    name: str
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Meta:
    """What stands in meta.json; it, not the configuration, decides the model's shape.

    Losses are nats per token, one end mark an item counted.
    """

    model: str
    tokenizer: Plugin
    cell: Plugin
    vocabulary_size: int
    embedding_size: int
    hidden_size: int
    num_layers: int
    precision: Literal["float32", "float16"]
    step: int
    epoch: float
    train_loss: float
    held_out_loss: float
    head_norm: bool = False
    sources: tuple[str, ...] = ()  # whose tags it reads, in their order
    ngram_loss: float | None = None
    test_loss: float | None = None  # on what was kept apart to test with
    corpus: dict[str, Any] = field(default_factory=dict)  # name, counts, sha256
    settings: dict[str, Any] = field(default_factory=dict)  # of the training
    seed: int = 0
    run: str = ""  # the training run: only its own older folders are pruned
    cell_source: dict[str, str] = field(default_factory=dict)  # file and sha256; {} for a shipped cell
    build: dict[str, str] = field(default_factory=dict)  # versions of torch and Python, platform
    created_at: str = ""  # UTC, ISO 8601
    calibration: tuple[tuple[float, float], ...] = ()  # (temperature, surprise), rising
    weights_sha256: str = ""  # filled in on publishing
    format: int = FORMAT


_META = TypeAdapter(Meta)


def publish(root: Path, meta: Meta, weights: bytes, files: Mapping[str, bytes]) -> Path:
    """Write a checkpoint and return its folder, root/MODEL/NAME.

    It is written under another name, synced, and renamed when complete: whenever the machine stops,
    a folder with a proper name is whole. The same checkpoint is published once, see `_digest`.
    files: content by file name, without META and WEIGHTS.
    """
    meta = replace(meta, weights_sha256=hashlib.sha256(weights).hexdigest())
    shelf = root / _checked(meta.model)
    folder = shelf / _name(meta, files)
    if not (folder / META).exists():
        with _one_line(folder):
            shelf.mkdir(parents=True, exist_ok=True)
            _sweep(shelf)
            _write_folder(folder, {WEIGHTS: weights, **files, META: _encode(meta)})
    return folder


def make_shelf(root: Path, model: str) -> Path:
    """The folder of a model's checkpoints. Raises CheckpointError where none can be made."""
    shelf = root / _checked(model)
    make_folder(shelf)
    return shelf


def make_folder(folder: Path) -> None:
    """With those above it. Raises CheckpointError where none can be made."""
    with _one_line(folder):
        folder.mkdir(parents=True, exist_ok=True)


def point(root: Path, model: str, pointer: str, name: str) -> None:
    """Let `best` or `latest` name a checkpoint of this model."""
    if pointer not in POINTERS or not (root / _checked(model) / _checked(name) / META).exists():
        msg = f"{root / model}: {pointer!r} cannot point to {name!r} (pointers are best and latest)"
        raise CheckpointError(msg)
    write_atomically(root / model / pointer, f"{name}\n".encode())


def settle(folder: Path) -> None:
    """Let `latest` name this checkpoint, and `best` too unless it names a comparable one with a lower loss.

    Losses compare when measured on the same held-out items: same corpus, tokenizer, share and seed.
    """
    root, model, name = folder.parents[1], folder.parent.name, folder.name
    point(root, model, "latest", name)
    best = folder.with_name(_pointed(folder.parent, "best") or name)
    ours, theirs = read_meta(folder), _meta_if_readable(best)
    if theirs is None or _yardstick(ours) != _yardstick(theirs) or ours.held_out_loss <= theirs.held_out_loss:
        point(root, model, "best", name)


def find(roots: Sequence[Path], model: str, which: str = "best") -> Path:
    """The folder of a checkpoint: `which` is best, latest or a name; the first root that has it wins.

    Raises CheckpointError, saying what is there, if none has.
    """
    _checked(model), _checked(which)
    for root in roots:
        folder = root / model / (_pointed(root / model, which) if which in POINTERS else which)
        if (folder / META).is_file() and folder.parent == root / model:
            return folder
    there = ", ".join(name for root in roots for name in names(root, model)) or "none"
    places = ", ".join(str(root / model) for root in roots)
    msg = f"no checkpoint {which!r} of the model {model!r} in {places} (there: {there})"
    msg += (
        f"; name one with `checkpoint:`, or bot train {model}" if there != "none" else f"; bot train {model}"
    )
    raise CheckpointError(msg)


def names(root: Path, model: str) -> list[str]:
    """The complete checkpoints of a model, in the order of their names."""
    return sorted(path.parent.name for path in (root / model).glob(f"[!.]*/{META}"))


def read_meta(folder: Path) -> Meta:
    """What meta.json says. Raises CheckpointError if it is missing, of another format or makes no sense."""
    try:
        meta = _META.validate_json((folder / META).read_bytes(), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        msg = f"{folder / META}: {where}: {first['msg']}".replace(": : ", ": ")
        raise CheckpointError(msg) from error
    except OSError as error:
        msg = f"{folder}: no complete checkpoint ({error.strerror}: {META})"
        raise CheckpointError(msg) from error
    if meta.format != FORMAT:
        msg = f"{folder / META}: format {meta.format}, this program reads {FORMAT}"
        raise CheckpointError(msg)
    if not 0 < meta.held_out_loss < math.inf:  # every surprise is a share of it
        msg = f"{folder / META}: held_out_loss: {meta.held_out_loss}, not a number above 0"
        raise CheckpointError(msg)
    return meta


def is_imported(meta: Meta) -> bool:
    """Whether another program trained it."""
    return "imported" in meta.settings


def amend(folder: Path, **changes: Any) -> Meta:
    """Replace fields of a published meta.json, in one step."""
    meta = replace(read_meta(folder), **changes)
    write_atomically(folder / META, _encode(meta))
    return meta


def prune(root: Path, model: str, run: str, in_use: Callable[[str], bool]) -> list[str]:
    """Remove this run's folders but those pointed to and those in use; the names removed.

    in_use: whether a draft, say, still refers to MODEL/NAME.
    """
    shelf = root / model
    kept = {_pointed(shelf, pointer) for pointer in POINTERS}
    metas = {name: _meta_if_readable(shelf / name) for name in names(root, model)}
    ours = [name for name, meta in metas.items() if meta is not None and meta.run == run]
    removed = [name for name in ours if name not in kept and not in_use(f"{model}/{name}")]
    for name in removed:
        doomed = shelf / f"{UNFINISHED}{os.getpid()}"
        (shelf / name).rename(doomed)  # never half a folder under a proper name
        shutil.rmtree(doomed)
    return removed


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file so that, whenever the machine stops, it holds the old content or the new."""
    with written_atomically(path) as unfinished:
        unfinished.write_bytes(content)


@contextmanager
def written_atomically(path: Path) -> Iterator[Path]:
    """Yield a path to write to; it is synced and takes its proper name when the block ends well."""
    unfinished = path.with_name(f"{UNFINISHED}{os.getpid()}-{path.name}")
    with _one_line(path):
        try:
            yield unfinished
            _sync(unfinished)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        _sync(path.parent)


@contextmanager
def _one_line(path: Path) -> Iterator[None]:
    """A full disk or a folder that may not be written is no bug."""
    try:
        yield
    except OSError as error:
        msg = f"{path}: cannot be written: {error.strerror}. What was complete is untouched"
        raise CheckpointError(msg) from error


def _name(meta: Meta, files: Mapping[str, bytes]) -> str:
    """Given once, on publishing: what a folder is called later says where it is, no more."""
    prefix = meta.settings.get("name_prefix", "")
    return _checked(f"{prefix}epoch{meta.epoch:.2f}_{meta.held_out_loss:.4f}_{_digest(meta, files)[:6]}")


def _digest(meta: Meta, files: Mapping[str, bytes]) -> str:
    """Of the weights, of the files beside them, and of what meta.json says they are to be read as."""
    beside = sorted((name, hashlib.sha256(content).hexdigest()) for name, content in files.items())
    read_as = asdict(meta.tokenizer), asdict(meta.cell), meta.corpus.get("sha256")
    return hashlib.sha256(json.dumps([meta.weights_sha256, beside, read_as]).encode()).hexdigest()


def _checked(name: str) -> str:
    if not NAME.fullmatch(name) or set(name) == {"."}:
        msg = f"{name!r} names no model or checkpoint: use a to z, 0 to 9, '.', '_', '-', at most 64"
        raise CheckpointError(msg)
    return name


def _pointed(shelf: Path, pointer: str) -> str:
    """The name a pointer file holds, "" if it is not there or holds something else."""
    try:
        name = (shelf / pointer).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
    return name if NAME.fullmatch(name) and set(name) != {"."} else ""


def _meta_if_readable(folder: Path) -> Meta | None:
    """None where another checkpoint, of an older format or damaged, is not this run's affair."""
    try:
        return read_meta(folder)
    except CheckpointError:
        return None


def _yardstick(meta: Meta) -> tuple[object, ...]:
    settings = meta.settings
    shares = settings.get("validation_share"), settings.get("test_share", 0.0)
    stream = settings.get("layout") == "stream"  # chunks of another size are held out elsewhere
    chunk = (settings["batch_size"], settings["sequence_length"]) if stream else ()
    return meta.corpus.get("sha256"), meta.tokenizer, shares, chunk, meta.seed


def _encode(meta: Meta) -> bytes:
    return (json.dumps(asdict(meta), indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files in order into a folder that gets its name last."""
    unfinished = folder.with_name(f"{UNFINISHED}{os.getpid()}")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    for name, content in files.items():
        (unfinished / name).write_bytes(content)
        _sync(unfinished / name)
    _sync(unfinished)
    unfinished.rename(folder)
    _sync(folder.parent)


def _sweep(shelf: Path) -> None:
    """Remove what writers that have died since left unfinished."""
    for path in shelf.glob(f"{UNFINISHED}*"):
        owner = path.name.removeprefix(UNFINISHED).split("-")[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""A corpus of tunes in ABC notation: files, folders, the package music21; wrong ones repaired or left out."""

import importlib.util
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from bot import CorpusError, Document, abc_notation, hookimpl, read_lines

ORDER = "XTCMLK"
FIELD = re.compile(r"([A-Za-z]):\s*(.*)")
KEY = re.compile(r"([A-G][#b]?)\s*(?:maj(?:or)?|ion(?:ian)?)?", re.IGNORECASE)
VOICES = re.compile(r"(?m)^V:|\[V:|&|^%%(?:score|staves)")
DYNAMICS = re.compile(r"[!+](?:p{1,4}|m[pf]|f{1,4}|s?fz|crescendo|diminuendo|<|>)[()]?[!+]")
CHORD = re.compile(r"\[[\^_=]*[A-Ga-g][^\]|\n]*\]")
SYMBOLS = re.compile(r'"[^"\n]*"|![^!\s]*!|\+[^+\s]*\+')
TIE = re.compile(r"([\^_=]*[A-Ga-gzx][,']*)([\d/]*)-(?=([\s|:]*)(?:([\^_=]*)([A-Ga-gzx][,']*))?)")
DAMAGED = re.compile("[\x80-\x9f]")  # no sign of any text, but a byte of a code page of MS-DOS
MOST_ALTERED = 4  # letters of a key
COMMENT = re.compile(r"(?<!\\)%(?!%).*")


@dataclass(frozen=True)
class Tune:
    """As a file has it. fields: the first of each letter, up to K. source: the file's name."""

    source: str
    fields: dict[str, str]
    music: str


class AbcFiles:
    """Tunes of files and of folders, with all `*.abc` below them, and of files of music21's corpus.

    fields: which lines of the header stay, in the order X T C M L K. complex: keep chords, dynamics and
    several voices too. into: the key that all tunes in a major one are put into; other modes are left out
    then. transpose: learn each tune also in the other keys of its mode with up to four sharps or flats.
    `steps` tells, once it was read, how many tunes each condition left, and what was repaired.
    """

    def __init__(
        self,
        paths: tuple[Path, ...] = (),
        music21: tuple[str, ...] = (),
        fields: str = ORDER,
        complex: bool = False,
        into: str = "",
        transpose: bool = False,
        encoding: str = "utf-8-sig",
    ):
        if not set("MK") <= set(fields) <= set(ORDER):
            msg = f"fields {fields!r}: some of {ORDER}, M and K among them"
            raise ValueError(msg)
        if not paths and not music21:
            msg = "name files or folders in `paths`, or files of music21's corpus in `music21`"
            raise ValueError(msg)
        if into:
            abc_notation.signature(into)
        if into and transpose:
            msg = "`into` puts all tunes into one key and `transpose` into many: set one of them"
            raise ValueError(msg)
        self._paths, self._music21, self._fields = paths, music21, fields
        self._complex, self._into, self._transpose, self._encoding = complex, into, transpose, encoding
        self.steps: list[tuple[str, int]] = []

    def __iter__(self) -> Iterator[Document]:
        self._repaired = dict.fromkeys(("signs of another code page", "bar lines", "ties to nothing"), 0)
        tunes = [tune for file in self._files() for tune in self._read(file)]
        self.steps = [("tunes", len(tunes))]
        for what, holds in self._conditions().items():
            tunes = [tune for tune in tunes if holds(tune)]
            self.steps.append((what, len(tunes)))
        tunes = [self._mended(tune) for tune in tunes]
        if self._into:
            tunes = [_put(tune, self._into) for tune in tunes]
        tunes = [tune for tune in tunes if not abc_notation.survey(_written(tune, "MLK")).faults]
        self.steps.append(("with bars that add up", len(tunes)))
        distinct = {"".join(tune.music.split()): tune for tune in reversed(tunes)}
        kept = list(reversed(distinct.values()))
        self.steps.append(("distinct", len(kept)))
        self.steps += [(f"repaired: {what}", count) for what, count in self._repaired.items()]
        yield from (Document(_written(tune, self._fields), tune.source) for tune in kept)
        if self._transpose:
            yield from (self._variant(tune, key) for tune in kept for key in _other_keys(tune))

    def _variant(self, tune: Tune, key: str) -> Document:
        moved = _put(tune, key)
        return Document(_written(moved, self._fields), tune.source, variant_of=_written(tune, self._fields))

    def _conditions(self) -> dict[str, Callable[[Tune], bool]]:
        """Each that a tune must hold, by what is left then."""
        simple = {
            "in one voice": lambda tune: not VOICES.search(tune.music),
            "without dynamics": lambda tune: not DYNAMICS.search(tune.music),
            "without chords": lambda tune: not CHORD.search(tune.music),
        }
        whole: dict[str, Callable[[Tune], bool]] = {
            "with notes and a key": lambda tune: _has_key(tune) and bool(re.search("[A-Ga-g]", tune.music)),
            "with a metre": lambda tune: bool(re.fullmatch(r"C\|?|\d+/\d+", tune.fields.get("M", ""))),
        }
        major = {"in a major key": lambda tune: bool(KEY.fullmatch(tune.fields["K"]))} if self._into else {}
        return ({} if self._complex else simple) | whole | major

    def _files(self) -> Iterator[Path]:
        for path in self._paths:
            found = sorted(path.rglob("*.abc")) if path.is_dir() else [path]
            if not found:
                msg = f"{path}: no file *.abc in this folder or below it"
                raise CorpusError(msg)
            yield from found
        if self._music21:
            package = importlib.util.find_spec("music21")  # looked for and not imported: that takes seconds
            if package is None or package.origin is None:
                msg = "the tunes of music21 need that package: pip install 'wormhorn[folk]'"
                raise CorpusError(msg)
            yield from (Path(package.origin).parent / "corpus" / name for name in self._music21)

    def _read(self, file: Path) -> Iterator[Tune]:
        lines: list[str] = []
        for line in [*read_lines(file, self._encoding), "X:"]:
            if line.startswith("X:"):
                if any(one.startswith(("K:", "X:")) for one in lines):
                    yield self._parsed(lines, file.name)
                lines = []
            lines.append(line.rstrip())

    def _parsed(self, lines: Iterable[str], source: str) -> Tune:
        fields: dict[str, str] = {}
        music: list[str] = []
        for line in lines:
            self._repaired["signs of another code page"] += len(DAMAGED.findall(line))
            line = COMMENT.sub("", DAMAGED.sub(_as_in_dos, line)).rstrip()
            found = FIELD.fullmatch(line)
            if found and "K" not in fields:
                fields.setdefault(found[1], " ".join(found[2].split()))
            elif "K" in fields and line and (not found or found[1] in "KLMV" or line[1:3] in (":|", "::")):
                music.append(line)
        return Tune(source, fields, "\n".join(music))

    def _mended(self, tune: Tune) -> Tune:
        """Without accompaniment in letters, ties to nothing and lines that end a bar without its line."""
        music = TIE.sub(_tied, SYMBOLS.sub("", tune.music.replace("\\\n", " ").replace("$", "")))
        self._repaired["ties to nothing"] += music.count(LOOSE)
        fields = {"L": _default_unit(tune.fields["M"])} | tune.fields
        tune = replace(tune, fields=fields, music=music.replace(LOOSE, ""))
        mended, added = _closed(tune)
        self._repaired["bar lines"] += added
        return replace(tune, music=mended)


LOOSE = "\0"  # stands where a tie was


def _tied(found: re.Match[str]) -> str:
    """A tie leads to the same pitch, over nothing but a bar line."""
    bare = found[1].lstrip("^_=")
    same = bare == found[5] and bare not in "zx" and (not found[4] or found[1].endswith(found[4] + bare))
    return f"{found[1]}{found[2]}{'-' if same else LOOSE}"


def _as_in_dos(found: re.Match[str]) -> str:
    return found[0].encode("latin-1").decode("cp437")


def _has_key(tune: Tune) -> bool:
    try:
        abc_notation.signature(tune.fields.get("K", ""))
    except ValueError:
        return False
    return True


def _default_unit(metre: str) -> str:
    over, _, under = {"C": "4/4", "C|": "2/2"}.get(metre, metre).partition("/")
    return "1/16" if int(over) < 0.75 * int(under or 1) else "1/8"


def _closed(tune: Tune) -> tuple[str, int]:
    """The music with a bar line behind every bar that is full at a line's end, and how many were put."""
    lines, added = [], 0
    place = _behind(abc_notation.Place(), "".join(f"{name}:{tune.fields[name]}\n" for name in "MLK"))
    music = [" ".join(line.split()) for line in tune.music.split("\n") if line.strip()]
    for at, line in enumerate(music):
        last = at == len(music) - 1
        place = _behind(place, line)
        full = bool(place.filled) and (last or place.filled == place.metre)
        line += " |]" if last and place.filled else " |" if full else ""
        added += full
        place = _behind(place, " |\n" if full else "\n")
        lines.append(line)
    return "\n".join(lines), added


def _behind(place: abc_notation.Place, text: str) -> abc_notation.Place:
    """Where a reader has come to; what cannot be read is passed over, for it is found later."""
    at = 0
    while at < len(text):
        found = abc_notation.elements(place).match(text, at)
        place = abc_notation.after(place, found[0])[0] if found else place
        at = found.end() if found else at + 1
    return place


def _other_keys(tune: Tune) -> Iterator[str]:
    """All of its mode but its own; none where the tune changes its key on the way."""
    key = tune.fields["K"]
    tonic = key[:2] if key[1:2] in ("#", "b") else key[:1]
    mode = key[len(tonic) :]
    if "K:" in tune.music:
        return
    for other in ("".join(pair) for pair in product("CDEFGAB", ("", "#", "b"))):
        altered = abc_notation.signature(other + mode).values()
        if other != tonic and sum(map(abs, altered)) <= MOST_ALTERED:
            yield other + mode


def _put(tune: Tune, key: str) -> Tune:
    moved = abc_notation.transposed(tune.music, tune.fields["K"], key)
    return replace(tune, fields=tune.fields | {"K": key}, music=moved)


def _written(tune: Tune, fields: str) -> str:
    header = [f"{name}:{tune.fields[name]}" for name in ORDER if name in fields and name in tune.fields]
    return "\n".join([*header, tune.music])


@hookimpl
def register_corpora() -> dict[str, Callable[..., Iterable[Document]]]:
    return {"abc_files": AbcFiles}

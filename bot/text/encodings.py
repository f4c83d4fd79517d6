"""Which encoding a file is in that is not UTF-8: surely, where its bytes allow no doubt, or likely.

An encoding of one byte a letter makes sense of any bytes, so none of these is ever sure.
"""

import codecs
import logging
import unicodedata
from collections.abc import Callable
from functools import cache
from pathlib import Path

log = logging.getLogger(__name__)

SAMPLE, EXCERPT = 1 << 18, 1 << 13  # bytes that are looked at, and that a guess is made of
BROKEN = 0.5  # share of letters beyond ASCII that UTF-8 reads: above it the file is UTF-8, and damaged
ASIAN = 0.3  # share of letters that are of East Asia in a text of an encoding of several bytes a letter
SEVERAL = {  # bytes a letter: what Python calls those that are told apart, and what people call them
    "cp932": "Shift_JIS",
    "euc_jp": "EUC-JP",
    "gb18030": "GB18030",
    "big5": "Big5",
    "cp949": "EUC-KR",
}
SINGLE = "cp1252", "cp1251", "koi8_r", "cp1253"  # bytes a letter; that of the West first
JAPANESE, KANA = ("cp932", "euc_jp"), 0.1  # EUC-JP could be read as Chinese too, which has no kana


def surely(path: Path) -> str | None:
    """The encoding by its name in Python, None where it is UTF-8 or in doubt. Raises OSError."""
    state = path.stat()
    return _surely(path, state.st_mtime_ns, state.st_size)


@cache
def _surely(path: Path, changed: int, size: int) -> str | None:
    with path.open("rb") as file:
        head = file.read(SAMPLE)
    if b"\0" in head or _is_utf_8(head):  # with a NUL it is no text of these, or UTF-16
        return None
    found = [name for name in SEVERAL if _share(head, name, _is_asian) >= ASIAN]
    japanese = [name for name in found if name in JAPANESE and _share(head, name, _is_kana) >= KANA]
    best = japanese[0] if japanese else likely(path)
    return _told(path, best, SEVERAL[best]) if best in found else None


def likely(path: Path) -> str:
    """The best guess, by its name in Python; cp1252 if there is none."""
    from charset_normalizer import from_bytes

    with path.open("rb") as file:
        head = file.read(EXCERPT)
    whole = head[: head.rfind(b"\n") + 1] or head  # a letter that is cut in two would rule its encoding out
    best = from_bytes(whole, cp_isolation=[*SEVERAL, *SINGLE]).best()
    return best.encoding if best else SINGLE[0]


def _told(path: Path, name: str, called: str) -> str:
    log.warning("%s is %s, not UTF-8, and read as that; `encoding:` would say otherwise", path.name, called)
    return name


def _is_utf_8(head: bytes) -> bool:
    """Whether it is, or was before some of its bytes were damaged."""
    text = head.decode("utf-8", "replace").rstrip("\ufffd")  # the sample may end within a letter
    beyond = [sign for sign in text if ord(sign) > 127]
    return not beyond or sum(sign != "\ufffd" for sign in beyond) / len(beyond) > BROKEN


def _share(head: bytes, encoding: str, wanted: Callable[[str], bool]) -> float:
    """The share of letters that are as wanted if it is read so, 0 if it cannot be."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return 0.0
    letters = [sign for sign in text if sign.isalpha() or unicodedata.category(sign) == "Co"]
    return sum(map(wanted, letters)) / max(1, len(letters))


def _is_asian(sign: str) -> bool:
    """Kana, Hangul and the ideographs that are in use; the rarer ones come of a wrong reading."""
    return _is_kana(sign) or "\u4e00" <= sign <= "\u9fff" or "\uac00" <= sign <= "\ud7a3"


def _is_kana(sign: str) -> bool:
    return "\u3040" <= sign <= "\u30ff"

"""The fixed gate: what no bot may post, whatever its filters say. It judges every revision and every post.

Two rules. Safety cannot be overridden: no text notifies a third person, links, tags or hides characters, and
one with a word of letters that look alike but are of several scripts needs a person. Copy, which a person may
override for one item: no text repeats the corpus or a recent post. All patterns match in linear time.
It does not know who asks, or where a text goes.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import regex
from linkify_it.tlds import TLDS

from bot.curation.alike import as_latin
from bot.curation.normal import normal_form
from bot.curation.novelty import TextTrainingSet
from bot.interfaces import TrainingSet
from bot.records import Outcome, Verdict

SAFETY, COPY = "gate.safety", "gate.copy"  # the verdicts' filters

MAX_CHARACTERS = 5_000
MAX_BYTES = 16_000  # UTF-8
MAX_LINE = 2_000  # characters
MAX_MARKS = 3  # combining marks on one base
ONE_EDIT_FROM = 20  # characters: shorter texts repeat a post only if they equal it

_MENTION = regex.compile(
    r"[\w.+-]{0,64}[@＠﹫](?:\w+|[\[*{<])"  # most places; also [id:1:name] and **name**
    r"|<(?:[@!#][!&]?\w+|at\b|users/)"  # chats
    r"|\[(?:~\w+|(?:id|club|public)\d+\|)"
    r"|(?<![\w/])/?u/\w{3,}"
)
_HASHTAG = regex.compile(r"(?<!\w)[#＃﹟](?:\w*\p{L}\w*|\p{Extended_Pictographic})")
_LINK = regex.compile(
    r"\w{1,20}://\S*|\bwww\.\S+|\blocalhost:\d+|(?-i:(?<![\w/])/?[rc]/\w{3,})"
    r"|\b(?:mailto|tel|sms|magnet|xmpp|sips?|skype|callto|geo|bitcoin|javascript|matrix):\S+"
    r"|(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])|\[[\da-f]*:[\da-f]*:[\da-f:]*\]",
    regex.IGNORECASE,
)
_DOTTED = regex.compile(r"(?<![\w-])[\w\p{Extended_Pictographic}-]++(?:\.[\w-]++)++")
_WIDE_DOT = regex.compile(r"(?<=[A-Za-z0-9])\u3002(?=[A-Za-z0-9])")  # of CJK: one in an address too
_DOMAINS = frozenset(form for name in TLDS for form in (name.lower(), name.lower().encode().decode("idna")))
_UNSEEN = regex.compile(r"[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800--\n]", regex.VERSION1)
_BIDI = regex.compile(r"\p{Bidi_Control}")
_WORD = regex.compile(r"[\p{L}\p{M}]++")
_LOOK_ALIKE = {  # scripts with letters that are taken for another's
    name: regex.compile(rf"\p{{{name}}}")
    for name in ("Latin", "Greek", "Cyrillic", "Armenian", "Coptic", "Cherokee", "Lisu")
}
_MARKS = regex.compile(rf"[\p{{Mn}}\p{{Me}}]{{{MAX_MARKS + 1},}}")


def judge(text: str, training_set: TrainingSet, recent_posts: Sequence[str]) -> tuple[Verdict, Verdict]:
    """The verdicts SAFETY and COPY, the first may ask; a reason is one sentence or several.

    recent_posts: what the bot posted last (1,000 are enough); it must not be repeated either.
    """
    copies = () if len(text) > MAX_CHARACTERS else _copies(text, training_set, recent_posts)
    return _safety(text), _verdict(COPY, "reject", copies)


def expect(texts: Iterable[str], recent_posts: Sequence[str]) -> None:
    """Say which texts will be judged: to answer for many at once takes less time."""
    _remembered(tuple(recent_posts)).expect(texts)


def _safety(text: str) -> Verdict:
    danger = _verdict(SAFETY, "reject", _dangers(text))
    return danger if danger.outcome == "reject" else _verdict(SAFETY, "ask", _doubts(text))


def _verdict(rule: str, outcome: Outcome, reasons: Iterable[str]) -> Verdict:
    """Accepted, unless there is a reason."""
    reason = " ".join(reasons)
    return Verdict(rule, outcome if reason else "accept", reason)


def _dangers(text: str) -> Iterator[str]:
    yield from _sizes(text)
    if len(text) > MAX_CHARACTERS:
        return  # refused already, and as long as somebody liked
    plain = unicodedata.normalize("NFKC", text)  # what a platform may make of full-width characters
    if found := _MENTION.search(text) or _MENTION.search(plain):
        yield f"{_quoted(found[0])} would notify somebody."
    if link := _link(plain):
        yield f"{_quoted(link)} would become a link."
    if found := _HASHTAG.search(text) or _HASHTAG.search(plain):
        yield f"{_quoted(found[0])} would become a hashtag."
    if found := _UNSEEN.search(text):
        yield _unseen(found[0])
    if found := _MARKS.search(unicodedata.normalize("NFD", text)):
        yield f"{len(found[0])} combining marks sit on one character, more than {MAX_MARKS}."


def _sizes(text: str) -> Iterator[str]:
    if not text.strip():
        yield "There is nothing to read."
    if len(text) > MAX_CHARACTERS:
        yield f"It has {len(text)} characters, more than {MAX_CHARACTERS}."
    if (size := len(text.encode("utf-8", "surrogatepass"))) > MAX_BYTES:
        yield f"It has {size} bytes, more than {MAX_BYTES}."
    if (longest := max(map(len, text.split("\n")))) > MAX_LINE:
        yield f"A line has {longest} characters, more than {MAX_LINE}."


def _link(text: str) -> str | None:
    """The first address: with a scheme, or a name with dots in which a top-level domain follows a dot."""
    if found := _LINK.search(text):
        return str(found[0])
    for found in _DOTTED.finditer(_WIDE_DOT.sub(".", text)):
        if not _DOMAINS.isdisjoint(found[0].lower().split(".")[1:]):
            return str(found[0])
    return None


def _doubts(text: str) -> Iterator[str]:
    """Words that look like what they are not."""
    for found in _WORD.finditer(text):
        scripts = [name for name, letters in _LOOK_ALIKE.items() if letters.search(found[0])]
        if len(scripts) > 1:
            yield f"{_quoted(found[0])} is spelled with letters of several scripts: {', '.join(scripts)}."


def _unseen(character: str) -> str:
    name = f"U+{ord(character):04X} {unicodedata.name(character, '')}".strip()
    if _BIDI.match(character):
        return f"{name} changes the direction of reading."
    if unicodedata.category(character) == "Cc":
        return f"{name} is a control character."
    return f"{name} is a character that readers cannot see."


def _copies(text: str, training_set: TrainingSet, recent_posts: Sequence[str]) -> Iterator[str]:
    """Of the text as it is written; where it copies nothing, of the text as it looks."""
    written = list(_repeats(text, training_set, recent_posts))
    yield from written
    if not written and (looks := as_latin(text)) != text:
        for reason in _repeats(looks, training_set, recent_posts):
            yield f"It looks like {_quoted(looks)}. {reason}"


def _repeats(text: str, training_set: TrainingSet, recent_posts: Sequence[str]) -> Iterator[str]:
    if training_set.nearest(text, 0):
        yield "It is an item of the corpus."
    elif span := training_set.copied(text):
        where = f" in {_quoted(span.item)}" if span.item else ""
        yield f"{_quoted(span.text)} stands in the corpus word for word{where}."
    posts = _remembered(tuple(recent_posts))
    edits = 1 if len(normal_form(text)) >= ONE_EDIT_FROM else 0
    if match := posts.nearest(text, edits):
        yield f"It repeats the recent post {_quoted(match.item or '')}."
    elif span := posts.copied(text):
        yield f"It shares {_quoted(span.text)} with a recent post."


@lru_cache(maxsize=4)
def _remembered(posts: tuple[str, ...]) -> TextTrainingSet:
    return TextTrainingSet(posts)


def _quoted(text: str, longest: int = 80) -> str:
    """The text on one line with what cannot be seen made visible, cut to a readable length."""
    shown = _UNSEEN.sub(lambda found: f"<U+{ord(found[0]):04X}>", " ".join(text.split()))
    return f"“{shown if len(shown) <= longest else shown[: longest - 1] + '…'}”"

"""The keys of the review, for the terminal and the page alike: what each does stands here alone."""

from typing import NamedTuple

from bot.review.decisions import REASONS


class Key(NamedTuple):
    """key: as it is pressed. action: its name to programs. label: in a word or two. means: in a sentence."""

    key: str
    action: str
    label: str
    means: str


KEYS = (
    Key("a", "approve", "approve", "Approve the text as it stands: it goes out when its turn comes."),
    Key("r", "reject", "reject", "Reject it without a word."),
    *(
        Key(str(number), f"reject_{name}", label, f"Reject it because it is {label}.")
        for number, (name, label) in enumerate(REASONS.items(), start=1)
    ),
    Key("e", "edit", "edit", "Change the text: a new revision, which needs an approval of its own."),
    Key("g", "regrow", "regrow", "Let the model go on from the cursor, in the editor."),
    Key("s", "skip", "skip", "Leave it for later in this sitting."),
    Key("z", "snooze", "tomorrow", "Put it off: it comes back by itself after a day."),
    Key("u", "undo", "undo", "Take your last decision of the last 24 hours back."),
    Key("f", "star", "favourite", "Make it a favourite, or none any more."),
    Key("n", "note", "note", "Write a note beside it."),
    Key("m", "like", "more like this", "Show the drafts that are nearest to it."),
    Key("o", "override", "approve all the same", "Approve what resembles the corpus or a recent post."),
    Key("/", "search", "search", "Show what contains some words, and decide on all of it at once."),
)
BY_ACTION = {key.action: key for key in KEYS}

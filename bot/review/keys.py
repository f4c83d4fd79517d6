"""The keys of the review, for the terminal and the page alike: what each does stands here alone."""

from typing import NamedTuple

from bot.review.reasons import REASONS


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
    Key("R", "reject_saying", "reject, say why", "Reject it, with a word on why."),
    Key("e", "edit", "edit", "Change the text: a new revision, which needs an approval of its own."),
    Key("g", "regrow", "regrow", "Let the model go on from the cursor, in the editor."),
    Key("s", "skip", "skip", "Leave it for later in this sitting."),
    Key("z", "snooze", "tomorrow", "Put it off: it comes back by itself after a day."),
    Key("Z", "snooze_until", "put off until", "Put it off for some hours, days or weeks, or until a day."),
    Key("u", "undo", "undo", "Take your last decision of the last 24 hours back."),
    Key("f", "star", "favourite", "Make it a favourite, or none any more."),
    Key("n", "note", "note", "Write a note beside it."),
    Key("m", "like", "more like this", "Show the drafts that are nearest to it."),
    Key("o", "override", "approve all the same", "Approve what resembles the corpus or a recent post."),
    Key("/", "search", "search", "Show what contains some words, and decide on all of it at once."),
)
BY_ACTION = {key.action: key for key in KEYS}
OF_TERMINAL = (
    Key(
        "[ ]", "list", "other lists", "The list before, the list after: pending, put off, approved and so on."
    ),
    Key("?", "help", "help", "Show the keys."),
    Key("q", "quit", "quit", "Leave; what was decided is kept."),
)
IN_LISTS = (
    Key("enter", "open", "open", "Show the card of the line that is marked."),
    Key("escape", "close", "back", "Back to the list, or out of the search."),
    Key("S", "sort", "sort", "Sort by age, by probable approval, by surprise."),
    Key("F", "favourites", "favourites", "Show favourites only, or all again."),
    Key("A", "approve_all", "approve all", "Approve all that the list holds; first it says how many."),
    Key("X", "reject_all", "reject all", "Reject all that the list holds; first it says how many."),
    Key(
        "shift+up",
        "sooner",
        "sooner",
        "Let an approved draft go out sooner; shift+down later, shift+home first.",
    ),
    Key("y", "was_posted", "it is there", "Of what is in doubt: it was posted, and where."),
    Key(
        "x", "was_not_posted", "it is not there", "Of what is in doubt: it was not posted; it is tried again."
    ),
    Key("c", "give_up", "give up", "Of what is in doubt: it shall not be tried again."),
)

"""A process that decides on one draft after the other and says so of each: `python -m tests.deciding URL`.

It is there to be killed: what it has said must have happened.
"""

import sys

from bot.store import Database, Drafts
from tests.queues import outlet


def main(url: str) -> None:
    with Database(url) as database:
        drafts = Drafts(database)
        for draft in drafts.list(status="pending"):
            if draft.id % 3:
                drafts.decide(draft.id, draft.sha256, "approve", "ada", outlets=[outlet(draft.text)])
                print(draft.id, "approved", flush=True)
            else:
                drafts.edit(draft.id, f"{draft.text}!", "ada", ())
                drafts.decide(draft.id, drafts.get(draft.id).sha256, "reject", "ada")
                print(draft.id, "rejected", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])

"""Where text indexes are kept from one start to the next: one folder a corpus, named by the corpus's digest.

It holds the corpus's texts, so its folder is closed to others and belongs into no package and no repository.
What is missing, damaged or of another version is built again; two processes may build at once. It does not
know where a corpus comes from.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from bot.curation.text_index import VERSION, TextIndex, build
from bot.records import Document

DAYS = 60  # an index that was not opened for longer is removed when another is built


class IndexStore:
    """folder: made when first needed."""

    def __init__(self, folder: Path):
        self._folder = folder

    def open(self, sha256: str) -> TextIndex | None:
        """The index of the corpus with this digest, mapped; None if it is not here in full."""
        place = self._place(sha256)
        try:
            index = TextIndex.open(place)
        except (OSError, ValueError):
            return None
        with suppress(OSError):  # a disk that cannot be written is no reason to build again
            os.utime(place)
        return index

    def keep(self, sha256: str, items: Iterable[Document]) -> TextIndex:
        """Build the index and map it; it stays in memory if the folder cannot be written."""
        index = build(items)
        try:
            self._save(index, self._place(sha256))
        except OSError:
            return index
        return self.open(sha256) or index

    def _place(self, sha256: str) -> Path:
        return self._folder / f"{sha256[:32]}-v{VERSION}"

    def _save(self, index: TextIndex, place: Path) -> None:
        """Under another name first: whoever is killed half-way leaves nothing that could be opened."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._tidy()
        unfinished = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=self._folder))
        try:
            index.save(unfinished)
            if self._is_whole(place):  # another process has been quicker
                return
            shutil.rmtree(place, ignore_errors=True)
            unfinished.rename(place)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def _is_whole(self, place: Path) -> bool:
        try:
            TextIndex.open(place)
        except (OSError, ValueError):
            return False
        return True

    def _tidy(self) -> None:
        """Who has mapped a removed file keeps it."""
        oldest = time.time() - DAYS * 86_400
        for found in self._folder.iterdir():
            if found.stat().st_mtime < oldest:
                shutil.rmtree(found, ignore_errors=True)

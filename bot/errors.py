"""What can go wrong, and the signals a plugin gives.

A `BotError` says what, where and what would be right; the command line prints it in one line.
Anything else that escapes is a bug and shows its traceback. This module imports nothing.
"""


class BotError(Exception):
    """Something the user can mend; its message is one line, ready to be shown."""


class ConfigError(BotError):
    """A setting is wrong: the message opens with file:line:column and the dotted key."""


class CorpusError(BotError):
    """A corpus cannot be read or is too small to learn from."""


class PluginError(BotError):
    """A plugin failed, or a name that no plugin gives was asked for."""


class CheckpointError(BotError):
    """A checkpoint is missing, incomplete or not what its metadata says."""


class DeviceError(BotError):
    """A device that was asked for is not here, or not even the smallest batch fits into its memory."""


class TrainingError(BotError):
    """Training cannot begin or cannot go on."""


class NoCheckpoint(TrainingError):
    """A training ended before its first checkpoint. failed: it would fail again; else it was interrupted."""

    def __init__(self, message: str, note: str, failed: bool):
        super().__init__(message)
        self.note, self.failed = note, failed


class StoreError(BotError):
    """The database cannot be opened, read or upgraded."""


class Unavailable(StoreError):
    """The database cannot be used as things are: locked, full, broken, or not there."""


class Unreadable(StoreError):
    """A row holds what this program cannot read; it is left as it is."""


class NotFound(StoreError):
    """No row has this id."""


class Conflict(StoreError):
    """The row has changed since it was looked at, or its state forbids the change.

    current: what is there now, as a record, where that is known.
    """

    def __init__(self, message: str, current: object = None):
        super().__init__(message)
        self.current = current


class Stopped(StoreError):
    """Posting was stopped after a delivery had been claimed."""


class GateError(BotError):
    """The fixed gate forbids a text; where `overridable`, a person may approve this one item all the same."""

    def __init__(self, message: str, overridable: bool):
        super().__init__(message)
        self.overridable = overridable


class ChildError(BotError):
    """A child process died or overran its deadline; what it was doing has an unknown outcome."""


class Stalled(BotError):
    """A part of this process hangs or is dead: only a new process can go on."""


class Reject(Exception):
    """A filter's veto; the reason is a sentence a person understands."""


class Ask(Exception):
    """A filter's doubt: the candidate stays, but a person must look. No policy approves it."""


class Refused(Exception):
    """A target's final no: nothing was posted and the same post never will be.

    denied: it is not the post but the account that may not (401, 403); three in a row, and it rests.
    """

    def __init__(self, reason: str, denied: bool = False):
        super().__init__(reason)
        self.denied = denied


class NotSent(Exception):
    """Nothing was posted, certainly; the same post may be tried again.

    retry_after: seconds to wait as the target asked for them, None if it did not say.
    """

    def __init__(self, reason: str, retry_after: float | None = None):
        super().__init__(reason)
        self.retry_after = retry_after

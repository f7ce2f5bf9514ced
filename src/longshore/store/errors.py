"""What the store can say no with. `main` prints a refusal and ends; the request chain answers a failure with 503."""


class StoreError(Exception):
    """Base of the errors here."""


class StoreRefused(StoreError):  # noqa: N818 - it is what happened to the file, and reads so where it is caught
    """A file cannot be used: corrupt, foreign, of a newer version, or in use. The file is as it was."""


class StoreFailed(StoreError):  # noqa: N818 - a state of the store, named as its `failed` property
    """The journal could not be written (a full disk, say). What was acknowledged is safe; nothing more is taken."""


class TransactionMisusedError(StoreError):
    """A transaction inside another, within a watcher, or used after its end: a bug of the caller."""


class UnknownKindError(StoreError, TypeError):
    """A record class that this store was not opened with."""

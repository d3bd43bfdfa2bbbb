"""The one kind of error that is meant for a person: a clear sentence, never a traceback."""


class LabError(Exception):
    """Something a person can put right. Its text is one sentence that says what to do."""


class InputError(LabError, ValueError):
    """Bad input: the text names the field, what was given and what is allowed."""


class NewerVersion(LabError, ValueError):
    """A file that a newer version of the lab has written, with what this one does not know."""


class NotFound(LabError, LookupError):
    """A run, network or file that is not there. The text says what there is instead."""


def in_one_line(error: BaseException) -> str:
    """The kind of an error that nobody foresaw, and the first line of what it says."""
    said = str(error).strip().partition("\n")[0].rstrip(".")
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def is_about_memory(error: BaseException) -> bool:
    """Whether memory ran out: Python's, or that of torch, which says so in the text only."""
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and "memory" in f"{type(error).__name__} {error}".lower()

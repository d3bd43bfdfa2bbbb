"""The one kind of error that is meant for a person: a clear sentence, never a traceback."""


class LabError(Exception):
    """Something a person can put right. Its text is one sentence that says what to do."""


class InputError(LabError, ValueError):
    """Bad input: the text names the field, what was given and what is allowed."""


class NotFound(LabError, LookupError):
    """A run, network or file that is not there. The text says what there is instead."""

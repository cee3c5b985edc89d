"""The one word for "Dirigent cannot start": a sentence for the operator, never a traceback."""


class CannotStart(Exception):
    """Something outside the program stands in the way; the message is one line that says what, and what to do about it."""

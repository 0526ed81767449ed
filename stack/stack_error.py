"""The error that the commands of one machine show to their user."""


class StackError(RuntimeError):
    """The platform cannot do what was asked; the message says which part, why, and what to do."""

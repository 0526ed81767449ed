"""The error that the commands of one machine show to their user."""


class StackError(RuntimeError):
    """A command cannot be completed. The message says which part has failed, why, and what to do."""

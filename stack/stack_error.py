"""What goes wrong on one machine, said to a person."""


class StackError(RuntimeError):
    """The platform cannot do what was asked; the message says which part, why, and what to do."""

"""What can go wrong with evidence."""


class EvidenceError(RuntimeError):
    """Evidence cannot be given out; the message says which, and why."""


class EvidenceDamaged(EvidenceError):
    """What is stored does not have the hash it is stored under; the message names it."""


class NoEvidence(EvidenceError):
    """Nothing is held of the company, or nothing of the time that was asked for."""


class NotWritten(EvidenceError):
    """The files cannot be written where they should go."""

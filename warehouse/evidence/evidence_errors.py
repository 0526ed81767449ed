"""The errors of reading and exporting evidence."""


class EvidenceError(RuntimeError):
    """Evidence cannot be exported. The message names it and the reason."""


class EvidenceDamaged(EvidenceError):
    """Stored evidence does not match its hash. The message names it."""


class NoEvidence(EvidenceError):
    """No capture of the company is stored, or none within the requested period."""


class NotWritten(EvidenceError):
    """The files cannot be written to the requested place."""

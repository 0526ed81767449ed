"""The errors of reading and exporting evidence."""


class EvidenceError(RuntimeError):
    """Evidence cannot be read or exported. The message gives the reason."""


class EvidenceDamaged(EvidenceError):
    """A capture or a body does not match its hash, or one of them is missing. The message names the capture."""


class NoEvidence(EvidenceError):
    """No capture of the company is stored, or none within the requested period."""


class NotWritten(EvidenceError):
    """The files cannot be written to the requested place."""

"""The errors that reading and exporting evidence can raise."""


class EvidenceError(RuntimeError):
    """Evidence cannot be read or exported. The message gives the reason."""


class EvidenceDamaged(EvidenceError):
    """A capture or one of its bodies does not match its hash, or a body is missing. The message names the capture."""


class NoEvidence(EvidenceError):
    """No capture of the company is stored, or none within the requested period."""


class NotWritten(EvidenceError):
    """The files cannot be written to the requested place."""

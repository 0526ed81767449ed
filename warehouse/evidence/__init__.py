"""Captures as evidence: hashed as a whole, read back and checked, written as WARC files for others to check."""

from warehouse.evidence.capture_evidence import (
    CaptureEvidence,
    PayloadEvidence,
    evidence_document,
    evidence_sha256,
)
from warehouse.evidence.evidence_errors import EvidenceDamaged, NoEvidence

__all__ = [
    "CaptureEvidence",
    "EvidenceDamaged",
    "NoEvidence",
    "PayloadEvidence",
    "evidence_document",
    "evidence_sha256",
]

"""Captures as evidence: hashing a capture as a whole, verifying it, and exporting it to WARC files."""

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

"""A stand-in for openmoney.md: its pages, its API and its ways of failing, with made-up companies."""

from tests.site.cases import CASES, Case, CaseName
from tests.site.companies import company, expected_record
from tests.site.faults import FAULTY_NUMBERS, Fault, expected_outcome, fault_of
from tests.site.options import Lang, Layout
from tests.site.server import Site, running_site
from tests.site.statements import fin_data

__all__ = [
    "CASES",
    "FAULTY_NUMBERS",
    "Case",
    "CaseName",
    "Fault",
    "Lang",
    "Layout",
    "Site",
    "company",
    "expected_outcome",
    "expected_record",
    "fault_of",
    "fin_data",
    "running_site",
]

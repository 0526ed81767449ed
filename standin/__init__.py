"""The stand-in site: imitates the pages, the API and the failures of openmoney.md, with made-up companies."""

from standin.filed_statements import fin_data
from standin.made_up_companies import company, expected_record
from standin.options import Lang, Layout
from standin.server import Site, running_site
from standin.site_cases import CASES, CaseName, SiteCase
from standin.site_faults import FAULTY_NUMBERS, SiteFault, expected_outcome, fault_of

__all__ = [
    "CASES",
    "FAULTY_NUMBERS",
    "CaseName",
    "Lang",
    "Layout",
    "Site",
    "SiteCase",
    "SiteFault",
    "company",
    "expected_outcome",
    "expected_record",
    "fault_of",
    "fin_data",
    "running_site",
]

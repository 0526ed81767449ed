"""The stand-in site: a web site with made-up companies that imitates the pages, API and failures of openmoney.md."""

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

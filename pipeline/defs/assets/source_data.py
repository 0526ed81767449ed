"""The asset `source_data`: the audit trail, one capture a visit."""

from typing import Any

from dagster import config_mapping, graph_asset

from pipeline.defs.ops.extraction import capture_companies, plan_captures, report_captures
from pipeline.defs.selection import CompanySelection


@config_mapping
def _selection(selection: CompanySelection) -> dict[str, Any]:
    """The asset's config is the selection, wherever in the graph it is needed."""
    return {plan_captures.name: {"config": selection.as_config()}}


@graph_asset(
    config=_selection,
    group_name="companies",
    kinds={"selenium", "postgres"},
    description="The audit trail: every visit to a company's page with its outcome and, untouched, "
    "the rendered HTML and the JSON that the page fetched. Append-only.",
)
def source_data() -> Any:
    """Plan, then capture and load company by company, then report."""
    return report_captures(capture_companies(plan_captures()))

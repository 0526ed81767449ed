"""The asset `source_data`: the audit trail, with one capture for each visit."""

from typing import Any

from dagster import config_mapping, graph_asset

from pipeline.defs.ops.extraction import capture_companies, plan_captures, report_captures
from pipeline.defs.selection import CompanySelection


@config_mapping
def _selection(selection: CompanySelection) -> dict[str, Any]:
    """Pass the asset's config to the op `plan_captures`."""
    return {plan_captures.name: {"config": selection.as_config()}}


@graph_asset(
    config=_selection,
    group_name="companies",
    kinds={"selenium", "postgres"},
    description="The audit trail: every visit to a company's page with its outcome, the rendered HTML and the JSON that"
    " the page fetched, all unchanged. Rows are only ever added.",
)
def source_data() -> Any:
    """Plan the visits, then visit each company and store its captures, then report the outcomes."""
    return report_captures(capture_companies(plan_captures()))

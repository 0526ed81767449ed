"""From an IDNO to evidence: the browser, the visit, its outcome, manners. Knows no Dagster."""

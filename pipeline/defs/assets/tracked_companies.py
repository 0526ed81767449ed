"""The asset `tracked_companies`: the companies that the platform keeps fresh, with the time of their next visit."""

from dagster import AssetSpec

tracked_companies = AssetSpec(
    "tracked_companies",
    group_name="companies",
    kinds={"postgres"},
    description="Every company in a list (the site's own list or the bulk register), with the time of its next visit."
    " The job sweep_register fills this table. The job refresh_tracked visits the companies that are due.",
)

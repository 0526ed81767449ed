"""The asset `tracked_companies`: what the platform keeps fresh. Written by the job `sweep_register`, and by visits."""

from dagster import AssetSpec

tracked_companies = AssetSpec(
    "tracked_companies",
    group_name="companies",
    kinds={"postgres"},
    description="Every company that a list (the site's own, or the bulk register) is known to hold, with the time when"
    " it is to be visited next. Filled by the job sweep_register; the job refresh_tracked visits what is due.",
)

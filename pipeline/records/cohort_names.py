"""The names of all cohorts. They are apart from `cohorts`, because the command `registru` needs no SQL to list them."""

FIRST_YEAR, LAST_YEAR = 2000, 2039
OTHERS = "others"
"""The cohort of all IDNOs that belong to none of these years. (An IDNO that begins with 1003 belongs to 2003.)"""
COHORTS = (*(str(year) for year in range(FIRST_YEAR, LAST_YEAR + 1)), OTHERS)
"""The names of all cohorts. They are the partition keys of the job that re-transforms companies."""

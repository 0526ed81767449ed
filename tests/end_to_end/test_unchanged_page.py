"""A page that has not changed since the last visit is stored once."""

from standin.site_facts import make_idno
from tests.platform_harness import Platform
from tests.platform_user import PlatformUser


def test_body_of_an_unchanged_page_is_stored_once(platform: Platform, user: PlatformUser) -> None:
    idno = make_idno(3401)
    user.fetch(idno)
    user.fetch(idno)

    rows = platform.query("SELECT raw_html_sha256 FROM source_data WHERE idno = :idno", idno=idno)
    assert len(rows) == 2
    assert len({row["raw_html_sha256"] for row in rows}) == 1

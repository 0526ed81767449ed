"""Words around the names of activities: codes, licences, columns of tables, and texts that name no activity.

The words are in Romanian, Russian and English, and compared after `fold`.
"""

from enum import StrEnum

from pipeline.transform.source_text import fold, words


class ActivityColumn(StrEnum):
    """The content of a column in a table of activities."""

    NAME = "name"
    CODE = "code"
    LICENCE = "licence"
    """The number, the dates or the issuer of a licence."""
    ORDINAL = "ordinal"
    IS_LICENSED = "is licensed"
    """Whether the activity is licensed: yes or no."""


_HEADERS: dict[ActivityColumn, list[str]] = {
    ActivityColumn.IS_LICENSED: words(
        """
        licentiata | licentiat | licentiate | este licentiata | este licentiat | activitate licentiata? | licentiata? |
        licentiat? | necesita licenta | se licentiaza | licentiabila | licentiere | cu licenta | supusa licentierii |
        necesita licenta? | licentiata (da/nu) | licentiat (da/nu) | licenta (da/nu) | licenta da/nu |
        лицензируемая | лицензируется | лицензируемый | лицензирована | лицензировано | лицензия (да/нет) |
        требуется лицензия | нужна лицензия | требует лицензии | с лицензией | лицензируемая? | лицензируемый вид |
        licensed | licensed? | is licensed | licence required | license required | requires licence |
        requires a licence | licence (yes/no) | licensed (yes/no) | licensable | under licence
        """
    ),
    ActivityColumn.NAME: words(
        """
        genul de activitate | genul activitatii | gen de activitate | genuri de activitate | activitatea | activitate |
        activitati | denumire | denumirea | denumirea activitatii | denumirea genului de activitate | descriere |
        descrierea | descrierea activitatii | tipul de activitate | tip de activitate | tip activitate |
        tipul activitatii | activitatea licentiata | genul de activitate licentiat | domeniul | domeniu | nume |
        denumirea genului | obiectul de activitate | activitati licentiate | activitati nelicentiate |
        вид деятельности | виды деятельности | деятельность | наименование | название | наименование деятельности |
        наименование вида деятельности | описание | лицензируемый вид деятельности | название деятельности |
        activity | activities | name | description | kind of activity | type of activity | line of business |
        activity name | activity type | licensed activity | unlicensed activity | business activity | title
        """
    ),
    ActivityColumn.CODE: words(
        """
        cod | codul | cod caem | codul caem | caem | caem-2 | caem rev. 2 | cod caem-2 | cod caem rev. 2 |
        cod activitate | codul activitatii | cod caem (rev. 2) | clasificator | код | код caem | код каем | каем |
        код деятельности | код вида деятельности | code | caem code | nace | nace code | activity code | id
        """
    ),
    ActivityColumn.LICENCE: words(
        """
        licenta | nr. licentei | nr licentei | nr. licenta | nr. de licenta | numarul licentei | numar licenta |
        seria si nr. licentei | seria si numarul licentei | seria, nr. licentei | seria licentei | seria | serie |
        seria si nr. | seria/nr. | seria / nr. | serie si numar | licenta nr. | numar | numarul | data | din data |
        din | data eliberarii | data emiterii | data licentei |
        eliberata | eliberata la | eliberat la | emisa la | emisa |
        data acordarii | valabila pana la | valabil pana la | valabila pina la | valabil pina la | valabilitate |
        valabilitatea | termen de valabilitate | termenul de valabilitate | data expirarii | expira | expira la |
        pana la | pina la | perioada de valabilitate | perioada | autoritatea emitenta | emitent | organul emitent |
        emisa de | eliberata de | autoritatea | organul de licentiere | autorizatie | nr. autorizatiei |
        лицензия | номер лицензии | № лицензии | серия и номер | серия, номер | серия | номер | серия и № | дата |
        серия и номер лицензии | дата выдачи | выдана | выдан | дата лицензии | действительна до | действует до |
        срок действия | действительно до | действительна по | срок | окончание срока | дата окончания | кем выдана |
        орган | выдавший орган | licence | license | licence no. | license no. | licence number | license number |
        licence no | license no | number | series | series and number | issued | issued on | issue date |
        date of issue | date | valid until | valid to | valid through | expires | expires on | expiry date | expiry |
        validity | issued by | authority | issuing authority | permit | permit no.
        """
    ),
    ActivityColumn.ORDINAL: words(
        "nr. | nr | nr. crt. | nr.crt. | nr. d/o | nr. ord. | # | № | № п/п | п/п | no. | no | n | №№ | crt."
    ),
}
COLUMN_BY_HEADER = {fold(header): column for column, headers in _HEADERS.items() for header in headers}

LICENCE_WORDS = frozenset(
    words(
        "licenta|licentei|licente|licentă|licentiere|autorizatie|autorizatia|autorizatiei|permis|permisul|лицензия|"
        "лицензии|лицензию|лиц|разрешение|licence|license|permit|lic"
    )
)
"""Words for the licence itself. A remark about a licence has one of them, a date, or a number after "nr."."""
REMARK_WORDS = LICENCE_WORDS | frozenset(
    words(
        "nr|no|n|№|numar|numarul|номер|number|seria|serie|серия|series|din|de|la|pe|pentru|data|от|с|с|до|по|dated|of|"
        "from|on|to|the|is|until|till|through|up|eliberata|eliberat|eliberarii|emisa|emis|emiterii|acordata|выдана|"
        "выдано|дата|выдачи|issued|issue|date|valabila|valabil|valabilitate|valabilitatii|valabilitatea|termen|"
        "termenul|pana|pina|pâna|действительна|действительно|действует|срок|действия|valid|validity|expira|expires|expiry|"
        "истекает|activa|nelimitat|nelimitata|termen|nedeterminat|nedeterminata|бессрочная|бессрочно|unlimited|"
        "indefinitely|года|году|год|г|а|an|ani|anul|perioada|period|si|и|and"
    )
)
"""Words of a remark about a licence: "Nr. 012345 din 01.02.2020, valabilă până la 01.02.2025"."""
CODE_WORDS = frozenset(
    words("caem|caem-2|cod|codul|код|каем|code|nace|rev|rev. 2|caem rev. 2|cod caem|код caem")
)

NO_ACTIVITIES = frozenset(
    words(
        """
        nu sunt | nu sint | nu are | nu exista | nu-s | niciuna | nici una | nici o activitate | nicio activitate |
        fara | fara activitati | fara licente | fara licenta | nu detine | nu detine licente | nu sunt activitati |
        nu sunt licente | nu desfasoara | nu se desfasoara | nu sunt activitati licentiate |
        nu sunt activitati nelicentiate | nu sunt genuri de activitate licentiate |
        nu desfasoara activitati licentiate | nu are activitati licentiate |
        nu are activitati | nu exista activitati | nu exista activitati licentiate | nu exista activitati nelicentiate |
        nu sunt genuri de activitate | nu sunt inregistrate | nu sunt inregistrate activitati | nicio licenta |
        nu exista licente | activitati lipsa | activitatile lipsesc | lipsa activitati | lipsesc | lipsa | lipseste |
        nu sunt declarate | nu au fost declarate | nu a declarat |
        нет | нету | не имеет | не имеется | не осуществляет | отсутствует | отсутствуют | нет лицензий | без лицензий |
        лицензий нет | нет видов деятельности | нет лицензируемых видов деятельности | видов деятельности нет |
        нет лицензируемой деятельности | нет лицензированных видов деятельности | не зарегистрировано | не указано |
        не указаны | деятельность отсутствует | не заявлены | нет нелицензируемых видов деятельности |
        none | no | nothing | no activities | no licences | no licenses | no licensed activities |
        no unlicensed activities | no activities registered | no activities found | has no licences | not applicable |
        none registered | none declared | none listed | no activity | nil
        """
    )
)
"""Texts in the place of the activities that say that there are none."""

IS_LICENSED_WORDS = {
    **dict.fromkeys(
        words(
            "da | yes | y | true | да | licentiata | licentiat | licensed | лицензируемая | ✓ | ✔ | ✅ | лицензируется"
        ),
        True,
    ),
    **dict.fromkeys(
        words(
            "nu | no | n | false | нет | nelicentiata | nelicentiat | unlicensed | not licensed | нелицензируемая |"
            " ✗ | ✘ | ✕ | ❌ | не лицензируется"
        ),
        False,
    ),
}
"""What stands in a column that tells whether an activity is licensed."""
ALL_ACTIVITIES = frozenset(
    words(
        """
        activitati | activitatile | activitate | genuri de activitate | genurile de activitate | genul de activitate |
        tipuri de activitate | lista activitatilor | activitati declarate | activitati economice |
        domenii de activitate | виды деятельности | деятельность | вид деятельности | activities |
        lines of business | business activities | economic activities | types of activity | activity
        """
    )
)
"""Titles of lists that may contain both licensed and unlicensed activities."""

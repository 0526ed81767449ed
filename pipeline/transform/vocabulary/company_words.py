"""Words that occur in the names of companies and public bodies, and the names of countries, in three languages."""

from pipeline.transform.source_text import words

FOREIGN_FORMS = frozenset(
    words(
        """
        ab | ag | as | bv | b.v. | corp | gmbh | inc | kft | limited | llc | llp | lp | ltd | ltd. | nv | ou
        | oy | plc | pte | sarl | sia | spa | sro | uab | dooel | doo | d.o.o. | ooo | zao | oao | pao | ood
        | eood | ead | a.s. | sp. z o.o. | sp z oo | gmbh & co. kg | ohg | kg | nl | pty | s.p.a. | s.r.o. |
        s.a.r.l. | sas | fze | fzco | jsc | cjsc | pjsc | зао | оао | пао | ооо | ао | тоо | чп | ип | гп |
        мп | нко | оу
        """
    )
)
COMPANY_WORDS = FOREIGN_FORMS | frozenset(
    words(
        """
        srl | sa | ics | ii | im | is | gt | cpi | snc | scm | ong | ao | icm | agentia | agency | asociatia
        | asociatie | association | banca | bank | beteiligungs | capital | compania | companie | company |
        concern | concernul | consortium | consortiu | cooperativa | cooperative | corporatia | corporation
        | federatia | federation | filiala | firma | fond | fondul | fund | fundatia | foundation |
        gospodaria | group | grup | grupul | holding | holdings | institutia | institute | institutul |
        international | intreprindere | intreprinderea | invest | investments | limited | partners |
        societate | societatea | trust | trustul | ventures | uniunea | union | universitatea | university |
        academia | camera | clubul | club | colegiul | liceul | gimnaziul | scoala | spitalul | policlinica
        | biblioteca | muzeul | teatrul | manastirea | parohia | mitropolia | episcopia | biserica |
        comunitatea | sindicatul | partidul | organizatia | organization | centrul | biroul | casa de comert
        | combinatul | fabrica | uzina | oficiul | administratia | consiliul | consiliu | directia |
        guvernul | inspectoratul | judecatoria | ministerul | ministry | parlamentul | primaria | prefectura
        | serviciul | statul | state | government | municipality | city hall | council | raionul |
        municipiul | comuna | orasul | autoritatea | authority | curtea | comisia | comitetul |
        departamentul | regia | republica | republic | satul | colectivul | procuratura | агентство |
        ассоциация | банк | группа | компания | корпорация | кооператив | концерн | общество | объединение |
        организация | предприятие | союз | товарищество | трест | фирма | фонд | холдинг | хозяйство |
        администрация | департамент | дирекция | инспекция | институт | комитет | комиссия | министерство |
        мэрия | муниципий | примэрия | правительство | примария | республика | совет | служба | университет
        | управление | государство | учреждение | школа | лицей | больница | завод | фабрика | комбинат |
        монастырь | церковь | казначейство | палата | академия | партия | профсоюз | район | коммуна
        """
    )
)
"""A name with one of these words is the name of a company or of a public body, never of a person."""
_NATIONS = words(
    """
    moldova | republica moldova | rep. moldova | r. moldova | r.m. | rm | md | mda | republicii moldova |
    romania | romaniei | ro | rou | ucraina | ucrainei | ua | ukr | rusia | federatia rusa | federatiei ruse
    | rusiei | ru | rus | belarus | bulgaria | bg | turcia | turciei | tr | italia | italiei | it | germania
    | germaniei | de | franta | frantei | fr | marea britanie | regatul unit | uk | gb | sua | statele unite
    | statele unite ale americii | us | usa | israel | il | grecia | cipru | cy | polonia | pl | cehia |
    austria | elvetia | spania | portugalia | olanda | tarile de jos | belgia | luxemburg | estonia |
    letonia | lituania | ungaria | serbia | china | india | irlanda | suedia | norvegia | danemarca |
    finlanda | slovacia | slovenia | croatia | malta | canada | australia | kazahstan | azerbaidjan |
    georgia | armenia | uzbekistan | emiratele arabe unite | eau | panama | belize | seychelles | insulele
    virgine britanice | liechtenstein | nerezident | rezident | apatrid | strain | straina | republic of
    moldova | ukraine | russia | russian federation | turkey | turkiye | italy | germany | france | great
    britain | united kingdom | united states | united states of america | greece | cyprus | poland | czechia
    | czech republic | switzerland | spain | portugal | netherlands | the netherlands | belgium | luxembourg
    | latvia | lithuania | hungary | ireland | sweden | norway | denmark | finland | slovakia | croatia |
    kazakhstan | azerbaijan | united arab emirates | uae | british virgin islands | bvi | non-resident |
    resident | foreign | молдова | республика молдова | рм | румыния | украина | россия | российская
    федерация | рф | беларусь | болгария | турция | италия | германия | франция | великобритания | сша |
    израиль | греция | кипр | польша | чехия | австрия | швейцария | испания | португалия | нидерланды |
    бельгия | люксембург | эстония | латвия | литва | венгрия | сербия | китай | индия | ирландия | швеция |
    норвегия | дания | финляндия | словакия | хорватия | канада | казахстан | азербайджан | грузия | армения
    | узбекистан | оаэ | нерезидент | резидент | молдовы | республики молдова | румынии | украины | россии
    """
)
_CITIZENSHIPS = words(
    """
    cetatean al | cetatean | cetateana a | cetateana | cetatenie | cetatenia | tara | citizen of |
    citizenship | country | гражданин | гражданка | гражданство | страна
    """
)
_ADJECTIVES = words(
    """
    moldovean | moldoveana | roman | romana | romanian | moldovan | rus | rusa | russian | ucrainean |
    ucraineana | ukrainian | italian | italiana | turc | turca | turkish | german | germana | bulgar |
    bulgara | israelian | молдаванин | молдавское | румынское | российское | украинское
    """
)
COUNTRIES = frozenset(
    [
        *_NATIONS,
        *(
            f"{opening}{colon} {nation}"
            for opening in _CITIZENSHIPS
            for colon in ("", ":")
            for nation in _NATIONS
        ),
        *(
            f"{noun} {adjective}"
            for noun in ("cetatean", "cetateana", "cetatenie")
            for adjective in _ADJECTIVES
        ),
        *(f"{adjective} {noun}" for noun in ("citizen", "гражданство") for adjective in _ADJECTIVES),
    ]
)
"""Countries and citizenships, folded."""

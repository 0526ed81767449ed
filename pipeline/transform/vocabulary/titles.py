"""Patterns for the titles of content that is not about the company as it is now: other companies, and the past.

All patterns and words are matched with texts after `fold`.
"""

import re

from pipeline.transform.source_text import fold, words

_FORMER = "|".join(
    fold(word)
    for word in words(
        """
        fost | fosta | fostul | fosti | fostii | foste | fostele | ex | anterior | anterioara | anteriori | anterioare |
        precedent | precedenta | precedenti | precedente | vechi | veche | vechea | vechiul | vechii | vechile |
        trecut | trecute | trecuti | istoric | istoricul | istorica | arhivat | arhivata | arhivate |
        бывший | бывшая | бывшее | бывшие | прежний | прежняя | прежнее | прежние | предыдущий | предыдущая |
        предыдущее | предыдущие | старый | старая | старое | старые | прошлый | прошлые | экс | история |
        архивный | архивные | выбывшие | former | formerly | previous | past | prior | old | earlier |
        historical | history | archived
        """
    )
)
"""Words beside a label that make it the label of a former value ("Adresa veche", "Прежний адрес", "Past founders")."""
FORMER_NOUNS = frozenset(
    fold(word)
    for word in words(
        """
        denumire | denumirea | denumiri | denumirile | nume | numele | firma | titulatura | adrese | adresele | sedii |
        sediile | statute | forme juridice | conducere | coduri | membri | membrii | actionari | asociati | persoane |
        valori | valoare | date | datele | informatii | informatiile | inregistrari | versiune | versiuni |
        название | названия | наименование | наименования | имя | имена | адреса | значения | значение | статусы |
        члены | данные | сведения | информация | записи | юридические адреса | версии | версия |
        name | names | addresses | statuses | legal forms | members | value | values | company name | owners |
        management | data | information | records | record | details | version | versions
        """
    )
)
"""What a former value can be besides the fields of a company."""
FORMER_LABEL = re.compile(rf"(?:{_FORMER})[\s-]+(?P<before>.+)|(?P<after>.+?)\s+\(?(?:{_FORMER})\)?")
UNTIL = re.compile(
    r"(.+?),? \(?(?:pana (?:la|in)|до|until|till|up to|before) (?:.{0,16}\D)?\d{4}(?: г\.?)?\)?"
)
ABOUT_CHANGES = re.compile(
    r"(?:modificari(?:le)?|istoric(?:ul)?|schimbari(?:le)?|evenimente(?:le)?|изменения|история|хронология|события|changes|"
    r"history|events|timeline|registry events|register changes|versiunea|versiuni|предыдущая версия|previous version) "
    r"(?:in|la|de|din|ale?|a|privind|по|в|реестр|of|to|for|registr|компании|организации|предприятия|anterioara|данных|"
    r"сведений).{0,40}"
)
OTHER_COMPANIES = re.compile(
    r"(?:(?:alte|alti|lista de|toate|si alte|vezi si|другие|прочие|еще|список|other|more|all|the|list of) )*"
    r"(?:companii(?:le)?|firme(?:le)?|intreprinderi(?:le)?|societati(?:le)?|agenti economici|"
    r"organizatii|компании|фирмы|предприятия|организации|общества|companies|firms|businesses|entities|organi[sz]ations)"
    r"(?: (?:cu (?:acelasi|aceeasi|aceiasi|nume|denumire|domeniu|adres|fondator|administrator|activit)|"
    r"ale? |din |de la |la |similare|afiliate|asociate|conexe|inrudite|legate|inregistrate|unde |in care |"
    r"detinute|controlate|asemanatoare|"
    r"apropiate|invecinate|vecine|partenere|de pe |care |с |со |по |в |того же|тех же|этого|этой|у |где |рядом|из |на |"
    r"учредител|администратор|руководител|связанные|похожие|"
    r"with |at |by |in |from |sharing|run |related|where |near|under |having |similar|on |linked|"
    r"connected|owned|of the ).*)"
    r"|(?:other|related|similar|linked|connected|affiliated|nearby|neighbou?ring|associated|sister) "
    r"(?:companies|firms|businesses|entities|organi[sz]ations|records|results)(?: .*)?"
    r"|(?:похожие|другие|связанные|аффилированные|дочерние|смежные|соседние) (?:компании|фирмы|предприятия|организации|"
    r"юрлица|юридические лица)(?: .*)?"
    r"|(?:alte|si alte) (?:companii|firme|intreprinderi|societati|afaceri|entitati|organizatii)(?: .*)?"
    r"|(?:mai detine|detine si|administreaza si|conduce si|is also|also owns|also a founder|также владеет|"
    r"также учредитель)(?: .*)?"
    r"|(?:fondatorul|administratorul|persoana|persoanele|учредитель|руководитель|the founder|founder) .*"
    r"(?:alte|других|другие|other|also) .*"
)
"""Titles of sections about other companies: "Companii cu același fondator", "Other companies at this address"."""

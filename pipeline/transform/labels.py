"""The labels of the source in Romanian, Russian and English, and the texts of its messages.

All keys are folded (`text.fold`). What is not listed here is no label.
"""

import re
from enum import StrEnum
from functools import lru_cache

from pipeline.transform.text import fold, words


class Field(StrEnum):
    """What a label announces."""

    IDNO = "idno"
    NAME = "name"
    LEGAL_FORM = "legal_form"
    STATUS = "status"
    REGISTERED_ON = "registered_on"
    ADDRESS = "address"
    FOUNDERS = "founders"
    ADMINISTRATORS = "administrators"
    OTHER = "other"
    ELSEWHERE = "elsewhere"
    """What follows speaks of other companies, or of the site."""


LIST_FIELDS = frozenset({Field.FOUNDERS, Field.ADMINISTRATORS})
LABEL_LENGTH = 90

_LABELS: dict[Field, list[str]] = {
    Field.IDNO: words(
        """
        idno | idnp | cod | cod fiscal | codul fiscal | codul idno | cod idno | numar de identificare |
        numarul de identificare | numarul de identificare de stat | numar de identificare de stat | nr. idno
        | cod unic de identificare | cod de identificare | codul de identificare | nr. de identificare |
        cod de inregistrare | numar de inregistrare | numarul de inregistrare | cod de identificare fiscala
        | codul unic | cod unic | cod unic de inregistrare | numar idno | numarul idno | cod identificare |
        nr. de inregistrare | numar fiscal | numarul fiscal | codul de inregistrare | c.f. | cod de stat |
        идно | фискальный код | код фискальный | налоговый код | идентификационный номер | код |
        государственный идентификационный номер | идентификационный код | номер идентификации | код idno |
        регистрационный номер | номер регистрации | код идно | фиск. код | ф/к | ф.к. | фискальный номер |
        регистрационный код | номер idno | единый код | инн | налоговый номер | fiscal code | tax code |
        tax id | tax number | identification number | code | number | id | state identification number |
        registration number | tax identification number | idno number | idno code |
        unique identification code | id number | registration code | fiscal number | id code |
        identification code | reg. number | registration no. | registration no | unique code | reg. no.
        """
    ),
    Field.NAME: words(
        """
        denumire | denumirea | denumirea completa | denumire completa | nume | numele | denumirea juridica |
        наименование | полное наименование | название | полное название | имя | name | full name |
        legal name | official name
        """
    ),
    Field.LEGAL_FORM: words(
        """
        forma juridica | forma organizatorico-juridica | forma organizatorico juridica | forma legala |
        forma org./jurid. | forma organizatorica | forma de organizare | forma juridica de organizare |
        forma org. jurid. | forma org.-jur. | forma org | forma org. | forma organizarii juridice | forma |
        forma organizational-juridica | forma jur. | forma juridico-organizatorica | tip juridic |
        forma de organizare juridica | forma organizatorico-juridica de organizare |
        forma de proprietate juridica | forma de organizare a afacerii |
        forma juridica de organizare a afacerii | tip | tipul | forma organizational juridica | tip entitate
        | tipul entitatii | tip de organizare | tip organizare | tip companie | tip firma |
        tip intreprindere | tipul juridic | tip de companie | tip societate | организационно-правовая форма
        | организационно правовая форма | правовая форма | опф | юридическая форма | тип | форма |
        форма организации | организационная форма | правовой статус | орг.-правовая форма | орг. форма |
        организационно-юридическая форма | о.п.ф. | вид организации | орг.-прав. форма |
        правовая форма организации | форма собственности и организации | legal form | legal type | type |
        entity type | legal entity type | form | business form | organizational form | organisational form |
        organizational-legal form | organisational-legal form | organisational and legal form |
        organizational and legal form | legal structure | legal entity form | form of organization |
        form of organisation | corporate form | type of business | kind | organization type |
        organisation type | form of incorporation | type of entity | type of legal entity |
        legal form of organization | legal form of organisation | legal organisational form |
        organization form | organisation form | legal status form | legal organizational form
        """
    ),
    Field.STATUS: words(
        """
        statut | statutul | stare | starea | status | statut juridic | stare juridica | situatie | situatia
        | starea juridica | statutul juridic | statut actual | statutul actual | stare actuala |
        starea actuala | statusul | stare curenta | starea curenta | statut curent | statutul curent |
        starea de activitate | statutul activitatii | starea activitatii | status curent | status actual |
        situatia juridica | statut de activitate | status juridic | статус | состояние | текущий статус |
        текущее состояние | статус деятельности | юридический статус | state | current status |
        activity status | legal status | registration status | operating status | operational status |
        current state | activity
        """
    ),
    Field.REGISTERED_ON: words(
        """
        data inregistrarii | data inregistrare | inregistrata la | inregistrat la | inregistrata |
        data infiintarii | data fondarii | data crearii | inregistrata pe | data de inregistrare |
        inregistrat | inregistrare | fondata la | fondata | infiintata la | infiintata | inregistrat pe |
        inregistrata din | data inreg. | data inregistrarii de stat | inregistrat din | data constituirii |
        data infiintare | data inreg | data inregistrarii initiale | fondat | infiintat | data fondare |
        data infiintarii si inregistrarii | inregistrarea | inregistrarea de stat | constituita la |
        data inregistrarii in registru | inregistrata in | data inregistrarii in rsud | inregistrata la data
        | inregistrata la data de | inregistrat la data | data deschiderii | creata la | fondat la |
        infiintat la | data inregistrarii persoanei juridice | data aparitiei | inregistrata de la |
        activeaza din | дата регистрации | зарегистрирована | зарегистрировано | зарегистрирован |
        дата основания | дата создания | регистрация | основана | зарегистрирована с |
        дата государственной регистрации | дата регистрации в реестре | дата учреждения | дата открытия |
        государственная регистрация | зарегистрирована в | основано | основан | создана | дата образования |
        дата рег. | дата гос. регистрации | зарегистрировано с | зарегистрирован с | дата госрегистрации |
        дата внесения в реестр | registration date | date of registration | registered | registered on |
        registered at | date registered | incorporated | incorporation date | date of incorporation |
        founded | established | founded on | registered since | incorporated on | established on |
        created on | state registration date | date of state registration | founding date | foundation date
        | created | date of establishment | date of foundation | creation date | date founded | reg. date |
        date established | date incorporated | date of creation | registration | establishment date
        """
    ),
    Field.ADDRESS: words(
        """
        adresa | adresa juridica | adresa sediului | adresa legala | sediul | sediu | sediul juridic |
        adresa inregistrata | adresa de inregistrare | sediul social | localizare | sediu juridic |
        sediu social | adresa sediului juridic | adresa completa | adresa sediului social | adresa oficiala
        | adresa de sediu | adresa sediu | sediul central | sediu central | sediul inregistrat | adr. |
        adresa inregistrarii | adresa actuala | locul sediului | locatie | locatia | adresa sediului central
        | adresa fizica | adresa de domiciliu | sediu inregistrat | adresa inregistrata oficial |
        sediul/adresa | адрес | юридический адрес | местонахождение | адрес регистрации | место нахождения |
        юр. адрес | полный адрес | адрес местонахождения | официальный адрес | адрес офиса |
        место регистрации | юрадрес | зарегистрированный адрес | адрес места нахождения | адрес юридический
        | адрес (юр.) | местоположение | расположение | адрес головного офиса | фактический адрес |
        юридический адрес (полный) | address | legal address | registered address | registered office |
        registered office address | headquarters | seat | business address | office address | full address |
        location | office | registered seat | head office | official address | registration address |
        headquarters address | address of registration | head office address | street address | main address
        | principal address | principal office | registered location | postal and legal address |
        place of business | legal seat
        """
    ),
    Field.FOUNDERS: words(
        """
        fondatori | fondator | fondatorii | lista fondatorilor | asociati | asociatii | fondatorul |
        actionari | asociati si actionari | proprietari | fondatorii si cotele | actionarii | fondat de |
        fondatori si cote | fondatori si asociati | cofondatori | structura fondatorilor | proprietarii |
        fondatori persoane fizice | fondatori persoane juridice | fondatori companii | asociat | asociatul |
        fondatori / asociati | fondatori/asociati | cote ale fondatorilor | structura actionariatului |
        lista asociatilor | fondatori si cote-parti | actionariat | actionariatul | membrii fondatori |
        fondator unic | asociat unic | proprietar | actionar | fondatorii si cotele-parti | fondata de |
        cotele fondatorilor | structura capitalului | fondatori si cota | persoane fondatoare |
        lista actionarilor | fondatori (cota) | fondatori (cote) | membri fondatori | fondatori si actionari
        | fondatori (asociati) | учредители | учредитель | список учредителей | основатели | участники |
        акционеры | основатель | учредители и доли | владельцы | собственники | участник | акционер |
        владелец | соучредители | состав учредителей | учредители и их доли | учредители (участники) |
        список участников | участники и доли | доли учредителей | учреждена | кем учреждена |
        учредители/участники | собственник | список акционеров | единственный учредитель |
        структура собственности | список основателей | основатели и доли | учредители и участники |
        список владельцев | доли участников | акционеры и доли | основана кем | founders | founder |
        list of founders | shareholders | owners | members | founding members | founders and shares |
        shareholders and founders | founded by | ownership | owner | shareholder | founders & shares |
        list of shareholders | founders and shareholders | ownership structure | owned by | co-founders |
        sole founder | associates | founders/shareholders | founders and owners | founders and their shares
        | shareholding | shareholding structure | equity holders | list of owners | established by |
        founding shareholders | shareholder structure | founders list | founder(s)
        """
    ),
    Field.ADMINISTRATORS: words(
        """
        administratori | administrator | administratorii | administratorul | lista conducatorilor |
        conducatori | conducator | conducerea | conducere | director | directori | manager | managerul |
        lista administratorilor | administrare | administratia | conducatorul | manageri | administratie |
        directorul | directorii | managerii | conducatorii | persoane cu functii de conducere | condus de |
        organele de conducere | organ de conducere | echipa de conducere | administrata de | managementul |
        administrator(i) | administratori si conducatori | persoane de conducere | organul executiv |
        management | administratori / conducatori | administratori/conducatori | reprezentanti legali |
        reprezentant legal | persoane responsabile | director general | conducatorul executiv |
        lista directorilor | condusa de | администраторы | администратор | руководители | руководитель |
        директор | директора | директоры | список администраторов | руководство | управляющий |
        администрация | управление | управляющие | список руководителей | органы управления |
        администраторы и руководители | менеджмент | менеджеры | исполнительный орган | руководящий состав |
        законный представитель | список директоров | управляет | генеральный директор |
        законные представители | состав руководства | администратор (руководитель) | administrators |
        directors | managers | list of administrators | administrator(s) | list of directors | executives |
        administration | managed by | management team | administered by | legal representative |
        legal representatives | officers | executive body | list of managers | directors and officers |
        administrators and managers | board of directors | administrators list | executive management |
        leadership | managing director | managing directors | general director
        """
    ),
    Field.OTHER: words(
        """
        cuatm | cod cuatm | codul cuatm | куатм | localitate | localitatea | raion | raionul | sector |
        activitati | activitati licentiate | genuri de activitate | genuri de activitate licentiate |
        licente | activitati nelicentiate | genuri de activitate nelicentiate | situatii financiare |
        date financiare | indicatori | indicatori financiari | situatia financiara | rapoarte financiare |
        finante | genul de activitate | telefon | email | e-mail | site | website | site web | fax | tel |
        tel. | cuiio | pagina web | beneficiari | beneficiari efectivi | lista beneficiarilor efectivi |
        beneficiar efectiv | data lichidarii | licentiate | data radierii | contabil | contabil-sef |
        contabilul-sef | nelicentiate | activitati fara licenta | activitati cu licenta | actualizat la | an
        | anul | oras | capital social | capitalul social | numar de angajati | angajati | data actualizarii
        | cod postal | adresa de e-mail | adresa electronica | adresa email | adresa de email | adresa web |
        adresa site | data inregistrarii tva | cod tva | tva | activitate principala |
        activitatea principala | caem | obiect de activitate | genul principal de activitate |
        data revizuirii | cifra de afaceri | filiale | лицензируемые виды деятельности |
        нелицензируемые виды деятельности | виды деятельности | код cuatm | лицензированная деятельность |
        нелицензированная деятельность | финансовая отчетность | финансы | финансовые показатели | телефон |
        дата ликвидации | лицензии | деятельность | бенефициары | лицензируемая деятельность |
        нелицензируемая деятельность | отчетность | год | выручка | район | чистая прибыль |
        уставный капитал | дата обновления | адрес эл. почты | электронный адрес | код куатм |
        электронная почта | эл. почта | дата регистрации ндс | сайт | веб-сайт | населенный пункт | город |
        конечные бенефициары | обновлено | факс | количество сотрудников | сектор | почтовый индекс |
        реальные бенефициары | вид деятельности | основной вид деятельности | бухгалтер | главный бухгалтер
        | activities | licensed activities | unlicensed activities | financial statements | phone | city |
        financial data | key figures | licences | licenses | beneficial owners | liquidation date | vat |
        financials | revenue | net profit | total assets | updated | year | last updated | cuatm code |
        share capital | e-mail address | email address | web address | vat registration date | district |
        telephone | web site | employees | number of employees | lines of business | beneficiaries |
        licensed lines of business | unlicensed lines of business | ultimate beneficial owners | postal code
        | licensed activity | unlicensed activity | main activity | region | locality | accountant |
        email-ul | contact e-mail | chief accountant | financial reports | financial indicators
        """
    ),
    Field.ELSEWHERE: words(
        """
        companii similare | firme similare | alte companii | vezi si | companii din acelasi domeniu |
        companii recomandate | companii apropiate | ultimele companii | companii noi | companii asemanatoare
        | companii vizualizate recent | companii din apropiere | companii legate | companii afiliate |
        concurenti | companii populare | top companii | cele mai cautate companii |
        alte companii din domeniu | похожие компании | другие компании | смотрите также | см. также |
        рекомендуемые компании | компании рядом | связанные компании | недавно просмотренные |
        популярные компании | конкуренты | новые компании | топ компаний | компании поблизости |
        аффилированные компании | похожие организации | similar companies | related companies |
        other companies | see also | recommended companies | nearby companies | recently viewed |
        popular companies | competitors | you may also like | affiliated companies | companies nearby |
        top companies | new companies | similar firms | despre noi | despre site | о нас | о сайте |
        about us | about this site | operatorul site-ului | operator | site operator | оператор сайта |
        contactele noastre | наши контакты | contact us | contactati-ne | свяжитесь с нами |
        operatorul platformei | our contacts | our office
        """
    ),
}
_FIELD_BY_LABEL = {fold(label): field for field, labels in _LABELS.items() for label in labels}
AMBIGUOUS_FORM_LABELS = frozenset(
    fold(label)
    for label in ("tip", "tipul", "tip companie", "тип", "type", "kind", "правовой статус", "вид организации")
)
"""Labels that announce a legal form, or any other classification."""

_OWNER = re.compile(
    r"(?:^company |^business |^firm |^entity |^enterprise )"
    r"|(?: (?:al |a |ale |ai )?(?:companiei|intreprinderii|firmei|societatii|organizatiei|entitatii|persoanei juridice|"
    r"agentului economic|companie|intreprindere|firma|"
    r"компании|предприятия|фирмы|организации|общества|юридического лица|юрлица|юр\. лица|"
    r"of (?:the )?(?:company|business|entity|enterprise|firm|organi[sz]ation|legal entity)))$"
)
# Notes that leave a label's meaning as it is.
_NOTE = re.compile(
    r"""\s*[(\[](?:
      \d+ | % | mdl | lei | idno | idnp | cod\ fiscal | идно | фискальный\ код | fiscal\ code | opf | опф
    | cot[ae](?:-part[ei])? | cota,?\ % | доли | доля,?\s?%? | shares? | share,?\ % | i | e | ii | ий | s
    | in\ lei | conform\ rsud | rsud | conform\ registrului | по\ реестру
    | согласно\ реестру | according\ to\ the\ register
    | juridic[ae]? | юридический | юр\.? | legal | completa | полный | full | sediul | sediu | de\ stat | dd\.?mm\.?yyyy
    | asociati | actionari | участники | акционеры | shareholders | владельцы | owners | zz\.?ll\.?aaaa | дд\.?мм\.?гггг
    | actual[ae]? | curent[ae]? | текущий | текущее | current | total:?\ \d+ | всего:?\ \d+ | persoane | лица
    )[)\]]""",
    re.VERBOSE,
)
_KIND = re.compile(
    r"(?<=\w)(?:\s*[–—:/,(-]\s*|\s+)(?:persoan[ae] (?:fizic[ae]|juridic[ae])|физические лица|юридические лица|"
    r"физическое лицо|юридическое лицо|физлица|юрлица|individuals?|legal entit(?:y|ies)|(?:natural|legal) persons?|"
    r"companies|companii|компании|persons|persoane|лица)\)?(?:\s*\(?\d{1,3}\)?)?$"
)
"""Persons and companies may stand in lists of their own, one after the other."""
_PICTURES = re.compile(r"^[^\w(„“«\"'<\[]+")
"""What may stand before a label and is none of it: a bullet, an emoji."""
_COUNT = re.compile(r"(?:\s*[·•:–—-])?\s*\d{1,3}$")
_LINE = re.compile(rf"([^:：]{{1,{LABEL_LENGTH}}}?)(?:\s*[:：]\s*|\s+[—–-]\s+)(\S.*)", re.DOTALL)
_LABEL_PARTS = re.compile(r"\s*[/()|,]\s*| - | – | — | si | și | и | and | & ")

_ACTION = re.compile(
    r"(?:vezi|arata|afiseaza|deschide|copiaza|copie|copiere|mai mult|toate|toti|pe harta|harta|detalii|obtine|"
    r"показать|смотреть|открыть|скопировать|копировать|подробнее|все|еще|на карте|карта|маршрут|посмотреть|"
    r"show|view|see|open|copy|more|all|on (?:the )?map|map|details|directions|get directions)(?: .{0,40})?"
)

NOT_FOUND_TEXTS = (
    *("nu a fost gasit", "nu exista", "negasit", "nu am gasit", "nu s-a gasit", "inexistent", "nu sa gasit"),
    *("not found", "does not exist", "doesn't exist", "no such company", "could not find", "couldn't find"),
    *("не найден", "не существует", "отсутствует в реестре", "nothing found", "no company"),
)
ERROR_TEXTS = (
    *("eroare", "ceva nu a mers", "incercati mai tarziu", "indisponibil", "nu s-a putut", "nu am putut"),
    *("error", "something went wrong", "try again later", "unavailable", "failed to load", "oops"),
    *("ошибка", "что-то пошло не так", "попробуйте позже", "недоступен", "не удалось"),
)
ERROR_OPENINGS = (
    *("a aparut o eroare", "s-a produs o eroare", "a intervenit o eroare", "a avut loc o eroare"),
    *("an error", "internal server error", "server error", "service unavailable", "bad gateway"),
    *("gateway timeout", "gateway time-out", "bad request", "forbidden", "page not found"),
    *("произошла ошибка", "возникла ошибка", "внутренняя ошибка", "сервис недоступен"),
    *("400", "401", "403", "404", "408", "410", "429", "500", "502", "503", "504"),
)
"""What a message begins with, beside ERROR_TEXTS; a name may hold any of these further on."""
CHALLENGE_TEXTS = (
    *("just a moment", "checking your browser", "verify you are human", "attention required"),
    *("enable javascript and cookies to continue", "access denied", "captcha", "ddos protection"),
)


@lru_cache(maxsize=8192)
def field_of(text: str) -> Field | None:
    """Return what `text` announces if it is a label as a whole (with or without a colon), else None."""
    if len(text) > LABEL_LENGTH:
        return None
    label = _PICTURES.sub("", fold(text).rstrip(" :：*?"))
    if not label:
        return None
    if field := _field(label) or _field(_COUNT.sub("", label)):
        return field
    if (kind := _KIND.search(label)) and (field := _field(label[: kind.start()])) in LIST_FIELDS:
        return field
    # "IDNO / Cod fiscal" says one thing twice; "Adresa / CUATM" is not plain enough to be read.
    fields = {_field(part) for part in _LABEL_PARTS.split(_COUNT.sub("", _NOTE.sub("", label))) if part}
    return fields.pop() if len(fields) == 1 else None


def _field(label: str) -> Field | None:
    plain = _NOTE.sub("", label).strip(" :")
    return (
        _FIELD_BY_LABEL.get(label)
        or _FIELD_BY_LABEL.get(plain)
        or _FIELD_BY_LABEL.get(_OWNER.sub("", plain).strip())
        or _FIELD_BY_LABEL.get(plain.removeprefix("lista ").removeprefix("список ").removeprefix("list of "))
    )


def label_in_line(text: str) -> tuple[Field, str] | None:
    """Return what a line that begins with a label announces, and the text after the colon or dash."""
    match = _LINE.fullmatch(text)
    field = field_of(match[1]) if match else None
    return (field, match[2]) if match and field else None


def is_action(text: str) -> bool:
    """Tell whether a text is something to click ("Vezi pe hartă", "Copy") and says nothing of the company."""
    return len(text) <= 60 and _ACTION.fullmatch(fold(text).strip(" ()[]→›»…+.")) is not None


def says(text: str, phrases: tuple[str, ...]) -> bool:
    """Tell whether one of the folded `phrases` occurs in `text`."""
    folded = fold(text)
    return any(phrase in folded for phrase in phrases)

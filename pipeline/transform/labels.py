"""The words of the source: labels, statuses, legal forms, roles, error texts, in ro, ru and en.

All keys are folded (`text.fold`). What is not listed here is no label.
"""

import re
from enum import StrEnum

from pipeline.transform.text import bare, fold
from warehouse.records import CompanyStatus


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


LIST_FIELDS = frozenset({Field.FOUNDERS, Field.ADMINISTRATORS})

_LABELS: dict[Field, tuple[str, ...]] = {
    Field.IDNO: (
        *("idno", "cod fiscal", "codul fiscal", "codul idno", "cod idno", "numar de identificare"),
        *("numarul de identificare", "numarul de identificare de stat", "numar de identificare de stat"),
        *("cod unic de identificare", "cod de identificare", "codul de identificare", "nr. de identificare"),
        *("cod de inregistrare", "numar de inregistrare", "numarul de inregistrare"),
        *("идно", "фискальный код", "код фискальный", "налоговый код", "идентификационный номер"),
        *("государственный идентификационный номер", "идентификационный код", "номер идентификации"),
        *("регистрационный номер", "идентификационный номер (идно)", "код компании"),
        *("fiscal code", "tax code", "tax id", "tax number", "identification number", "company code"),
        *("state identification number", "registration number", "company number", "company id"),
        *("idno code", "unique identification code", "id number", "registration code", "fiscal number"),
    ),
    Field.NAME: (
        *("denumire", "denumirea", "denumirea completa", "denumire completa", "denumirea companiei"),
        *("nume", "numele", "numele companiei", "denumirea intreprinderii"),
        *("наименование", "полное наименование", "название", "название компании", "наименование компании"),
        *("name", "full name", "company name", "legal name"),
    ),
    Field.LEGAL_FORM: (
        *("forma juridica", "forma organizatorico-juridica", "forma organizatorico juridica"),
        *("forma org./jurid.", "forma organizatorica", "forma de organizare", "forma juridica de organizare"),
        *("tip", "tipul", "tipul companiei", "tip companie", "forma legala", "tip juridic", "forma org"),
        *("tipul intreprinderii", "forma", "forma organizarii juridice", "forma juridica (cod)"),
        *("организационно-правовая форма", "организационно правовая форма", "правовая форма", "опф"),
        *("юридическая форма", "тип", "тип компании", "форма", "тип предприятия", "форма организации"),
        *("legal form", "legal type", "type", "company type", "entity type", "legal entity type", "form"),
        *("organizational form", "organisational form", "organizational-legal form", "type of company"),
        *("organisational and legal form", "organizational and legal form", "legal structure"),
        *("form of organization", "form of organisation", "business type"),
    ),
    Field.STATUS: (
        *("statut", "statutul", "stare", "starea", "status", "statut companie", "statutul companiei"),
        *("starea companiei", "situatie", "situatia", "stare companie", "statut juridic", "stare juridica"),
        *("статус", "состояние", "статус компании", "состояние компании"),
        *("state", "company status", "current status", "company state", "activity status"),
    ),
    Field.REGISTERED_ON: (
        *("data inregistrarii", "data inregistrare", "inregistrata la", "inregistrat la", "inregistrata"),
        *("data infiintarii", "data fondarii", "data crearii", "inregistrata pe", "data de inregistrare"),
        *("inregistrat", "inregistrare", "fondata la", "fondata", "infiintata la", "infiintata"),
        *("inregistrata din", "data inreg."),
        *("дата регистрации", "зарегистрирована", "зарегистрировано", "зарегистрирован", "дата основания"),
        *("дата создания", "регистрация", "основана", "зарегистрирована с"),
        *("registration date", "date of registration", "registered", "registered on", "registered at"),
        *("date registered", "incorporated", "incorporation date", "date of incorporation", "founded"),
        *("established", "founded on", "registered since", "incorporated on", "established on"),
    ),
    Field.ADDRESS: (
        *("adresa", "adresa juridica", "adresa sediului", "adresa legala", "sediul", "sediu", "sediul juridic"),
        *("adresa companiei", "adresa inregistrata", "adresa de inregistrare", "sediul social", "localizare"),
        *("sediu social", "adresa sediului juridic", "adresa completa"),
        *("адрес", "юридический адрес", "адрес компании", "местонахождение", "адрес регистрации"),
        *("место нахождения", "полный адрес", "адрес местонахождения"),
        *("address", "legal address", "registered address", "registered office", "company address"),
        *("headquarters", "seat", "business address", "office address", "full address", "location"),
    ),
    Field.FOUNDERS: (
        *("fondatori", "fondator", "fondatorii", "lista fondatorilor", "asociati", "asociatii", "fondatorul"),
        *("fondatorii companiei", "actionari", "asociati si actionari", "proprietari", "fondatorii si cotele"),
        *("fondatori si cote", "fondatori si asociati", "cofondatori", "structura fondatorilor"),
        *("fondatori persoane fizice", "fondatori persoane juridice", "fondatori companii"),
        *("учредители", "учредитель", "список учредителей", "основатели", "участники", "акционеры"),
        *("учредители компании", "учредители и доли", "владельцы", "собственники", "основатель"),
        *("founders", "founder", "list of founders", "shareholders", "company founders", "owners", "members"),
        *("founders and shares", "shareholders and founders", "founded by", "ownership", "owner"),
    ),
    Field.ADMINISTRATORS: (
        *("administratori", "administrator", "administratorii", "administratorul", "lista conducatorilor"),
        *("conducatori", "conducator", "conducerea", "conducere", "director", "directori", "manager"),
        *("lista administratorilor", "administrare", "administratia", "conducatorul", "manageri"),
        *("администраторы", "администратор", "руководители", "руководитель", "директор", "директора"),
        *("список администраторов", "руководство", "управляющий", "администрация", "управление"),
        *("administrators", "directors", "managers", "management", "list of administrators"),
        *("list of directors", "executives", "administration", "managed by", "company administrators"),
    ),
    # Known, and not read yet: they end the value before them.
    Field.OTHER: (
        *("cuatm", "cod cuatm", "куатм", "localitate", "raion", "sector", "activitati", "activitati licentiate"),
        *("activitati nelicentiate", "genuri de activitate", "genuri de activitate licentiate", "licente"),
        *("genuri de activitate nelicentiate", "situatii financiare", "date financiare", "indicatori"),
        *("indicatori financiari", "telefon", "email", "e-mail", "site", "website", "cuiio", "beneficiari"),
        *("beneficiari efectivi", "lista beneficiarilor efectivi", "data lichidarii", "licentiate"),
        *("nelicentiate", "activitati fara licenta", "activitati cu licenta", "actualizat la", "an", "anul"),
        *("лицензируемые виды деятельности", "нелицензируемые виды деятельности", "виды деятельности"),
        *("финансовая отчетность", "финансовые показатели", "финансы", "телефон", "дата ликвидации"),
        *("лицензии", "деятельность", "бенефициары", "лицензируемая деятельность"),
        *("нелицензируемая деятельность", "отчетность", "год", "выручка", "чистая прибыль"),
        *("activities", "licensed activities", "unlicensed activities", "financial statements", "phone"),
        *("financial data", "key figures", "licences", "licenses", "beneficial owners", "liquidation date"),
        *("financials", "revenue", "net profit", "total assets", "updated", "year", "last updated"),
    ),
}

_FIELD_BY_LABEL: dict[str, Field] = {
    fold(label): field for field, labels in _LABELS.items() for label in labels
}

_STATUSES: dict[CompanyStatus, tuple[str, ...]] = {
    CompanyStatus.ACTIVE: (
        *("activ", "activa", "in activitate", "functionala", "inregistrata", "activeaza", "în activitate"),
        *("активна", "активная", "активен", "активный", "активно", "действующая", "действует", "действующий"),
        *("active", "operating", "in operation", "operational", "registered", "true", "da", "yes", "да"),
        *("companie activa", "active company", "действующая компания", "активная компания", "intreprindere activa"),
    ),
    CompanyStatus.INACTIVE: (
        *("inactiv", "inactiva", "neactiva", "neactiv", "lichidata", "lichidat", "radiata", "radiat"),
        *("неактивна", "неактивная", "неактивен", "недействующая", "не действует", "ликвидирована"),
        *("ликвидировано", "исключена", "недействующий", "ликвидированная", "неактивно", "закрыта"),
        *("inactive", "not active", "liquidated", "dissolved", "closed", "deregistered", "struck off"),
        *("false", "nu", "no", "нет", "companie inactiva", "inactive company", "неактивная компания"),
        *("companie lichidata", "inchisa"),
    ),
}
_STATUS_BY_WORD = {fold(word): status for status, words in _STATUSES.items() for word in words}

_LEGAL_FORMS: dict[str, tuple[str, ...]] = {
    "SRL": (
        *("societate cu raspundere limitata", "societatea cu raspundere limitata"),
        *("общество с ограниченной ответственностью", "ооо", "limited liability company", "llc", "ltd"),
    ),
    "SA": (
        *("societate pe actiuni", "societatea pe actiuni", "акционерное общество", "ао"),
        *("joint stock company", "joint-stock company", "jsc"),
    ),
    "ÎI": (
        *("intreprindere individuala", "intreprinderea individuala", "индивидуальное предприятие", "ип"),
        *("individual enterprise", "sole proprietorship", "sole proprietor"),
    ),
    "GȚ": (
        *("gospodarie taraneasca", "gospodaria taraneasca", "gospodarie taraneasca (de fermier)"),
        *("gospodaria taraneasca (de fermier)", "крестьянское хозяйство", "peasant farm", "peasant household"),
        *("крестьянское (фермерское) хозяйство", "farm", "peasant (farmer) household"),
    ),
    "ÎS": (
        *("intreprindere de stat", "intreprinderea de stat", "государственное предприятие", "гп"),
        *("state enterprise", "state-owned enterprise"),
    ),
    "ÎM": (
        *("intreprindere municipala", "intreprinderea municipala", "муниципальное предприятие", "мп"),
        *("municipal enterprise",),
    ),
    "CP": ("cooperativa de productie", "cooperativa de producere", "производственный кооператив", "production cooperative"),
    "CI": ("cooperativa de intreprinzator", "предпринимательский кооператив", "entrepreneurial cooperative"),
    "SNC": ("societate in nume colectiv", "полное товарищество", "general partnership"),
    "SC": ("societate in comandita", "коммандитное товарищество", "limited partnership"),
    "AO": ("asociatie obsteasca", "asociatia obsteasca", "общественное объединение", "public association"),
    "ONG": ("organizatie necomerciala", "organizatie neguvernamentala", "неправительственная организация"),
    "IP": ("institutie publica", "institutia publica", "публичное учреждение", "public institution"),
}
_CODE_BY_FORM = {bare(name): code for code, names in _LEGAL_FORMS.items() for name in names}
_FOLDED_CODES = {bare(code): code for code in _LEGAL_FORMS}

_ROLES = frozenset(
    fold(role)
    for role in (
        *("administrator", "director", "manager", "președinte", "lichidator", "director general", "conducător"),
        *("администратор", "директор", "управляющий", "президент", "ликвидатор", "генеральный директор"),
        *("руководитель", "president", "liquidator", "general manager", "general director", "chief executive"),
        *("administrator interimar", "director executiv", "исполнительный директор", "executive director"),
        *("vicedirector", "contabil-șef", "membru", "ceo", "administrator provizoriu", "reprezentant"),
    )
)

COLUMN_HEADS = frozenset(
    fold(head)
    for head in (
        *("nume", "numele", "denumire", "nume/denumire", "cota", "cota, %", "cota (%)", "rol", "funcția", "idno"),
        *("fondator", "administrator", "cotă", "cota-parte", "parte", "tip", "persoana", "nr", "nr.", "#", "%"),
        *("nume / denumire", "nume, prenume", "cota parte", "funcție", "rolul", "calitate", "ponderea"),
        *("имя", "фио", "наименование", "доля", "доля, %", "доля (%)", "роль", "должность", "учредитель"),
        *("администратор", "имя / наименование", "тип", "название", "имя/название", "лицо"),
        *("name", "share", "share, %", "share (%)", "role", "position", "founder", "shares", "stake", "type"),
        *("full name", "ownership", "person", "kind", "title", "function", "code", "cod", "код"),
    )
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
CHALLENGE_TEXTS = (
    *("just a moment", "checking your browser", "verify you are human", "attention required"),
    *("enable javascript and cookies to continue", "access denied", "captcha", "ddos protection"),
)

_LEGAL_FORM_HALVES = re.compile(r"\s+[–—-]\s+|[()]")
_LABEL_PARTS = re.compile(r"\s*[/()|,]\s*")


def field_of(text: str) -> Field | None:
    """Return what `text` announces if it is a label as a whole (with or without a colon), else None."""
    label = fold(text).rstrip(" :：").lstrip("#•· ")
    if not label or len(label) > 60:
        return None
    if field := _FIELD_BY_LABEL.get(label):
        return field
    # "IDNO / Cod fiscal" says one thing twice; "Adresa / CUATM" is not plain enough to be read.
    fields = {_FIELD_BY_LABEL.get(part) for part in _LABEL_PARTS.split(label) if part}
    return fields.pop() if len(fields) == 1 else None


def status_of(text: str) -> CompanyStatus | None:
    """Return the status that a word of the source means, None if it is not known."""
    return _STATUS_BY_WORD.get(fold(text).strip(" .!•●✓"))


def legal_form_of(text: str) -> str | None:
    """Return the code of a legal form given as its code or its name, None if it is not known."""
    if code := _legal_form_code(text):
        return code
    # "SRL — Societate cu răspundere limitată", "Societate pe acțiuni (SA)": both halves mean the same.
    halves = {_legal_form_code(part) for part in _LEGAL_FORM_HALVES.split(text) if part.strip()}
    return halves.pop() if len(halves) == 1 else None


def _legal_form_code(text: str) -> str | None:
    return _FOLDED_CODES.get(bare(text)) or _CODE_BY_FORM.get(bare(text))


def is_role(text: str) -> bool:
    """Tell whether `text` as a whole names the role of an administrator."""
    return fold(text).strip(" .:()[]") in _ROLES


def says(text: str, phrases: tuple[str, ...]) -> bool:
    """Tell whether one of the folded `phrases` occurs in `text`."""
    folded = fold(text)
    return any(phrase in folded for phrase in phrases)

"""Words in a party's text: roles, kinds, words of companies and public bodies, collectives, placeholders, countries.

The words are compared after `fold`, so each table holds one spelling of ș, ț, ă and ё.
"""

import re
from functools import lru_cache

from pipeline.transform.source_text import comparison_key, fold, text_or_none, words
from pipeline.transform.vocabulary.company_words import COMPANY_WORDS, COUNTRIES, FOREIGN_FORMS
from pipeline.transform.vocabulary.placeholders import placeholder_reason
from pipeline.transform.vocabulary.terms import legal_form_of
from warehouse.records.models import PartyKind

FOUNDER_ROLES = frozenset(
    words(
        """
        actionar | actionara | actionari | asociat | asociata | asociat unic | fondator | fondatoare |
        fondatori | fondator unic | membru fondator | cofondator | proprietar | co-fondator | actionar
        majoritar | actionar unic | owner | founder | shareholder | sole founder | sole shareholder |
        co-founder | cofounder | partner | sole owner | акционер | единственный учредитель | участник |
        учредитель | соучредитель | основатель | собственник | владелец | единственный участник |
        единственный акционер | пайщик
        """
    )
)
ADMINISTRATOR_ROLES = frozenset(
    words(
        """
        administrator | administratoare | administratorul | administrator autorizat | administrator fiduciar
        | administrator interimar | administrator provizoriu | administrator special | administrator unic |
        administrator din oficiu | administrator al procesului de insolvabilitate | administrator delegat |
        administrator al procedurii planului | administrator al insolvabilitatii | administrator autorizat
        provizoriu | administrator insolvabilitate | administrator al procedurii de insolvabilitate |
        administrator judiciar | administrator-sef | administrator ales | co-administrator | coadministrator
        | administrator adjunct | board member | ceo | chairman | chairperson | chief executive | chief
        executive officer | cfo | conducator | conducatorul | director | directoare | directorul | director
        executiv | director general | director interimar | director adjunct | director general adjunct |
        director general interimar | director comercial | director financiar | director tehnic | executive
        director | general director | general manager | head | acting director | interim director | deputy
        director | interim administrator | lichidator | lichidatorul | lichidator provizoriu | lichidator
        judiciar | liquidator | manager | manager general | manager interimar | managing director | membru |
        membru al consiliului | membru al comitetului | membru al directiei | presedinte | presedintele |
        presedinte al consiliului | presedintele comitetului | presedintele consiliului | president | vice
        president | secretary general | representative | legal representative | reprezentant | reprezentant
        legal | sef | sole administrator | sole director | provisional administrator | insolvency
        administrator | trustee | vicedirector | vicepresedinte | vice-presedinte | rector | decan |
        administrator (director) | comitet | comitetul | membru comitet | directie de conducere | directia
        de conducere | comisia | comisia de lichidare | comisie de lichidare | consiliu | consiliul | organ
        executiv | membru al comisiei | presedinte al comisiei | presedintele comisiei de lichidare |
        администратор | администратор (директор) | временный администратор | генеральный директор | директор
        | единственный администратор | исполнительный директор | ликвидатор | начальник | председатель |
        управляющий | временный управляющий | представитель | законный представитель | президент |
        руководитель | член | член правления | член совета | председатель правления | председатель совета |
        заместитель директора | фидуциарный администратор | провизорный администратор | администратор
        процесса несостоятельности | администратор процедуры плана | управляющий несостоятельностью |
        конкурсный управляющий | комитет | ликвидационная комиссия | комиссия | дирекция | и.о. директора |
        врио директора | коммерческий директор | финансовый директор | технический директор | вице-президент
        | менеджер | назначенный администратор | исполняющий обязанности директора | исполняющий обязанности
        администратора
        """
    )
)
OTHER_ROLES = frozenset(
    words(
        """
        contabil | contabil-sef | contabil sef | contabila | contabil-sefa | auditor | auditor intern |
        cenzor | comisia de cenzori | persoana de contact | beneficiar | beneficiar efectiv | beneficiar
        final | secretar | secretara | jurist | avocat | angajat | inginer | economist | casier |
        imputernicit | procurist | consultant | purtator de cuvant | gestionar | persoana responsabila |
        notar | evaluator | specialist | accountant | chief accountant | internal auditor | contact person |
        contact | beneficiary | employee | beneficial owner | ultimate beneficial owner | ubo | secretary |
        lawyer | attorney | cashier | bookkeeper | бухгалтер | главный бухгалтер | гл. бухгалтер | аудитор |
        ревизор | контактное лицо | бенефициар | конечный бенефициар | выгодоприобретатель | секретарь |
        юрист | кассир | сотрудник | доверенное лицо
        """
    )
)
GENERAL_ROLES = FOUNDER_ROLES | frozenset(
    words(
        """
        administrator | administratorul | director | directorul | manager | conducator | conducatorul |
        reprezentant legal | administrator (director) | director general | general director | managing
        director | legal representative | администратор | директор | руководитель | управляющий |
        генеральный директор | законный представитель | администратор (руководитель)
        """
    )
)
"""Labels of lists that say nothing about a party beyond what the list is."""
_ROLES = FOUNDER_ROLES | ADMINISTRATOR_ROLES | OTHER_ROLES
_ROLE_JOINTS = re.compile(r"\s*[/+]\s*|\s+(?:si|и|and|&)\s+|\s*,\s*|\s*;\s*")
_KINDS: dict[PartyKind, frozenset[str]] = {
    PartyKind.COMPANY: frozenset(
        words(
            """
            persoana juridica | companie | юридическое лицо | компания | legal entity | company | pj | юр.
            лицо | legal person | юрлицо | persoana juridica straina | foreign company | предприятие |
            organization | companie straina | persoana juridica nerezidenta | иностранная компания |
            иностранное юридическое лицо | organisation | organizatie | организация | societate comerciala |
            institutie publica | autoritate publica | public body | государственный орган | foreign legal
            entity
            """
        )
    ),
    PartyKind.PERSON: frozenset(
        words(
            """
            persoana fizica | физическое лицо | individual | person | natural person | pf | физ. лицо |
            persoana | физлицо | private individual | persoana fizica straina | иностранное физическое лицо
            """
        )
    ),
}
_KIND_BY_WORD = {word: kind for kind, kind_words in _KINDS.items() for word in kind_words}
NEVER_IN_NAMES = frozenset(
    words(
        """
        nume | prenume | numele | prenumele | fondatorul | fondatori | fondatorii | asociat |
        asociati | actionar | administrator | administratori | director | directori | conducator | manager |
        lichidator | cota | cote | procent | persoana | persoane | fizica | juridica | company | name |
        surname | user | utilizator | acces | restrictionat | restrictionata | premium | login | anonim |
        anonima | anonimizat | necunoscut | necunoscuta | confidential | ascuns | ascunsa | date | datele |
        informatii | lista | lichidat | lichidata | radiat | radiata | registru | registrul | telefon |
        email | adresa | pagina | contact | contacte | vezi | toate | total | nota | istoric | fost | fosta
        | actual | access | denied | restricted | hidden | founder | founders | shareholder | unknown | data
        | loading | sample | example | lorem | ipsum | dolor | placeholder | dummy | only | subscribers |
        former | owner | имя | фамилия | отчество | учредитель | учредители | директор | администратор |
        доля | доступ | ограничен | лицо | пользователь | данные | скрыто | неизвестно | список | телефон |
        адрес | страница | показать | бывший | участник | tel | tel. | fax | idno | idnp | cod | str | str.
        | or. | mun. | copie | exemplu | model-nume | nu | nicio | niciun
        """
    )
)
"""Words that show that a text is not the name of a person."""
_COMPANY_KEYS = frozenset(comparison_key(word) for word in COMPANY_WORDS)
_FOREIGN_FORM_KEYS = frozenset(comparison_key(word) for word in FOREIGN_FORMS)
_COLLECTIVE = re.compile(
    r"colectivul(?:ui)?\b.*|(?:in )?total:? \d+ (?:membri|persoane|fondatori|asociati|actionari)\b.*|membrii?\b.*"
    r"|\d+ (?:de )?(?:membri|persoane(?: fizice| juridice)?|fondatori|asociati|actionari|cotasi)\b.*"
    r"|(?:actionarii|asociatii|locatarii|proprietarii|locuitorii|cetatenii|angajatii|salariatii|cotasii)\b.*"
    r"|(?:трудовой )?коллектив\b.*|члены\b.*|(?:всего|итого):? \d+ .*|\d+ (?:член|участник|учредител|акционер).*"
    r"|(?:the )?members\b.*|(?:total )?\d+ (?:members|founders|shareholders|persons|people)\b.*"
    r"|(?:work|labou?r) collective\b.*|(?:акционеры|участники|жители|работники)\b.*"
    r"|(?:mostenitori?[ia]?|succesori[i]?|familia|sotii|наследники?|семья|heirs|family|the heirs|estate of)\b.*"
    r"|(?:alti|celalti|ceilalti) .*|(?:другие|прочие) .*|other .*|persoane fizice.*|физические лица.*"
)
"""Texts that name a group of persons instead of one party."""
_PLACEHOLDER = re.compile(
    r"radia[tţ]a?\b.*din registru.*|.*\bdatele lipsesc.*|lorem\b.*|.*\bipsum\b.*|\{\{.*|.*\}\}|<%.*|\$\{.*"
    r"|\[object.*|.*\b(?:sign|log) in\b.*|.*\blogin\b.*|.*\bsubscribe\b.*|.*\bautentifica.*|.*\bconectati\b.*"
    r"|.*\binregistrati-va\b.*|.*\babona.*|.*\b(?:войдите|авторизуйтесь|зарегистрируйтесь|подписк).*"
    r"|.*\b(?:loading|se incarca|загрузка|загружа).*|.*\bnu se publica.*|.*\bne?publicat.*|.*не публику.*"
    r"|.*\bnot (?:published|public|available|disclosed)\b.*|.*\bconfiden[tț]ial.*|.*конфиденциальн.*|.*скрыт[оыа]\b.*"
    r"|.*\bascuns[aei]?\b.*|.*\b(?:hidden|restricted|redacted)\b.*|исключен[ао]? из реестра.*|struck off.*"
    r"|данные отсутствуют.*|нет данных.*|no data.*|date indisponibile.*|test test|name surname|nume prenume"
    r"|first last|john doe|jane doe|имя фамилия|фамилия имя(?: отчество)?|exemplu exemplu|xx+(?: xx+)*|undefined.*|nan"
)
"""Texts that stand in the place of a party and state none."""


@lru_cache(maxsize=4096)
def role_words_of(text: str) -> tuple[str, ...] | None:
    """Return the folded roles that a text consists of ("Fondator, Administrator"), or None if it is not only roles."""
    folded = fold(text).strip(" .:()[]") if len(text) <= 120 else ""
    if folded in _ROLES:
        return (folded,)
    parts = [part for part in _ROLE_JOINTS.split(folded) if part] if folded else []
    return tuple(parts) if parts and all(part in _ROLES for part in parts) else None


def kind_of(text: str) -> PartyKind | None:
    """Return the kind of party that the whole text means, or None."""
    return _KIND_BY_WORD.get(fold(text).strip(" .:()[]")) if len(text) <= 60 else None


@lru_cache(maxsize=4096)
def sounds_like_company(name: str) -> bool:
    """Tell whether a party's name contains a word that only companies and public bodies have in their names."""
    parts = name.replace("-", " ").split()
    return any(comparison_key(word) in _COMPANY_KEYS for word in parts) or any(
        legal_form_of(" ".join(parts[i:])) or legal_form_of(" ".join(parts[: i + 1])) for i in _ends(parts)
    )


def _ends(parts: list[str]) -> range:
    return range(min(len(parts), 8)) if len(parts) > 1 else range(0)


def is_foreign_form(text: str) -> bool:
    """Tell whether a text is a legal form or one word that only companies have ("LTD", "GmbH")."""
    return legal_form_of(text) is not None or comparison_key(text) in _FOREIGN_FORM_KEYS


@lru_cache(maxsize=4096)
def names_collective(text: str) -> bool:
    """Tell whether a text names a group of persons: "COLECTIVUL DE MUNCĂ", "TOTAL 71 MEMBRI"."""
    return _COLLECTIVE.fullmatch(fold(text)) is not None and not _has_form(text)


@lru_cache(maxsize=4096)
def party_placeholder(text: str) -> bool:
    """Tell whether a text stands in the place of a party and names none: "RADIAT DIN REGISTRU", "Lorem ipsum"."""
    is_placeholder = _PLACEHOLDER.fullmatch(fold(text)) is not None or placeholder_reason(text) is not None
    return is_placeholder and not _has_form(text)


def _has_form(text: str) -> bool:
    """Tell whether a text begins or ends with a legal form; then it is a company, whatever its other words."""
    parts = text.split()
    return len(parts) > 1 and any(is_foreign_form(part.strip(",.")) for part in (parts[0], parts[-1]))


def is_country(text: str) -> bool:
    """Tell whether a text is a country or a citizenship: "România", "cetățean al Republicii Moldova"."""
    return fold(text).strip(" .:()[]") in COUNTRIES


@lru_cache(maxsize=4096)
def is_blank_entry(text: str) -> bool:
    """Tell whether a text in a list of parties says that there is nothing: "—", "Nu sunt", "Total", "2 persoane"."""
    rest = text.strip(" \t\n:·•–—−-_")
    return (
        not rest
        or (text_or_none(rest) is None and any(map(str.isalnum, rest)) and not party_placeholder(rest))
        or fold(rest).strip(" .:") in _TOTALS
        or _NOTICE.fullmatch(fold(rest)) is not None
        or _ENTRY_COUNT.fullmatch(fold(rest)) is not None
    )


_TOTALS = frozenset(
    words("total | total general | total cote | итого | всего | in total | suma totala | grand total")
)
_NOTICE = re.compile(
    r"(?:datele|informatiile|informatia|sursa|lista) (?:sunt|este|se|a fost|au fost)? ?"
    r"(?:actualizat[ae]?|actualizeaza|preluat[ae]?)\b.{0,60}"
    r"|\*? ?(?:conform|potrivit|согласно|according to) .{0,80}"
    r"|(?:sursa|source|источник):? .{0,60}"
    r"|(?:ultima actualizare|actualizat la|last updated?|updated on|обновлено):? .{0,30}"
    r"|(?:данные|информация) (?:обновля|обновлен|получен).{0,60}"
    r"|(?:data|information) (?:is|are|was|were) (?:updated|taken).{0,60}"
)
"""Notices of the site about its data."""
_ENTRY_COUNT = re.compile(
    r"[(\[]?\d{1,4}(?: (?:persoane?|fondatori?|asociati?|actionari?|administratori?|conducatori?|inregistrari|"
    r"rezultate|"
    r"лиц[оа]?|учредител[ьяей]+|участник\w*|администратор\w*|руководител\w*|запис[ьией]+|"
    r"persons?|people|founders?|shareholders?|administrators?|directors?|entries|records?))[)\]]?|[(\[]\d{1,4}[)\]]"
)

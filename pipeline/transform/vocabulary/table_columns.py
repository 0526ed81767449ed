"""What the columns of tables of parties contain, by their headers in three languages.

Headers are compared after `fold`.
"""

from enum import StrEnum

from pipeline.transform.source_text import fold, words


class Column(StrEnum):
    """The content of a column in a table of parties or activities."""

    NAME = "name"
    SHARE = "share"
    ROLE = "role"
    IDNO = "idno"
    KIND = "kind"
    AMOUNT = "amount"
    SINCE = "since"
    UNTIL = "until"
    STATE = "state"
    COUNTRY = "country"
    NUMBER = "number"
    OTHER = "other"
    """A column with a known header that says nothing about whether and how the party belongs to the company."""
    UNKNOWN = "unknown"


_HEADER_TEXTS: dict[Column, list[str]] = {
    Column.NAME: words(
        """
        nume | numele | denumire | denumirea | nume/denumire | nume / denumire | nume, prenume | fondator |
        administrator | persoana | numele, prenumele | nume si prenume | numele si prenumele | asociat |
        denumire/nume | denumire / nume | nume complet | fondatorul | administratorul | conducator | nume
        prenume | имя | фио | ф.и.о. | ф.и.о | наименование | учредитель | администратор | имя /
        наименование | имя/название | название | лицо | фио / наименование | фио/наименование | руководитель
        | имя и фамилия | фамилия, имя | фамилия и имя | участник | полное имя | имя / название | основатель
        | наименование / фио | name | full name | founder | person | shareholder | owner | name / company |
        director | name of founder | founder name | name and surname | first and last name | manager |
        member | entity
        """
    ),
    Column.SHARE: words(
        """
        cota | cota, % | cota (%) | cota-parte | cota parte | parte | ponderea | parte sociala | procent |
        cota-parte, % | cota-parte (%) | ponderea, % | cote | % | partea sociala | participatie | cota % |
        procentaj | cota in capital | cota de participare | cota detinuta | pondere | participare | доля |
        доля, % | доля (%) | доля участия | доля в капитале | доля % | процент | доля в уставном капитале |
        доли | размер доли | доля участия, % | участие | share | share, % | share (%) | shares | stake |
        ownership | ownership, % | ownership (%) | percent | percentage | share % | stake, % | stake (%) |
        interest | shareholding | equity | participation | share in capital | shares, % | holding
        """
    ),
    Column.ROLE: words(
        """
        rol | functia | functie | rolul | calitate | calitatea | in calitate de | statutul persoanei |
        pozitia | post | pozitie | роль | должность | функция | позиция | role | position | function | title
        | job title | capacity
        """
    ),
    Column.IDNO: words(
        """
        idno | cod | cod fiscal | идно | код | фискальный код | code | fiscal code | idno/idnp | idno / idnp
        | idnp | codul fiscal | cod idno | idno / cod fiscal | tax id
        """
    ),
    Column.KIND: words(
        """
        tip | tipul | тип | type | kind | tip persoana | тип лица | entity type
        """
    ),
    Column.AMOUNT: words(
        """
        suma | сумма | amount | valoare | value | стоимость | aport | aport, lei | aportul | aport (lei) |
        contributie | contributia | contributia, lei | contributia (lei) | suma, lei | suma (lei) | aport,
        mdl | aport (mdl) | cota, lei | cota (lei) | valoarea, lei | valoarea | valoarea cotei | valoarea
        cotei, lei | marimea cotei, lei | вклад | вклад, лей | вклад (лей) | взнос | взнос, лей | доля, лей
        | сумма, лей | contribution | contribution, mdl | contribution (mdl) | amount, mdl | amount (mdl) |
        paid-in capital | nominal value | valoarea nominala | вклад, леев
        """
    ),
    Column.SINCE: words(
        """
        data | дата | date | din data | de la | din | с | since | from | data numirii | data inceperii |
        data inceput | inceput | data inregistrarii | data inscrierii | in functie din | дата назначения |
        дата начала | начало | start | start date | appointed | appointed on | date of appointment | from
        date | perioada | период | period | mandat | valabil de la | term
        """
    ),
    Column.UNTIL: words(
        """
        pana la | pana in | pana | data incetarii | data sfarsit | data incheierii | sfarsit | data
        eliberarii | по | до | дата окончания | дата прекращения | окончание | конец | until | till | to |
        end | end date | resigned | resigned on | to date | data revocarii | data excluderii | data
        retragerii | data cedarii | iesire | дата исключения | дата выхода | data iesirii | valabil pana la
        | in functie pana la | terminated
        """
    ),
    Column.OTHER: words(
        """
        telefon | tel. | email | e-mail | adresa | actiuni | profil | detalii | contact | contacte | link |
        legaturi | телефон | эл. почта | адрес | действия | профиль | подробнее | контакты | phone | address
        | actions | profile | details | contacts | links | firme | alte firme | companies | компании
        """
    ),
    Column.STATE: words(
        """
        stare | starea | statut | status | statutul | situatia | статус | состояние | state | activ | active
        | активен
        """
    ),
    Column.COUNTRY: words(
        """
        tara | страна | country | cetatenia | cetatenie | гражданство | citizenship | nationality |
        nationalitate | tara de resedinta | rezidenta | residence | jurisdictia | jurisdiction | страна
        регистрации | tara de origine
        """
    ),
    Column.NUMBER: words(
        """
        nr | nr. | # | № | n | no | no. | nr. crt. | п/п | № п/п | nr. d/o | nr. ord. | crt. | nr crt |
        number
        """
    ),
}
_COLUMN_BY_HEADER = {fold(header): column for column, headers in _HEADER_TEXTS.items() for header in headers}


def column_of(text: str) -> Column | None:
    """Return what a column with this header contains, or None if the text is not a known header."""
    return _COLUMN_BY_HEADER.get(fold(text).strip(" :↑↓▲▼*")) if len(text) <= 60 else None

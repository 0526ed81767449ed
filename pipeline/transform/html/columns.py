"""Recognition of tables by their structure, whether they are built from `table`, ARIA roles or plain blocks."""

from enum import StrEnum

from pipeline.transform.html.page_tree import TEXT, Node
from pipeline.transform.source_text import fold, words

_CELL_TAGS = frozenset({"td", "th"})
_CELL_ROLES = frozenset({"cell", "gridcell", "columnheader", "rowheader"})


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


def is_cell(node: Node) -> bool:
    """Tell whether a node is a table cell.

        <td>SRL</td>
        <div role="cell">SRL</div>

    → True for both
    """
    return node.tag in _CELL_TAGS or node.attributes.get("role") in _CELL_ROLES


def is_row(node: Node) -> bool:
    """Tell whether a node is a table row.

        <tr><td>SRL</td></tr>
        <div role="row"><div role="cell">SRL</div></div>

    → True for both
    """
    return node.tag == "tr" or node.attributes.get("role") == "row"


def rows_of(node: Node) -> list[list[Node]]:
    """Return the rows of a table, each as its cells; [] if the node is not a table.

    `node` may be a table, a part of a table, or an element around a table. Plain blocks are a table if their first row
    is a header:

        <div><div>Nume</div><div>Cota</div></div>
        <div><div>MODELEANU ION</div><div>40%</div></div>

    → two rows of two cells, if `node` is the element around both
    """
    rows = [inner for inner in (node, *node.descendants()) if is_row(inner)]
    if rows:
        return [[cell for cell in row.children if cell.tag != TEXT] for row in rows]
    lines = [row.children for row in _unwrap(node).children if row.tag != TEXT]
    is_grid = len(lines) > 1 and not any(cell.tag == TEXT for line in lines for cell in line)
    return lines if is_grid and _is_header_row(lines[0]) else []


def flat_rows_of(node: Node) -> list[list[Node]]:
    """Return the rows of a grid whose cells are all siblings; [] if the first cells are not known headers.

        <div><p>Nume</p><p>Cota</p>
        <p>MODELEANU ION</p><p>40%</p>
        <p>EXEMPLESCU MARIA</p><p>60%</p></div>

    → three rows of two cells
    """
    cells = [child for child in _unwrap(node).children if child.tag != TEXT]
    width = next((i for i, cell in enumerate(cells) if column_of(cell.text) is None), 0)
    if width < 2 or len(cells) % width or not _is_header_row(cells[:width]):
        return []
    return [cells[i : i + width] for i in range(0, len(cells), width)]


def columns_of(row: list[Node]) -> list[Column] | None:
    """Return the contents of the columns below a header row, or None if the row is not a header.

        <tr><th>Nr.</th><th>Persoana</th><th>Cota-parte</th></tr>

    → [NUMBER, NAME, SHARE]. If no known header means a name and exactly one is unknown, the unknown one is the name.
    """
    if not _is_header_row(row):
        return None
    columns = [column_of(cell.text) for cell in row]
    if Column.NAME not in columns and columns.count(None) == 1:
        columns[columns.index(None)] = Column.NAME
    return [column or Column.UNKNOWN for column in columns]


def _is_header_row(row: list[Node]) -> bool:
    """Tell whether a row holds column headers.

        <tr><th>Rubrica</th><th>Cota</th></tr>
        <tr><td>Nume</td><td>Cota</td></tr>

    → True for both: in `th`, one known header text suffices; in other cells, all texts must be known headers
    """
    known = [column_of(cell.text) for cell in row]
    if all(cell.tag == "th" or cell.attributes.get("role") == "columnheader" for cell in row):
        return bool(row) and any(known)
    return bool(row) and all(known) and any(cell.text for cell in row)


def _unwrap(node: Node) -> Node:
    """Go down from `node` as long as an element has only one child; return the last node."""
    while len(node.children) == 1 and node.children[0].tag != TEXT:
        node = node.children[0]
    return node

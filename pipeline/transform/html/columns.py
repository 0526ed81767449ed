"""Tables by structure alone: rows and cells of `table`, ARIA roles or look-alikes, and what columns hold."""

from enum import StrEnum

from pipeline.transform.html.page_tree import TEXT, Node
from pipeline.transform.source_text import fold, words

_CELL_TAGS = frozenset({"td", "th"})
_CELL_ROLES = frozenset({"cell", "gridcell", "columnheader", "rowheader"})


class Column(StrEnum):
    """What a column of a table of parties holds."""

    NAME = "name"
    SHARE = "share"
    ROLE = "role"
    IDNO = "idno"
    KIND = "kind"
    OTHER = "other"


_HEADS: dict[Column, list[str]] = {
    Column.NAME: words(
        """
        nume | numele | denumire | denumirea | nume/denumire | nume / denumire | nume, prenume | fondator |
        administrator | persoana | numele, prenumele | nume si prenume | numele si prenumele | asociat |
        denumire/nume | denumire / nume | nume complet | fondatorul | administratorul | conducator |
        nume prenume | имя | фио | ф.и.о. | ф.и.о | наименование | учредитель | администратор |
        имя / наименование | имя/название | название | лицо | фио / наименование | фио/наименование |
        руководитель | имя и фамилия | фамилия, имя | фамилия и имя | участник | полное имя | имя / название
        | основатель | наименование / фио | name | full name | founder | person | shareholder | owner |
        name / company | director | name of founder | founder name | name and surname | first and last name
        | manager | member | entity
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
        rol | functia | functie | rolul | calitate | calitatea | pozitia | post | pozitie | роль | должность
        | функция | позиция | role | position | function | title | job title | capacity
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
    Column.OTHER: words(
        """
        nr | nr. | # | № | n | no | no. | data | дата | date | tara | страна | country | suma | сумма |
        amount | cetatenia | гражданство | citizenship | nr. crt. | п/п | № п/п | nr. d/o | din data | de la
        | с | since | from | valoare | value | стоимость | nationality
        """
    ),
}
_COLUMN_BY_HEAD = {fold(head): column for column, heads in _HEADS.items() for head in heads}


def column_of(text: str) -> Column | None:
    """Return what a column with this head holds, None if it is not known as a head."""
    return _COLUMN_BY_HEAD.get(fold(text).strip(" :↑↓▲▼*")) if len(text) <= 60 else None


def is_cell(node: Node) -> bool:
    """Tell whether a node is a cell of a table."""
    return node.tag in _CELL_TAGS or node.attributes.get("role") in _CELL_ROLES


def is_row(node: Node) -> bool:
    """Tell whether a node is a row of a table."""
    return node.tag == "tr" or node.attributes.get("role") == "row"


def rows_of(node: Node) -> list[list[Node]]:
    """Return the rows of cells of the table that a node is (or is part of, or holds alone); [] if it is none.

    Where no element says that it is a table, equally long rows of blocks below a row of known heads are one.
    """
    rows = [inner for inner in (node, *node.descendants()) if is_row(inner)]
    if rows:
        return [[cell for cell in row.children if cell.tag != TEXT] for row in rows]
    lines = [row.children for row in _unwrapped(node).children if row.tag != TEXT]
    is_grid = len(lines) > 1 and not any(cell.tag == TEXT for line in lines for cell in line)
    return lines if is_grid and _is_head(lines[0]) else []


def flat_rows_of(node: Node) -> list[list[Node]]:
    """Return the rows of a grid whose cells are all siblings, if it opens with known heads of columns; else []."""
    cells = [child for child in _unwrapped(node).children if child.tag != TEXT]
    width = next((i for i, cell in enumerate(cells) if column_of(cell.text) is None), 0)
    if width < 2 or len(cells) % width or not _is_head(cells[:width]):
        return []
    return [cells[i : i + width] for i in range(0, len(cells), width)]


def columns_of(row: list[Node]) -> list[Column] | None:
    """Return what the columns below a row of heads hold; None if the row is none."""
    if not _is_head(row):
        return None
    columns = [column_of(cell.text) for cell in row]
    if Column.NAME not in columns and columns.count(None) == 1:
        columns[columns.index(None)] = Column.NAME
    return [column or Column.OTHER for column in columns]


def _is_head(row: list[Node]) -> bool:
    known = [column_of(cell.text) for cell in row]
    if all(cell.tag == "th" or cell.attributes.get("role") == "columnheader" for cell in row):
        return bool(row) and any(known)
    return bool(row) and all(known) and any(cell.text for cell in row)


def _unwrapped(node: Node) -> Node:
    while len(node.children) == 1 and node.children[0].tag != TEXT:
        node = node.children[0]
    return node

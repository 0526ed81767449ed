"""Tables of parties: their columns, and the party in each row."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation

from pipeline.transform.html.columns import Column, columns_of, flat_rows_of, is_row, rows_of
from pipeline.transform.html.page_tree import TEXT, Node
from pipeline.transform.html.party_entries import fragments_of
from pipeline.transform.party_grammar import ListContext, PartyTexts, read_parties_in
from pipeline.transform.party_name import NotUnderstood
from pipeline.transform.party_notes import Notes, read_notes
from pipeline.transform.source_text import collapse, fold, parse_date, text_or_none
from pipeline.transform.vocabulary.labels import is_action
from pipeline.transform.vocabulary.party_remarks import CURRENT_WORDS

Table = tuple[list[Column], list[list[Node]]]
"""The columns of a table and its rows without the header."""


def party_table(nodes: Sequence[Node]) -> Table | None:
    """Return the columns and rows of a value that is a table with known headers, or None.

        <tr><th>Nume</th><th>Cota</th></tr>
        <tr><td>MODELEANU ION</td><td>100%</td></tr>

    → ([NAME, SHARE], [[td, td]])
    """
    if all(is_row(node) for node in nodes):
        rows = [[cell for cell in row.children if cell.tag != TEXT] for row in nodes]
    else:
        candidates = [rows_of(node) or flat_rows_of(node) for node in nodes]
        rows = next((rows for rows in candidates if rows), [])
    columns = columns_of(rows[0]) if rows else None
    return (columns, rows[1:]) if columns and Column.NAME in columns else None


def read_row(
    row: Sequence[Node], columns: Sequence[Column], *, position: int, context: ListContext
) -> PartyTexts:
    """Read the party of a table row; a cell that is not understood makes the row unread (NotUnderstood).

        <tr><td>MODELEANU ION</td><td>Fondator</td><td>5 400 lei (100%)</td></tr>

    → for the columns NAME, ROLE and SHARE, the party with the role "Fondator", the share 100, the remark "5 400 lei"
    """
    if len(row) != len(columns):
        raise NotUnderstood("the row has not the cells of the table")
    notes = Notes()
    for column, cell in zip(columns, row, strict=True):
        if column is not Column.NAME and not is_blank(cell.text):
            notes |= _cell_notes(column, cell.text)
    # If two columns have the same meaning, the first is used.
    named = row[columns.index(Column.NAME)]
    return read_parties_in(fragments_of([named]), context=context, position=position, extra=notes)


def _cell_notes(column: Column, text: str) -> Notes:
    """Return what a cell beside the name says about the party; raise NotUnderstood if it is not understood."""
    if column is Column.NUMBER or is_action(text):
        return Notes()
    if column is Column.SHARE:
        return _share_notes(text)
    if column is Column.UNTIL:
        is_open = fold(text).strip(" .") in CURRENT_WORDS
        if not is_open and parse_date(text) is None:
            raise NotUnderstood(f"{text!r} is not a date")
        return Notes(remarks=(text,), is_former=not is_open)
    if column is Column.OTHER:
        return Notes(remarks=(text,))
    try:
        notes = read_notes(text)
    except NotUnderstood:
        if column not in (Column.IDNO, Column.AMOUNT, Column.COUNTRY):
            raise
        return Notes(remarks=(text,))
    if column is Column.UNKNOWN and parse_date(text) is not None:
        raise NotUnderstood("a date under an unknown header")
    is_said = notes.remarks or notes.roles or notes.kind or notes.idno or notes.is_former or notes.share_text
    return notes if is_said else replace(notes, remarks=(text,))


def _share_notes(text: str) -> Notes:
    """Return the share in a cell of a column of shares; there, a number without a sign for per cent is a share."""
    try:
        return Notes(share=Decimal(collapse(text).replace(",", ".")), share_text=text, is_bare_share=True)
    except InvalidOperation:
        return read_notes(text)


def is_blank(text: str) -> bool:
    """Tell whether a cell is empty: it has no text, a dash or a placeholder, but not the answer "no"."""
    return text_or_none(text) is None and fold(text).strip(" .") not in ("нет", "nu", "no")

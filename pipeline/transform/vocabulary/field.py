"""The fields that a label can announce."""

from enum import StrEnum


class Field(StrEnum):
    """What a label announces."""

    IDNO = "idno"
    NAME = "name"
    LEGAL_FORM = "legal_form"
    STATUS = "status"
    REGISTERED_ON = "registered_on"
    ADDRESS = "address"
    CUATM = "cuatm"
    FOUNDERS = "founders"
    ADMINISTRATORS = "administrators"
    PEOPLE = "people"
    """The title of a list of founders and administrators, in which each entry states its role."""
    LICENSED = "licensed_activities"
    UNLICENSED = "unlicensed_activities"
    REVENUE = "revenue"
    COST_OF_SALES = "cost_of_sales"
    GROSS_PROFIT = "gross_profit"
    NET_PROFIT = "net_profit"
    TOTAL_ASSETS = "total_assets"
    EQUITY = "equity"
    CURRENT_LIABILITIES = "current_liabilities"
    CASH = "cash"
    STATEMENTS = "statements"
    """The title of the statements. In the content below it, only labels of key figures are read."""
    OTHER = "other"
    """A known label whose value is not read."""
    ELSEWHERE = "elsewhere"
    """The title of content about other companies or the site."""
    HISTORY = "history"
    """The title of content about the past, or the label of a former value."""


PARTY_FIELDS = frozenset({Field.FOUNDERS, Field.ADMINISTRATORS, Field.PEOPLE})
ACTIVITY_FIELDS = frozenset({Field.LICENSED, Field.UNLICENSED})
LIST_FIELDS = PARTY_FIELDS | ACTIVITY_FIELDS
FIGURE_FIELDS = frozenset(
    {
        *(Field.REVENUE, Field.COST_OF_SALES, Field.GROSS_PROFIT, Field.NET_PROFIT),
        *(Field.TOTAL_ASSETS, Field.EQUITY, Field.CURRENT_LIABILITIES, Field.CASH),
    }
)
"""The key figures of a statement. Their values are the names in `records.KEY_FIGURES`."""
SIDE_FIELDS = ACTIVITY_FIELDS | FIGURE_FIELDS | {Field.CUATM, Field.STATEMENTS, Field.OTHER}
"""Fields of a company's page that do not identify the company. Their labels are never read as names of parties."""

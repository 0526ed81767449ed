"""What a label can announce."""

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
    """What follows are statements: among them no label but that of a figure is read."""
    OTHER = "other"
    ELSEWHERE = "elsewhere"
    """What follows speaks of other companies, or of the site."""


PARTY_FIELDS = frozenset({Field.FOUNDERS, Field.ADMINISTRATORS})
ACTIVITY_FIELDS = frozenset({Field.LICENSED, Field.UNLICENSED})
LIST_FIELDS = PARTY_FIELDS | ACTIVITY_FIELDS
FIGURES = frozenset(
    {
        *(Field.REVENUE, Field.COST_OF_SALES, Field.GROSS_PROFIT, Field.NET_PROFIT),
        *(Field.TOTAL_ASSETS, Field.EQUITY, Field.CURRENT_LIABILITIES, Field.CASH),
    }
)
"""The key figures of a statement, by their names in `records.KEY_FIGURES`."""
SIDE_FIELDS = ACTIVITY_FIELDS | FIGURES | {Field.CUATM, Field.STATEMENTS, Field.OTHER}
"""What a company's page says beside who the company is: no sign of where its facts are, and no name of a party."""

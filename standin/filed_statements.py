"""Made-up financial statements, in the flat format of `/api/fin-data-v1/{idno}`."""

from typing import Any

from standin.site_cases import CaseName, case_of
from standin.site_facts import company_name, seeded_random

NEWEST_YEAR = 2025

# For each row: "<form>_<row>", and the label as a slug. The source sends an amount under a short key and, if the slug
# is not empty, again under a long key that ends with the slug.
ROWS = (
    ("5_130", "Total_imobilizari_corporale_rd_060_rd_070_rd_080_rd_090_rd_100_rd_110_rd_120_"),
    ("5_230", ""),
    ("5_410", "Numerar_si_documente_banesti"),
    ("5_420", "TOTAL_ACTIVE_CIRCULANTE_rd_290_rd_370_rd_400_rd_410_"),
    ("5_430", "TOTAL_ACTIVE_rd_230_rd_420_"),
    ("5_440", "Capital_social"),
    ("5_590", ""),
    ("5_620", "TOTAL_CAPITAL_PROPRIU_rd_490_rd_500_rd_540_rd_590_rd_600_rd_610_"),
    (
        "5_820",
        "TOTAL_DATORII_CURENTE_rd_710_rd_720_rd_730_rd_740_rd_750_rd_760_rd_770_rd_780_rd_790_rd_800_rd_810_",
    ),
    ("5_880", "TOTAL_PASIVE_rd_620_rd_700_rd_820_rd_870_"),
    ("6_010", "Venituri_din_vinzari_total"),
    ("6_020", "Costul_vinzarilor_total"),
    ("6_030", "Profit_brut_pierdere_bruta_rd_010_rd_020_"),
    ("6_060", "Cheltuieli_administrative"),
    ("6_160", "Profit_pierdere_pina_la_impozitare_rd_080_rd_150_"),
    ("6_170", "Cheltuieli_privind_impozitul_pe_venit"),
    ("6_180", "Profit_net_pierdere_neta_al_perioadei_de_gestiune_rd_160_rd_170_"),
    ("7_010", "Capital_social"),
    ("7_190", "Total_capital_propriu_rd_060_rd_070_rd_110_rd_160_rd_170_rd_180_"),
    ("8_010", "Incasari_din_vinzari"),
    ("8_210", "Fluxul_net_de_numerar_total_rd_080_rd_140_rd_200_"),
    ("8_230", ""),
    ("8_240", ""),
)

KEY_ROWS = {
    "revenue": "6_010",
    "cost_of_sales": "6_020",
    "gross_profit": "6_030",
    "net_profit": "6_180",
    "total_assets": "5_430",
    "equity": "5_620",
    "current_liabilities": "5_820",
    "cash": "5_410",
}
"""For each key figure, the code of its row; the page shows these rows."""


def fin_data(idno: str) -> list[dict[str, Any]]:
    """Return the body of `/api/fin-data-v1/{idno}`: one object for each year, the newest first.

    Some companies have no statements.
    """
    rng = seeded_random("years", idno)
    years = 3 if case_of(idno) is CaseName.FOUND else rng.choices((0, 1, 3, 6), weights=(15, 15, 40, 30))[0]
    if case_of(idno) is CaseName.SPARSE:
        years = 0
    newest = NEWEST_YEAR - rng.randrange(3)
    return [_statement(idno, year) for year in range(newest, newest - years, -1)]


def _statement(idno: str, year: int) -> dict[str, Any]:
    row: dict[str, Any] = {
        "year": year,
        "idno": idno,
        "cuiio": str(seeded_random("cuiio", idno).randrange(10**7, 10**8)),
        "doctype": "rsf1",
        "organizationName": "undefined",
        "name": f"SOCIETATEA CU RASPUNDERE LIMITATA '{company_name(idno)}'",
    }
    amounts = _amounts(idno, year)
    for code, slug in ROWS:
        row[f"CODE_{code}"] = amounts[code]
        if slug:
            row[f"CODE_{code}_{slug}"] = amounts[code]
    # The source sends the keys in no particular order.
    keys = list(row)
    seeded_random("order", idno).shuffle(keys)
    return {key: row[key] for key in keys}


def _amounts(idno: str, year: int) -> dict[str, int]:
    """Return the amounts of a year by row. The amounts are consistent: for example, assets equal equity plus debts."""
    rng = seeded_random(f"amounts {year}", idno)
    revenue, cost, overhead = (rng.randrange(low, low * 60) for low in (500_000, 300_000, 20_000))
    before_tax = revenue - cost - overhead
    tax = max(0, before_tax * 12 // 100)
    cash, stock, fixed = (rng.randrange(1_000, 9_000_000) for _ in range(3))
    assets = cash + stock + fixed
    debts, earlier_cash = assets * rng.randrange(1, 130) // 100, rng.randrange(1_000, 2_000_000)
    return {
        "5_130": fixed,
        "5_230": fixed,
        "5_410": cash,
        "5_420": cash + stock,
        "5_430": assets,
        "5_440": 5_400,
        "5_590": assets - debts - 5_400,
        "5_620": assets - debts,
        "5_820": debts,
        "5_880": assets,
        "6_010": revenue,
        "6_020": cost,
        "6_030": revenue - cost,
        "6_060": overhead,
        "6_160": before_tax,
        "6_170": tax,
        "6_180": before_tax - tax,
        "7_010": 5_400,
        "7_190": assets - debts,
        "8_010": revenue,
        "8_210": cash - earlier_cash,
        "8_230": earlier_cash,
        "8_240": cash,
    }

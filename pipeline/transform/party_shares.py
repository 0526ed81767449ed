"""The check of a list's shares: together they must be plausible, or none of them is read."""

from collections.abc import Sequence
from decimal import Decimal

from pipeline.transform.party_grammar import ListedParty
from pipeline.transform.party_notes import shares_in
from warehouse.records.models import Party

_WHOLE = Decimal(100)
_ROUNDING = Decimal("0.5")
"""How much the sum of rounded shares may exceed 100."""
_FRACTIONS = Decimal("1.01")


def with_plausible_shares(
    listed: Sequence[ListedParty], unread: Sequence[str] = ()
) -> tuple[tuple[Party, ...], str | None]:
    """Return the parties of a list with the shares that are plausible, and why shares were not read.

    MODELEANU ION (60%), EXEMPLESCU MARIA (55%) → both without a share, with the remarks "60%" and "55%".
    A zero is not a share; it becomes a remark. `unread` holds the texts of the list's other entries: their shares count
    in the sum, although it is unknown which parties hold them.
    """
    reason = _problem(listed, [share for text in unread for share in shares_in(text)])
    parties = [
        _without_share(item)
        if item.party.share is not None and (reason or not item.party.share)
        else item.party
        for item in listed
    ]
    return tuple(parties), reason


def _problem(listed: Sequence[ListedParty], others: Sequence[Decimal]) -> str | None:
    """Return why the shares of a list cannot all be right, or None."""
    shares = [item.party.share for item in listed if item.party.share is not None]
    if any(share < 0 or share > _WHOLE for share in shares):
        return "a share is not between 0 and 100 %"
    total = sum(shares, Decimal(0)) + (sum(others, Decimal(0)) if shares else 0)
    if total > _WHOLE + _ROUNDING:
        return f"the shares sum to {total.normalize():f} %"
    are_bare = shares and all(item.is_bare_share for item in listed if item.party.share is not None)
    if are_bare and 0 < total <= _FRACTIONS:
        return "the shares may be fractions of 1, not per cent"
    return None


def _without_share(item: ListedParty) -> Party:
    remarks = [item.share_text or str(item.party.share), item.party.remark]
    return item.party.model_copy(update={"share": None, "remark": "; ".join(filter(None, remarks))})

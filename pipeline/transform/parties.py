"""Founders and administrators out of the value beside their label, in whatever manner they are listed."""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from bs4.element import NavigableString, Tag

from pipeline.transform.document import INLINE_TAGS, text_nodes, visible_text
from pipeline.transform.labels import COLUMN_HEADS, field_of, is_role, legal_form_of
from pipeline.transform.text import bare, collapse, fold, parse_share, present
from warehouse.records import Party, PartyKind

_SHARE = re.compile(r"\(?\s*(\d{1,3}(?:[.,]\d+)?)\s*%\s*\)?")
_IDNO = re.compile(r"\b[0-9]{13}\b")
_TRAILING_NOTE = re.compile(r"^(.*\S)\s*[\[(]([^\[\]()]+)[\])]$|^(.*\S)\s+[–—-]\s+([^–—-]+)$|^(.*\S),\s*([^,]+)$")
_BETWEEN_PARTIES = re.compile(r"(?<=[%)\]])\s*[,;]\s*|\s*;\s*|\s*\|\s*")
_SEPARATORS = " \t,;:·•|–—-"
_NOTES = frozenset({"idno", "cota", "доля", "share", "cotă", "cod fiscal", "фискальный код", "fiscal code", "rol"})
_COMPANY_WORDS = frozenset(
    fold(word)
    for word in (
        *("srl", "s.r.l.", "sa", "s.a.", "îi", "î.i.", "îs", "î.s.", "îcs", "î.c.s.", "îm", "ооо", "ао", "llc"),
        *("ltd", "gmbh", "inc", "plc", "bv", "b.v.", "ag", "corp", "limited", "societatea", "întreprinderea"),
        *("companie", "compania", "holding"),
    )
)
_KINDS = {
    "persoana juridica": PartyKind.COMPANY,
    "companie": PartyKind.COMPANY,
    "юридическое лицо": PartyKind.COMPANY,
    "компания": PartyKind.COMPANY,
    "legal entity": PartyKind.COMPANY,
    "company": PartyKind.COMPANY,
    "persoana fizica": PartyKind.PERSON,
    "физическое лицо": PartyKind.PERSON,
    "individual": PartyKind.PERSON,
    "person": PartyKind.PERSON,
    "natural person": PartyKind.PERSON,
}

Node = Tag | NavigableString


def read_parties(nodes: Sequence[Node], text: str | None = None) -> tuple[Party, ...]:
    """Read the parties in a label's value: list items, rows, cards, or one text that joins them."""
    if text is not None:
        entries: list[list[str]] = [[part] for part in _split(text)]
    else:
        entries = [fragments for node in nodes for fragments in _entries(node)]
        entries = _joined(entries)
    parties = (_party(fragments) for fragments in entries)
    return tuple(party for party in parties if party is not None)


def _entries(node: Node) -> Iterator[list[str]]:
    """Yield the text fragments of each party under a node."""
    if isinstance(node, NavigableString):
        yield from ([part] for part in _split(visible_text(node)))
        return
    units = _units(node)
    if len(units) > 1 or (units and units[0] is not node):
        for unit in units:
            yield from _entries(unit)
    elif fragments := _fragments(node):
        yield from ([[part] for part in _split(fragments[0])] if len(fragments) == 1 else [fragments])


def _units(node: Tag) -> list[Tag]:
    """The repeated parts of a list, a table, or a container of cards; the node itself if it is one party."""
    if node.name in ("ul", "ol", "table", "tbody"):
        parts = node.find_all(("li", "tr"))
        return [part for part in parts if not _is_head(part)]
    blocks = [child for child in node.children if isinstance(child, Tag) and visible_text(child)]
    if len(blocks) == 1 and not _own_text(node) and blocks[0].name not in INLINE_TAGS:
        return _units(blocks[0])
    if blocks and not _own_text(node) and all(_is_unit(block) for block in blocks):
        return blocks
    lists = [child for child in blocks if child.name in ("ul", "ol", "table")]
    return [unit for child in lists for unit in _units(child)] or [node]


def _own_text(node: Tag) -> str:
    return collapse(" ".join(str(c) for c in node.children if isinstance(c, NavigableString) and visible_text(c)))


def _is_unit(node: Tag) -> bool:
    """A part that can be a party on its own: it holds a name, not only a share, a role or a number."""
    if node.name in ("tr", "li"):
        return True
    return node.name not in ("td", "th") and any(not _is_note(fragment) for fragment in _fragments(node))


def _is_head(row: Tag) -> bool:
    texts = [fold(text).rstrip(" :") for text in _fragments(row)]
    return bool(texts) and all(text in COLUMN_HEADS or field_of(text) is not None for text in texts)


def _fragments(node: Tag) -> list[str]:
    return [text for text in (visible_text(leaf) for leaf in text_nodes(node)) if text.strip(_SEPARATORS)]


def _is_note(text: str) -> bool:
    """Tell whether a fragment says something of a party and is not its name."""
    plain = _SHARE.sub("", _IDNO.sub("", text)).strip(_SEPARATORS + "()[]")
    return not plain or fold(plain) in _NOTES or fold(plain) in _KINDS or fold(plain) in COLUMN_HEADS or is_role(plain)


def _joined(entries: list[list[str]]) -> list[list[str]]:
    """Put back together what a flat page spreads over siblings: a name, then its share, then its role."""
    joined: list[list[str]] = []
    for fragments in entries:
        if joined and all(_is_note(fragment) for fragment in fragments):
            joined[-1].extend(fragments)
        else:
            joined.append(list(fragments))
    return joined


def _split(text: str) -> list[str]:
    """Split a text that joins parties by commas or semicolons; commas within a name stay."""
    parts = [part for part in _BETWEEN_PARTIES.split(text) if part and part.strip(_SEPARATORS)]
    if len(parts) > 1 or _SHARE.search(text) or "," not in text:
        return parts
    pieces = [piece for piece in re.split(r",\s*", text) if piece.strip(_SEPARATORS)]
    if any(legal_form_of(piece) or len(piece.split()) < 2 or _is_note(piece) for piece in pieces):
        return [text]
    return pieces


def _party(fragments: Sequence[str]) -> Party | None:
    share: Decimal | None = None
    idno: str | None = None
    role: str | None = None
    kind: PartyKind | None = None
    names: list[str] = []
    for fragment in fragments:
        rest, fragment_share = _take_share(fragment)
        rest, fragment_idno = _take_idno(rest)
        rest, fragment_role = _take_role(rest)
        share = share if fragment_share is None else fragment_share
        idno, role = idno or fragment_idno, role or fragment_role
        kind = kind or _KINDS.get(fold(rest))
        if rest and not _is_note(rest):
            names.append(rest)
    name = present(names[0]) if names else None
    if name is None:
        return None
    if kind is None:
        kind = PartyKind.COMPANY if idno or _sounds_like_company(name) else PartyKind.PERSON
    return Party(name=name, kind=kind, share=share, role=role, idno=idno)


def _take_share(text: str) -> tuple[str, Decimal | None]:
    """Take the share off the end (or the start) of a text; a per cent sign within a name stays."""
    matches = list(_SHARE.finditer(text))
    for match in reversed(matches):
        before, after = text[: match.start()], text[match.end() :]
        if not before.strip(_SEPARATORS) or not after.strip(_SEPARATORS) or _is_note(after):
            return f"{before.rstrip(_SEPARATORS)} {after.strip()}".strip(), parse_share(match[1])
    return text.strip(), None


def _take_idno(text: str) -> tuple[str, str | None]:
    match = _IDNO.search(text)
    if not match:
        return text, None
    before = re.sub(r"[\[(]?\s*(idno|cod fiscal|фискальный код|идно|fiscal code)?\s*[:№#]?\s*$", "", text[: match.start()], flags=re.I)
    after = text[match.end() :].lstrip(" )]")
    return f"{before.rstrip(_SEPARATORS)} {after}".strip(_SEPARATORS), match[0]


def _take_role(text: str) -> tuple[str, str | None]:
    """Take a role in brackets, after a dash or after a comma off the end of a text."""
    if is_role(text):
        return "", text.strip(" ()[]")
    match = _TRAILING_NOTE.fullmatch(text)
    if not match:
        return text, None
    name, note = next((match[i], match[i + 1]) for i in (1, 3, 5) if match[i])
    return (name.rstrip(_SEPARATORS), note.strip()) if is_role(note) else (text, None)


def _sounds_like_company(name: str) -> bool:
    words = {fold(word).strip("\"'«»„”“,()") for word in name.split()}
    return bool(words & _COMPANY_WORDS) or any(bare(w) in ("srl", "ооо") for w in words)



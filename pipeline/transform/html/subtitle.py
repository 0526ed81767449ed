"""Facts without labels in a line under the heading: legal form, IDNO, registration date, status, address.

    <h1>PLOPENA AGRO</h1>
    <p>SRL · IDNO 1020999000019 · înregistrată la 12 martie 2015</p>

→ the legal form, the IDNO and the date. A line is read only if it states an IDNO, or begins with a legal form and
states the date of registration.
"""

import re

from pipeline.transform.html.idno_texts import idno_in, stated_idno
from pipeline.transform.html.page_tree import HEADINGS, IDNO_TEXT, TEXT, Node, lines_in, text_of
from pipeline.transform.source_text import parse_date
from pipeline.transform.vocabulary.field import Field
from pipeline.transform.vocabulary.labels import field_of, label_in_line
from pipeline.transform.vocabulary.names import core_of_name
from pipeline.transform.vocabulary.statuses import status_of
from pipeline.transform.vocabulary.terms import legal_form_of

_MAX_LENGTH = 400
_BULLETS = re.compile(r"\s*[·•|;∙‧▪●]\s*")
_WEAK = re.compile(r",\s+|\s+[–—/]\s+")
"""Separators that may also be part of a fact."""
_ADDRESS = re.compile(
    r"(?:MD-?\d{4}\b|(?:mun|or|r-nul|raionul|com|s|sat|г|мун|р-н|с|ул|str|bd|bul|șos)\b\.?\s*\w).*"
    r"\b(?:str|bd|bul|bulevardul|strada|șos|şos|sos|calea|aleea|piața|ул|бул|улица|пр|street|ave)\b.*",
    re.IGNORECASE,
)
_LABEL_WORDS = 5
_NO_LINES = ("dt", "dd", "th", "td", "a", "option", *HEADINGS)
_HAS_NUMBER = re.compile(r"\d{4}")
"""A date or an IDNO; every subtitle has one."""
_LABELLED = frozenset(
    {Field.IDNO, Field.LEGAL_FORM, Field.STATUS, Field.REGISTERED_ON, Field.ADDRESS, Field.CUATM}
)
_SENTENCE_IDNO = re.compile(r"([^\d]{0,60}?)[\s(:№#–—-]*\b([0-9]{13})\b")


def subtitle_facts(line: str) -> list[tuple[Field, str]]:
    """Return the facts in a line, each with its field; [] if the line is no subtitle of a company.

    "SRL · IDNO 1020999000019" → [(LEGAL_FORM, "SRL"), (IDNO, "1020999000019")]
    """
    parts = _parts(line)
    if len(parts) < 2 and not _WEAK.search(line):
        return []
    facts = [fact for part in parts for fact in _facts_in(part)]
    fields = [field for field, _ in facts]
    if len(facts) < 2 or len(set(fields)) < len(fields) or any(map(_announces_other_field, parts)):
        return []
    is_subtitle = Field.IDNO in fields or (fields[0] is Field.LEGAL_FORM and Field.REGISTERED_ON in fields)
    return facts if is_subtitle else []


def unread_parts(line: str) -> list[str]:
    """Return the parts of a subtitle that are no facts.

    "SRL · IDNO 1020999000019 · Chișinău" → ["Chișinău"]
    """
    return [part for part in _parts(line) if not _facts_in(part)]


def _parts(line: str) -> list[str]:
    return [part for part in _BULLETS.split(line) if part]


def _announces_other_field(part: str) -> bool:
    """Tell whether a part begins with a label that stands in no subtitle ("Fondatori: …")."""
    labelled = label_in_line(part)
    return labelled is not None and labelled[0] not in _LABELLED


def _facts_in(part: str) -> list[tuple[Field, str]]:
    """Return the fact in one part of a line; if there is none, those between commas or dashes, if all are facts."""
    if fact := _fact(part):
        return [fact]
    facts = [_fact(piece) for piece in _WEAK.split(part)]
    return [fact for fact in facts if fact] if len(facts) > 1 and None not in facts else []


def _fact(text: str) -> tuple[Field, str] | None:
    text = text.strip(" .()")
    if number := stated_idno(text):
        return Field.IDNO, number
    if line := label_in_line(text):
        return line if line[0] in _LABELLED else None
    if legal_form_of(text):
        return Field.LEGAL_FORM, text
    if status_of(text):
        return Field.STATUS, text
    found = text.split()
    for count in range(1, min(_LABEL_WORDS, len(found))):
        label, value = " ".join(found[:count]), " ".join(found[count:])
        if field_of(label) is Field.REGISTERED_ON and parse_date(value):
            return Field.REGISTERED_ON, value
    return (Field.ADDRESS, text) if _ADDRESS.fullmatch(text) else None


def idno_in_sentence(sentence: str, name: str) -> str | None:
    """Return the IDNO that a sentence about the company `name` states after its label, if it contains no other.

    "Compania PLOPENA AGRO (IDNO 1020999000019) este înregistrată din 2015." → "1020999000019"
    """
    if len(IDNO_TEXT.findall(sentence)) != 1:
        return None
    core = core_of_name(name)
    if not core or f" {core} " not in f" {core_of_name(sentence)} ":
        return None
    match = _SENTENCE_IDNO.search(sentence)
    found = match[1].replace("(", " ").replace(",", " ").split() if match else []
    labels = (" ".join(found[-count:]) for count in range(1, min(_LABEL_WORDS, len(found)) + 1))
    return idno_in(match[2]) if match and any(field_of(label) is Field.IDNO for label in labels) else None


def line_block(leaf: Node) -> Node | None:
    """Return the block that a text begins, if the block contains only text; None in cells, headings and links.

        <p>SRL · <b>IDNO 1020999000019</b> · înregistrată la <time>12 martie 2015</time></p>

    → the `p` for "SRL · ". A block without a number, or with too much text, is no subtitle.
    """
    block = leaf
    while not block.is_block:
        if block.parent is None or block.parent.start != block.start - 1:
            return None
        block = block.parent
    if block.tag in _NO_LINES or len(block.text) > _MAX_LENGTH or _HAS_NUMBER.search(block.text) is None:
        return None
    if any(node.is_block and node.tag != "br" for node in block.descendants()):
        return None
    return block if block.ancestor(*_NO_LINES) is None else None


def subtitle_line(block: Node) -> str:
    """Return a line of text, with a bullet at each line break, and between elements that have the same shape.

        <p><span>SRL</span><span>IDNO 1020999000019</span></p>

    → "SRL · IDNO 1020999000019"
    """
    children = block.children
    if len(children) > 1 and len({child.shape for child in children}) == 1 and children[0].tag != TEXT:
        return " · ".join(child.text for child in children)
    return " · ".join(filter(None, map(text_of, lines_in(children))))

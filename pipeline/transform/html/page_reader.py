"""Reader of rendered HTML: finds facts by labels and structure, so it does not depend on the layout."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TypeVar

from pipeline.transform.activity_text import says_no_activities
from pipeline.transform.date_text import latest_day
from pipeline.transform.grammar import Parsed
from pipeline.transform.html.activities import read_activities
from pipeline.transform.html.company_name import ShownName, read_name
from pipeline.transform.html.company_proof import shown_idno
from pipeline.transform.html.company_region import CompanyRegion
from pipeline.transform.html.field_values import (
    registration_dates,
    shown_addresses,
    shown_cuatms,
    shown_legal_forms,
    shown_statuses,
)
from pipeline.transform.html.key_figures import read_key_figures
from pipeline.transform.html.label_scan import LabelledValue, find_labelled_values
from pipeline.transform.html.list_ends import is_truncated
from pipeline.transform.html.page_tree import MAX_TAGS, has_too_many_tags, read_page
from pipeline.transform.html.party_fields import read_party_fields
from pipeline.transform.html.rules import rules_of
from pipeline.transform.html.subtitle import subtitle_line, unread_parts
from pipeline.transform.html.unknown_labels import unknown_labels
from pipeline.transform.places import address_parts
from pipeline.transform.reading import Reading, Unread
from pipeline.transform.source_text import comparison_key, text_or_none
from pipeline.transform.vocabulary.field import ACTIVITY_FIELDS, Field
from pipeline.transform.vocabulary.placeholders import placeholder_reason
from pipeline.transform.vocabulary.terms import legal_form_name
from warehouse.records.models import Activity, CompanyStatus

_Value = TypeVar("_Value")
_BADGE_PARTS = re.compile(r"\s*[·•|]\s*|\s+[–—/]\s+")
_BADGE_TEXTS = 8
"""Maximum number of texts after the heading that are read as badges (a status, a legal form)."""
_SUBTITLE = "subtitle"
"""The field of unread texts in a line of facts below the heading, because it is unknown what they are about."""
_MAX_LABELS = 1000
"""Four times as many labels as on any company's page. A limit is needed because the time to assign labels to blocks
grows quadratically with the number of labels."""


def read_html(
    html: str,
    idno: str,
    *,
    known_name: str | None = None,
    fetched_at: datetime | None = None,
    look: str | None = None,
) -> Reading:
    """Read a page as the page of the company `idno`.

    The reading's `idno` is the IDNO that the page shows for its company. If it differs from the argument, the page
    belongs to another company. If it is None, the page shows no IDNO. Without a heading, only the IDNO is read. With
    too many labels, only the IDNO and the name are read. A date later than the day after `fetched_at` (None: now) is
    unread.

    `known_name` is the name that the JSON states for the company. It tells which part of a heading is the name. `look`
    is what the browser recorded about the page's look.
    """
    if has_too_many_tags(html):
        return Reading(notes=(f"the page has more than {MAX_TAGS} tags, so nothing is read",))
    page = read_page(html, look)
    hits = find_labelled_values(page)
    if page.heading is None:
        return Reading(idno=shown_idno(page, hits, None, idno), notes=page.notes)
    if len(hits) > _MAX_LABELS:
        name = read_name(page, hits[:_MAX_LABELS], idno, known_name=known_name, fact_count=0).name
        note = f"the page shows {len(hits)} labels, {_MAX_LABELS} at most are looked at"
        return Reading(idno=shown_idno(page, hits, None, idno), name=name, notes=(*page.notes, note))
    region = CompanyRegion(page, page.heading, idno, hits)
    company_hits = region.company_hits()
    name_shown = read_name(
        page, hits, idno, known_name=known_name, fact_count=_fact_count([*company_hits, *region.anchors])
    )
    shown = shown_idno(page, hits, region, idno)
    return _reading(region, company_hits, name_shown, shown, latest_day(fetched_at))


def _fact_count(hits: Sequence[LabelledValue]) -> int:
    """Return of how many fields the page shows a value for the company, besides its IDNO and its name."""
    fields = {hit.field for hit in hits if text_or_none(hit.value)}
    return len(fields - {Field.IDNO, Field.NAME, Field.OTHER, Field.ELSEWHERE, Field.HISTORY})


def _reading(
    region: CompanyRegion, hits: Sequence[LabelledValue], shown: ShownName, idno: str | None, latest: date
) -> Reading:
    badges = list(_badges(region, shown.parts.badges))
    facts = _FactCollector()
    listed = read_party_fields(region, hits)
    legal_form = facts.single_value(Field.LEGAL_FORM, shown_legal_forms(hits, badges))
    address = facts.single_value(Field.ADDRESS, shown_addresses(hits))
    status = facts.single_value(Field.STATUS, shown_statuses(hits, badges, latest))
    if status is CompanyStatus.ACTIVE and shown.parts.states:
        reason = f"the page says {facts.raw[Field.STATUS]!r} and, in its heading, {shown.parts.states[0]!r}"
        facts.unread.append(Unread(Field.STATUS, region.heading.text, reason))
        status = None
    facts.unread += [*shown.unread, *_unread_in_subtitles(hits)]
    for name, remarks in _heading_remarks(shown).items():
        facts.remarks[name] = (*facts.remarks.get(name, ()), *remarks)
    is_in_heading = shown.name is None or shown.name in region.heading.text
    facts.raw["name"] = region.heading.text if is_in_heading else shown.name or ""
    facts.copy_raw("legal_form_name", Field.LEGAL_FORM)
    facts.copy_raw("address_parts", Field.ADDRESS)
    figures = read_key_figures(region.page.root, region.figure_hits(), heading=region.heading)
    facts.unread += figures.unread
    reading = Reading(
        idno=idno,
        name=shown.name,
        legal_form=legal_form,
        legal_form_name=legal_form_name(legal_form),
        status=status,
        registered_on=facts.single_value(Field.REGISTERED_ON, registration_dates(hits, latest)),
        address=address,
        address_parts=address_parts(address) if address else None,
        cuatm=facts.single_value(Field.CUATM, shown_cuatms(hits)),
        founders=listed.parties[Field.FOUNDERS],
        administrators=listed.parties[Field.ADMINISTRATORS],
        licensed_activities=facts.activity_list(Field.LICENSED, hits, region),
        unlicensed_activities=facts.activity_list(Field.UNLICENSED, hits, region),
        statements=figures.statements,
        raw={**facts.raw, **listed.raw},
        remarks={**facts.remarks, **listed.remarks},
        unread=(*facts.unread, *listed.unread),
        incomplete=frozenset(facts.incomplete | listed.incomplete),
        unknown=tuple(unknown_labels(region, hits)),
        notes=(*region.page.notes, *facts.notes),
    )
    return replace(reading, rules=rules_of(reading.raw, hits, has_figures=bool(reading.statements)))


def _spelling(value: object) -> object:
    """Return a key that is the same for two spellings of a value: „Chişinău” and „Chișinău”."""
    return comparison_key(value) if isinstance(value, str) else value


def _unread_in_subtitles(hits: Sequence[LabelledValue]) -> Iterator[Unread]:
    """Yield the parts of lines with several facts that are no facts."""
    hits = [hit for hit in hits if hit.text is not None]
    blocks = Counter(hit.label.start for hit in hits)
    for label in {hit.label.start: hit.label for hit in hits if blocks[hit.label.start] > 1}.values():
        for part in unread_parts(subtitle_line(label)):
            yield Unread(_SUBTITLE, part, "the text is in a line of facts and is none")


def _heading_remarks(shown: ShownName) -> dict[str, tuple[str, ...]]:
    """Return what the heading says besides the name, by the field that it is about."""
    beside = {Field.STATUS.value: shown.parts.states, Field.NAME.value: shown.parts.remarks}
    return {name: remarks for name, remarks in beside.items() if remarks}


class _FactCollector:
    """Selects the values of fields; collects their raw texts and remarks, and the texts that were not accepted."""

    def __init__(self) -> None:
        self.raw: dict[str, str] = {}
        self.remarks: dict[str, tuple[str, ...]] = {}
        self.unread: list[Unread] = []
        self.incomplete: set[str] = set()
        self.notes: list[str] = []

    def single_value(self, field: Field, shown: Iterable[tuple[Parsed[_Value], str]]) -> _Value | None:
        """Return the only value of a field. Every text that is not understood, and different values, become unread.

        <dt>Stare</dt><dd>Activă (în lichidare)</dd>

        → None; the status is unread, with the remark "în lichidare"
        """
        values: dict[object, tuple[_Value, str]] = {}
        remarks: dict[str, None] = {}
        for parsed, text in shown:
            remarks.update(dict.fromkeys(parsed.remarks))
            if parsed.reason is not None:
                self._mark_unread(field, text, parsed.reason)
            elif parsed.value is not None:
                values.setdefault(_spelling(parsed.value), (parsed.value, text))
        if remarks:
            self.remarks[field.value] = tuple(remarks)
        if len(values) > 1:
            texts = " | ".join(text for _, text in values.values())
            self._mark_unread(field, texts, f"the page shows {len(values)} different values")
            return None
        if not values or (field is Field.STATUS and self._has_unread_statement(field)):
            return None
        value, self.raw[field] = next(iter(values.values()))
        return value

    def _mark_unread(self, field: Field, text: str, reason: str) -> None:
        unread = Unread(field.value, text, reason)
        if unread not in self.unread:
            self.unread.append(unread)

    def _has_unread_statement(self, field: Field) -> bool:
        """Tell whether a text of a field that is not understood may contradict the value beside it."""
        return any(
            unread.field == field and placeholder_reason(unread.text) is None for unread in self.unread
        )

    def copy_raw(self, field: str, lead: Field) -> None:
        """Record the raw text of the field `lead` for the field `field` too, which is derived from it."""
        if lead in self.raw:
            self.raw[field] = self.raw[lead]

    def activity_list(
        self, field: Field, hits: Sequence[LabelledValue], region: CompanyRegion
    ) -> tuple[Activity, ...]:
        """Return the activities of a field; () if a list is unreadable or two lists differ, and record their texts."""
        lists = [hit for hit in hits if hit.field is field and not says_no_activities(hit.value)]
        read = [some for hit in lists if (some := read_activities(hit)) is not None]
        keys = [tuple(comparison_key(activity.name) for activity in some.activities) for some in read]
        if len(read) < len(lists) or len({key for key in keys if key}) > 1:
            reason = "not all of the list can be read" if len(read) < len(lists) else "two lists differ"
            self.unread += [Unread(field, hit.value, reason) for hit in lists]
            return ()
        if any(
            some.is_incomplete
            or is_truncated(
                region.page, hits, hit, shown=len(some.activities) + _count_of_other_field(hit, hits)
            )
            for hit, some in zip(lists, read, strict=True)
        ):
            self.incomplete.add(field)
        if remarks := tuple(dict.fromkeys(remark for some in read for remark in some.remarks)):
            self.remarks[field] = remarks
        unknown = dict.fromkeys(text for some in read for text in some.unknown)
        self.unread += [Unread(field, text, "the column is not known") for text in unknown]
        activities = next((tuple(some.activities) for some in read if some.activities), ())
        self._keep_raw(field, lists, bool(activities))
        return activities

    def _keep_raw(self, field: Field, lists: Sequence[LabelledValue], is_read: bool) -> None:
        """If the lists were accepted (`is_read`), record their texts as the raw text of the field."""
        if is_read:
            self.raw[field] = " ".join(hit.value for hit in lists if hit.value)


def _count_of_other_field(hit: LabelledValue, hits: Sequence[LabelledValue]) -> int:
    """Return how many activities of the other field a list holds: a table may have the licensed and the other ones."""
    others = [
        other for other in hits if other.label is hit.label and other.field in ACTIVITY_FIELDS - {hit.field}
    ]
    return sum(len(read.activities) for other in others if (read := read_activities(other)) is not None)


def _badges(region: CompanyRegion, in_heading: Sequence[str]) -> Iterator[str]:
    """Yield the texts that may be badges: those in the heading, and texts between it and the first label.

        <h1>PLOPENA AGRO <span>Activă</span></h1>
        <p>SRL · Chișinău</p>

    → "Activă", "SRL", "Chișinău"
    """
    heading = region.heading
    yield from in_heading
    around = next(iter(list(heading.ancestors())[1::-1]), heading)
    labels = [hit.label.start for hit in region.hits if hit.label.start > heading.end]
    first_label = min(labels, default=around.end)
    after = [
        leaf
        for leaf in around.leaves()
        if heading.end < leaf.start < first_label and leaf.ancestor("a") is None
    ]
    for leaf in after[:_BADGE_TEXTS]:
        if leaf.text != heading.text and not region.is_foreign(leaf):
            yield from _BADGE_PARTS.split(leaf.text)

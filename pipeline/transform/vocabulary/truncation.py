"""Texts with which a page says that a list is longer than what it shows, in three languages."""

import re
from functools import lru_cache

from pipeline.transform.source_text import fold

_THINGS = (
    r"(?: (?:fondator\w*|asociat\w*|actionar\w*|administrator\w*|conducator\w*|activitat\w*|persoane\w*|licent\w*|"
    r"genuri\w*|inregistrari\w*|rezultate\w*|lista|elemente\w*|membri\w*|companii\w*|de \w+|"
    r"учредител\w*|участник\w*|администратор\w*|руководител\w*|вид\w*|деятельност\w*|лиц\w*|запис\w*|список|результат\w*|"
    r"founders?|shareholders?|administrators?|directors?|activities|people|persons|entries|records|results|list|items|"
    r"the|licensed|unlicensed|licences|licenses))*"
)
_ALL = (
    r"(?:toti|toate|toata lista|lista completa|intreaga lista|lista intreaga|all|full|complete|entire|"
    r"все|всех|всю|полный)"
)
_MORE = (
    r"(?:mai mult[ie]?|mai multe|inca(?: \d+)?|restul|in plus|urmatoarele|more|the rest|\d+ more|еще(?: \d+)?|больше|"
    r"остальн\w+|\+ ?\d+)"
)
_VERBS = (
    r"(?:vezi|vedeti|arata|afiseaza|afisati|deschide|incarca|incarcati|extinde|vizualizeaza|mai|"
    r"show|view|see|load|display|expand|open|показать|смотреть|посмотреть|загрузить|открыть|развернуть|просмотреть)"
)
_SHOW_ALL = re.compile(rf"(?:{_VERBS} )?(?:{_ALL}|{_MORE}){_THINGS}(?: \(?(\d{{1,4}})\)?)?{_THINGS}")
_SHOW_REST = re.compile(rf"(?:{_VERBS} )?(?:inca|еще|\+) ?(\d{{1,4}}){_THINGS}|(\d{{1,4}}) more{_THINGS}")
_SHOWN_OF = re.compile(
    r"(?:(?:se )?afis(?:ate|ati|eaza|at)|aratate?|sunt afisate|vizibile?|primii|primele|"
    r"показано|показаны|отображено|отображаются|"
    r"showing|shown|displaying|displayed|viewing|first|entries|items)?:?\s?"
    r"(?:записи |записей |inregistrarile |results |rows )?"
    rf"(?:(\d{{1,4}})\s?(?:[–—-]|la|to|до|по)\s?)?(\d{{1,4}}){_THINGS}\s?(?:din|из|of|/|out of)\s?"
    rf"(?:totalul de |total of |cele |the )?(\d{{1,5}}){_THINGS}"
)
_PAGE_OF = re.compile(r"(?:pagina|страница|стр\.|page)\s?\d{1,4}\s?(?:din|из|of|/)\s?(\d{1,4})")
_PAGER = re.compile(
    r"(?:[‹›«»<>←→…]|\.\.\.|\d{1,3}(?!\d)|prima|ultima|inapoi|inainte|anterioara?|urmatoarea|urmator|precedenta?|"
    r"first|last|previous|prev|next|первая|последняя|предыдущая|следующая|назад|вперед|далее|\s)+"
)
_COUNT = re.compile(
    r"[(\[]\s*(?:total:?\s*|всего:?\s*)?(\d{1,4})\s*[)\]]|\b(?:total|всего|in total|итого)\W{0,3}(\d{1,4})\b"
)
_LIMIT = 80


def count_in_label(text: str) -> int | None:
    """Return the number of entries that the label of a list states: 5 for "Fondatori (5)"; None if it states none."""
    match = _COUNT.search(fold(text)[:120])
    return int(match[1] or match[2]) if match else None


@lru_cache(maxsize=4096)
def says_more(text: str, *, shown: int) -> bool:
    """Tell whether a text beside a list says that the list has more entries than the number `shown`.

    "Vezi toți fondatorii (5)", "Afișate 3 din 12", "Показать ещё", "‹ 1 2 3 ›" → True for a list of three
    """
    folded = fold(text).strip(" .:→›»▼▾⌄↓…")
    if not folded or len(folded) > _LIMIT:
        return False
    if match := _SHOWN_OF.match(folded):
        rest = folded[match.end() :].strip()
        if not rest or _PAGER.fullmatch(rest):
            return int(match[3]) > int(match[2]) or int(match[3]) > shown or int(match[1] or 1) > 1
    if match := _PAGE_OF.fullmatch(folded):
        return int(match[1]) > 1
    if match := _SHOW_REST.fullmatch(folded):
        return True
    if match := _SHOW_ALL.fullmatch(folded.strip("()")) or _SHOW_ALL.fullmatch(folded):
        return match[1] is None or int(match[1]) != shown
    return _PAGER.fullmatch(folded) is not None and len(re.findall(r"\d+", folded)) > 1

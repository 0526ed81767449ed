"""Recognition of lists that the page itself shows to be truncated."""

from collections.abc import Iterator, Sequence

from pipeline.transform.html.label_scan import LabelledValue
from pipeline.transform.html.page_tree import HEADINGS, Node, PageTree
from pipeline.transform.party_notes import is_rest
from pipeline.transform.vocabulary.labels import is_action
from pipeline.transform.vocabulary.truncation import count_in_label, says_more

_TEXTS_AFTER_LIST = 12
_MAX_TEXT = 80


def is_truncated(page: PageTree, hits: Sequence[LabelledValue], hit: LabelledValue, *, shown: int) -> bool:
    """Tell whether the page says that the list of a label has other entries than those it shows.

        <h3>Fondatori (5)</h3>
        <ul><li>MODELEANU ION</li><li>EXEMPLESCU MARIA</li></ul> <button>Vezi toți</button>

    → True for two reasons: the count in the label, and the button

    Args:
        page: The page.
        hits: All labels of the page.
        hit: The label of the list.
        shown: The number of entries in the list.
    """
    count = count_in_label(hit.label.text if hit.text is None else hit.label.text.partition(":")[0])
    if count is not None and shown and count != shown:
        return True
    return any(is_rest(text) or says_more(text, shown=shown) for text in _texts_beside(page, hits, hit))


def _texts_beside(page: PageTree, hits: Sequence[LabelledValue], hit: LabelledValue) -> Iterator[str]:
    """Yield the texts between a label and the next one: those around and after its list, buttons and pagers too."""
    start, value_end = hit.label.start, max((node.end for node in hit.nodes), default=hit.label.end)
    others = [other.label.start for other in hits if other.label.start > value_end]
    end = min(others, default=page.root.end + 1)
    after = 0
    for node in page.root.page[start : end - 1]:
        if node.start > value_end and node.tag in HEADINGS:
            end = node.start
            break
        if node.text and len(node.text) <= _MAX_TEXT and not _is_part_of_entry(node):
            yield node.text
            if node.start > value_end and len(node.children) > 1:
                yield " ".join(leaf.text for leaf in node.leaves())  # the numbers of pages may touch
        after += node.tag == "" and node.start > value_end
        if after > _TEXTS_AFTER_LIST:
            end = node.start
            break
    yield from (text for place, text in page.omitted if start <= place < end)


def _is_part_of_entry(node: Node) -> bool:
    """Tell whether a text is only a part of a list's entry; there, "more" means details of the entry.

        <li>MODELEANU ION <a>Vezi mai mult</a></li>

    → True for the text of the link
    """
    item = node if node.tag in ("li", "tr") else node.ancestor("li", "tr")
    return item is not None and item.text != node.text


def is_about_list(text: str) -> bool:
    """Tell whether a text beside a list is about how much of the list is shown: "Se afișează 3 din 11"."""
    return len(text) <= _MAX_TEXT and (is_rest(text) or says_more(text, shown=0) or is_action(text))

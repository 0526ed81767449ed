"""Sets of nodes of a page that tell quickly whether an element contains one of them, or they contain a node."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from pipeline.transform.html.page_tree import Node


class NodePoints:
    """Some nodes of a page, as points in document order. Large elements are compared with all of them at once."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        """Sort the nodes by their position."""
        self._starts = sorted({node.start for node in nodes})

    def are_in(self, element: Node) -> bool:
        """Tell whether an element is one of the nodes, or contains one."""
        index = bisect_left(self._starts, element.start)
        return index < len(self._starts) and self._starts[index] <= element.end


class NodeSpans:
    """Some elements of a page, as the parts of the page that they take up."""

    def __init__(self, elements: Iterable[Node]) -> None:
        """Join the elements that are inside each other."""
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted((element.start, element.end) for element in elements):
            if self._ends and start <= self._ends[-1]:
                self._ends[-1] = max(end, self._ends[-1])
            else:
                self._starts.append(start)
                self._ends.append(end)

    def contain(self, node: Node) -> bool:
        """Tell whether a node is one of the elements, or inside one."""
        index = bisect_right(self._starts, node.start) - 1
        return index >= 0 and node.start <= self._ends[index]

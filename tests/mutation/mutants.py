"""Mutants: changes of one expression or statement in a function."""

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_Functions = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Mutant:
    """A mutant of a source file.

    `function` is the qualified name of the outermost function with the change, `tree` the whole file with it.
    """

    path: Path
    function: str
    line: int
    change: str
    tree: ast.Module


def mutants_of(path: Path) -> Iterator[Mutant]:
    """Yield all mutants of the functions in a file."""
    source = ast.parse(path.read_text())
    for function, qualname in _functions(source, ""):
        for node in _nodes_of_code(function):
            for change, apply in _changes(node):
                mutated = copy.deepcopy(source)
                twin = _twin(source, mutated, node)
                apply(twin)
                yield Mutant(
                    path, qualname, getattr(node, "lineno", 0), change, ast.fix_missing_locations(mutated)
                )


def _functions(tree: ast.AST, prefix: str) -> Iterator[tuple[ast.AST, str]]:
    """Yield the functions of a module and the methods of its classes with their qualified names."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, _Functions):
            yield child, f"{prefix}{child.name}"
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")


def _nodes_of_code(function: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes in a function's body; no docstrings, annotations or decorators."""
    assert isinstance(function, _Functions)
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop(0)
        yield node
        children = ast.iter_child_nodes(node)
        if isinstance(node, _Functions):
            children = iter(node.body)
        elif isinstance(node, ast.AnnAssign):
            children = iter([node.value] if node.value else [])
        waiting.extend(children)


def _twin(tree: ast.Module, other: ast.Module, node: ast.AST) -> ast.AST:
    """Return the node of the copy `other` that is in the place of `node` in `tree`."""
    return next(twin for one, twin in zip(ast.walk(tree), ast.walk(other), strict=True) if one is node)


_Change = tuple[str, Callable[[ast.AST], None]]


def _changes(node: ast.AST) -> Iterator[_Change]:
    match node:
        case ast.Compare(ops=[operator]) if other := _COMPARISONS.get(type(operator)):
            yield f"{type(operator).__name__} → {other.__name__}", _setter("ops", [other()])
        case ast.BoolOp(op=operator):
            other_op = ast.Or() if isinstance(operator, ast.And) else ast.And()
            yield f"{type(operator).__name__} → {type(other_op).__name__}", _setter("op", other_op)
        case ast.BinOp(op=operator) if changed := _OPERATORS.get(type(operator)):
            yield f"{type(operator).__name__} → {changed.__name__}", _setter("op", changed())
        case ast.UnaryOp(op=ast.Not()):
            yield "not x → not not x", _double_not
        case ast.Constant(value=bool(value)):
            yield f"{value} → {not value}", _setter("value", not value)
        case ast.Constant(value=int(value)):
            yield f"{value} → {value + 1}", _setter("value", value + 1)
        case ast.Constant(value=str(value)):
            yield f"{value[:20]!r} → {'X' + value[:20]!r}", _setter("value", f"X{value}")
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield "return x → return None", _setter("value", ast.Constant(None))
        case ast.Expr(value=ast.Call() | ast.Await(value=ast.Call())):
            yield "call → nothing", _setter("value", ast.Constant(None))
        case ast.If(test=ast.expr()):
            yield "if x → if False", _setter("test", ast.Constant(False))
        case ast.Raise(exc=ast.expr()):
            yield "raise x → raise ValueError", _setter("exc", ast.Name("ValueError", ast.Load()))
        case _:
            return


def _setter(name: str, value: object) -> Callable[[ast.AST], None]:
    return lambda node: setattr(node, name, value)


def _double_not(node: ast.AST) -> None:
    assert isinstance(node, ast.UnaryOp)
    node.operand = ast.UnaryOp(ast.Not(), node.operand)

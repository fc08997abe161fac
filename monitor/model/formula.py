"""Formulas over metrics: a small language of numbers, and nothing else of Python.

Allowed are numbers, names of metrics, `+ - * / // %`, minus signs, comparisons, `and`, `or`,
`not`, `a if c else b`, and the functions in FUNCTIONS. There are no powers, no text, no
attributes, no indexes, and an expression is bounded in length, depth and parts, so no formula
takes long or reaches anything.
"""

import ast
import math
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from simpleeval import SimpleEval  # type: ignore[import-untyped]

MAX_LENGTH = 500  # characters
MAX_DEPTH = 20
MAX_PARTS = 200
_LARGEST = 1e300

# Least and most arguments; None: any number of them.
FUNCTIONS: Mapping[str, tuple[int, int | None]] = {
    "min": (2, None),
    "max": (2, None),
    "abs": (1, 1),
    "ceil": (1, 1),
    "floor": (1, 1),
    "default": (2, 2),
}

_CALLS: Mapping[str, Callable[..., Any]] = {
    "min": min,
    "max": max,
    "abs": abs,
    "ceil": math.ceil,
    "floor": math.floor,
}

_OPERATORS: Mapping[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.USub: operator.neg,
    ast.Not: operator.not_,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}

_PARTS = (ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call)

_CAN = (
    "write numbers, names of metrics, + - * / // %, comparisons, `a if c else b`, "
    f"and {', '.join(FUNCTIONS)}"
)


class FormulaFailed(Exception):
    """The formula has no number now; the text is one clause on why."""


def check_formula(expression: str, names: Iterable[str]) -> str | None:
    """What is wrong with a formula, as one sentence; None where it may be used.

    names: the metrics that it may speak of.
    """
    if len(expression) > MAX_LENGTH:
        return f"the formula has {len(expression)} characters; write at most {MAX_LENGTH}"
    try:
        tree = _parse(expression)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        what = error.msg if isinstance(error, SyntaxError) else str(error)
        return f"the formula cannot be read ({what}); {_CAN}"
    known = sorted(names)
    parts = 0
    for node, depth in _walk(tree, 1):
        parts += isinstance(node, ast.expr)
        if depth > MAX_DEPTH or parts > MAX_PARTS:
            return (
                f"the formula is too deep or has too many parts; write at most {MAX_PARTS} parts, "
                f"{MAX_DEPTH} deep, or two metrics with a formula each"
            )
        problem = _wrong(node, known)
        if problem is not None:
            return problem
    return None


def names_in(expression: str) -> tuple[str, ...]:
    """The metrics that a checked formula speaks of, in order and each once."""
    found = (node.id for node, _ in _walk(_parse(expression), 1) if isinstance(node, ast.Name))
    return tuple(dict.fromkeys(found))


def evaluate(expression: str, values: Mapping[str, float | str]) -> float:
    """The formula's number. A text in `values` is the clause on why a metric has no number.

    Only what is really needed must have a number: of `a if c else b` the branch taken, and of
    `default(x, y)` the first if it can be computed. Raises FormulaFailed.
    """
    evaluator = SimpleEval(operators=dict(_OPERATORS), functions=dict(_CALLS), names={})

    def name(node: ast.Name) -> float:
        value = values.get(node.id, f"there is no metric {node.id}")
        if isinstance(value, str):
            raise FormulaFailed(value)
        return value

    plain_call = evaluator.nodes[ast.Call]

    def call(node: ast.Call) -> Any:
        if isinstance(node.func, ast.Name) and node.func.id == "default":
            try:
                return _finite(evaluator.eval("", node.args[0]))
            except (FormulaFailed, ArithmeticError, ValueError):
                return evaluator.eval("", node.args[1])
        return plain_call(node)

    evaluator.nodes = {
        kind: handler
        for kind, handler in evaluator.nodes.items()
        if kind in (*_PARTS, ast.Constant)
    }
    evaluator.nodes[ast.Name] = name
    evaluator.nodes[ast.Call] = call
    problem = check_formula(expression, values)
    if problem is not None:
        raise FormulaFailed(problem)
    try:
        return _finite(evaluator.eval("", _parse(expression)))
    except ZeroDivisionError:
        raise FormulaFailed("it divides by zero") from None
    except (ArithmeticError, ValueError) as error:
        raise FormulaFailed(f"it has no finite number ({error})") from None


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise OverflowError("the result is not finite")
    return number


def _parse(expression: str) -> ast.expr:
    return ast.parse(expression.strip(), mode="eval").body


def _walk(node: ast.expr, depth: int) -> Iterator[tuple[ast.AST, int]]:
    """All parts but the names of functions, which are no metrics."""
    yield node, depth
    if depth > MAX_DEPTH:
        return
    for child in ast.iter_child_nodes(node):
        if isinstance(node, ast.Call) and child is node.func and isinstance(child, ast.Name):
            continue
        if isinstance(child, ast.expr):
            yield from _walk(child, depth + 1)
        else:
            yield child, depth


def _wrong(node: ast.AST, known: list[str]) -> str | None:
    if isinstance(node, ast.Name):
        if node.id in known:
            return None
        there_are = ", ".join(known) if known else "none"
        return f"the formula speaks of {node.id}, but the metrics it may use are: {there_are}"
    if isinstance(node, ast.Constant):
        if _plain_number(node.value):
            return None
        return f"{ast.unparse(node)} is no number; {_CAN}"
    if isinstance(node, ast.Call):
        return _wrong_call(node)
    if isinstance(node, (*_PARTS, ast.boolop, ast.expr_context)) or type(node) in _OPERATORS:
        return None
    text = ast.unparse(node) if isinstance(node, ast.expr) else type(node).__name__
    return f"{text} is not part of formulas; {_CAN}"


def _plain_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= _LARGEST


def _wrong_call(node: ast.Call) -> str | None:
    name = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
    if name not in FUNCTIONS:
        return f"there is no function {name}; there are {', '.join(FUNCTIONS)}"
    least, most = FUNCTIONS[name]
    given = len(node.args)
    starred = node.keywords or any(isinstance(part, ast.Starred) for part in node.args)
    if starred or given < least or (most is not None and given > most):
        count = f"{least}" if most == least else f"at least {least}"
        return f"{name} takes {count} plain numbers, as in {_example(name)}"
    return None


def _example(name: str) -> str:
    return {"default": "default(a, 5)"}.get(
        name, f"{name}(a, b)" if FUNCTIONS[name][0] == 2 else f"{name}(a)"
    )

"""Formulas: what may be written, what it comes to, and that nothing else can be reached."""

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.formula import (
    MAX_DEPTH,
    MAX_LENGTH,
    MAX_PARTS,
    FormulaFailed,
    check_formula,
    evaluate,
    names_in,
)

NAMES = ("a", "b", "cpu")


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("a", 7.0),
        ("a + b * 2", 13.0),
        ("a - b / 2", 5.5),
        ("a // b", 2.0),
        ("a % b", 1.0),
        ("-a + b", -4.0),
        ("a if b > 2 else 1", 7.0),
        ("a if b >= 3.5 else 1", 1.0),
        ("1 if b == 3 and not a < 7 else 2", 1.0),
        ("1 if b != 3 or a <= 6 else 2", 2.0),
        ("max(a, b, 9)", 9.0),
        ("min(a, b)", 3.0),
        ("abs(b - a)", 4.0),
        ("ceil(a / b)", 3.0),
        ("floor(a / b)", 2.0),
        ("default(a, 5)", 7.0),
        ("default(a / (b - 3), 5)", 5.0),
        ("(a > b) * 10", 10.0),
        (" a\n", 7.0),
    ],
)
def test_formulas_are_arithmetic(expression, value):
    """With a = 7 and b = 3 each of the allowed forms comes to what it says."""
    assert check_formula(expression, NAMES) is None
    assert evaluate(expression, {"a": 7.0, "b": 3.0}) == value


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("", "cannot be read"),
        ("a +", "cannot be read"),
        ("a b", "cannot be read"),
        ("a := 3", "cannot be read"),
        ("a\0", "cannot be read"),
        ("x + 1", "speaks of x, but the metrics it may use are: a, b, cpu"),
        ("a ** 2", "not part of formulas"),
        ("a << 2", "not part of formulas"),
        ("a @ b", "not part of formulas"),
        ("~a", "not part of formulas"),
        ("+a", "not part of formulas"),
        ("a.real", "a.real is not part of formulas"),
        ("a[0]", "not part of formulas"),
        ("[a, b]", "not part of formulas"),
        ("(a, b)", "not part of formulas"),
        ("{a: b}", "not part of formulas"),
        ("f'{a}'", "not part of formulas"),
        ("(a := 3)", "not part of formulas"),
        ("lambda: 1", "not part of formulas"),
        ("a is b", "not part of formulas"),
        ("a in b", "not part of formulas"),
        ("[x for x in (1,)]", "not part of formulas"),
        ("'text'", "'text' is no number"),
        ("True", "True is no number"),
        ("None", "None is no number"),
        ("...", "is no number"),
        ("1j", "is no number"),
        ("1e999", "is no number"),
        ("1" * 400, "is no number"),
        ("max(a)", "max takes at least 2 plain numbers, as in max(a, b)"),
        ("abs(a, b)", "abs takes 1 plain numbers, as in abs(a)"),
        ("default(a)", "default takes 2 plain numbers, as in default(a, 5)"),
        ("default(a, 1, 2)", "default takes 2"),
        ("max(*a)", "plain numbers"),
        ("max(a, b, key=a)", "plain numbers"),
        ("max(a, **b)", "plain numbers"),
        ("eval(a)", "there is no function eval"),
        ("__import__('os')", "there is no function __import__"),
        ("a.real()", "there is no function a.real"),
        ("(lambda: 1)()", "there is no function"),
        ("max", "speaks of max"),
    ],
)
def test_anything_else_is_refused_with_what_to_write(expression, words):
    """Each is refused by one sentence that says what is wrong, and never evaluated."""
    problem = check_formula(expression, NAMES)
    assert problem is not None
    assert words in problem
    assert "\n" not in problem
    with pytest.raises(FormulaFailed):
        evaluate(expression, {"a": 7.0, "b": 3.0, "cpu": 1.0})


def test_formulas_are_bounded():
    """Length, depth and number of parts have a limit each, and what lies just within it works."""
    assert check_formula("a" + " " * (MAX_LENGTH - 1), NAMES) is None
    assert "501 characters" in str(check_formula("a" + " " * MAX_LENGTH, NAMES))
    assert check_formula("-" * (MAX_DEPTH - 1) + "a", NAMES) is None
    assert "too deep" in str(check_formula("-" * MAX_DEPTH + "a", NAMES))
    wide = ",".join("a" * (MAX_PARTS - 1))
    assert check_formula(f"max({wide})", NAMES) is None
    assert "too many parts" in str(check_formula(f"max({wide},a)", NAMES))
    assert "cannot be read" in str(check_formula("(" * 249 + "a" + ")" * 249, NAMES))


def test_names_are_those_of_metrics():
    """Each metric once and in order; functions are none."""
    assert names_in("max(b, a) + b / default(cpu, 1)") == ("b", "a", "cpu")


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("a / (b - 3)", "it divides by zero"),
        ("a % (b - 3)", "it divides by zero"),
        ("bad + 1", "bad could not be read"),
        ("default(bad, 1 / (b - 3))", "it divides by zero"),
        ("a * 1e300 * 1e300", "no finite number"),
        ("ceil(a * 1e300 * 1e300)", "no finite number"),
        ("nobody + 1", "nobody"),
    ],
)
def test_a_formula_without_a_number_fails_with_a_clause(expression, why):
    """Division by zero, inputs without a value and overflow are failures that say why."""
    with pytest.raises(FormulaFailed, match=why):
        evaluate(expression, {"a": 7.0, "b": 3.0, "bad": "bad could not be read"})


def test_only_what_is_needed_must_have_a_number():
    """The branch not taken and a defaulted input may lack theirs."""
    values = {"a": 7.0, "bad": "bad could not be read"}
    assert evaluate("a if a > 1 else bad", values) == 7.0
    assert evaluate("default(bad, 5) + 1", values) == 6.0
    assert evaluate("a or bad", values) == 7.0


@given(st.text(alphabet="ab019.+-*/%<>=!(), ifelsmaxndor_'\"[]{}:@~^&|\\\n", max_size=40))
def test_no_text_breaks_the_reader(expression):
    """Whatever is written: one sentence, or a number, or a clause on why there is none."""
    problem = check_formula(expression, NAMES)
    if problem is not None:
        assert problem
        return
    with contextlib.suppress(FormulaFailed):
        assert math.isfinite(evaluate(expression, {"a": 7.0, "b": 0.0, "cpu": -1.5}))

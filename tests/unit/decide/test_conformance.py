"""The HorizontalPodAutoscaler's published cases, run through the core."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hpa_conformance.run import cases, run_case
from tests.hpa_conformance.suites import SUITES

FILE = Path(__file__).with_name("hpa_cases.json")
CASES = list(cases(FILE))


def test_the_file_holds_all_cases():
    """All 191 cases of 14 suites are there, and every suite has a runner."""
    assert len(CASES) == 191
    assert {suite for suite, _, _ in CASES} == set(SUITES)
    assert len(SUITES) == 14


@pytest.mark.parametrize(
    ("suite", "case", "meta"), CASES, ids=[f"{suite}-{case['name']}" for suite, case, _ in CASES]
)
def test_the_core_answers_as_the_autoscaler_does(suite, case, meta):
    """Every case's expectation is met by the functions that decide in production."""
    result = run_case(suite, case, meta)
    assert result.passed, (result.expected, result.got)


@pytest.mark.parametrize("suite", sorted(SUITES))
def test_a_wrong_expectation_fails(suite):
    """A case whose expected replicas or counts are changed does not pass: the runner compares."""
    case, meta = next((case, meta) for name, case, meta in CASES if name == suite)
    wrong = {
        key: _off(value) if key.startswith("expected") else value for key, value in case.items()
    }
    if suite == "throughput":
        wrong["timeoutSeconds"] = 0
    if suite == "tolerance_sequence":
        wrong["steps"] = [{**step, "expectedReplicas": -1} for step in case["steps"]]
    assert not run_case(suite, wrong, meta).passed


def _off(value):
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return value + "!"
    if isinstance(value, list):
        return [*value, "another"] if not value or isinstance(value[0], int | str) else value[1:]
    return value


def test_the_command_reports_and_exits(tmp_path):
    """The command names what failed, closes with the count and exits 1; 0 if all pass."""
    document = json.loads(FILE.read_text(encoding="utf-8"))
    case = document["suites"]["scale_limits"][0]
    few = tmp_path / "few.json"
    few.write_text(json.dumps({"suites": {"scale_limits": [case]}}))
    good = _run(few)
    assert (good.returncode, good.stdout) == (0, "1 passed, 0 failed\n")
    few.write_text(json.dumps({"suites": {"scale_limits": [case, {**case, "expectedLimit": 99}]}}))
    bad = _run(few)
    assert bad.returncode == 1
    assert case["name"] in bad.stdout
    assert "99" in bad.stdout
    assert bad.stdout.endswith("1 passed, 1 failed\n")


def _run(path):
    return subprocess.run(
        [sys.executable, "-m", "tests.hpa_conformance", str(path)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
    )

"""Records of what decisions were made of: what they hold, and what is no record."""

import json
from dataclasses import replace

import pytest

from monitor.decide import Recorded, record, replay
from tests.unit.decide import make
from tests.unit.decide.edge_scenarios import edges
from tests.unit.decide.make import NOW, calm_rule, cpu, history, service, view
from tests.unit.decide.restart_scenarios import restarts
from tests.unit.decide.scenarios import everything


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "format None is not 1"),
        ({"format": 2}, "format 2 is not 1"),
        ({"format": 1}, "no recorded decision"),
        ({"format": 1, "inputs": {}}, "no recorded decision"),
        ({"format": 1, "inputs": {"rule": {"is": "Nonsense"}}}, "no recorded decision"),
        ({"format": 1, "inputs": []}, "no recorded decision"),
        ({"format": 1, "inputs": None}, "^this is no recorded decision: there is nothing in it$"),
    ],
)
def test_what_is_no_record_is_refused(data, words):
    """Another format, or something else altogether: one sentence, no crash."""
    with pytest.raises(ValueError, match=words):
        Recorded.from_json(data)


SITUATIONS = everything() | edges() | restarts()


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_record_comes_back_from_json(name):
    """The same record, and the same decision of it at the same time."""
    recorded = SITUATIONS[name]
    text = json.dumps(recorded.to_json())
    again = Recorded.from_json(json.loads(text))
    assert json.dumps(again.to_json()) == text
    assert "nan" in text.lower() or again == recorded
    assert replay(again).time == recorded.now == NOW


def test_a_record_holds_what_was_given():
    """Each argument in its own place."""
    given = calm_rule(), view(), cpu(0.5), history((5, 3)), NOW
    kept = record(*given, own_service=True, rivals=("other",))
    assert (kept.rule, kept.usage, kept.history, kept.now) == (given[0], *given[2:])
    assert kept.view == replace(given[1], service=service(4))
    assert (kept.own_service, kept.rivals) == (True, ("other",))


def test_a_record_is_lean():
    """Nodes of other services and the raw spec do not go along."""
    seen = view(nodes=[make.node("n9")], of=service(4, raw={"Spec": {}}))
    kept = record(calm_rule(), seen, cpu(0.5), history(), NOW)
    assert set(kept.view.nodes) == {"n1"}
    assert kept.view.service.raw == {}
    assert kept.to_json()["format"] == 1
    assert kept.rivals == ()
    assert kept.own_service is False

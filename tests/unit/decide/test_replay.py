"""Records of what decisions were made of: what they hold, and what is no record."""

import pytest

from monitor.decide import Recorded, record
from tests.unit.decide import make
from tests.unit.decide.make import NOW, calm_rule, cpu, history, service, view


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "format None is not 1"),
        ({"format": 2}, "format 2 is not 1"),
        ({"format": 1}, "no recorded decision"),
        ({"format": 1, "inputs": {}}, "no recorded decision"),
        ({"format": 1, "inputs": {"rule": {"is": "Nonsense"}}}, "no recorded decision"),
        ({"format": 1, "inputs": []}, "no recorded decision"),
        ({"format": 1, "inputs": None}, "no recorded decision"),
    ],
)
def test_what_is_no_record_is_refused(data, words):
    """Another format, or something else altogether: one sentence, no crash."""
    with pytest.raises(ValueError, match=words):
        Recorded.from_json(data)


def test_a_record_is_lean():
    """Nodes of other services and the raw spec do not go along."""
    seen = view(nodes=[make.node("n9")], of=service(4, raw={"Spec": {}}))
    kept = record(calm_rule(), seen, cpu(0.5), history(), NOW)
    assert set(kept.view.nodes) == {"n1"}
    assert kept.view.service.raw == {}
    assert kept.to_json()["format"] == 1
    assert kept.rivals == ()
    assert not kept.own_service

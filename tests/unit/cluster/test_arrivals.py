"""Since when nodes take tasks that did not before."""

import pytest

from monitor.cluster.arrivals import Arrivals
from monitor.model.node import Availability, NodeState
from tests.unit.cluster.test_room import node

AWAY = [
    {"state": NodeState.DOWN},
    {"availability": Availability.DRAIN},
    {"availability": Availability.PAUSE},
]


def looked(*looks):
    """One look a second, from 1.0 on, at nodes by what differs from a ready one; the arrivals."""
    arrivals = Arrivals()
    for second, nodes in enumerate(looks, 1):
        arrivals.seen({name: node(name, **parts) for name, parts in nodes.items()}, float(second))
    return arrivals.joined


@pytest.mark.parametrize("away", AWAY)
def test_a_node_that_comes_back_or_is_new_has_joined(away):
    """At the moment it is first seen ready and active; those there from the start have not."""
    assert looked({"n1": {}, "n2": away}, {"n1": {}, "n2": {}}) == {"n2": 2.0}
    assert looked({"n1": {}}, {"n1": {}, "n2": away}, {"n1": {}, "n2": {}}) == {"n2": 3.0}
    assert looked({"n1": {}}, {"n1": {}, "n2": {}}, {"n1": {}, "n2": {}}) == {"n2": 2.0}
    assert looked({"n1": {}}, {"n1": away}, {"n1": {}}, {"n1": away}) == {}


@pytest.mark.parametrize("state", [NodeState.UNKNOWN, NodeState.DISCONNECTED])
def test_an_election_is_no_return(state):
    """Every node is `unknown` for a moment then; one that was down before is so until ready."""
    moment = {"n1": {"state": state}}
    assert looked({"n1": {}}, moment, {"n1": {}}) == {}
    assert looked({"n1": {"state": NodeState.DOWN}}, moment, {"n1": {}}) == {"n1": 3.0}
    assert looked({"n0": {}}, {"n0": {}, "n1": {"state": state}}, {"n0": {}, "n1": {}}) == {
        "n1": 3.0
    }


def test_what_is_gone_is_forgotten():
    """A node that was removed; and all of them while this agent sees no Swarm."""
    assert looked({"n1": {}}, {"n1": {}, "n2": {}}, {"n1": {}}) == {}
    assert looked({"n1": {}}, {"n1": {}, "n2": {}}, {}, {"n1": {}, "n2": {}}) == {}

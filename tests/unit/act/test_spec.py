import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.act.spec import ALLOWED, changed_spec, differences
from monitor.model.action import ForceUpdate, ScaleTo
from tests.unit.build import raw_spec

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=4), json_values), st.integers(0, 1000))
def test_scaling_changes_the_replicas_alone(extra, replicas):
    """Whatever else a spec holds, ScaleTo changes nothing but Mode.Replicated.Replicas."""
    spec = {**extra, **raw_spec(1001)}
    before = copy.deepcopy(spec)
    after = changed_spec(spec, ScaleTo(replicas))
    assert list(differences(spec, after)) == [ALLOWED[ScaleTo]]
    assert after["Mode"]["Replicated"]["Replicas"] == replicas
    assert spec == before, "the spec that was read must stay as it was"


@given(st.dictionaries(st.text(max_size=4), json_values), st.integers(0, 9))
def test_forcing_counts_up_and_changes_nothing_else(extra, force):
    """Whatever else a spec holds, ForceUpdate changes nothing but TaskTemplate.ForceUpdate."""
    spec = {**extra, **raw_spec()}
    spec["TaskTemplate"]["ForceUpdate"] = force
    after = changed_spec(spec, ForceUpdate())
    assert list(differences(spec, after)) == [ALLOWED[ForceUpdate]]
    assert after["TaskTemplate"]["ForceUpdate"] == force + 1


def test_forcing_where_the_counter_is_absent_starts_at_one():
    """A spec without ForceUpdate has an implied 0."""
    spec = raw_spec()
    del spec["TaskTemplate"]["ForceUpdate"]
    assert changed_spec(spec, ForceUpdate())["TaskTemplate"]["ForceUpdate"] == 1


@pytest.mark.parametrize(
    ("before", "after", "paths"),
    [
        ({"a": None}, {"a": []}, [("a",)]),
        ({"a": None}, {}, [("a",)]),
        ({"a": 1}, {"a": True}, [("a",)]),
        ({"a": [1, 2]}, {"a": [1, 3]}, [("a", 1)]),
        ({"a": [1]}, {"a": [1, 3]}, [("a",)]),
        ({"a": {"b": 1}}, {"a": {"b": 1}}, []),
    ],
)
def test_differences_sees_what_the_swarm_would_see(before, after, paths):
    """Null, absent, empty and false are four things: any of them makes the Swarm restart tasks."""
    assert list(differences(before, after)) == paths

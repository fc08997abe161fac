import pytest

from monitor.act.guards import check_change, check_service
from monitor.act.spec import changed_spec
from monitor.model.action import ForceUpdate, ScaleTo
from monitor.model.outcome import OutcomeKind
from monitor.model.service import ServiceMode, UpdateState
from tests.unit.build import decision, service


def test_an_unchanged_replicated_service_may_be_scaled():
    """Nothing stands in the way of a decision whose service is still as it was."""
    assert check_service(decision(ScaleTo(4)), service(), None) is None


def test_a_newer_version_is_a_conflict():
    """A service that changed since it was decided on is decided on again, not written to."""
    outcome = check_service(decision(ScaleTo(4)), service(version=11), None)
    assert outcome is not None
    assert outcome.kind is OutcomeKind.CONFLICT


@pytest.mark.parametrize(
    ("action", "fields", "own", "words"),
    [
        (ScaleTo(4), {"id": "s2"}, None, "asked for service"),
        (ScaleTo(4), {}, "s1", "this very program"),
        (ForceUpdate(), {}, "s1", "this very program"),
        (ScaleTo(4), {"mode": ServiceMode.GLOBAL}, None, "no replica count"),
        (ScaleTo(4), {"mode": ServiceMode.REPLICATED_JOB}, None, "run it again"),
        (ForceUpdate(), {"mode": ServiceMode.GLOBAL_JOB}, None, "run it again"),
        (ScaleTo(4), {"update_state": UpdateState.UPDATING}, None, "updating"),
        (ScaleTo(4), {"update_state": UpdateState.PAUSED}, None, "paused"),
        (ForceUpdate(), {"update_state": UpdateState.ROLLBACK_STARTED}, None, "rollback_started"),
        (ForceUpdate(), {"update_state": UpdateState.ROLLBACK_PAUSED}, None, "rollback_paused"),
    ],
)
def test_the_writer_refuses(action, fields, own, words):
    """Each thing that must never be written to is refused, with a reason a person can read."""
    outcome = check_service(decision(action), service(**fields), own)
    assert outcome is not None
    assert outcome.kind is OutcomeKind.REFUSED
    assert words in outcome.detail


@pytest.mark.parametrize(
    ("state", "allowed"),
    [
        (UpdateState.UPDATING, True),
        (UpdateState.PAUSED, False),
        (UpdateState.ROLLBACK_STARTED, False),
        (UpdateState.ROLLBACK_PAUSED, False),
    ],
)
def test_a_scaling_meant_for_rollouts_is_written_into_running_updates_alone(state, allowed):
    """What a deploy reset may be put back while it rolls out, but not into a pause or rollback."""
    action = ScaleTo(4, during_rollout=True)
    outcome = check_service(decision(action), service(update_state=state), None)
    assert (outcome is None) is allowed


def test_a_global_service_may_be_restarted():
    """Restarting all tasks needs no replica count."""
    allowed = check_service(decision(ForceUpdate()), service(mode=ServiceMode.GLOBAL), None)
    assert allowed is None


def test_a_write_that_changes_nothing_is_refused():
    """Even an identical spec would bump the version and replace the rollback target."""
    of = service(replicas=4)
    outcome = check_change(of, ScaleTo(4), changed_spec(of.raw["Spec"], ScaleTo(4)), (1, 6))
    assert outcome is not None
    assert "already as wanted" in outcome.detail


def test_a_change_beyond_its_field_is_refused():
    """A spec that differs anywhere else is never posted, and the place is named."""
    of = service()
    changed = changed_spec(of.raw["Spec"], ScaleTo(4))
    changed["TaskTemplate"]["ContainerSpec"]["Image"] = "evil:1"
    outcome = check_change(of, ScaleTo(4), changed, (1, 6))
    assert outcome is not None
    assert "TaskTemplate.ContainerSpec.Image" in outcome.detail


@pytest.mark.parametrize("replicas", [0, 7])
def test_replicas_outside_the_rules_bounds_are_refused(replicas):
    """The writer holds the bounds itself, whatever was decided."""
    of = service()
    changed = changed_spec(of.raw["Spec"], ScaleTo(replicas))
    outcome = check_change(of, ScaleTo(replicas), changed, (1, 6))
    assert outcome is not None
    assert "outside 1 to 6" in outcome.detail

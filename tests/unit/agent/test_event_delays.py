"""How long other nodes' events took, whatever their clocks say."""

import pytest

from monitor.agent.event_delays import EventDelays
from monitor.model.event import Event


def die(at: float) -> Event:
    return Event("container", "die", "c1", round(at * 1e9))


@pytest.mark.parametrize("ahead", [-3600.0, 0.0, 7.5])
def test_the_clocks_difference_is_not_in_a_delay(ahead: float) -> None:
    """An event 0.2 s after its time took that long, also where the clocks are hours apart."""
    delays = EventDelays()
    delays.reported("w1", 1000.0 + ahead, 1000.0)
    delays.heard("w1", die(1001.0 + ahead), 1001.2)
    found = delays.facts["die"]
    assert found.count == 1
    assert found.seconds == pytest.approx(0.2, abs=1e-6)
    assert [bound for bound, n in zip(found.bounds, found.buckets, strict=False) if n] == [0.25]


def test_the_fastest_report_tells_the_clock() -> None:
    """A report that was on its way for long does not make events look faster than they were."""
    delays = EventDelays()
    delays.reported("w1", 1000.0, 1000.0)
    delays.reported("w1", 1001.0, 1003.0)
    delays.heard("w1", die(1003.0), 1003.5)
    assert delays.facts["die"].seconds == pytest.approx(0.5, abs=0.002)


def test_a_clock_that_is_set_is_followed() -> None:
    """After a step of the node's clock, to either side, the next report tells how it goes now."""
    for step in (-100.0, 100.0):
        delays = EventDelays()
        delays.reported("w1", 1000.0, 1000.0)
        delays.reported("w1", 1001.0 + step, 1001.0)
        delays.heard("w1", die(1002.0 + step), 1002.3)
        assert delays.facts["die"].seconds == pytest.approx(0.3, abs=1e-6)


def test_what_cannot_be_told_is_left_out() -> None:
    """No report yet, a node that is gone, and actions nobody waits for count nothing."""
    delays = EventDelays()
    delays.heard("w1", die(1000.0), 1000.1)
    delays.reported("w1", 1000.0, 1000.0)
    delays.heard("w1", Event("container", "start", "c1", 10**12), 1000.1)
    delays.forget("w1")
    delays.heard("w1", die(1000.0), 1000.1)
    assert delays.facts == {}


def test_health_is_one_action() -> None:
    """`health_status: healthy` and `unhealthy` are counted as one; beyond all bounds, at last."""
    delays = EventDelays()
    delays.reported("w1", 1000.0, 1000.0)
    for state in ("healthy", "unhealthy"):
        delays.heard("w1", Event("container", f"health_status: {state}", "c1", 10**12), 2000.0)
    found = delays.facts["health_status"]
    assert found.count == 2
    assert found.buckets[-1] == 2

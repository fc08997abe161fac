"""Who may take the lease: a manager's agent that sees the Swarm."""

from dataclasses import dataclass

import pytest

from monitor.agent.holding import OUT_OF_TOUCH, MayHold
from monitor.model.now import Now


@dataclass
class Parts:
    """The identity, mirror and clock that it asks."""

    role: str = "manager"
    fresh: bool = True
    why: str = ""
    mono: float = 100.0

    def now(self) -> Now:
        return Now(self.mono, 0.0)

    def may_hold(self) -> MayHold:
        return MayHold(self, self, self)  # type: ignore[arg-type]


def test_a_manager_in_touch_with_its_swarm_may() -> None:
    assert Parts().may_hold()() == ""


@pytest.mark.parametrize("role", ["worker", "none"])
def test_what_is_no_manager_may_not(role: str) -> None:
    """Also where a mirror from its time as a manager is left over."""
    assert "not a manager" in Parts(role=role).may_hold()()


def test_before_the_first_list_it_waits() -> None:
    """It could do nothing with the lease yet."""
    parts = Parts(fresh=False)
    may_hold = parts.may_hold()
    assert "not read yet" in may_hold()
    parts.fresh = True
    assert may_hold() == ""


def test_who_lost_touch_keeps_it_for_five_seconds_and_says_why_it_gave_up() -> None:
    """A short stutter of the engine is no reason to hand over."""
    parts = Parts()
    may_hold = parts.may_hold()
    assert may_hold() == ""
    parts.fresh, parts.why = False, "the engine does not answer"
    parts.mono += OUT_OF_TOUCH
    assert may_hold() == ""
    parts.mono += 0.1
    assert may_hold() == "This agent is not in touch with the Swarm: the engine does not answer."
    parts.fresh = True
    assert may_hold() == ""
    parts.fresh = False
    parts.mono += OUT_OF_TOUCH
    assert may_hold() == ""

"""Who may act: lease, survival and agreement must all say so, and each says why not."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.agent.acting import LOOK_EVERY, Acting, Agreement, disagreement
from monitor.model.now import Now
from monitor.model.peer import About, Peer, PeerState


@dataclass
class Lease:
    held: int | None = 7

    def term(self) -> int | None:
        return self.held

    def why_not(self) -> str:
        return "" if self.held is not None else "the agent on m2 holds the lease"


@dataclass
class Survival:
    ready: set[int] = field(default_factory=lambda: {7})

    def ready_for(self, term: int) -> str:
        return "" if term in self.ready else f"still reading under {term}"


@dataclass
class Clock:
    mono: float = 100.0

    def now(self) -> Now:
        return Now(self.mono, 0.0)

    def random(self) -> float:
        return 0.0


def manager(name: str, digest: str, **fields: object) -> dict[str, Peer]:
    values = {"state": PeerState.UP, "role": "manager"} | fields
    said = About(f"id-{name}", name, f"boot-{name}", role=str(values["role"]), digest=digest)
    return {said.node_id: Peer(said.node_id, PeerState(values["state"]), about=said)}


def test_it_acts_under_the_term_of_the_lease_where_nothing_holds_it_back() -> None:
    """All three agree; there is nothing to say."""
    acting = Acting(Lease(), Survival(), lambda: "")
    assert acting.term() == 7
    assert acting.why_not() == ""


def test_without_the_lease_it_does_not_act_and_says_what_the_lease_says() -> None:
    acting = Acting(Lease(None), Survival(), lambda: "they differ")
    assert acting.term() is None
    assert acting.why_not() == "the agent on m2 holds the lease"


def test_before_the_past_was_read_under_this_very_term_it_does_not_act() -> None:
    """What was read under an earlier term of its own does not count."""
    acting = Acting(Lease(8), Survival({7}), lambda: "they differ")
    assert acting.term() is None
    assert acting.why_not() == "still reading under 8"


def test_while_managers_disagree_it_does_not_act_though_it_holds_the_lease() -> None:
    acting = Acting(Lease(), Survival(), lambda: "they differ")
    assert acting.term() is None
    assert acting.why_not() == "they differ"


def test_without_anything_that_survives_the_lease_and_agreement_are_enough() -> None:
    assert Acting(Lease(), None, lambda: "").term() == 7
    assert Acting(Lease(), None, lambda: "they differ").term() is None


def test_two_managers_with_other_rules_both_see_that_they_differ() -> None:
    """Neither may act, and the sentence names the node of the other one."""
    one = disagreement("d1", manager("m2", "d2"))
    other = disagreement("d2", manager("m1", "d1"))
    assert one.startswith("the agent on m2 would decide by other rules or settings")
    assert other.startswith("the agent on m1 would")


def test_all_that_differ_are_named_in_one_sentence() -> None:
    peers: Mapping[str, Peer] = {
        **manager("m3", "d3"),
        **manager("m2", "d2"),
        **manager("m4", "d2"),
        **manager("m5", "d1"),
    }
    said = disagreement("d1", peers)
    assert said.startswith("the agent on m2, the agent on m3 and the agent on m4 would decide")


def test_a_manager_that_has_not_told_its_name_is_named_by_its_node_id() -> None:
    said = About("id-x", "", "b", role="manager", digest="d2")
    peers = {"id-x": Peer("id-x", PeerState.UP, about=said)}
    assert "the agent on id-x would" in disagreement("d1", peers)


def test_workers_and_managers_that_are_not_heard_do_not_count() -> None:
    """Neither can act now, whatever its rules."""
    assert disagreement("d1", manager("w1", "d2", role="worker")) == ""
    for state in (PeerState.SILENT, PeerState.CONNECTING, PeerState.REFUSED):
        assert disagreement("d1", manager("m2", "d2", state=state)) == ""
    assert disagreement("d1", {"m2": Peer("m2", PeerState.UP)}) == ""
    assert disagreement("d1", manager("m2", "d1")) == ""


def test_it_looks_at_the_others_at_most_twice_a_second() -> None:
    """It is asked with every decision; a change is seen half a second later."""
    clock, looks = Clock(), []

    def peers() -> Mapping[str, Peer]:
        looks.append(clock.mono)
        return manager("m2", "d2" if clock.mono >= 100.3 else "d1")

    agreement = Agreement(clock, lambda: "d1", peers)
    for step in range(20):
        clock.mono = 100 + step / 10
        said = agreement()
        assert bool(said) == (clock.mono >= 100 + LOOK_EVERY), clock.mono
    assert len(looks) == 4

"""What an agent knows of the others: who acts, and whether any manager's agent talks to it."""

from dataclasses import dataclass, field, replace
from types import SimpleNamespace

from monitor.agent.fleet import MANAGERS_MAY_TAKE, NO_MANAGERS, Fleet, Manager
from monitor.agent.hands import Hands
from monitor.fleet.secret import Secret
from monitor.model.now import Now
from monitor.model.peer import About, Peer, PeerState
from monitor.web.state import ActingAgent


@dataclass
class Lease:
    held: int | None = None
    holder: tuple[str, str] | None = None

    def term(self) -> int | None:
        return self.held


@dataclass
class Clock:
    mono: float = 100.0

    def now(self) -> Now:
        return Now(self.mono, 0.0)

    def random(self) -> float:
        return 0.0


@dataclass
class Known:
    """A fleet of which the test says what it heard."""

    role: str = "manager"
    lease: Lease = field(default_factory=Lease)
    clock: Clock = field(default_factory=Clock)
    peers: dict[str, Peer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        identity = SimpleNamespace(role=self.role, node_id="n1", node_name="own")
        core = SimpleNamespace(
            identity=identity,
            lease=self.lease,
            carry_out=None,
            hands=Hands(lambda: "n1", None),  # type: ignore[arg-type]
            remains=SimpleNamespace(look=lambda: None, also_tell=lambda _: None),
        )
        self.fleet = Fleet(
            core=core,  # type: ignore[arg-type]
            clock=self.clock,
            secret=Secret(value=b"a secret of a fleet under test"),
            host="",
            port=9581,
            boot_id="boot",
            digest=lambda: "d1",
            http_port=lambda: 9580,
            on_event=lambda _: None,
        )
        self.fleet.streams = SimpleNamespace(peers=lambda: self.peers)  # type: ignore[assignment]


def said(name: str, **fields: object) -> About:
    return replace(About(f"id-{name}", name, "boot", role="manager", http_port=9580), **fields)


def heard(about: About, address: str) -> dict[str, Peer]:
    return {about.node_id: Peer(about.node_id, PeerState.UP, address, about)}


def test_a_manager_finds_the_actor_by_the_lease_at_the_address_of_its_stream() -> None:
    """Its own API port counts, not that of the stream."""
    known = Known(lease=Lease(holder=("id-m2", "m2")), peers=heard(said("m2"), "10.0.0.2:9581"))
    assert known.fleet.acting_agent() == ActingAgent("m2", "http://10.0.0.2:9580")


def test_an_ipv6_address_stays_in_its_brackets() -> None:
    known = Known(lease=Lease(holder=("id-m2", "m2")), peers=heard(said("m2"), "[fd00::2]:9581"))
    assert known.fleet.acting_agent() == ActingAgent("m2", "http://[fd00::2]:9580")
    worker = Known(role="worker")
    worker.fleet.managers["id-m2"] = Manager(said("m2", acting=True), "fd00::2")
    assert worker.fleet.acting_agent() == ActingAgent("m2", "http://[fd00::2]:9580")


def test_who_holds_the_lease_itself_asks_nobody() -> None:
    """Whatever a manager says that has not heard of it yet."""
    known = Known(lease=Lease(held=3, holder=("n1", "own")))
    known.fleet.managers["id-m2"] = Manager(said("m2", acting=True), "10.0.0.2")
    assert known.fleet.acting_agent() is None


def test_a_worker_finds_the_actor_among_the_managers_that_talk_to_it() -> None:
    """Those that do not act are not asked; where none acts, nobody is."""
    known = Known(role="worker")
    known.fleet.managers["id-m1"] = Manager(said("m1"), "10.0.0.1")
    assert known.fleet.acting_agent() is None
    known.fleet.managers["id-m2"] = Manager(said("m2", acting=True), "10.0.0.2")
    assert known.fleet.acting_agent() == ActingAgent("m2", "http://10.0.0.2:9580")


def test_an_actor_without_an_api_or_a_stream_cannot_be_asked() -> None:
    quiet = heard(said("m2", http_port=0), "10.0.0.2:9581")
    assert Known(lease=Lease(holder=("id-m2", "m2")), peers=quiet).fleet.acting_agent() is None
    assert Known(lease=Lease(holder=("id-m3", "m3")), peers=quiet).fleet.acting_agent() is None
    assert Known(lease=Lease(holder=None), peers=quiet).fleet.acting_agent() is None


def test_a_worker_without_managers_says_so_after_half_a_minute_until_one_is_back() -> None:
    """They come and go in updates; 30 s begin anew each time."""
    known = Known(role="worker")
    fleet, clock = known.fleet, known.clock
    assert fleet.not_ready() is None
    clock.mono += MANAGERS_MAY_TAKE
    assert fleet.not_ready() is None
    clock.mono += 0.1
    assert fleet.not_ready() == NO_MANAGERS
    fleet._manager_said(said("m1"), "10.0.0.1")
    assert fleet.managers_heard() == 1
    assert fleet.not_ready() is None
    fleet._manager_gone("id-m1")
    clock.mono += MANAGERS_MAY_TAKE
    assert fleet.not_ready() is None
    clock.mono += 0.1
    assert fleet.not_ready() == NO_MANAGERS


def test_what_connects_and_is_no_manager_does_not_count() -> None:
    """A node that was demoted while its connection lived."""
    known = Known(role="worker")
    known.fleet._manager_said(said("w2", role="worker"), "10.0.0.3")
    assert known.fleet.managers_heard() == 0


def test_a_managers_agent_is_one_that_is_heard() -> None:
    """Alone on the only manager it is enough for itself."""
    known = Known()
    known.clock.mono += 2 * MANAGERS_MAY_TAKE
    assert known.fleet.not_ready() is None
    assert known.fleet.managers_heard() == 1

"""What a simulated Swarm holds beside the model: networks and secrets, which nothing runs by."""

from dataclasses import dataclass, field

from monitor.simulate.state import SimConfig, Spec

INGRESS = "ingress0simulated00000000"  # the id of the network that published ports are reached by


@dataclass(slots=True, kw_only=True)
class Network:
    """`created_ns` in epoch nanoseconds; `number` is the third byte of its subnet, 0: has none.

    subnets: as they were asked for; none: by `number`.
    """

    id: str
    name: str
    driver: str
    scope: str
    number: int = 0
    created_ns: int = 0
    labels: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    attachable: bool = False
    internal: bool = False
    ingress: bool = False
    subnets: list[Spec] = field(default_factory=list)


@dataclass(slots=True)
class Extras:
    """Shared by the engines of one Swarm; by id.

    A secret is kept as a config is: its data never leaves the Swarm again.
    """

    networks: dict[str, Network] = field(default_factory=dict)
    secrets: dict[str, SimConfig] = field(default_factory=dict)
    numbers: int = 0

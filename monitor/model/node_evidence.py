"""What a decision about a node is told besides the nodes themselves. Monotonic times."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.model.evidence import Ended
from monitor.model.node import Node
from monitor.model.usage import Sample


@dataclass(frozen=True, slots=True)
class NodeEvidence:
    """About one node, in a Swarm.

    nodes: all by id. fresh: whether they are those of a manager that answers.
    memory, disk: shares in use of the node's own (0.9), None where nobody tells.
    ends: of the tasks of all services on all nodes, oldest first, each with its `service_id`.
    running: nodes on which a task of a service runs, by service id.
    agents: nodes whose agent is heard, this one's own included.
    drained: by node id the rule that drained it and has not taken it back.
    """

    node: Node
    nodes: Mapping[str, Node]
    fresh: bool = True
    memory: Sample | None = None
    disk: Sample | None = None
    ends: tuple[Ended, ...] = ()
    running: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    agents: tuple[str, ...] = ()
    drained: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NodesSeen:
    """What is known of all nodes at one moment; fields as those of `NodeEvidence`.

    memory, disk: by node id.
    """

    nodes: Mapping[str, Node]
    fresh: bool = True
    memory: Mapping[str, Sample] = field(default_factory=dict)
    disk: Mapping[str, Sample] = field(default_factory=dict)
    ends: tuple[Ended, ...] = ()
    running: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    agents: tuple[str, ...] = ()

    def of(self, node: Node, drained: Mapping[str, str]) -> NodeEvidence:
        return NodeEvidence(
            node=node,
            nodes=self.nodes,
            fresh=self.fresh,
            memory=self.memory.get(node.id),
            disk=self.disk.get(node.id),
            ends=self.ends,
            running=self.running,
            agents=self.agents,
            drained=drained,
        )

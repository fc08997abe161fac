"""What else is known of a service than its view and what its tasks use."""

from typing import Protocol

from monitor.model.evidence import NO_EVIDENCE, Evidence
from monitor.model.node_evidence import NodesSeen
from monitor.model.now import Now
from monitor.model.rule import AnyRule
from monitor.model.view import ServiceView


class EvidenceSource(Protocol):
    def evidence(self, rule: AnyRule, view: ServiceView, now: Now) -> Evidence:
        """What the rule may ask for, from memory, at once."""


class NodeEvidenceSource(Protocol):
    def nodes(self, *, failures: bool, now: Now) -> NodesSeen:
        """What is known of all nodes, from memory, at once. failures: whether anybody asks for
        the ends of tasks."""


class NoEvidence:
    """For those who know nothing else."""

    def evidence(self, rule: AnyRule, view: ServiceView, now: Now) -> Evidence:
        return NO_EVIDENCE

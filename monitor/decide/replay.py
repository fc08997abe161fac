"""A decision's whole inputs as plain data, and the same decision made of them again."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from monitor.decide.dispatch import decide
from monitor.decide.refusals import ambiguous
from monitor.model.codec import Codec
from monitor.model.decision import Decision
from monitor.model.evidence import NO_EVIDENCE, Evidence
from monitor.model.history import History
from monitor.model.now import Now
from monitor.model.rule import AnyRule
from monitor.model.usage import Usage
from monitor.model.view import ServiceView

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """All that `decide` was given. `rivals`: other scale rules that claimed the service too.

    Nodes that run none of the service's tasks are left out, and so is the service's raw spec:
    neither counts for a decision.
    """

    rule: AnyRule
    view: ServiceView
    usage: Usage
    history: History
    now: Now
    own_service: bool = False
    rivals: tuple[str, ...] = ()
    evidence: Evidence = NO_EVIDENCE

    def to_json(self) -> dict[str, Any]:
        """Plain dicts, lists, texts and numbers."""
        return {"format": FORMAT, "inputs": Codec().encode(self, Recorded)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Recorded":
        """What `to_json` gave. ValueError where it is something else, or of another format."""
        if data.get("format") != FORMAT:
            raise ValueError(f"format {data.get('format')} is not {FORMAT}, the one that is known")
        try:
            found: Recorded | None = Codec().decode(data["inputs"], Recorded)
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise ValueError(f"this is no recorded decision: {error!r}") from error
        if found is None:
            raise ValueError("this is no recorded decision: there is nothing in it")
        return found


def lean(view: ServiceView) -> ServiceView:
    """Without what counts for no decision: the raw spec, and nodes that run none of the tasks."""
    used = dict.fromkeys(task.node_id for task in view.tasks)
    nodes = {key: view.nodes[key] for key in used if key in view.nodes}
    return replace(view, nodes=nodes, service=replace(view.service, raw={}))


def record(
    rule: AnyRule,
    view: ServiceView,
    usage: Usage,
    history: History,
    now: Now,
    *,
    own_service: bool = False,
    rivals: tuple[str, ...] = (),
    evidence: Evidence = NO_EVIDENCE,
    leaned: ServiceView | None = None,
) -> Recorded:
    """The arguments of one call of `decide` (or, with rivals, of `ambiguous`).

    leaned: `lean(view)`, where it is known already.
    """
    return Recorded(
        rule=rule,
        view=lean(view) if leaned is None else leaned,
        usage=usage,
        history=history,
        now=now,
        own_service=own_service,
        rivals=rivals,
        evidence=evidence,
    )


def replay(recorded: Recorded) -> Decision:
    """The decision, equal to the one that was made but for its id."""
    if recorded.rivals:
        return ambiguous(
            recorded.rule, recorded.view, recorded.rivals, recorded.history, recorded.now
        )
    return decide(
        recorded.rule,
        recorded.view,
        recorded.usage,
        recorded.history,
        recorded.now,
        own_service=recorded.own_service,
        evidence=recorded.evidence,
    )

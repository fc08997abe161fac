"""What the acting agent decided and did, as messages to people."""

from collections.abc import Callable

from monitor.agent.hindrances import Hindrances
from monitor.control.observer import Observer
from monitor.model.decision import Decision
from monitor.model.outcome import Outcome, OutcomeKind
from monitor.notify.message import Kind, Message
from monitor.notify.notifier import Notifier
from monitor.ports.clock import Clock

PROBLEMS = frozenset(
    {
        "breaker_open",
        "crash_loop",
        "rollout_paused",
        "budget",
        "flapping",
        "foreign_changes",
        "capacity",
        "ambiguous",
        "missing_samples",
        "quorum",
        "last_node",
    }
)
"""Reasons that hold a rule back and that somebody should look at."""

_SCALING = frozenset({"scale_up", "scale_down"})
_SAYS_NOTHING = "none"


class Notifying:
    """An Observer that hands everything on. Only what the acting agent does is told.

    node: the name of this agent's node. acting: whether this agent may act now. scaling: whether
    each scaling is told of, too.
    """

    def __init__(
        self,
        other: Observer,
        notifier: Notifier,
        clock: Clock,
        *,
        node: Callable[[], str],
        acting: Callable[[], bool],
        scaling: bool = False,
    ) -> None:
        self._other = other
        self._notifier = notifier
        self._clock = clock
        self._node = node
        self._acting = acting
        self._scaling = scaling
        self._hindrances = Hindrances()
        self._open: dict[tuple[str, str], str] = {}

    def decided(self, decision: Decision, new: bool) -> None:
        self._other.decided(decision, new)
        key = (decision.rule, decision.subject_name)
        if not self._acting():
            if self._open:
                self._open.clear()
                self._hindrances = Hindrances()
                self._notifier.hand_over()
            return
        lasting = self._hindrances.lasting(decision)
        known = self._open.get(key)
        if known is not None and known != str(decision.reason):
            del self._open[key]
            self._notifier.end_problem(_problem(key, known))
        reason = str(decision.reason)
        if reason in PROBLEMS and (lasting or reason == "breaker_open"):
            self._open[key] = reason
            self._notifier.raise_problem(self._message(decision, Kind.PROBLEM))

    def wrote(self, decision: Decision, outcome: Outcome) -> None:
        self._other.wrote(decision, outcome)
        name = decision.action_name
        if outcome.kind is OutcomeKind.CONFLICT or name == _SAYS_NOTHING:
            return
        if outcome.kind is OutcomeKind.APPLIED:
            if name not in _SCALING or self._scaling:
                kind = Kind.NOTICE if name == "notify" else Kind.ACTION
                self._notifier.tell(self._message(decision, kind, outcome))
            return
        self._notifier.tell(self._message(decision, Kind.FAILURE, outcome), once=True)

    def learned(self, decision: Decision, outcome: Outcome | None) -> None:
        self._other.learned(decision, outcome)

    def forgot(self, rule: str, service_name: str) -> None:
        self._other.forgot(rule, service_name)
        self._hindrances.forget(rule, service_name)
        known = self._open.pop((rule, service_name), None)
        if known is not None:
            self._notifier.end_problem(_problem((rule, service_name), known))

    def _message(self, decision: Decision, kind: Kind, outcome: Outcome | None = None) -> Message:
        now, text = self._clock.now().wall, decision.sentence
        key = f"{kind}/{decision.rule}/{decision.subject_name}"
        if kind is Kind.PROBLEM:
            key = _problem((decision.rule, decision.subject_name), str(decision.reason))
        elif kind is Kind.FAILURE and outcome is not None:
            text = f"{decision.subject_name}: {decision.action_name} was not done: {outcome.detail}"
            if outcome.kind is OutcomeKind.UNKNOWN:
                text = (
                    f"{decision.subject_name}: whether {decision.action_name} was done is not "
                    f"known: {outcome.detail}"
                )
            key += f"/{decision.action_name}/{outcome.kind}"
        return Message(
            key=key,
            kind=kind,
            text=text,
            since=now,
            ended=None if kind is Kind.PROBLEM else now,
            rule=decision.rule,
            service_name=decision.service_name,
            node_name=decision.node_name,
            action="" if outcome is None else decision.action_name,
            reason=str(decision.reason),
            outcome="" if outcome is None else str(outcome.kind),
            node=self._node(),
        )


def _problem(key: tuple[str, str], reason: str) -> str:
    return f"{Kind.PROBLEM}/{key[0]}/{key[1]}/{reason}"

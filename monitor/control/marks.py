"""Writes that were about to be sent when the state was stored: whoever comes after finds out."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import Enum
from typing import Any

from monitor.act.spec import ALLOWED, changed_spec
from monitor.act.writer import MAX_DECISION_AGE
from monitor.control.survivors import moment, whole
from monitor.decide import record_write
from monitor.decide.course import MOVES
from monitor.model.action import ForceUpdate, RestartTask, ScaleTo, SetAvailability, SpecAction
from monitor.model.codec import Codec
from monitor.model.decision import Decision
from monitor.model.fingerprint import fingerprint
from monitor.model.history import History
from monitor.model.node import Node
from monitor.model.now import Now
from monitor.model.service import Service

_FIELDS = frozenset(field.name for field in fields(Decision))


class Fate(Enum):
    """What a service shows of a write that somebody else was about to send."""

    UNTOLD = "untold"  # it is known as it was before that decision
    NOT_APPLIED = "not applied"  # its version is still the one that was decided on
    OWN = "own"  # what is there is exactly what was posted
    APPLIED = "applied"  # the number that was written is there, with changes of others
    UNKNOWN = "unknown"  # somebody wrote after it, or in its place


@dataclass(frozen=True, slots=True)
class Mark:
    """decision: in short, with its action. posted: fingerprint of the spec that it makes of the
    one it was decided on. expected: the number that it writes: replicas, or ForceUpdate; "" and
    -1 for an action that writes no number.
    """

    decision: Decision
    posted: str
    expected: int

    def fate(self, service: Service) -> Fate:
        """Only as good as the service is new; the version guards whatever follows of it."""
        if service.version < self.decision.version:
            return Fate.UNTOLD
        if isinstance(self.decision.action, RestartTask):
            return Fate.UNKNOWN  # it leaves no trace in the service
        if service.version == self.decision.version:
            return Fate.NOT_APPLIED
        spec = service.raw.get("Spec") or {}
        if fingerprint(spec) == self.posted:
            return Fate.OWN
        same = _number(spec, self.decision) == self.expected
        return Fate.APPLIED if same else Fate.UNKNOWN

    def node_fate(self, node: Node) -> Fate:
        """Of a mark on a node. A drain that is there is taken for the one that was sent: the
        version tells whether anything came after it was decided, and not who did it."""
        if node.version < self.decision.version:
            return Fate.UNTOLD
        if node.version == self.decision.version:
            return Fate.NOT_APPLIED
        action = self.decision.action
        same = isinstance(action, SetAvailability) and node.availability is action.availability
        return Fate.OWN if same else Fate.UNKNOWN

    def counted(self, history: History, now: Now, fate: Fate = Fate.OWN) -> History:
        """With the write in it, as of the latest moment at which it may have been sent.

        Where nobody can tell whether it was applied it counts for cooldowns and budgets alone.
        """
        latest = min(now.mono, self.decision.time.mono + MAX_DECISION_AGE)
        sent = Now(latest, now.wall - now.mono + latest)
        written = record_write(history, self.decision, sent)
        if fate is not Fate.UNKNOWN:
            return written
        return replace(
            written,
            set_by_us=history.set_by_us,
            scaled_to_zero_by_us=history.scaled_to_zero_by_us,
            zero_by_user=history.zero_by_user,
            reset=history.reset,
            seen=history.seen,
            course=history.course if self.decision.node_id else written.course,
        )


def mark_of(decision: Decision, service: Service) -> Mark:
    """decision: with an action, made on this very version of the service."""
    if not isinstance(decision.action, SpecAction):
        return Mark(in_short(decision), "", -1)
    spec = changed_spec(service.raw.get("Spec") or {}, decision.action)
    return Mark(in_short(decision), fingerprint(spec), _number(spec, decision) or 0)


def _number(spec: Mapping[str, Any], decision: Decision) -> int | None:
    """The number that the action writes, as it is in `spec`; an absent ForceUpdate is 0."""
    if not isinstance(decision.action, SpecAction):
        return None
    value: Any = spec
    for step in ALLOWED[type(decision.action)]:
        value = value.get(step) if isinstance(value, Mapping) else None
    if value is None and isinstance(decision.action, ForceUpdate):
        return 0
    return value if isinstance(value, int) else None


def in_short(decision: Decision) -> Decision:
    """Without what it was made of: when, by which rule, of what, what was done and why.

    Of a move also how many are needed, which is told with the tasks by node before and after.
    """
    return replace(
        decision,
        stages=tuple(one for one in decision.stages if one.name == MOVES),
        inputs=(),
        conditions=(),
        holding=(),
        recheck_after=None,
        recommendation=None,
        failing=False,
        would_change="",
    )


class Shorthand:
    """Decisions in short as plain JSON, their time in wall seconds."""

    def __init__(self) -> None:
        self._codec = Codec()

    def encode(self, decision: Decision, now: Now) -> dict[str, Any]:
        data: dict[str, Any] = self._codec.encode(in_short(decision), Decision)
        data["time"] = round(decision.time.mono + now.wall - now.mono, 4)
        return data

    def decode(self, data: Any, now: Now) -> Decision:
        """ValueError for what is no decision, or one of a release that knows more."""
        try:
            at = moment(data["time"], now)
            time = {"mono": at, "wall": now.wall - now.mono + at}
            known = {key: value for key, value in data.items() if key in _FIELDS}
            found: Decision = self._codec.decode({**known, "time": time}, Decision)
            texts = (found.rule, found.subject_id, found.subject_name, found.sentence, found.id)
            if not all(isinstance(text, str) for text in texts):
                raise ValueError("a name in it is no text")
            for number in (found.version, found.current or 0, found.desired or 0):
                whole(number)
            if isinstance(found.action, ScaleTo):
                whole(found.action.replicas)
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise ValueError(f"this is no decision: {error!r}") from error
        return found

    def encode_mark(self, mark: Mark, now: Now) -> dict[str, Any]:
        return {
            "decision": self.encode(mark.decision, now),
            "posted": mark.posted,
            "expected": mark.expected,
        }

    def decode_mark(self, data: Any, now: Now) -> Mark:
        """ValueError for what is no mark."""
        if not isinstance(data, Mapping):
            raise ValueError("this is no mark of a write")  # noqa: TRY004
        decision = self.decode(data.get("decision"), now)
        if decision.action is None:
            raise ValueError("this is a mark of no write")
        return Mark(decision, str(data.get("posted")), whole(data.get("expected")))

"""What many runs came to: hours lived, faults injected and promises kept, as a table."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.simulated.dst import judge_nodes, judge_restarts
from tests.simulated.dst.history import Arrived, Injected, Life
from tests.simulated.dst.judging import Case, Verdict
from tests.simulated.dst.kinds import KINDS
from tests.simulated.dst.live import Lived
from tests.simulated.dst.promises import PROMISES, RECOVERY

ACTS = (*judge_restarts.ACTS, *judge_nodes.ACTS)


@dataclass
class Tally:
    """Can be sent from one process to another and added up. seconds: virtual ones."""

    runs: int = 0
    seconds: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    exercised: Counter[int] = field(default_factory=Counter)
    broken: Counter[int] = field(default_factory=Counter)
    happened: Counter[str] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)

    def count(self, lived: Lived, verdicts: Iterable[Verdict]) -> None:
        self.runs += 1
        self.seconds += lived.seconds
        self.faults.update(one.kind for one in lived.history.of(Injected) if not one.over)
        for verdict in verdicts:
            self.exercised[verdict.promise] += verdict.exercised
            self.broken[verdict.promise] += len(verdict.violations)
        own = [one for one in lived.history.of(Arrived) if one.own]
        self.happened["writes of agents"] += len(own)
        self.happened["of them applied"] += sum(one.applied for one in own)
        self.happened["writes of people"] += sum(not one.own for one in lived.history.of(Arrived))
        for judge in (judge_nodes, judge_restarts):
            self.acts.update(judge.acts(Case(lived.history)))
        lives = Counter(one.what for one in lived.history.of(Life))
        self.happened["agents that began"] += lives["begins"]
        self.happened["agents killed"] += lives["killed"]
        self.happened["agents frozen"] += lives["frozen"]

    def add(self, other: "Tally") -> None:
        self.runs += other.runs
        self.seconds += other.seconds
        for mine, its in (
            *((self.faults, other.faults), (self.happened, other.happened)),
            (self.acts, other.acts),
            *((self.exercised, other.exercised), (self.broken, other.broken)),  # type: ignore[arg-type]
        ):
            mine.update(its)

    def table(self) -> str:
        """By promise, then by kind of fault."""
        hours = self.seconds / 3600
        lines = [
            f"{self.runs} seeds, {hours:.1f} virtual hours, {self.faults.total()} faults; "
            + ", ".join(f"{count} {what}" for what, count in self.happened.items()),
            "",
            f"{'promise':56} {'hours':>7} {'faults':>8} {'held to it':>11} {'broken':>7}",
        ]
        for number, (text, _) in PROMISES.items():
            against = sum(
                count for kind, count in self.faults.items() if number in KINDS[kind].against
            )
            lines.append(self._line(f"{number:2} {text}", number, hours, against))
        text = " - in the end all is as it should be"
        lines.append(self._line(text, RECOVERY, hours, self.faults.total()))
        lines += ["", f"{'what rules did to services that ail':56} {'times':>7}"]
        lines += [f"{what:56} {self.acts[what]:7}" for what in ACTS]
        lines += ["", f"{'kind of fault':28} {'times':>7}  against promises"]
        for kind in sorted(KINDS):
            against_all = ", ".join(map(str, KINDS[kind].against))
            lines.append(f"{kind:28} {self.faults[kind]:7}  {against_all}")
        return "\n".join(lines)

    def _line(self, text: str, number: int, hours: float, against: int) -> str:
        held, broken = self.exercised[number], self.broken[number]
        return f"{text:56} {hours:7.1f} {against:8} {held:11} {broken:7}"

    @property
    def vacuous(self) -> list[int | str]:
        """Promises that never had to hold, and what rules never did."""
        return [number for number in PROMISES if not self.exercised[number]] + [
            what for what in ACTS if not self.acts[what]
        ]

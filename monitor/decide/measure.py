"""How far usage is from its target: as a share of the request, or as an average per task.

Values, requests and targets are whole numbers of one unit that the caller chooses
(nano-cores, bytes, thousandths), so that sums do not depend on their order.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Level:
    """ratio: usage over target. level: in the target's terms. average: per task, cut down."""

    ratio: float
    level: float
    average: int


class Measure(Protocol):
    @property
    def plain(self) -> bool:
        """Whether usage is not set in relation to a request."""

    def level(self, values: Mapping[str, int]) -> Level | None:
        """None where no value belongs to a task that can be judged."""

    def lacks(self, tasks: Iterable[str]) -> bool:
        """Whether a task has nothing to be measured against."""

    def full(self, task: str) -> int:
        """What a task without a sample is taken to use while load looks low."""


@dataclass(frozen=True, slots=True)
class Share:
    """`target` in percent of the requests; `whole` cuts the utilisation down to whole percent.

    The formula is HorizontalPodAutoscaler's: all usage over all requests, not a mean of shares.
    """

    requests: Mapping[str, int | None]
    target: float
    whole: bool

    @property
    def plain(self) -> bool:
        return False

    def level(self, values: Mapping[str, int]) -> Level | None:
        used = requested = entries = 0
        for task, value in values.items():
            request = self.requests.get(task)
            if request is None:
                continue
            used += value
            requested += request
            entries += 1
        if requested == 0:
            return None
        utilization = used * 100 // requested if self.whole else used * 100 / requested
        return Level(utilization / self.target, utilization, used // entries)

    def lacks(self, tasks: Iterable[str]) -> bool:
        return any(self.requests.get(task) is None for task in tasks)

    def full(self, task: str) -> int:
        """All of its request, or the target where that is even more."""
        return int((self.requests.get(task) or 0) * max(100.0, self.target) // 100)


@dataclass(frozen=True, slots=True)
class Mean:
    """`target` per task; `whole` cuts the average down to a whole number."""

    target: int
    whole: bool

    @property
    def plain(self) -> bool:
        return True

    def level(self, values: Mapping[str, int]) -> Level | None:
        if not values:
            return None
        used = sum(values.values())
        average = used // len(values)
        level = average if self.whole else used / len(values)
        return Level(level / self.target, level, average)

    def lacks(self, tasks: Iterable[str]) -> bool:
        return False

    def full(self, task: str) -> int:
        """Exactly the target: such a task asks for no change."""
        return self.target

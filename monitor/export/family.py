"""A metric family as data: what is known of a metric before any object is seen."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")

Sample = tuple[tuple[str, ...], float]
"""Label values in the order of the family's labels, and the value in base units."""


class Stability(StrEnum):
    """STABLE names and labels are removed no earlier than two minor versions after notice."""

    STABLE = "STABLE"
    EXPERIMENTAL = "EXPERIMENTAL"


class MetricType(StrEnum):
    GAUGE = "gauge"
    COUNTER = "counter"
    INFO = "info"
    HISTOGRAM = "histogram"


class TaskLabels(StrEnum):
    """How series of tasks are told apart.

    task: by task id; every replacement of a task starts new series.
    slot: by service and slot (node for global services); as many series as slots, ever.
    """

    TASK = "task"
    SLOT = "slot"


@dataclass(frozen=True, slots=True)
class Family:
    """`name` as in sample lines: counters end in `_total`, infos in `_info`.

    present: for people: when the family has series at all.
    open_labels: whether labels chosen by an allow-list follow after `labels`.
    """

    name: str
    type: MetricType
    help: str
    labels: tuple[str, ...] = ()
    stability: Stability = Stability.STABLE
    present: str = "always"
    open_labels: bool = False

    def __post_init__(self) -> None:
        if (self.type is MetricType.COUNTER) != self.name.endswith("_total"):
            raise ValueError(f"{self.name}: counters end in _total, nothing else does")
        if (self.type is MetricType.INFO) != self.name.endswith("_info"):
            raise ValueError(f"{self.name}: infos end in _info, nothing else does")

    @property
    def text(self) -> str:
        """The help with its stability in front."""
        return f"[{self.stability}] {self.help}"

    @property
    def base_name(self) -> str:
        """The family's name in OpenMetrics, where `_total` and `_info` belong to samples."""
        return self.name.removesuffix("_total").removesuffix("_info")


@dataclass(frozen=True, slots=True)
class Generator(Generic[T]):
    """Turns one object into its samples of one family.

    extra: the open labels (name, value) of the object; without any the object has no samples.
    """

    family: Family
    samples: Callable[[T], Iterable[Sample]]
    extra: Callable[[T], tuple[tuple[str, str], ...]] | None = None


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """All families of one kind of object, in the order of the exposition."""

    name: str
    generators: tuple[Generator[T], ...]

    @property
    def families(self) -> tuple[Family, ...]:
        return tuple(generator.family for generator in self.generators)

"""The cached exposition: always equal to rendering everything anew."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text

from monitor.export.budget import SeriesBudget
from monitor.export.catalogue.services import service_kind
from monitor.export.catalogue.tasks import SLOT_KIND, task_kind
from monitor.export.family import Family, Generator, Kind, MetricType
from monitor.export.rows import ServiceRow, SlotRow, TaskRow
from monitor.export.store import ExpositionStore
from monitor.export.text import LABEL_LIMIT, format_value
from tests.unit.export import things


def slots(budget: SeriesBudget | None = None) -> ExpositionStore:
    return ExpositionStore([SLOT_KIND], budget)


def sample_lines(body: bytes) -> list[str]:
    return [line for line in body.decode().splitlines() if not line.startswith("#")]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["put", "drop", "render"]),
            st.integers(0, 4),
            st.one_of(st.none(), st.integers(0, 2)),
        )
    )
)
def test_cache_equals_rendering_anew(steps: list[tuple[str, int, int | None]]) -> None:
    """After any changes, in any order with scrapes, the cache shows what is there and no more."""
    store, current = slots(), {}
    for step, number, code in steps:
        key = str(number)
        if step == "put":
            current[key] = SlotRow("web", key, code, number)
            store.put("slot", key, current[key])
        elif step == "drop":
            current.pop(key, None)
            store.drop("slot", key)
        else:
            store.render(openmetrics=False)
    anew = slots()
    for key, row in current.items():
        anew.put("slot", key, row)
    assert sorted(sample_lines(store.render(openmetrics=True))) == sorted(
        sample_lines(anew.render(openmetrics=True))
    )
    assert store.series == anew.series == len(sample_lines(anew.render(openmetrics=False)))


def test_blocks_are_packed_and_opened_as_objects_come_and_go() -> None:
    """Thousands of objects over many blocks, changed, dropped and brought back at random, shown
    plain or packed in between: always what is there, and nothing else."""
    chance = random.Random(1)
    store, current = slots(), {}
    for _ in range(40):
        for _ in range(chance.choice((1, 30, 3_000))):
            key = str(chance.randrange(12_000))
            if chance.random() < 0.8:
                current[key] = SlotRow("web", key, chance.choice((None, 0, 1)), 0)
                store.put("slot", key, current[key])
            else:
                current.pop(key, None)
                store.drop("slot", key)
        for block in store.blocks(openmetrics=False):
            if chance.random() < 0.5:
                data, length, _, _ = block.packed
                assert len(data) < length or length < 500
    anew = slots()
    for key, row in current.items():
        anew.put("slot", key, row)
    assert sorted(sample_lines(store.render(openmetrics=True))) == sorted(
        sample_lines(anew.render(openmetrics=True))
    )
    assert store.series == anew.series


def test_what_is_full_is_packed_before_anybody_asks() -> None:
    """Of ten thousand objects rendered in slices one block of each family is held as lines."""
    store = slots()
    for number in range(10_000):
        store.put("slot", str(number), SlotRow("web", str(number), 0, 0))
    while store.refresh(100):
        pass
    blocks = [block for block in store.blocks(openmetrics=False) if len(block.lines()) > 1]
    assert (len(blocks), sum(not block.is_packed for block in blocks)) == (80, 2)


def test_only_changed_objects_are_rendered() -> None:
    """A scrape calls the generators of changed objects alone, and of none if equal came in."""
    rendered: list[str] = []

    def samples(row: SlotRow) -> list[tuple[tuple[str, ...], float]]:
        rendered.append(row.place)
        return [((row.place,), row.restarts)]

    family = Family("x", MetricType.GAUGE, "X.", ("place",))
    store = ExpositionStore([Kind("slot", (Generator(family, samples),))])
    for place in "abc":
        store.put("slot", place, SlotRow("web", place, None, 0))
    store.render(openmetrics=False)
    rendered.clear()
    store.put("slot", "b", SlotRow("web", "b", None, 1))
    store.put("slot", "c", SlotRow("web", "c", None, 0))
    blocks = store.blocks(openmetrics=False)
    assert rendered == ["b"]
    again = store.blocks(openmetrics=False)
    assert rendered == ["b"]
    assert all(one is other for one, other in zip(blocks, again, strict=True)), "nothing is copied"


def test_only_the_blocks_of_changed_objects_are_made_anew() -> None:
    """Of a thousand objects one changes and one goes: their two blocks are new, the others stay."""
    store = ExpositionStore([SLOT_KIND])
    for number in range(1_000):
        store.put("slot", str(number), SlotRow("web", str(number), None, 0))
    before = store.blocks(openmetrics=False)
    store.put("slot", "3", SlotRow("web", "3", None, 7))
    store.drop("slot", "999")
    after = store.blocks(openmetrics=False)
    assert len(before) == len(after) == 5
    assert [one is other for one, other in zip(before, after, strict=True)] == [
        True,
        False,
        True,
        True,
        False,
    ]
    store.put("slot", "new", SlotRow("web", "new", None, 0))
    assert len(store.blocks(openmetrics=False)) == 5, "it has the place of the one that is gone"


def test_refresh_in_slices_comes_to_the_same() -> None:
    """Rendering a few objects at a time ends where rendering all at once does."""
    sliced, whole = slots(), slots()
    for number in range(25):
        row = SlotRow("web", str(number), number, number)
        sliced.put("slot", str(number), row)
        whole.put("slot", str(number), row)
    passes = 0
    while sliced.pending:
        sliced.refresh(4)
        passes += 1
    assert passes == 7
    assert sliced.render(openmetrics=False) == whole.render(openmetrics=False)


def test_series_cap_holds_counts_and_heals() -> None:
    """Beyond the cap whole objects are left out and counted; room that comes is used."""
    budget = SeriesBudget(limit=10)
    store, other = slots(budget), slots(budget)
    other.put("slot", "x", SlotRow("other", "x", 0, 0))
    assert len(sample_lines(other.render(openmetrics=False))) == 2
    for number in range(100):
        store.put("slot", str(number), SlotRow("web", str(number), 0, 0))
    assert len(sample_lines(store.render(openmetrics=False))) == 8
    assert budget.used == 10
    assert budget.dropped == {"series_limit": 96 * 2}
    store.render(openmetrics=False)
    assert budget.dropped == {"series_limit": 96 * 2}, "an object is counted once"
    other.drop("slot", "x")
    assert len(sample_lines(store.render(openmetrics=False))) == 10
    for number in range(100):
        store.drop("slot", str(number))
    assert store.render(openmetrics=False) == b""
    assert budget.used == 0


def test_names_filter() -> None:
    """Asked for single metrics, the store answers those, with their headers, and no others."""
    store = slots()
    store.put("slot", "1", SlotRow("web", "1", 0, 0))
    body = store.render(openmetrics=False, names=frozenset({"swarm_task_restarts_total"}))
    assert sample_lines(body) == ['swarm_task_restarts_total{service_name="web",slot="1"} 0']
    assert body.count(b"# TYPE") == 1


def test_a_family_belongs_to_one_kind() -> None:
    """Two kinds with one family would tear its lines apart, so that is refused at once."""
    twice = Kind("other", SLOT_KIND.generators)
    with pytest.raises(ValueError, match="twice"):
        ExpositionStore([SLOT_KIND, twice])


@pytest.mark.parametrize("name", ["swarm_things", "swarm_things_info"])
def test_names_follow_the_rules(name: str) -> None:
    """A counter without _total, or another type with _info, cannot be written down."""
    with pytest.raises(ValueError, match=name):
        Family(name, MetricType.COUNTER, "Help.")


class Long(str):
    """A short text that stands for one of more than 64 kB, so that reports stay readable."""

    __slots__ = ()

    @property
    def whole(self) -> str:
        return str(self) * 70_000


def whole(text: str) -> str:
    return text.whole if isinstance(text, Long) else text


HOSTILE = st.one_of(
    st.text(max_size=40),
    st.text(alphabet='\\"\n\r\t\0{}=,# \u2028\x85\ud800é', max_size=40),
    st.text(alphabet='a\\"\n', min_size=1, max_size=3).map(Long),
)


@settings(max_examples=150, deadline=None)
@given(HOSTILE, HOSTILE, HOSTILE)
def test_hostile_values_stay_parseable(name: str, image: str, other: str) -> None:
    """Any text in names, images and labels parses back in both formats, and to itself if sane."""
    name, image, other = whole(name), whole(image), whole(other)
    store = ExpositionStore([task_kind(), service_kind(["*"])])
    row = TaskRow(things.task(image=image), name, other)
    store.put("task", "k", row)
    of = things.service(name=name, image=image, labels={other: image, f"{other}.": name})
    store.put("service", "k", ServiceRow(of, 1, 1, {}, {}))
    text = store.render(openmetrics=False)
    openmetrics = store.render(openmetrics=True) + b"# EOF\n"
    from_text = [s for f in parse_text(text.decode()) for s in f.samples]
    from_openmetrics = [s for f in parse_openmetrics(openmetrics.decode()) for s in f.samples]
    assert len(from_text) == len(from_openmetrics) == store.series
    info = next(s for s in from_text if s.name == "swarm_task_info")
    for label, value in (("service_name", name), ("image", image), ("node_name", other)):
        assert len(info.labels[label]) <= LABEL_LIMIT
        if len(value) <= LABEL_LIMIT and all(c == "\n" or c.isprintable() for c in value):
            assert info.labels[label] == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        (True, "1.0"),
        (0.1, "0.1"),
        (1e22, "1e+22"),
        (float("nan"), "NaN"),
        (float("inf"), "+Inf"),
        (float("-inf"), "-Inf"),
    ],
)
def test_values(value: float, text: str) -> None:
    """Numbers are spelled as both formats read them, without losing digits."""
    assert format_value(value) == text

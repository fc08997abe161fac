"""Bounds by schedules: in local time, in real durations, daylight saving in both directions."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.model.evidence import Moments
from monitor.model.rule import ScaleRule
from monitor.model.schedule import Schedule
from monitor.sources.calendar import CronCalendar
from tests.unit.build import scale_rule

HOUR = 3600.0
BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"


def at(text: str, zone: str = "UTC", fold: int = 0) -> float:
    """Wall seconds of a local time such as `2026-03-29 02:30`."""
    local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return local.timestamp()


def rule(*schedules: Schedule, least: int = 1, most: int = 10) -> ScaleRule:
    return scale_rule(min=least, max=most, schedules=schedules)


def bounds(of: ScaleRule, wall: float, calendar: CronCalendar | None = None) -> tuple[int, int]:
    found = (calendar or CronCalendar()).in_force(of, wall)
    return found.min, found.max


def begins(of: ScaleRule, start: str, end: str) -> list[str]:
    """The UTC minutes between two UTC days from which on a schedule is active."""
    calendar, wall, active = CronCalendar(), at(start), False
    found: list[str] = []
    while wall < at(end):
        before, active = active, bool(calendar.active(of, wall))
        if active and not before:
            found.append(datetime.fromtimestamp(wall, UTC).strftime("%d %H:%M"))
        wall += 60
    return found


def test_a_schedule_holds_from_its_moment_on_for_its_duration() -> None:
    """The first second is in, the last one is not; in the zone's local time."""
    office = rule(Schedule("0 8 * * mon-fri", 10 * HOUR, BERLIN, min=6, max=40))
    for summer, day in ((True, "2026-07-01"), (False, "2026-01-07")):  # Wednesdays
        start = at(f"{day} 08:00", BERLIN)
        assert start % 86_400 == (6 if summer else 7) * HOUR
        assert bounds(office, start - 0.001) == (1, 10)
        assert bounds(office, start) == (6, 40)
        assert bounds(office, start + 10 * HOUR - 0.001) == (6, 40)
        assert bounds(office, start + 10 * HOUR) == (1, 10)
    assert bounds(office, at("2026-07-04 12:00", BERLIN)) == (1, 10)  # a Saturday


def test_nothing_in_force_is_the_same_object() -> None:
    """Without schedules, without active ones, and where an active one changes nothing."""
    now = at("2026-07-01 12:00")
    for quiet in (
        rule(),
        rule(Schedule("0 0 * * *", HOUR, min=5)),
        rule(Schedule("* * * * *", HOUR, min=1, max=10)),
        rule(Schedule("* * * * *", HOUR)),
    ):
        assert CronCalendar().in_force(quiet, now) is quiet


ALWAYS = ("* * * * *", HOUR)


@pytest.mark.parametrize(
    ("schedules", "expected"),
    [
        ([(4, 8)], (4, 8)),
        ([(4, None)], (4, 10)),
        ([(None, 5)], (2, 5)),
        ([(4, 8), (6, None)], (6, 8)),
        ([(4, 8), (None, 20)], (4, 20)),
        ([(6, 8), (4, 20)], (4, 20)),
        ([(None, 1)], (1, 1)),  # below the rule's own min
        ([(12, None)], (12, 12)),  # above the rule's own max
        ([(8, None), (None, 3)], (3, 3)),
        ([(None, 3), (8, None)], (8, 8)),
        ([(None, 1), (None, 20)], (2, 20)),  # what was overridden pulls nothing along
        ([(12, None), (3, None)], (3, 10)),
        ([(0, 0)], (0, 0)),
        ([(9, 3)], (3, 3)),
    ],
)
def test_the_last_active_schedule_wins_field_by_field(
    schedules: list[tuple[int | None, int | None]], expected: tuple[int, int]
) -> None:
    """Where min would be above max, the later one's own field stands and the other follows."""
    listed = [Schedule(*ALWAYS, min=least, max=most) for least, most in schedules]
    asleep = Schedule("0 0 1 1 *", HOUR, min=7, max=7)
    assert bounds(rule(*listed, asleep, least=2), at("2026-07-01 12:00")) == expected


@pytest.mark.parametrize(
    ("zone", "day", "cron", "expected"),
    [
        # Clocks go forward: 02:00 to 03:00. The skipped hour's moment comes right after it.
        (BERLIN, "2026-03-29", "30 2 * * *", ["28 01:30", "29 01:00", "30 00:30"]),
        (NEW_YORK, "2026-03-08", "30 2 * * *", ["07 07:30", "08 07:00", "09 06:30"]),
        # Clocks go back: 03:00 to 02:00, in New York 02:00 to 01:00. Once, in the first pass.
        (BERLIN, "2026-10-25", "30 2 * * *", ["24 00:30", "25 00:30", "26 01:30"]),
        (NEW_YORK, "2026-11-01", "30 1 * * *", ["31 05:30", "01 05:30", "02 06:30"]),
        # After it local time is what counts.
        (BERLIN, "2026-10-25", "0 8 * * *", ["24 06:00", "25 07:00", "26 07:00"]),
        (BERLIN, "2026-03-29", "0 8 * * *", ["28 07:00", "29 06:00", "30 06:00"]),
        # Zones that know no daylight saving.
        ("Asia/Kolkata", "2026-03-29", "30 2 * * *", ["28 21:00", "29 21:00", "30 21:00"]),
        ("UTC", "2026-03-29", "30 2 * * *", ["28 02:30", "29 02:30", "30 02:30"]),
        # Lord Howe Island moves by half an hour: from 02:00 to 02:30.
        ("Australia/Lord_Howe", "2026-10-04", "15 2 * * *", ["03 15:30", "04 15:15", "05 15:15"]),
    ],
)
def test_daylight_saving_is_right_both_ways(
    zone: str, day: str, cron: str, expected: list[str]
) -> None:
    """A moment in the skipped hour comes right after it, one in the doubled hour once."""
    first = datetime.fromisoformat(day) - timedelta(days=1)
    last = datetime.fromisoformat(day) + timedelta(days=2)
    of = rule(Schedule(cron, 600.0, zone, min=5))
    assert begins(of, first.isoformat(), last.isoformat()) == expected


def test_every_hour_goes_by_real_time() -> None:
    """With * as the hour a doubled hour has two moments and a skipped one none."""
    for day, expected in (("2026-10-25", 25), ("2026-03-29", 23), ("2026-07-01", 24)):
        start, end = at(day, BERLIN), at(day, BERLIN) + 30 * HOUR
        of = rule(Schedule("30 * * * *", 60.0, BERLIN, min=5))
        calendar = CronCalendar()
        minutes = [start + 60 * n for n in range(30 * 60)]
        here = [
            w
            for w in minutes
            if datetime.fromtimestamp(w, ZoneInfo(BERLIN)).date()
            == datetime.fromisoformat(day).date()
        ]
        assert sum(bool(calendar.active(of, wall)) for wall in here) == expected
        assert end > here[-1]


def test_durations_are_real_hours() -> None:
    """From 00:00 six hours end at 07:00 where clocks went forward, at 05:00 where back."""
    for day, end in (("2026-03-29", "07:00"), ("2026-10-25", "05:00"), ("2026-07-01", "06:00")):
        of = rule(Schedule("0 0 * * *", 6 * HOUR, BERLIN, min=5))
        over = at(f"{day} {end}", BERLIN)
        assert bounds(of, over - 1) == (5, 10)
        assert bounds(of, over) == (1, 10)


def test_a_schedule_longer_than_its_pause_never_ends() -> None:
    """And one that never comes never holds."""
    calendar, now = CronCalendar(), at("2026-03-29 00:00")
    overlapping = rule(Schedule("0 0,12 * * *", 13 * HOUR, BERLIN, min=5))
    for hour in range(24 * 14):
        assert bounds(overlapping, now + hour * HOUR, calendar) == (5, 10)
    for cron in ("0 0 30 2 *", "0 0 29 2 mon#6", "nonsense", ""):
        never = rule(Schedule(cron, HOUR, min=5))
        assert bounds(never, now) == (1, 10)
        assert calendar.next_change(never, now) is None
    nowhere = rule(Schedule("* * * * *", HOUR, "Nowhere/Else", min=5))
    assert bounds(nowhere, now) == (1, 10)
    assert calendar.next_change(rule(), now) is None


def test_a_long_duration_is_found_however_long_ago_it_began() -> None:
    """A leap day's schedule that lasts a year still holds after eleven months."""
    of = rule(Schedule("0 0 29 2 *", 365 * 24 * HOUR, BERLIN, min=5))
    assert bounds(of, at("2029-01-31 12:00")) == (5, 10)
    assert bounds(of, at("2029-03-31 12:00")) == (1, 10)


def test_the_wall_clock_may_jump() -> None:
    """What was kept for one time is not believed for another, however the clock moves."""
    of = rule(Schedule("0 8 * * *", 2 * HOUR, BERLIN, min=5))
    calendar = CronCalendar()
    for time, expected in (
        ("07:30", 1), ("08:30", 5), ("07:30", 1), ("09:59", 5), ("10:30", 1), ("09:30", 5),
        ("08:00", 5), ("07:59", 1), ("23:00", 1), ("08:00", 5),
    ):  # fmt: skip
        assert bounds(of, at(f"2026-05-05 {time}", BERLIN), calendar)[0] == expected


FIELDS = st.tuples(
    st.sampled_from(["0", "30", "59", "*/20", "5,35", "*"]),
    st.sampled_from(["0", "1", "2", "3", "23", "1-3", "*/6", "*", "0,12"]),
    st.sampled_from(["*", "*", "29", "1-8"]),
    st.sampled_from(["*", "3,10,11"]),
    st.sampled_from(["*", "*", "sun", "1-5"]),
).map(" ".join)
ZONES = st.sampled_from(
    [BERLIN, NEW_YORK, "UTC", "Asia/Kolkata", "Australia/Lord_Howe", "America/Havana",
     "Pacific/Auckland", "Asia/Beirut"]
)  # fmt: skip
CHANGES = st.sampled_from(
    ["2026-03-29", "2026-10-25", "2026-03-08", "2026-11-01", "2026-04-05", "2026-10-04",
     "2026-09-27", "2026-06-15"]
)  # fmt: skip

_NAMES = {"sun": 0}


def _in_field(field: str, value: int, least: int) -> bool:
    for part in field.split(","):
        span, _, step = part.partition("/")
        if span == "*":
            if (value - least) % int(step or 1) == 0:
                return True
            continue
        low, _, high = span.partition("-")
        first = _NAMES.get(low) if low in _NAMES else int(low)
        last = int(high) if high else first
        assert first is not None
        assert last is not None
        if first <= value <= last:
            return True
    return False


def _matches(cron: str, local: datetime) -> bool:
    minute, hour, day, month, weekday = cron.split()
    by_day = _in_field(day, local.day, 1)
    by_weekday = _in_field(weekday, local.isoweekday() % 7, 0)
    both = day.startswith("*") or weekday.startswith("*")
    return (
        _in_field(minute, local.minute, 0)
        and _in_field(hour, local.hour, 0)
        and _in_field(month, local.month, 1)
        and (by_day and by_weekday if both else by_day or by_weekday)
    )


def scanned(cron: str, zone: str, start: float, end: float) -> list[float]:
    """The moments in [start, end), by looking at every minute: slow, but plain."""
    here = ZoneInfo(zone)
    minutes = [start + 60 * n for n in range(int((end - start) // 60))]
    if cron.startswith("*") or cron.split()[1].startswith("*"):
        return [m for m in minutes if _matches(cron, datetime.fromtimestamp(m, here))]
    found = set()
    local = datetime.fromtimestamp(start, here).replace(tzinfo=None)
    last = datetime.fromtimestamp(end, here).replace(tzinfo=None)
    while local < last:
        if _matches(cron, local):
            moment, real = local, local.replace(tzinfo=here)
            while datetime.fromtimestamp(real.timestamp(), here).replace(tzinfo=None) != moment:
                moment += timedelta(minutes=1)
                real = moment.replace(tzinfo=here)
            found.add(real.timestamp())
        local += timedelta(minutes=1)
    return sorted(found)


@settings(max_examples=100, deadline=None)
@given(
    cron=FIELDS,
    zone=ZONES,
    day=CHANGES,
    duration=st.sampled_from([60.0, 900.0, 2 * HOUR, 26 * HOUR]),
    offsets=st.lists(st.integers(-24 * 60, 36 * 60), min_size=1, max_size=20),
)
@example("30 2 * * *", BERLIN, "2026-10-25", 60.0, list(range(-60, 240, 10)))
@example("*/20 * * * sun", "America/Havana", "2026-11-01", 900.0, list(range(0, 480, 7)))
def test_active_is_what_a_scan_of_every_minute_says(
    cron: str, zone: str, day: str, duration: float, offsets: list[int]
) -> None:
    """Around changes of offset, in both directions, with one calendar for all times."""
    middle = at(f"{day} 00:00", zone)
    moments = scanned(cron, zone, middle - 60 * HOUR, middle + 40 * HOUR)
    of, calendar = rule(Schedule(cron, duration, zone, min=5)), CronCalendar()
    for offset in offsets:
        wall = middle + offset * 60.0
        expected = any(moment <= wall < moment + duration for moment in moments)
        local = datetime.fromtimestamp(wall, ZoneInfo(zone))
        assert (bounds(of, wall, calendar)[0] == 5) is expected, local


@settings(max_examples=25, deadline=None)
@given(
    parts=st.lists(
        st.tuples(FIELDS, st.sampled_from([60.0, 1800.0, 2 * HOUR]), ZONES), min_size=1, max_size=3
    ),
    day=CHANGES,
)
def test_nothing_changes_before_the_next_change(
    parts: list[tuple[str, float, str]], day: str
) -> None:
    """From one change to the next the bounds stay, and time goes on."""
    of = rule(*(Schedule(c, d, z, min=2 + n) for n, (c, d, z) in enumerate(parts)))
    calendar, wall = CronCalendar(), at(f"{day} 00:00")
    times = [wall]
    while (following := calendar.next_change(of, wall)) is not None and len(times) < 30:
        assert following > wall
        times.append(following)
        wall = following
    for start, end in pairwise(times):
        for part in (0.0, 0.37, 0.9999):
            inside = start + part * (end - start)
            assert bounds(of, inside) == bounds(of, start)


def test_ten_thousand_questions_cost_one_search_each_schedule() -> None:
    """Between two changes a look-up is all it takes."""
    calendar, now = CronCalendar(), at("2026-05-05 12:00")
    of = rule(Schedule("0 8 * * *", 10 * HOUR, BERLIN, min=5))
    first = calendar.in_force(of, now)
    spans = dict(calendar._spans)
    for second in range(10_000):
        assert calendar.in_force(of, now + second / 10) == first
    assert calendar._spans == spans


def test_the_moments_around_a_time():
    """The newest within a day and the next one; in local time, once each where clocks change."""
    berlin = ZoneInfo("Europe/Berlin")
    night = datetime(2026, 3, 28, 4, tzinfo=berlin).timestamp()
    spring = datetime(2026, 3, 29, 4, tzinfo=berlin).timestamp()
    assert spring - night == 23 * 3600
    calendar = CronCalendar()
    found = calendar.moments("0 4 * * *", "Europe/Berlin", spring - 1)
    assert (found.last, found.next) == (night, spring)
    found = calendar.moments("0 4 * * *", "Europe/Berlin", spring)
    assert found.last == spring
    monthly = calendar.moments("0 4 1 * *", "Europe/Berlin", spring)
    assert monthly.last is None
    assert monthly.next == datetime(2026, 4, 1, 4, tzinfo=berlin).timestamp()
    assert calendar.moments("nonsense", "UTC", spring) == Moments()

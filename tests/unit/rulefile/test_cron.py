"""What is said of cron expressions and time zones that cannot be used."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.model.schedule import Schedule
from monitor.rulefile.cron import check_cron
from monitor.sources.calendar import CronCalendar
from tests.unit.build import scale_rule


@pytest.mark.parametrize(
    "cron",
    [
        "0 8 * * mon-fri",
        "*/5 * * * *",
        "0 0 1,15 * *",
        "0 0 L * *",
        "30 2 29 2 *",
        "0 22-23,0-6 * * SUN",
        "  0   8 * * 7 ",
    ],
)
def test_what_crontab_knows_is_fine(cron: str) -> None:
    """Names in any case, lists, ranges, steps, the last day, a leap day."""
    assert check_cron(cron, "Europe/Berlin") is None


@pytest.mark.parametrize(
    ("cron", "part"),
    [
        ("", "has 0 fields, not five"),
        ("0 8 * *", "has 4 fields, not five"),
        ("0 0 8 * * 1", "has 6 fields, not five"),
        ("8:00", "has 1 field, not five"),
        ("0 24 * * *", '"24" as its hour: write 0-23'),
        ("60 0 * * *", '"60" as its minute: write 0-59'),
        ("0 0 0 * *", '"0" as its day of month: write 1-31'),
        ("0 0 * 13 *", '"13" as its month: write 1-12'),
        ("0 0 * * monday", '"monday" as its day of week: write 0-7'),
        ("0 0 ? * 1", '"?" as its day of month: write *'),
        ("0 22-6 * * *", "a range goes upwards, write 22-23,0-6"),
        ("0 */0 * * *", '"*/0" as its hour'),
        ("0 0 30 2 *", "names a day that never comes"),
        ("0 0 31 4,6 *", "names a day that never comes"),
        ("@daily", 'write "0 0 * * *"'),
        ("@reboot", 'write "0 8 * * mon-fri"'),
        ("0 " * 200, "longer than 200"),
    ],
)
def test_a_bad_cron_is_told_what_to_write(cron: str, part: str) -> None:
    """The field by its name, and what may stand there."""
    said = check_cron(cron, "UTC")
    assert said is not None
    assert part in said


@pytest.mark.parametrize(
    ("zone", "part"),
    [
        ("europe/berlin", "did you mean Europe/Berlin?"),
        ("Europe/Berln", "did you mean Europe/Berlin?"),
        ("Berlin", "did you mean Europe/Berlin?"),
        ("New York", "did you mean America/New_York?"),
        ("Europe", "is not known"),
        ("", "is not known"),
        ("../../etc/passwd", "is not known"),
        ("/etc/localtime", "is not known"),
        ("UTC+2", "is not known"),
        ("localtime", "differs from node to node"),
    ],
)
def test_an_unknown_zone_names_the_nearest(zone: str, part: str) -> None:
    """By spelling or by city; where none is near, an example."""
    said = check_cron("0 8 * * *", zone)
    assert said is not None
    assert part in said


@given(cron=st.text("0123456789*/-,#LWmonsuajn? ", max_size=20), zone=st.text(max_size=12))
def test_any_text_is_fine_or_a_sentence(cron: str, zone: str) -> None:
    """Nothing is ever raised, here or later by the calendar; what is fine does come one day."""
    said = check_cron(cron, "UTC")
    check_cron(cron, zone)
    rule = scale_rule(schedules=(Schedule(cron, 60.0, min=3),))
    calendar, wall = CronCalendar(), 1_750_000_000.0
    calendar.in_force(rule, wall)
    if said is None:
        assert calendar.next_change(rule, wall) is not None

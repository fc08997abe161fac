from monitor.agent.hindrances import Hindrances
from monitor.model.now import Now
from monitor.model.reason import Reason
from tests.unit.build import decision


def told(hindrances, reason, *seconds):
    return [hindrances.lasting(decision(reason=reason, time=Now(at, 0.0))) for at in seconds]


def test_a_hindrance_is_told_once():
    """Two rules that claim one service are one line, not one a second."""
    assert told(Hindrances(), Reason.AMBIGUOUS, 1.0, 2.0, 3.0) == [True, False, False]


def test_samples_that_are_missing_for_a_moment_are_no_news():
    """Every fresh task lacks samples; half a minute without them is worth a line."""
    hindrances = Hindrances()
    assert told(hindrances, Reason.MISSING_SAMPLES, 0.0, 29.0, 30.0, 31.0) == [
        False,
        False,
        True,
        False,
    ]


def test_what_ended_and_comes_back_is_told_again():
    """Also where it was cut short before it was told."""
    hindrances = Hindrances()
    assert told(hindrances, Reason.AMBIGUOUS, 1.0) == [True]
    assert told(hindrances, Reason.WITHIN_TOLERANCE, 2.0) == [False]
    assert told(hindrances, Reason.AMBIGUOUS, 3.0) == [True]
    assert told(hindrances, Reason.MISSING_SAMPLES, 4.0, 33.0) == [False, False]

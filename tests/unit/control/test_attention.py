from monitor.control.attention import EVALUATE_AT_LEAST, Attention
from monitor.decide import record
from monitor.decide.history import ABSENT
from monitor.model.history import History
from monitor.model.now import Now
from monitor.model.scalar import Number, PrometheusQuery, ScalarMetric
from monitor.model.usage import Sample, Usage
from tests.unit.build import scale_rule, service, view


class Reported:
    """A UsageSource in which somebody may begin to report, and that counts who asks."""

    def __init__(self):
        self.samples_of = {}
        self.asked = 0

    def samples(self, task_ids, kind, window, rising_window, now):
        self.asked += 1
        return {key: self.samples_of[key] for key in task_ids if key in self.samples_of}


def judged(now, usage=None, rule=None):
    of = view(service())
    return record(rule or scale_rule(), of, usage or Usage(), History(), Now(now, now))


def at_rest(source, rule=None, usage=None):
    """A service that was judged at 0."""
    attention = Attention(source)
    attention.stir(["s1"], 0.0)
    assert attention.take(0.0) == "s1"
    attention.again("s1", 0.0, None, [judged(0.0, usage, rule)])
    return attention


def judgements(attention, until):
    """The seconds at which it is judged, where samples arrive each second."""
    found = []
    for second in range(1, until):
        attention.tick(["s1"], float(second))
        while (service_id := attention.take(float(second))) is not None:
            if not attention.rests(service_id, float(second)):
                found.append(second)
                attention.again(service_id, second, None, [judged(second)])
    return found


def test_a_service_that_nobody_reports_is_judged_once_in_a_while():
    """Seconds that bring no sample of a service cost a look for one, and no decision."""
    source = Reported()
    assert judgements(at_rest(source), 46) == [15, 30, 45]
    assert source.asked <= 46


def test_the_first_sample_is_judged_at_once():
    """Whoever begins to report a task ends the service's rest."""
    source = Reported()
    attention = at_rest(source)
    assert judgements(attention, 5) == []
    source.samples_of["task2"] = Sample(0.5, 0.0)
    attention.tick(["s1"], 5.0)
    assert attention.take(5.0) == "s1"
    assert not attention.rests("s1", 5.0)


def test_a_change_ends_the_rest():
    """What the mirror tells counts at once."""
    attention = at_rest(Reported())
    attention.stir(["s1"], 2.0)
    assert attention.take(2.0) == "s1"
    assert not attention.rests("s1", 2.0)


def test_measured_services_do_not_rest():
    """One sample, or a metric that is not about usage: each second may change the decision."""
    source = Reported()
    sampled = at_rest(source, usage=Usage({"cpu": {"task1": Sample(0.5, 0.0)}}))
    metric = ScalarMetric("queue", PrometheusQuery("q"), 10.0)
    rule = scale_rule(metrics=(metric,))
    numbered = at_rest(source, rule=rule, usage=Usage(numbers={"queue": Number(1.0, 0.0)}))
    for attention in (sampled, numbered):
        attention.tick(["s1"], 1.0)
        assert attention.take(1.0) == "s1"
        assert not attention.rests("s1", 1.0)


def test_what_is_measured_is_judged_more_often_than_a_hole_lasts():
    """Where nothing tells of anything, no window begins anew for it."""
    attention = at_rest(Reported(), usage=Usage({"cpu": {"task1": Sample(0.5, 0.0)}}))
    assert attention.next_at() == EVALUATE_AT_LEAST < ABSENT
    attention.again("s1", 0.0, 3.0)
    assert attention.next_at() == 3.0

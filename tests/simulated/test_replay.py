"""A replay beside the whole agent on a simulated Swarm, under the same load."""

from dataclasses import replace

from monitor.model.rule import RuleSet
from monitor.replay.contender import by_agent
from monitor.replay.drive import run
from monitor.replay.terms import Terms
from monitor.replay.trace import Trace
from monitor.ruletest.models import RuleTest
from monitor.ruletest.world import run_test
from tests.simulated.virtual import virtual
from tests.unit.replay.scene import cpu_rule, minutes

LOADS = (0.8, 0.8, 1.6, 2.9, 3.1, 1.2, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 2.2, 2.2)
LIMIT = 0.5


def found_by_replay(trace: Trace) -> list[int]:
    """Replicas wanted 55 s into each minute."""
    terms = Terms(per_replica=LIMIT, cpu=LIMIT, start_time=1.5, queue=0.0, initial=3)
    steps = run(by_agent(rule()), trace, terms).steps
    counts = []
    for begin in trace.times:
        before = [step.after for step in steps if step.at <= begin + 55]
        counts.append(before[-1] if before else 3)
    return counts


def rule():
    return replace(cpu_rule(0.6), source="test")


@virtual(limit=3600)
async def test_a_replay_finds_what_the_whole_agent_does() -> None:
    """Mirror, sampler, controller and writer around it change no number of replicas, minute by
    minute of steps up and down."""
    counts = found_by_replay(minutes(*LOADS))
    assert len(set(counts)) >= 4
    values = " ".join(str(load) for load in LOADS)
    test = RuleTest.model_validate(
        {
            "name": "the same load",
            "interval": "60s",
            "services": [{"name": "web", "replicas": 3, "cpu_limit": LIMIT, "start_time": "1s"}],
            "series": [{"series": 'cpu_total{service="web"}', "values": values}],
            "expect": [
                {"at": f"{60 * n + 55}s", "service": "web", "replicas": count}
                for n, count in enumerate(counts)
            ],
        }
    )
    lines = [n for n, _ in enumerate(counts)]
    failures = await run_test(test, RuleSet((rule(),)), "test", lines)
    assert [(failure.place, failure.differences) for failure in failures] == []

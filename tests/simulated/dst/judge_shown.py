"""Promises 7, 10 and 11: what agents hold, show and say."""

from monitor.export.local import DEFAULT_MAX_AGE
from monitor.model.reason import Reason
from tests.simulated.dst.history import Compared, Decided, Scraped, Stood, Unsaid
from tests.simulated.dst.judging import Case, Verdict

ANSWERS_WITHIN = 1.0
LAST_SAMPLE = 12.0
"""Seconds that a sample may have been on its way when the engine went."""

NOTICED_WITHIN = 12.0
"""Seconds after which an engine that is away is shown as such: a probe every 5 s, 2 s each."""


def repaired(case: Case) -> Verdict:
    """7. Also: what is decided on was so once, at that very version."""
    verdict = Verdict(7)
    for one in case.history.of(Compared):
        verdict.check(not one.wrong, one.at, f"{one.process}: {one.wrong}")
    true = {(one.service_id, one.version): one.replicas for one in case.history.of(Stood)}
    for decided in case.history.of(Decided):
        decision = decided.decision
        stood = true.get((decision.service_id, decision.version))
        text = f"{decision.id} on {decision.current} replicas, where this version has {stood}"
        verdict.check(decision.current in (stood, None), decided.at, text)
    return verdict


def metrics(case: Case) -> Verdict:
    """10."""
    verdict = Verdict(10)
    for one in case.history.of(Scraped):
        text = f"{one.process} took {one.took:.1f} s for /metrics"
        verdict.check(one.took <= ANSWERS_WITHIN, one.at, text)
        verdict.check(not one.problem, one.at, f"{one.process}: /metrics has {one.problem}")
        verdict.check(not one.wrong, one.at, f"{one.process}: /metrics says {one.wrong}")
        if one.away > NOTICED_WITHIN:
            what = f"{one.process}, whose engine is away for {one.away:.1f} s,"
            verdict.check(one.up is False, one.at, f"{what} says that it is up")
            old = one.usage and one.away > DEFAULT_MAX_AGE + LAST_SAMPLE
            verdict.check(not old, one.at, f"{what} shows what its tasks used then")
            verdict.check(not one.cluster, one.at, f"{what} shows what it knew of the Swarm")
    return verdict


def reasons(case: Case) -> Verdict:
    """11. Also no write without a decision that says why."""
    verdict = Verdict(11)
    known = set(Reason)
    for one in case.history.of(Decided):
        decision = one.decision
        said = decision.reason in known and bool(decision.sentence.strip())
        verdict.check(said, one.at, f"{decision.id}: {decision.reason!r}, {decision.sentence!r}")
    for unsaid in case.history.of(Unsaid):
        verdict.check(False, unsaid.at, f"{unsaid.process}: {unsaid.what}")
    for write in case.own:
        decision = case.decided(write)
        text = f"{write.decision} was written, and no decision tells why"
        verdict.check(decision is not None and decision.action is not None, write.at, text)
    return verdict

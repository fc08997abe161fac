"""One sentence for a person: what is done or not, the load, and what bound the answer.

Every text follows the service's name: "web" + " stays at 4: ...".
"""

from monitor.decide import sleep, words
from monitor.decide.bounds import Binding
from monitor.decide.capacity import room_clause
from monitor.decide.combine import Proposal
from monitor.decide.settled import Settled
from monitor.decide.sleep import Asleep
from monitor.decide.verdict import Case
from monitor.model.reason import Reason
from monitor.model.rule import ScaleRule, SelectPolicy


def to_bound(current: int, target: int, *, above: bool) -> str:
    which = "above max" if above else "below min"
    return f": {current} -> {words.replicas(target)}: {current} is {which} {target}"


def failed(case: Case, rule: ScaleRule, failure: Proposal, wait: float | None) -> str:
    """`wait`: seconds until the fallback applies; None: there is none."""
    text = f"stays at {case.replicas}: {failure.text}"
    if wait is None or rule.fallback is None or rule.fallback.replicas <= case.replicas:
        return text
    return f"{text}; at least {rule.fallback.replicas} in {words.duration(wait)} if that goes on"


def conclusion(case: Case, rule: ScaleRule, settled: Settled, reason: Reason) -> str:
    current = case.replicas
    if settled.final != current:
        change = f": {current} -> {words.replicas(settled.final)}"
        return f"{change}: {_why(settled, reason)}{_limits(case, rule, settled)}"
    if settled.failure is not None and settled.proposed == current:
        return f"stays at {current}: {settled.best.text}"
    match reason:
        case Reason.WITHIN_TOLERANCE:
            return f"stays at {current}: {_calm(case, rule, settled)}"
        case Reason.AT_MAX:
            wanted = f"{settled.proposed} are wanted, max is {rule.max}"
            return f"stays at {current}: {settled.best.text}; {wanted}"
        case Reason.AT_MIN:
            return f"stays at {current}: {_at_min(rule, settled)}"
        case Reason.STABILIZED:
            return f"{_although(case, settled)}: {_stabilized(case, settled)}"
        case Reason.RATE_LIMITED:
            return f"{_although(case, settled)}: {_rated(case, rule, settled)}"
        case _:
            return _held(case, settled, reason)


def _why(settled: Settled, reason: Reason) -> str:
    if reason is Reason.INACTIVE:
        return f"nothing keeps it awake ({sleep.clause(settled.proposals)})"
    if reason is Reason.ACTIVATED:
        active = next(one for one in sleep.activities(settled.proposals) if one.active)
        return f"woken up, {active.text}"
    return settled.best.text


def _although(case: Case, settled: Settled) -> str:
    fewer = settled.proposed < case.replicas
    count = f"{settled.proposed} would do" if fewer else f"{settled.proposed} are wanted"
    return f"stays at {case.replicas} although {count}"


def _at_min(rule: ScaleRule, settled: Settled) -> str:
    if settled.asleep is Asleep.ASLEEP:
        return f"nothing wakes it ({sleep.clause(settled.proposals)})"
    if settled.asleep is not Asleep.NO_SAY:
        return f"one replica is kept while it is awake ({sleep.clause(settled.proposals)})"
    return f"{settled.best.text}; {settled.proposed} would do, min is {rule.min}"


def _calm(case: Case, rule: ScaleRule, settled: Settled) -> str:
    levels = "; ".join(p.text for p in settled.proposals if p.wanted is not None)
    ratio, raw = settled.wanted.level.ratio, settled.wanted.raw
    within = 1 - rule.scale_down.tolerance <= ratio <= 1 + rule.scale_up.tolerance
    if within:
        return f"within tolerance ({levels})"
    if raw == case.replicas:
        return f"just enough ({levels})"
    return f"only some of its tasks could be counted ({levels})"


def _stabilized(case: Case, settled: Settled) -> str:
    fewer = settled.proposed < case.replicas
    by, wait = settled.stabilized.by, settled.stabilized.wait
    if by is None or wait is None:
        return "a recent recommendation stands against it"
    direction = "scale-down" if fewer else "scale-up"
    waits = f"{direction} waits another {words.duration(wait)}"
    if not case.history.started and by.at == case.now.mono:
        last = case.history.judged_at
        if last is not None:
            unseen = words.duration(case.now.mono - last)
            return f"this is the first look at it for {unseen}; {waits}"
        return f"this is the first look at it; {waits}"
    ago = words.duration(case.now.mono - by.at)
    needed = "a higher count was needed" if fewer else "a lower count was enough"
    return f"{needed} {ago} ago; {waits}"


def _rated(case: Case, rule: ScaleRule, settled: Settled) -> str:
    fewer = settled.proposed < case.replicas
    name = "scale_down" if fewer else "scale_up"
    behavior = rule.scale_down if fewer else rule.scale_up
    if behavior.select_policy is SelectPolicy.DISABLED:
        return f"the rule disables {name}"
    wait = settled.restrained.wait
    when = "" if wait is None else f" for another {words.duration(wait)}"
    return f"the policies of {name} allow no change{when}"


def _held(case: Case, settled: Settled, reason: Reason) -> str:
    hold = settled.hold
    if hold is not None and settled.proposed != case.replicas:
        return f"{_although(case, settled)}: {hold.why}"
    if reason is Reason.CAPACITY:
        return f"{_although(case, settled)}: {room_clause(case.view)}"
    missing = sorted({task for p in settled.proposals for task in p.missing})
    unready = sorted({task for p in settled.proposals for task in p.unready})
    load = "idle" if settled.wanted.level.ratio > 1 else "busy"
    if reason is Reason.MISSING_SAMPLES:
        why = f"{words.tasks(len(missing))} without a sample may be {load}"
    else:
        why = f"{words.tasks(len(unready))} still starting will take a part of the load"
    return f"stays at {case.replicas}: {settled.best.text}, but {why}"


def _limits(case: Case, rule: ScaleRule, settled: Settled) -> str:
    """What kept the change from going all the way."""
    tail = ""
    by = settled.stabilized.by
    if settled.stabilized.value != settled.proposed and by is not None:
        ago = words.duration(case.now.mono - by.at)
        was = "1 was" if by.replicas == 1 else f"{by.replicas} were"
        if settled.proposed > settled.stabilized.value:
            tail = f"; {settled.proposed} are wanted, but {was} enough {ago} ago"
        else:
            tail = f"; {settled.proposed} would do, but {was} needed {ago} ago"
    match settled.restrained.binding:
        case Binding.UP_RATE:
            tail += f"; {settled.stabilized.value} are wanted, the policies of scale_up allow this"
        case Binding.DOWN_RATE:
            tail += f"; {settled.stabilized.value} would do, the policies of scale_down allow this"
        case Binding.MAX:
            tail += f"; {settled.stabilized.value} are wanted, max is {rule.max}"
        case Binding.MIN:
            tail += f"; {settled.stabilized.value} would do, min is {rule.min}"
        case Binding.NONE:
            pass
    if settled.fitting != settled.restrained.bounded:
        tail += f"; {settled.restrained.bounded} are wanted, {room_clause(case.view)}"
    return tail

"""One sentence for a person: what is done or not, the load, and what bound the answer.

Every text follows the service's name: "web" + " stays at 4: ...".
"""

from monitor.decide import words
from monitor.decide.bounds import Binding
from monitor.decide.settled import Settled
from monitor.decide.verdict import Case
from monitor.model.reason import Reason
from monitor.model.rule import ScaleRule, SelectPolicy


def to_bound(current: int, target: int, *, above: bool) -> str:
    which = "above max" if above else "below min"
    return f": {current} -> {words.replicas(target)}: {current} is {which} {target}"


def conclusion(case: Case, rule: ScaleRule, settled: Settled, reason: Reason) -> str:
    current = case.replicas
    if settled.final != current:
        change = f": {current} -> {words.replicas(settled.final)}"
        return f"{change}: {settled.best.text}{_limits(case, rule, settled)}"
    match reason:
        case Reason.WITHIN_TOLERANCE:
            return f"stays at {current}: {_calm(case, rule, settled)}"
        case Reason.AT_MAX:
            wanted = f"{settled.proposed} are wanted, max is {rule.max}"
            return f"stays at {current}: {settled.best.text}; {wanted}"
        case Reason.AT_MIN:
            enough = f"{settled.proposed} would do, min is {rule.min}"
            return f"stays at {current}: {settled.best.text}; {enough}"
        case Reason.STABILIZED:
            return f"{_although(case, settled)}: {_stabilized(case, settled)}"
        case Reason.RATE_LIMITED:
            return f"{_although(case, settled)}: {_rated(case, rule, settled)}"
        case _:
            return _held(case, settled, reason)


def _although(case: Case, settled: Settled) -> str:
    fewer = settled.proposed < case.replicas
    count = f"{settled.proposed} would do" if fewer else f"{settled.proposed} are wanted"
    return f"stays at {case.replicas} although {count}"


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
    missing = sorted({task for p in settled.proposals for task in p.missing})
    unready = sorted({task for p in settled.proposals for task in p.unready})
    if settled.hold is None or settled.proposed == case.replicas:
        load = "idle" if settled.wanted.level.ratio > 1 else "busy"
        if reason is Reason.MISSING_SAMPLES:
            why = f"{words.tasks(len(missing))} without a sample may be {load}"
        else:
            why = f"{words.tasks(len(unready))} still starting will take a part of the load"
        return f"stays at {case.replicas}: {settled.best.text}, but {why}"
    if reason is Reason.MISSING_SAMPLES:
        why = f"{words.tasks(len(missing))} without a sample; scale-down waits for all samples"
    elif (running := len(case.view.running_tasks)) < case.view.desired:
        why = f"only {running} of {case.view.desired} tasks run; scale-down waits for all of them"
    else:
        why = f"{words.tasks(len(unready))} too fresh to judge; scale-down waits for them"
    return f"{_although(case, settled)}: {why}"


def _limits(case: Case, rule: ScaleRule, settled: Settled) -> str:
    """What kept the change from going all the way."""
    tail = ""
    by = settled.stabilized.by
    if settled.stabilized.value != settled.proposed and by is not None:
        ago = words.duration(case.now.mono - by.at)
        tail += f"; {settled.proposed} would do, but {by.replicas} were needed {ago} ago"
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
    return tail

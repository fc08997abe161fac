"""The HorizontalPodAutoscaler's arithmetic written down once more, on the cases' own format.

Plain floats and dicts, step by step as its documentation and tests describe it, and nothing of
the core: what both say of a random case must be the same. `None` for a replica count is an error.
"""

import math

MAX = 2**31 - 1
INIT, DELAY = 120, 10  # cpuInitializationPeriod, initialReadinessDelay of the cases
EPOCH = 1e12  # seconds ago of the zero time


def whole(value):
    return MAX if value >= MAX else int(value)


def within(ratio, tolerance):
    return 1.0 - tolerance["down"] <= ratio <= 1.0 + tolerance["up"]


def pod_class(pod, sampled, sample, cpu):
    if pod["deleting"] or pod["phase"] == "Failed":
        return "ignored"
    if pod["phase"] == "Pending":
        return "unready"
    if not sampled:
        return "missing"
    if cpu:
        started = EPOCH if pod["startedSecondsAgo"] is None else pod["startedSecondsAgo"]
        changed = started if pod["readyTransition"] == "== start time" else EPOCH
        taken = 0 if sample["timestamp"] == "now" else EPOCH
        if started < INIT:
            if not pod["ready"] or taken > changed - sample["windowSeconds"]:
                return "unready"
        elif not pod["ready"] and changed > started - DELAY:
            return "unready"
    return "ready"


def utilization(metrics, requests, target):
    known = [pod for pod in metrics if pod in requests]
    total = sum(requests[pod] for pod in known)
    if not total:
        return None
    used = sum(metrics[pod] for pod in known)
    percent = used * 100 // total
    return percent / target, percent, used // len(known)


def average(metrics, target):
    mean = sum(metrics.values()) // len(metrics)
    return mean / target, mean, mean


def per_pod(case, metric):
    """(replicas, level, raw average), or the name of an error."""
    pods = case["pods"]
    metrics = {pod["name"]: pod["usage"] for pod in pods if pod["usage"] is not None}
    metrics |= {pod["name"]: pod["usage"] for pod in case["metricsForUnknownPods"]}
    if not metrics:
        return "no metrics returned from the API"
    if not pods:
        return "no pods returned by selector while calculating replica count"
    relative = metric["kind"] == "resource_utilization"
    cpu = metric.get("resource") == "cpu"
    classes = {
        pod["name"]: pod_class(pod, pod["name"] in metrics, case["sample"], cpu) for pod in pods
    }
    for pod, kind in classes.items():
        if kind in ("ignored", "unready"):
            metrics.pop(pod, None)
    if not metrics:
        return "did not receive metrics for targeted pods"
    requests = {pod["name"]: pod["request"] for pod in pods}
    if relative and None in requests.values():
        return "missing request for cpu"

    def measure():
        if relative:
            return utilization(metrics, requests, metric["targetUtilizationPercent"])
        return average(metrics, metric["targetAverageValue"])

    first = measure()
    if first is None:
        return "no metrics returned matched known pods"
    ratio = first[0]
    current, tolerance = case["currentReplicas"], case["tolerance"]
    missing = [pod for pod, kind in classes.items() if kind == "missing"]
    unready = [pod for pod, kind in classes.items() if kind == "unready"]
    starting = bool(unready) and ratio > 1.0
    if not missing and not starting:
        if within(ratio, tolerance):
            return current, *first[1:]
        ready = sum(kind == "ready" for kind in classes.values())
        return whole(math.ceil(ratio * ready)), *first[1:]
    for pod in missing:
        if ratio < 1.0 and relative:
            metrics[pod] = requests[pod] * max(100, metric["targetUtilizationPercent"]) // 100
        elif ratio < 1.0:
            metrics[pod] = metric["targetAverageValue"]
        elif ratio > 1.0 or not relative:
            metrics[pod] = 0
    for pod in unready if starting else ():
        metrics[pod] = 0
    again = measure()[0]
    if within(again, tolerance) or (ratio < 1.0 < again) or (again < 1.0 < ratio):
        return current, *first[1:]
    wanted = whole(math.ceil(again * len(metrics)))
    if (again < 1.0 and wanted > current) or (again > 1.0 and wanted < current):
        return current, *first[1:]
    return wanted, *first[1:]


def whole_service(case, metric):
    """Object and External metrics."""
    value = min(sum(metric["values"]), 2**63 - 1)
    current, tolerance = case["currentReplicas"], case["tolerance"]
    if metric["kind"].endswith("_average"):
        target, running = metric["targetAverageValue"], case["statusReplicas"]
        wanted = running
        ratio = value / (target * running) if running else math.inf
        if not within(ratio, tolerance):
            wanted = whole(math.ceil(value / target))
        return wanted, None, math.ceil(value / running) if running else None
    ratio = value / metric["targetValue"]
    if current == 0:
        return whole(math.ceil(ratio)), None, None
    if within(ratio, tolerance):
        return current, None, None
    if not case["pods"]:
        return "no pods returned by selector while calculating replica count"
    ready = sum(pod["phase"] == "Running" and pod["ready"] for pod in case["pods"])
    return whole(math.ceil(ratio * ready)), None, None


def proposal(case, metric):
    if metric["kind"] in ("resource_utilization", "pods"):
        return per_pod(case, metric)
    return whole_service(case, metric)


UP = {"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": [
    {"type": "Pods", "value": 4, "periodSeconds": 15},
    {"type": "Percent", "value": 100, "periodSeconds": 15}]}  # fmt: skip
DOWN = {"stabilizationWindowSeconds": 300, "selectPolicy": "Max", "policies": [
    {"type": "Percent", "value": 100, "periodSeconds": 15}]}  # fmt: skip


def limit(current, ups, downs, rules, *, up):
    if rules["selectPolicy"] == "Disabled":
        return current
    found = []
    for policy in rules["policies"]:
        period, value = policy["periodSeconds"], policy["value"]
        start = current
        start -= sum(one["replicaChange"] for one in ups if one["secondsAgo"] < period)
        start += sum(one["replicaChange"] for one in downs if one["secondsAgo"] < period)
        if policy["type"] == "Pods":
            found.append(start + value if up else start - value)
        elif up:
            found.append(math.ceil(start * (1 + value / 100)))
        else:
            found.append(int(start * (1 - value / 100)))
    if not found:
        return current
    largest = (max if up else min) if rules["selectPolicy"] == "Max" else (min if up else max)
    return max(current, largest(found)) if up else min(current, largest(found))


def rated(case, desired):
    """(replicas, reason) after the rates and bounds of a behavior."""
    rules = case["behavior"]
    current = case["currentReplicas"]
    ups, downs = case["scaleUpEvents"], case["scaleDownEvents"]
    if desired > current:
        most, reason = case["maxReplicas"], "TooManyReplicas"
        allowed = limit(current, ups, downs, rules["scaleUp"] or UP, up=True)
        if most > allowed:
            most, reason = allowed, "ScaleUpLimit"
        if desired > most:
            return most, reason
    elif desired < current:
        least, reason = case["minReplicas"], "TooFewReplicas"
        allowed = limit(current, ups, downs, rules["scaleDown"] or DOWN, up=False)
        if least < allowed:
            least, reason = allowed, "ScaleDownLimit"
        if desired < least:
            return least, reason
    return desired, "DesiredWithinRange"


def stabilized(case, desired):
    rules = case["behavior"]
    least = most = desired
    up = (rules["scaleUp"] or UP)["stabilizationWindowSeconds"]
    down = (rules["scaleDown"] or DOWN)["stabilizationWindowSeconds"]
    for rec in remembered(case):
        if rec["secondsAgo"] < up:
            least = min(least, rec["replicas"])
        if rec["secondsAgo"] < down:
            most = max(most, rec["replicas"])
    return min(max(case["currentReplicas"], least), most)


def remembered(case):
    if case["recommendations"] == "nil":
        return [{"replicas": case["currentReplicas"], "secondsAgo": 0}]
    return case["recommendations"]


def capped(case, desired):
    """(replicas, reason) of an autoscaler without behavior; the cases' factor is 8."""
    most, reason = case["maxReplicas"], "TooManyReplicas"
    allowed = int(max(8.0 * case["currentReplicas"], 4.0))
    if most > allowed:
        most, reason = allowed, "ScaleUpLimit"
    if desired < case["minReplicas"]:
        return case["minReplicas"], "TooFewReplicas"
    return (most, reason) if desired > most else (desired, "DesiredWithinRange")


def reconcile(case):
    """(replicas, conditions) of one reconciliation that fails nowhere but at metrics."""
    current, least, most = case["currentReplicas"], case["minReplicas"], case["maxReplicas"]
    fine = ("AbleToScale", "True", "SucceededGetScale")
    rescaled = ("AbleToScale", "True", "SucceededRescale")
    if current == 0 and least != 0:
        return 0, [fine, ("ScalingActive", "False", "ScalingDisabled")]
    if current > most:
        return most, [rescaled]
    if current < least:
        return least, [rescaled]
    answers = [proposal(case, metric) for metric in case["metrics"]]
    good = [one[0] for one in answers if not isinstance(one, str)]
    failed = [
        metric for metric, one in zip(case["metrics"], answers, strict=True) if isinstance(one, str)
    ]
    if not good or (failed and max(good) < current):
        names = {"resource_utilization": "Resource", "pods": "Pods"}
        kind = failed[0]["kind"]
        name = names.get(kind, kind.split("_")[0].capitalize())
        return current, [fine, ("ScalingActive", "False", f"FailedGet{name}Metric")]
    wanted = max(good)
    if case["behavior"] is None:
        recent = [rec["replicas"] for rec in remembered(case) if rec["secondsAgo"] < 300]
        calm, reason = max([wanted, *recent]), "ScaleDownStabilized"
        final, limited = capped(case, calm)
    else:
        calm = stabilized(case, wanted)
        reason = "ScaleUpStabilized" if wanted >= current else "ScaleDownStabilized"
        final, limited = rated(case, calm)
    able = ("AbleToScale", "True", reason if calm != wanted else "ReadyForNewScale")
    if final != current:
        able = rescaled
    return final, [
        able,
        ("ScalingActive", "True", "ValidMetricFound"),
        ("ScalingLimited", "False" if final == calm else "True", limited),
    ]

"""What somebody else did to a service since a rule last saw it.

The version tells an own write from a foreign one; the Swarm itself writes too (the status of an
update), but never the replicas. Among the foreign ones a deploy differs from a person at the
replicas by what came with it: another task template, or a stack, whose every deploy sends the
numbers of its file.
"""

from dataclasses import replace

from monitor.model.history import History, Seen
from monitor.model.service import Service


def seen_of(service: Service) -> Seen | None:
    """None for services without replicas."""
    if service.replicas is None:
        return None
    return Seen(service.version, service.replicas, service.template, bool(service.stack))


def notice(history: History, seen: Seen | None) -> History:
    """The history with what is new in `seen`; noticing the same again changes nothing.

    The first look proves nothing about who set what it finds.
    """
    before = history.seen
    if seen is None or seen == before:
        return history
    if before is None:
        return replace(history, seen=seen)
    if seen.version == before.version:
        return history  # an old answer, from before a write of our own was seen
    if seen.version == history.own_version or seen.replicas == before.replicas:
        return replace(
            history,
            seen=seen,
            reset=history.reset and _lowered(history, seen),
            zero_by_user=history.zero_by_user and seen.replicas == 0,
        )
    deploy = seen.stack or seen.template != before.template
    reset = deploy and _lowered(history, seen)
    return replace(
        history,
        seen=seen,
        reset=reset,
        set_by_us=history.set_by_us if deploy else None,
        zero_by_user=seen.replicas == 0,
        scaled_to_zero_by_us=False,
    )


def _lowered(history: History, seen: Seen) -> bool:
    """To zero is no reset: a file that says 0 switches the service off."""
    return history.set_by_us is not None and 0 < seen.replicas < history.set_by_us

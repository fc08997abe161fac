"""The writer's last look at what was decided and at what is there now."""

from monitor.act.spec import ALLOWED, differences
from monitor.model.action import Action, Park, Rollback, ScaleTo, SpecAction, Unpark
from monitor.model.decision import Decision
from monitor.model.outcome import Outcome, OutcomeKind
from monitor.model.service import Service, ServiceMode, UpdateState

ROLLOUT_STATES = frozenset(
    {
        UpdateState.UPDATING,
        UpdateState.PAUSED,
        UpdateState.ROLLBACK_STARTED,
        UpdateState.ROLLBACK_PAUSED,
    }
)


def refuse(why: str) -> Outcome:
    return Outcome(OutcomeKind.REFUSED, why)


def check_service(
    decision: Decision, service: Service, own_service_id: str | None
) -> Outcome | None:
    """Why this service must not be written to under this decision; None: it may be.

    decision: its action is not None. service: as just re-read, not as it was decided on.
    """
    if service.id != decision.service_id:
        return refuse(f"asked for service {decision.service_id}, got {service.id}")
    if service.version != decision.version:
        return Outcome(
            OutcomeKind.CONFLICT,
            f"{service.name} changed since it was decided on "
            f"(version {decision.version}, now {service.version})",
        )
    if service.id == own_service_id:
        return refuse(f"{service.name} is the service of this very program")
    if service.mode.is_job:
        return refuse(f"{service.name} is a job: any update would run it again")
    sized = isinstance(decision.action, ScaleTo | Park | Unpark)
    if sized and service.mode is not ServiceMode.REPLICATED:
        return refuse(f"{service.name} is a {service.mode} service and has no replica count")
    if service.update_state in ROLLOUT_STATES and not _knowingly(decision.action, service):
        return refuse(f"a rollout of {service.name} is {service.update_state}")
    return None


def _knowingly(action: Action | None, service: Service) -> bool:
    """Whether the action may be written into a running update; into a paused one only a rollback,
    which itself has more to say of the states of one.
    """
    return isinstance(action, Rollback) or (
        isinstance(action, ScaleTo)
        and action.during_rollout
        and service.update_state is UpdateState.UPDATING
    )


def check_change(
    service: Service,
    action: SpecAction,
    changed: dict[str, object],
    bounds: tuple[int, int] | None,
) -> Outcome | None:
    """Why the changed spec must not be posted: it changes nothing, or more than its field.

    bounds: the lowest and highest replica count the rule allows.
    """
    found = list(differences(service.raw["Spec"], changed))
    if not found:
        return refuse(f"{service.name} is already as wanted")
    if found != [ALLOWED[type(action)]]:
        places = ", ".join(".".join(map(str, path)) for path in found)
        return refuse(f"the change to {service.name} would touch {places}")
    if isinstance(action, ScaleTo) and bounds is not None:
        lowest, highest = bounds
        if not lowest <= action.replicas <= highest:
            return refuse(f"{action.replicas} replicas is outside {lowest} to {highest}")
    return None

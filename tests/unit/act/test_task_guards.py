"""Which task may be stopped alone, by what a manager says of its service."""

import copy

import pytest

from monitor.act.task_guards import check_restarts, check_task, order_for
from monitor.model.service import ServiceMode, UpdateState
from monitor.model.stop_task import StopOrder
from monitor.model.task import TaskState
from tests.unit.build import raw_spec, service, task

CONTAINER = "c" * 64


def with_policy(policy=None, **container):
    spec = copy.deepcopy(raw_spec())
    spec["TaskTemplate"]["ContainerSpec"] |= container
    if policy is not None:
        spec["TaskTemplate"]["RestartPolicy"] = policy
    return service(raw={"ID": "s1", "Spec": spec})


@pytest.mark.parametrize(
    "policy", [None, {}, {"Condition": "any"}, {"Condition": "any", "MaxAttempts": 0}]
)
def test_a_service_that_replaces_whatever_ends_may_lose_one_task(policy):
    """`any` is what Swarm takes where no condition is set."""
    assert check_restarts(with_policy(policy), None) == ""


@pytest.mark.parametrize(
    ("found", "own", "words"),
    [
        (with_policy({"Condition": "on-failure"}), None, "--restart-condition any"),
        (with_policy({"Condition": "none"}), None, "restart condition none"),
        (with_policy({"Condition": "any", "MaxAttempts": 3}), None, "limit of 3 restarts"),
        (with_policy(), "s1", "this very program"),
        (service(mode=ServiceMode.REPLICATED_JOB), None, "is a job"),
        (service(mode=ServiceMode.GLOBAL_JOB), None, "is a job"),
        (service(raw={"Spec": {"TaskTemplate": {}}}), None, "no containers"),
        (service(raw={}), None, "no containers"),
        *[
            (service(update_state=state), None, f"is {state}")
            for state in (
                UpdateState.UPDATING,
                UpdateState.PAUSED,
                UpdateState.ROLLBACK_STARTED,
                UpdateState.ROLLBACK_PAUSED,
            )
        ],
    ],
)
def test_where_swarm_would_not_surely_replace_it_nothing_is_stopped(found, own, words):
    """Each refusal says why, and where a setting is at fault, what to set."""
    assert words in check_restarts(found, own)


def test_a_task_that_runs_and_shall_is_the_one():
    """Its node and container are taken from what the manager says, not from the decision."""
    tasks = [task(1), task(2, container_id=CONTAINER)]
    assert check_task(service(), tasks, "task2") is tasks[1]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"id": "other"}, "has no task task1"),
        ({"service_id": "s2"}, "has no task task1"),
        ({"state": TaskState.STARTING}, "is starting"),
        ({"state": TaskState.FAILED}, "is failed"),
        ({"desired_state": TaskState.SHUTDOWN}, "wanted shutdown"),
        ({"container_id": ""}, "no container"),
        ({"node_id": ""}, "no container"),
        ({"template": "older"}, "present spec"),
    ],
)
def test_any_other_task_is_refused(fields, words):
    """Ended, ending, starting, of another service, or in the middle of a rollout."""
    found = check_task(service(), [task(1, **({"container_id": CONTAINER} | fields))], "task1")
    assert isinstance(found, str)
    assert words in found


def test_a_dirty_neighbour_means_a_rollout_though_no_status_says_so():
    """A deploy sets its status in a later transaction."""
    tasks = [task(1, container_id=CONTAINER), task(2, template="older")]
    assert "rollout" in str(check_task(service(), tasks, "task1"))


@pytest.mark.parametrize(
    ("nanoseconds", "grace"),
    [(None, None), (0, 0), (999_999_999, 0), (10_000_000_000, 10), (90_500_000_000, 90)],
)
def test_the_grace_period_is_the_services_own(nanoseconds, grace):
    """Whole seconds, as Swarm gives them to the engine; none is left to the container."""
    fields = {} if nanoseconds is None else {"StopGracePeriod": nanoseconds}
    order = order_for(with_policy(**fields), task(1, container_id=CONTAINER))
    assert order == StopOrder("task1", "s1", "n1", CONTAINER, grace)
    assert StopOrder.read(order.as_arguments()) == order


@pytest.mark.parametrize(
    "changed",
    [
        {"task_id": ""},
        {"task_id": "../x"},
        {"service_id": 7},
        {"node_id": None},
        {"container_id": CONTAINER[:12]},
        {"container_id": "web.1.task1"},
        {"container_id": CONTAINER.upper()},
        {"grace": -1},
        {"grace": 1.5},
        {"grace": True},
        {"grace": 10**9},
    ],
)
def test_an_order_that_names_no_one_container_is_none(changed):
    """Names, prefixes and other types are refused before anything is asked of the engine."""
    good = StopOrder("task1", "s1", "n1", CONTAINER, 10).as_arguments()
    with pytest.raises(ValueError, match=r"no |not "):
        StopOrder.read(good | changed)

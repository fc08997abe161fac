"""Builders of the values that exposition tests are about."""

from typing import Any

from monitor.export.agent_metrics import AgentMetrics
from monitor.export.cluster import ClusterExposition
from monitor.export.exposition import Exposition
from monitor.export.facts import (
    AgentFacts,
    BuildInfo,
    CallFacts,
    CollectorFacts,
    DelayFacts,
    EndFacts,
    FleetFacts,
    MirrorFacts,
    NotificationFacts,
    OperatorFacts,
    RuleConfigFacts,
    StreamFacts,
)
from monitor.export.local import LocalExposition
from monitor.export.rows import TaskUsageRow
from monitor.model.action import ScaleTo
from monitor.model.container import Health
from monitor.model.decision import Condition, Decision, Input
from monitor.model.node import Availability, Node, NodeState
from monitor.model.now import Now
from monitor.model.reason import Reason
from monitor.model.service import PublishedPort, Service, ServiceMode, UpdateState
from monitor.model.task import Task, TaskState
from monitor.model.usage import Network, Reading
from monitor.model.view import ServiceView

START = 1000.0


def task(id_: str = "t1", **changes: Any) -> Task:
    values: dict[str, Any] = {
        "service_id": "s1",
        "slot": 1,
        "node_id": "n1",
        "state": TaskState.RUNNING,
        "desired_state": TaskState.RUNNING,
        "since": 1010.5,
        "created_at": 1010.0,
        "container_id": "c1",
        "image": "web:1",
    }
    return Task(id=id_, **(values | changes))


def service(id_: str = "s1", name: str = "web", **changes: Any) -> Service:
    values: dict[str, Any] = {
        "version": 7,
        "mode": ServiceMode.REPLICATED,
        "replicas": 2,
        "template": "x",
        "created_at": 2000.0,
        "updated_at": 2001.0,
    }
    return Service(id=id_, name=name, **(values | changes))


def full_service() -> Service:
    """A service with everything set, jobs' fields too, though no real one has it all."""
    return service(
        mode=ServiceMode.REPLICATED_JOB,
        image="web:1@sha256:abc",
        stack="shop",
        labels={"tier": "front", "team.a": "x"},
        cpu_reservation=0.25,
        cpu_limit=0.5,
        memory_reservation=1024,
        memory_limit=2048,
        update_state=UpdateState.COMPLETED,
        update_started_at=2002.0,
        update_completed_at=2003.0,
        max_replicas_per_node=3,
        ports=(PublishedPort("tcp", 80, 8080, "ingress"),),
        job_iteration=1,
        job_last_execution=2004.0,
    )


def node(id_: str = "n1", name: str = "alpha", **changes: Any) -> Node:
    values: dict[str, Any] = {
        "role": "worker",
        "state": NodeState.READY,
        "availability": Availability.ACTIVE,
        "version": 3,
        "addr": "10.0.0.1",
        "engine_version": "28.5.1",
        "os": "linux",
        "arch": "x86_64",
        "cpu_cores": 4.0,
        "memory_bytes": 8192,
    }
    return Node(id=id_, name=name, **(values | changes))


def view(of: Service, *tasks: Task) -> ServiceView:
    return ServiceView(of, tasks, {}, version_since=0.0, tasks_read_at=0.0)


def reading(**changes: Any) -> Reading:
    values: dict[str, Any] = {
        "cpu_seconds": 12.5,
        "memory_usage": 3000,
        "working_set": 2000,
        "cpu_user_seconds": 10.0,
        "cpu_system_seconds": 2.5,
        "cpu_periods": 100,
        "cpu_throttled_periods": 7,
        "cpu_throttled_seconds": 0.7,
        "rss": 1500,
        "cache": 500,
        "memory_limit": 4096,
        "memory_failures": 0,
        "network": Network(1, 2, 3, 4, 5, 6, 7, 8),
        "block_read_bytes": 11,
        "block_write_bytes": 12,
        "pids": 3,
        "pids_limit": 100,
    }
    return Reading(**(values | changes))


def usage(task_id: str = "t1", **changes: Any) -> TaskUsageRow:
    values: dict[str, Any] = {
        "service_name": "web",
        "service_id": "s1",
        "slot": "1",
        "node_id": "n1",
        "node_name": "alpha",
        "reading": reading(),
        "sampled_at": Now(mono=5.0, wall=1700000000.5),
        "started_at": 1600000000.0,
        "health": Health.HEALTHY,
    }
    return TaskUsageRow(task_id=task_id, **(values | changes))


NODE_W2 = {"node_id": "n2", "node_name": "w2"}


def decision(rule: str = "load", service_name: str = "web", **changes: Any) -> Decision:
    values: dict[str, Any] = {
        "time": Now(mono=10.0, wall=1700000000.0),
        "service_id": "s1",
        "version": 7,
        "current": 2,
        "desired": 4,
        "action": ScaleTo(4),
        "reason": Reason.ABOVE_TARGET,
        "sentence": "cpu is at 95% of 60%: 2 to 4",
        "inputs": (
            Input("cpu", "t1", 0.5, used=True),
            Input("cpu", "t2", 0.7, used=True),
            Input("cpu", "t3", 9.0, used=False, note="too old"),
        ),
        "conditions": (
            Condition("AbleToScale", True, "ReadyForNewScale"),
            Condition("ScalingLimited", False, "DesiredWithinRange"),
        ),
    }
    return Decision(rule=rule, service_name=service_name, **(values | changes))


FULL_FACTS = AgentFacts(
    docker_up=True,
    role="manager",
    acting=True,
    loop_lag=0.001,
    loop_delays=DelayFacts(4, 0.02, (0.001, 0.01), (3, 1, 0)),
    stream=StreamFacts(
        connected=True,
        events={("container", "start"): 2, ("container", "health_status: healthy"): 1},
        reconnects={"ended": 1},
        lag=0.01,
        last_event_at=1700000000.0,
    ),
    mirror=MirrorFacts(resyncs=3, drift={"task": 1}, last_sync_at=1700000001.0),
    rule_config=RuleConfigFacts(successful=True, loaded_at=1700000002.0, digest="abc"),
    calls=(CallFacts("GET", "/services/{id}", 4, 0.5, {"timeout": 1}, (0.01, 0.1), (1, 2, 1)),),
    collectors=(CollectorFacts("mirror", 0.2, success=True),),
    operator=OperatorFacts(
        pauses=(("service", "web"), ("all", "")),
        refusals={"token_wrong": 3, "token_missing": 0},
        writes_per_minute=30,
        writes_counted=4,
        writes_waiting=2,
        restarts_at_once=5,
        restarts_under_way=1,
        restarts_waiting=3,
    ),
    fleet=FleetFacts(
        streams=True,
        peers={"up": 4, "silent": 1},
        missing=1,
        skew={"w1": -0.02},
        managers_heard=3,
        held=True,
        term=7,
        agree=False,
        reconnects=2,
        refused={"wrong_secret": 1},
        dropped={"slow": 1},
        bytes={"in": 1000, "out": 10},
        frames={"in": 10, "out": 1},
        state_failures=1,
        journal_dropped=0,
        delays={"die": DelayFacts(3, 0.2, (0.01, 0.1), (1, 2, 0))},
    ),
    notifications=(NotificationFacts("slack", 3, 1, {"full": 2}, 4),),
    ends=EndFacts(
        ends={("web", "oom"): 2},
        recoveries={"web": DelayFacts(2, 8.5, (1.0, 10.0), (0, 2, 0))},
    ),
)
BUILD = BuildInfo("0.1.0", "abc123", "3.11.7")


class Whole:
    """An exposition with something of everything in it, and its parts."""

    def __init__(self, facts: AgentFacts = FULL_FACTS) -> None:
        self.time = Now(mono=6.0, wall=1700000001.0)
        self.agent = AgentMetrics(lambda: facts, BUILD)
        budget = self.agent.budget
        self.local = LocalExposition(budget=budget)
        self.cluster = ClusterExposition(
            since=START, service_labels=["*"], node_labels=["*"], budget=budget
        )
        self.exposition = Exposition(self.agent, self.local, self.cluster, lambda: self.time)

    def fill(self) -> "Whole":
        self.local.set_rows([usage()])
        manager = node(
            "n1", role="manager", leader=True, reachability="reachable", labels={"zone": "a"}
        )
        self.cluster.set_nodes([manager, node("n2", "beta")])
        ended = task("t0", state=TaskState.FAILED, exit_code=1, created_at=1009.0)
        self.cluster.set_view(view(full_service(), task(), ended))
        self.agent.rule_evaluated("load")
        self.agent.bounds("load", "web", 1, 6)
        self.agent.decision(decision())
        drained = {"service_id": "", "node_id": "n1", "node_name": "w1", "recheck_after": 60.0}
        self.agent.decision(decision("sick", "", reason=Reason.DRAINED, **drained))
        self.agent.decision(decision("sick", "", reason=Reason.QUORUM, **drained | NODE_W2))
        self.agent.node_action("sick", "w1", "drain", "applied", 1_700_000_000.0)
        self.agent.blocked("load", "web", Reason.CONFLICT)
        self.agent.action("load", "web", "scale_up", "applied", 1700000003.0)
        return self

"""Object in, exact exposition out: one text per kind of object."""

from textwrap import dedent

import pytest

from monitor.export.catalogue.nodes import CLUSTER_KIND, node_kind
from monitor.export.catalogue.rules import RULE_STATE_KIND, RULE_TOTALS_KIND
from monitor.export.catalogue.services import service_kind
from monitor.export.catalogue.tasks import SLOT_KIND, task_kind
from monitor.export.catalogue.usage import usage_kind
from monitor.export.family import Kind, TaskLabels
from monitor.export.rows import (
    ClusterRow,
    NodeRow,
    RuleStateRow,
    RuleTotalsRow,
    ServiceRow,
    SlotRow,
    TaskRow,
)
from monitor.export.store import ExpositionStore
from tests.unit.export import things


def lines(kind: Kind, row: object) -> str:
    """Sample lines alone."""
    store = ExpositionStore([kind])
    store.put(kind.name, "k", row)
    text = store.render(openmetrics=False).decode()
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))


def expected(text: str) -> str:
    return dedent(text).lstrip("\n")


TASK = expected("""
    swarm_task_state{service_name="web",service_id="s1",task_id="t1",slot="1",node_id="n1",state="running"} 1
    swarm_task_desired_state{service_name="web",service_id="s1",task_id="t1",slot="1",node_id="n1",state="running"} 1
    swarm_task_info{task_id="t1",service_name="web",slot="1",node_id="n1",node_name="alpha",container_id="c1",image="web:1"} 1
    swarm_task_state_since_timestamp_seconds{service_name="web",service_id="s1",task_id="t1",slot="1",node_id="n1"} 1010.5
    swarm_task_created_timestamp_seconds{service_name="web",service_id="s1",task_id="t1",slot="1",node_id="n1"} 1010.0
""")  # fmt: skip  # noqa: E501

TASK_BY_SLOT = expected("""
    swarm_task_state{service_name="web",slot="1",state="running"} 1
    swarm_task_desired_state{service_name="web",slot="1",state="running"} 1
    swarm_task_info{service_name="web",slot="1",node_id="n1",node_name="alpha",image="web:1"} 1
    swarm_task_state_since_timestamp_seconds{service_name="web",slot="1"} 1010.5
    swarm_task_created_timestamp_seconds{service_name="web",slot="1"} 1010.0
""")

SERVICE = expected("""
    swarm_service_info{service_id="s1",service_name="web",stack="shop",mode="replicated-job",image="web:1",image_digest="sha256:abc"} 1
    swarm_service_replicas_desired{service_name="web",service_id="s1"} 2
    swarm_service_replicas_running{service_name="web",service_id="s1"} 1
    swarm_service_tasks{service_name="web",state="new"} 0
    swarm_service_tasks{service_name="web",state="pending"} 0
    swarm_service_tasks{service_name="web",state="assigned"} 0
    swarm_service_tasks{service_name="web",state="accepted"} 0
    swarm_service_tasks{service_name="web",state="preparing"} 0
    swarm_service_tasks{service_name="web",state="ready"} 0
    swarm_service_tasks{service_name="web",state="starting"} 0
    swarm_service_tasks{service_name="web",state="running"} 1
    swarm_service_tasks{service_name="web",state="complete"} 0
    swarm_service_tasks{service_name="web",state="shutdown"} 0
    swarm_service_tasks{service_name="web",state="failed"} 0
    swarm_service_tasks{service_name="web",state="rejected"} 0
    swarm_service_tasks{service_name="web",state="remove"} 0
    swarm_service_tasks{service_name="web",state="orphaned"} 0
    swarm_service_tasks_completed{service_name="web"} 4
    swarm_service_update_state{service_name="web",state="none"} 0
    swarm_service_update_state{service_name="web",state="updating"} 0
    swarm_service_update_state{service_name="web",state="paused"} 0
    swarm_service_update_state{service_name="web",state="completed"} 1
    swarm_service_update_state{service_name="web",state="rollback_started"} 0
    swarm_service_update_state{service_name="web",state="rollback_paused"} 0
    swarm_service_update_state{service_name="web",state="rollback_completed"} 0
    swarm_task_failures_total{service_name="web",reason="no_suitable_node"} 0
    swarm_task_failures_total{service_name="web",reason="image_pull"} 0
    swarm_task_failures_total{service_name="web",reason="nonzero_exit"} 0
    swarm_task_failures_total{service_name="web",reason="oom"} 2
    swarm_task_failures_total{service_name="web",reason="unhealthy"} 0
    swarm_task_failures_total{service_name="web",reason="port_conflict"} 0
    swarm_task_failures_total{service_name="web",reason="other"} 0
    swarm_service_update_started_timestamp_seconds{service_name="web"} 2002.0
    swarm_service_update_completed_timestamp_seconds{service_name="web"} 2003.0
    swarm_service_created_timestamp_seconds{service_name="web"} 2000.0
    swarm_service_updated_timestamp_seconds{service_name="web"} 2001.0
    swarm_service_version{service_name="web"} 7
    swarm_service_replicas_max_per_node{service_name="web"} 3
    swarm_service_limit_cpu_cores{service_name="web"} 0.5
    swarm_service_limit_memory_bytes{service_name="web"} 2048
    swarm_service_reservation_cpu_cores{service_name="web"} 0.25
    swarm_service_reservation_memory_bytes{service_name="web"} 1024
    swarm_service_published_port_info{service_name="web",protocol="tcp",published_port="80",target_port="8080",publish_mode="ingress"} 1
    swarm_service_job_iteration{service_name="web"} 1
    swarm_service_job_last_execution_timestamp_seconds{service_name="web"} 2004.0
    swarm_service_labels{service_name="web",label_tier="front"} 1
""")  # fmt: skip  # noqa: E501

NODE = expected("""
    swarm_node_description_info{node_id="n1",node_name="alpha",role="manager",engine_version="28.5.1",os="linux",arch="x86_64",addr="10.0.0.1"} 1
    swarm_node_state{node_id="n1",node_name="alpha",state="unknown"} 0
    swarm_node_state{node_id="n1",node_name="alpha",state="down"} 0
    swarm_node_state{node_id="n1",node_name="alpha",state="ready"} 1
    swarm_node_state{node_id="n1",node_name="alpha",state="disconnected"} 0
    swarm_node_availability{node_id="n1",node_name="alpha",availability="active"} 1
    swarm_node_availability{node_id="n1",node_name="alpha",availability="pause"} 0
    swarm_node_availability{node_id="n1",node_name="alpha",availability="drain"} 0
    swarm_node_manager_leader{node_id="n1",node_name="alpha"} 1
    swarm_node_manager_reachable{node_id="n1",node_name="alpha",reachability="unknown"} 0
    swarm_node_manager_reachable{node_id="n1",node_name="alpha",reachability="unreachable"} 0
    swarm_node_manager_reachable{node_id="n1",node_name="alpha",reachability="reachable"} 1
    swarm_node_cpu_cores{node_id="n1",node_name="alpha"} 4.0
    swarm_node_memory_bytes{node_id="n1",node_name="alpha"} 8192
    swarm_node_reserved_cpu_cores{node_id="n1"} 1.5
    swarm_node_reserved_memory_bytes{node_id="n1"} 512
    swarm_node_tasks{node_id="n1",state="running"} 3
    swarm_node_labels{node_id="n1",label_zone="a"} 1
""")  # fmt: skip  # noqa: E501

USAGE = expected("""
    swarm_task_cpu_usage_seconds_total{service_name="web",task_id="t1",node_name="alpha"} 12.5
    swarm_task_cpu_user_seconds_total{service_name="web",task_id="t1",node_name="alpha"} 10.0
    swarm_task_cpu_system_seconds_total{service_name="web",task_id="t1",node_name="alpha"} 2.5
    swarm_task_cpu_throttled_seconds_total{service_name="web",task_id="t1",node_name="alpha"} 0.7
    swarm_task_cpu_periods_total{service_name="web",task_id="t1",node_name="alpha"} 100
    swarm_task_cpu_throttled_periods_total{service_name="web",task_id="t1",node_name="alpha"} 7
    swarm_task_memory_usage_bytes{service_name="web",task_id="t1",node_name="alpha"} 3000
    swarm_task_memory_working_set_bytes{service_name="web",task_id="t1",node_name="alpha"} 2000
    swarm_task_memory_rss_bytes{service_name="web",task_id="t1",node_name="alpha"} 1500
    swarm_task_memory_cache_bytes{service_name="web",task_id="t1",node_name="alpha"} 500
    swarm_task_memory_limit_bytes{service_name="web",task_id="t1",node_name="alpha"} 4096
    swarm_task_memory_failures_total{service_name="web",task_id="t1",node_name="alpha"} 0
    swarm_task_block_read_bytes_total{service_name="web",task_id="t1",node_name="alpha"} 11
    swarm_task_block_write_bytes_total{service_name="web",task_id="t1",node_name="alpha"} 12
    swarm_task_pids{service_name="web",task_id="t1",node_name="alpha"} 3
    swarm_task_pids_limit{service_name="web",task_id="t1",node_name="alpha"} 100
    swarm_task_network_receive_bytes_total{service_name="web",task_id="t1",node_name="alpha"} 1
    swarm_task_network_receive_packets_total{service_name="web",task_id="t1",node_name="alpha"} 2
    swarm_task_network_receive_errors_total{service_name="web",task_id="t1",node_name="alpha"} 3
    swarm_task_network_receive_dropped_total{service_name="web",task_id="t1",node_name="alpha"} 4
    swarm_task_network_transmit_bytes_total{service_name="web",task_id="t1",node_name="alpha"} 5
    swarm_task_network_transmit_packets_total{service_name="web",task_id="t1",node_name="alpha"} 6
    swarm_task_network_transmit_errors_total{service_name="web",task_id="t1",node_name="alpha"} 7
    swarm_task_network_transmit_dropped_total{service_name="web",task_id="t1",node_name="alpha"} 8
    swarm_task_oom_events_total{service_name="web",task_id="t1",node_name="alpha"} 0
    swarm_task_start_timestamp_seconds{service_name="web",task_id="t1",node_name="alpha"} 1600000000.0
    swarm_task_health_state{service_name="web",task_id="t1",node_name="alpha",state="none"} 0
    swarm_task_health_state{service_name="web",task_id="t1",node_name="alpha",state="starting"} 0
    swarm_task_health_state{service_name="web",task_id="t1",node_name="alpha",state="healthy"} 1
    swarm_task_health_state{service_name="web",task_id="t1",node_name="alpha",state="unhealthy"} 0
    swarm_task_last_sample_timestamp_seconds{service_name="web",task_id="t1",node_name="alpha"} 1700000000.5
""")  # fmt: skip  # noqa: E501

RULE_TOTALS = expected("""
    swarm_rule_actions_total{rule="load",service_name="web",action="scale_up",outcome="applied"} 2
    swarm_rule_action_blocked_total{rule="load",service_name="web",reason="cooldown"} 5
    swarm_rule_last_action_timestamp_seconds{rule="load",service_name="web"} 1700000000.0
""")

RULE_STATE = expected("""
    swarm_rule_decision{rule="load",service_name="web",decision="none"} 0
    swarm_rule_decision{rule="load",service_name="web",decision="scale_up"} 1
    swarm_rule_decision{rule="load",service_name="web",decision="scale_down"} 0
    swarm_rule_decision{rule="load",service_name="web",decision="restart_service"} 0
    swarm_rule_desired_replicas{rule="load",service_name="web"} 4
    swarm_rule_replicas_min{rule="load",service_name="web"} 1
    swarm_rule_replicas_max{rule="load",service_name="web"} 6
    swarm_rule_input_value{rule="load",service_name="web",metric="cpu"} 0.6
""")

SLOT = expected("""
    swarm_task_last_exit_code{service_name="web",slot="1"} 137
    swarm_task_restarts_total{service_name="web",slot="1"} 2
""")

CLUSTER = expected("""
    swarm_cluster_managers 3
    swarm_cluster_managers_reachable 2
    swarm_cluster_quorum_margin 0
""")


@pytest.mark.parametrize(
    ("kind", "row", "text"),
    [
        (task_kind(), TaskRow(things.task(), "web", "alpha"), TASK),
        (task_kind(TaskLabels.SLOT), TaskRow(things.task(), "web", "alpha"), TASK_BY_SLOT),
        (SLOT_KIND, SlotRow("web", "1", 137, 2), SLOT),
        (
            service_kind(["tier"]),
            ServiceRow(things.full_service(), 2, 1, {"running": 1}, {"oom": 2}, 4),
            SERVICE,
        ),
        (
            node_kind(["zone"]),
            NodeRow(
                things.node(
                    role="manager", leader=True, reachability="reachable", labels={"zone": "a"}
                ),
                1_500_000_000,
                512,
                3,
            ),
            NODE,
        ),
        (CLUSTER_KIND, ClusterRow(3, 2), CLUSTER),
        (usage_kind(), things.usage(), USAGE),
        (
            RULE_TOTALS_KIND,
            RuleTotalsRow(
                "load", "web", {("scale_up", "applied"): 2}, {"cooldown": 5}, 1700000000.0
            ),
            RULE_TOTALS,
        ),
        (
            RULE_STATE_KIND,
            RuleStateRow("load", "web", "scale_up", 4, {"cpu": 0.6}, 1, 6),
            RULE_STATE,
        ),
    ],
    ids=["task", "task_by_slot", "slot", "service", "node", "cluster", "usage", "totals", "state"],
)
def test_exact_text(kind: Kind, row: object, text: str) -> None:
    """Each kind of object gives exactly the series of the catalogue."""
    assert lines(kind, row) == text


def test_a_bare_service_has_no_optional_series() -> None:
    """What is not set has no series: no zero limits, no epoch timestamps, no job numbers."""
    bare = things.service(created_at=0.0, updated_at=0.0)
    text = lines(service_kind(["*"]), ServiceRow(bare, 2, 0, {}, {}))
    names = {line.partition("{")[0] for line in text.splitlines()}
    assert names == {
        "swarm_service_info",
        "swarm_service_replicas_desired",
        "swarm_service_replicas_running",
        "swarm_service_tasks",
        "swarm_service_update_state",
        "swarm_service_version",
        "swarm_task_failures_total",
    }
    assert 'swarm_service_update_state{service_name="web",state="none"} 1' in text


def test_a_reading_that_cannot_tell_has_no_series_for_it() -> None:
    """A source without block I/O or network shows no zeros for them."""
    row = things.usage(reading=things.reading(network=None, block_read_bytes=None, rss=None))
    text = lines(usage_kind(), row)
    assert "network" not in text
    assert "block_read" not in text
    assert "rss" not in text
    assert "block_write" in text


def test_headers_of_both_formats() -> None:
    """Text calls an info a gauge and keeps `_total`; OpenMetrics names the family without."""
    store = ExpositionStore([task_kind(), SLOT_KIND])
    store.put("task", "k", TaskRow(things.task(), "web", "alpha"))
    store.put("slot", "k", SlotRow("web", "1", None, 0))
    text = store.render(openmetrics=False).decode()
    openmetrics = store.render(openmetrics=True).decode()
    assert "# TYPE swarm_task_info gauge\n" in text
    assert "# TYPE swarm_task_restarts_total counter\n" in text
    assert "# TYPE swarm_task info\n" in openmetrics
    assert "# TYPE swarm_task_restarts counter\n" in openmetrics
    assert "# HELP swarm_task_info [STABLE] Where" in text
    assert "swarm_task_last_exit_code" not in text, "a header without samples"

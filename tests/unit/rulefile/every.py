"""A rule file with every kind of condition, and with rules of the kinds that do not scale."""

EVERY = """version: 1
rules:
  - name: every
    services: [web]
    restart:
      when:
        any:
          - {cpu_below: 1%, for: 5m}
          - {unhealthy_for: 2m}
          - {health_flapping: {count: 3, within: 1h}}
          - {stuck_in: starting, for: 5m}
          - {older_than: 7d}
          - {oom_kills: {count: 3, within: 1h}}
          - {exits: {codes: [1, 70], count: 3, within: 10m}}
          - {exits: {count: 3, within: 10m}}
          - {cron: "0 4 * * *"}
          - {cron: {expression: "0 4 * * *", timezone: Europe/Berlin, within: 1h}}
          - prometheus: {query: up, below: 1, interval: 30s}
            for: 2m
          - {restarted: db}
      action: restart_service
      breaker: {after: 3, within: 10m}
      quiet_after_deploy: 1m
  - name: single
    services: [web]
    restart: {when: {older_than: 7d}, action: restart_task, at_once: 2}
  - name: even
    services: [web]
    rebalance: {when: {skew_above: 1, for: 5m, node_joined: 1m}, quiet_after_deploy: 2m}
  - name: nodes
    nodes: {role: worker}
    exclude: [w1]
    node:
      when:
        any:
          - {down_for: 5m}
          - {memory_above: 95%, for: 5m}
          - {disk_above: 90%, for: 5m}
          - {tasks_failing_here: {count: 5, within: 10m}}
      action: drain
      drain_for: 1h
      budget: {count: 1, within: 1d}
"""

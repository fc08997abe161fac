"""swarm-monitor: watches a Docker Swarm, exports it to Prometheus, scales and heals by rules."""

__version__ = "0.1.0"

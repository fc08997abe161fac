"""Numbers and bounds from outside the Swarm: Prometheus, JSON over HTTP, calendars."""

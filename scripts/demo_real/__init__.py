"""The demo: a private real Swarm, a service under load, and the agent scaling it."""

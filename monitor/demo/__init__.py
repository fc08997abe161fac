"""The demo: a simulated Swarm, the agent, and something to look at, in one process."""

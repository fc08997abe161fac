"""The simulated Swarm behind the Engine's HTTP API."""

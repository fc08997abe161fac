"""Scripts of docker commands, and what they print against a real Swarm and the simulated one."""

"""One suite of scenarios, played against a real Swarm and the simulated one."""

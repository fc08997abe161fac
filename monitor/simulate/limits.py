"""How large a simulated Swarm may be."""

MOST_NODES = 2000

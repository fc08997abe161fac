"""The only room that writes to the Swarm, with every guard in it."""

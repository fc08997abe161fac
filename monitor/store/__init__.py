"""What must outlive an agent: the state in a Swarm config, the journal on disk."""

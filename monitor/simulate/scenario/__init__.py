"""Swarms as files: nodes, services, what they have to bear, and what happens to them."""

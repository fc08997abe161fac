"""Agents as one system: authenticated streams between them, and the lease that says who acts."""

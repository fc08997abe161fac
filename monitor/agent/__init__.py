"""Composition: builds the parts, runs them as one task tree, stops them in order."""

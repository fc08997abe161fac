"""Frozen values that every room speaks in: nodes, services, tasks, rules, decisions."""

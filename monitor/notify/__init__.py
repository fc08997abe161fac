"""Telling people: webhooks and Alertmanager. Nothing here ever holds anything else up."""

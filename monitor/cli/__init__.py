"""Commands: each parses, makes settings, and makes one call."""

"""Docker through aiodocker's session: typed calls and an event stream that lasts."""

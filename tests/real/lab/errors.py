"""The one error of the lab: something that should have come up did not."""


class LabError(RuntimeError):
    """An engine, a command or a Swarm did not do what the lab asked of it."""

"""The one error of the demo."""


class DemoError(RuntimeError):
    """The demo cannot go on; `str()` says why, for a person."""

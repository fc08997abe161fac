"""How many series may be exported at all: one bound for all stores of an agent."""

DEFAULT_MAX_SERIES = 200_000


class SeriesBudget:
    """Counts series in use against `limit`, and those that found no room by reason.

    freed: rises whenever series went away, so that stores know when to try again.
    """

    def __init__(self, limit: int = DEFAULT_MAX_SERIES) -> None:
        self.limit = limit
        self.used = 0
        self.freed = 0
        self.dropped = {"series_limit": 0}

    def admit(self, series: int, instead_of: int = 0) -> bool:
        """Whether `series` may be in use in place of `instead_of` that were."""
        used = self.used - instead_of + series
        if used > self.limit and series > instead_of:
            return False
        self.used = used
        self.freed += series < instead_of
        return True

    def refuse(self, series: int) -> None:
        self.dropped["series_limit"] += series

"""What this agent saw of the lease, and for how long it has not changed."""

from dataclasses import dataclass

from monitor.fleet.lease_labels import Claim, read_claim
from monitor.model.config import Config


@dataclass(slots=True)
class Sight:
    """The newest reading. All seconds are of this agent's monotonic clock.

    config: None where there is none. claim: None where there is no config, or where its labels
    are no claim: then `odd` says what is wrong. changed_at: when it was first seen like this;
    the change itself was earlier, so nobody waits too short by it. patience: how long without a
    change until it may be taken, drawn anew at each change. known: whether a config of the
    lease was ever seen. highest: the highest term ever seen.
    """

    config: Config | None = None
    claim: Claim | None = None
    odd: str = ""
    changed_at: float = float("-inf")
    patience: float = 0.0
    looked: bool = False
    known: bool = False
    highest: int = 0

    def saw(self, config: Config | None, now: float, patience: float) -> None:
        """Take in a reading that arrived at `now`."""
        if self.looked and _version(config) == _version(self.config):
            self.config = config
            return
        self.looked = True
        self.config, self.claim, self.odd = config, None, ""
        self.changed_at, self.patience = now, patience
        if config is None:
            return
        self.known = True
        try:
            self.claim = read_claim(config.labels)
        except ValueError as error:
            self.odd = str(error)
        else:
            self.highest = max(self.highest, self.claim.term)

    def free_at(self) -> float:
        """When it may be taken, if it does not change until then."""
        if self.claim is not None and self.claim.released:
            return self.changed_at
        return self.changed_at + self.patience

    def next_term(self) -> int:
        """Above every term there was.

        Where none can be known, the config's version is such a number: the managers count one
        up at every change of anything, and so at every change of holder too. A config that nobody
        held yet may stand in for a removed one, with terms that this agent never saw.
        """
        if self.claim is not None and self.claim.term and self.claim.holder:
            return max(self.highest, self.claim.term) + 1
        return max(self.highest + 1, self.config.version if self.config else 1)


def _version(config: Config | None) -> tuple[str, int] | None:
    return None if config is None else (config.id, config.version)

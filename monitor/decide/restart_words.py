"""How the sentences of restart rules call what they do."""

from dataclasses import dataclass

from monitor.model.rule import RestartAction


@dataclass(frozen=True, slots=True)
class Wording:
    """`needs no {noun}`, `is not {done} yet`, `is due for {one}`; `do`: an order."""

    noun: str
    one: str
    done: str
    do: str


WORDING = {
    RestartAction.RESTART_SERVICE: Wording("restart", "a restart", "restarted", "restart"),
    RestartAction.RESTART_TASK: Wording("restart", "a restart", "restarted", "restart"),
    RestartAction.ROLLBACK: Wording("rollback", "a rollback", "rolled back", "roll back"),
    RestartAction.PARK: Wording("parking", "parking", "parked", "park"),
    RestartAction.NOTIFY: Wording("notice", "a notice", "told of", "tell of it"),
}

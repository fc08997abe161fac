"""What one peer said, as far as it makes sense."""

from monitor.fleet.ends import End, StreamEnded
from monitor.fleet.hub import Hub
from monitor.fleet.messages import Malformed, Samples, Table, Unknown, read
from monitor.fleet.rows import read_rows
from monitor.model.event import Event
from monitor.model.peer import About, CommandResult


class Listener:
    """Hands reports and events on, keeps the newest word of the peer on itself.

    about: that word, from an earlier connection too. heard_at: monotonic second of the newest
    message that made sense. skew: the peer's wall clock less ours in seconds at the newest
    report's receipt; the time the report travelled makes it smaller by as much, and is not
    subtracted.
    """

    def __init__(self, node_id: str, hub: Hub) -> None:
        self._node_id = node_id
        self._hub = hub
        self._table: Table | None = None
        self.about: About | None = None
        self.heard_at = 0.0
        self.skew: float | None = None

    def begin(self) -> None:
        """A new connection: its table comes anew."""
        self._table = None
        self.heard_at = self._hub.clock.now().mono

    def hear(self, content: bytes) -> CommandResult | bool:
        """Whether it was understood; a command's result is for the caller.

        Raises StreamEnded where the agent belongs to another node by now.
        """
        try:
            return self._hear(content)
        except Malformed as error:
            self._hub.counters.malformed += 1
            self._hub.notices.warn(
                f"{self._node_id} malformed",
                f"what a node's agent says makes no sense: {error}",
                node_id=self._node_id,
            )
            return False

    def _hear(self, content: bytes) -> CommandResult | bool:
        message = read(content)
        now = self._hub.clock.now()
        match message:
            case Samples():
                report = read_rows(message, self._table)
                self.skew = report.wall - now.wall
                self._hub.on_report(self._node_id, report, now.mono)
            case Table():
                self._table = message
            case Event():
                self._hub.on_event(self._node_id, message)
            case About():
                if message.node_id != self._node_id:
                    raise StreamEnded(End.OTHER_NODE, "It is another node's agent by now.")
                self.about = message
            case CommandResult():
                self.heard_at = now.mono
                return message
            case Unknown():
                self._hub.counters.unknown += 1
            case _:
                pass  # what managers say, said by an agent: nothing to do with it
        self.heard_at = now.mono
        return True

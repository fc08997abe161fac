"""What an agent can have done on other nodes, through the agents there."""

from typing import Protocol

from monitor.model.peer import Command, CommandResult


class NodeHands(Protocol):
    async def command(self, node_id: str, command: Command) -> CommandResult:
        """What became of it there; returns within 15 s more than the command is valid for.

        Never raises. A result that is not `known` leaves open whether it was carried out.
        """

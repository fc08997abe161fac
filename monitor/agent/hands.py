"""How the acting agent has something done on a node: here itself, elsewhere by the agent there."""

from collections.abc import Awaitable, Callable, Mapping

from monitor.model.peer import Command, CommandResult

CarryOut = Callable[[Command], Awaitable[CommandResult]]
Send = Callable[[str, Command], Awaitable[CommandResult]]


class Hands:
    """A `monitor.ports.node_hands.NodeHands`.

    own_node_id: "" while unknown. here: carries out what is about this node.
    """

    def __init__(self, own_node_id: Callable[[], str], here: CarryOut) -> None:
        self._own_node_id = own_node_id
        self._here = here
        self._elsewhere: Send | None = None

    def reach(self, elsewhere: Send) -> None:
        """From now on other nodes' agents are reached like this."""
        self._elsewhere = elsewhere

    async def command(self, node_id: str, command: Command) -> CommandResult:
        if node_id and node_id == self._own_node_id():
            return await self._here(command)
        if self._elsewhere is None:
            return CommandResult(
                command.id,
                done=False,
                detail="This agent talks to no others: give all of them a secret (--secret-file).",
            )
        return await self._elsewhere(node_id, command)


def by_kind(known: Mapping[str, CarryOut], others: CarryOut) -> CarryOut:
    """One that carries out each kind of command by its own."""

    async def carry_out(command: Command) -> CommandResult:
        return await known.get(command.kind, others)(command)

    return carry_out

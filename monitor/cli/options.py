"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

AgentUrl = Annotated[
    str,
    typer.Option(
        "--agent",
        envvar="SWARM_MONITOR_AGENT",
        metavar="URL",
        help="The agent to ask: the one that acts; `status` of any on a manager names its node.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
TokenFile = Annotated[
    Path | None,
    typer.Option(
        "--token-file",
        envvar="SWARM_MONITOR_TOKEN_FILE",
        metavar="FILE",
        help="Holds the token that the agent wants to see. SWARM_MONITOR_TOKEN may hold the "
        "token itself.",
        show_default=False,
    ),
]

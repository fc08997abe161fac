"""All kinds of faults by name."""

from tests.simulated.dst import (
    faults_agents,
    faults_ailing,
    faults_beside,
    faults_engines,
    faults_people,
    faults_sources,
    faults_streams,
)
from tests.simulated.dst.kind import Kind

KINDS: dict[str, Kind] = {
    kind.name: kind
    for part in (
        *(faults_agents, faults_ailing, faults_beside, faults_engines),
        *(faults_people, faults_sources, faults_streams),
    )
    for kind in part.KINDS
}

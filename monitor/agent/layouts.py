"""Where each service's tasks may run, for rebalance rules, worked out anew only after a change."""

import operator

from monitor.cluster.arrivals import Arrivals
from monitor.cluster.layout import barred_from, spots_for
from monitor.cluster.mirror import Mirror
from monitor.model.evidence import Barred, Spot
from monitor.model.view import ServiceView

Layout = tuple[tuple[Spot, ...], tuple[Barred, ...]]


class Layouts:
    """What is asked of it are views of `mirror`."""

    def __init__(self, mirror: Mirror, arrivals: Arrivals) -> None:
        self._mirror = mirror
        self._arrivals = arrivals
        self._known: dict[str, tuple[tuple[object, ...], Layout]] = {}

    def of(self, view: ServiceView) -> Layout:
        """The nodes for the service, and those that take tasks but none of it."""
        service, taken, joined = view.service, self._mirror.taken(), self._arrivals.joined
        facts = (service, view.tasks, view.nodes, taken, joined)
        known = self._known.get(service.id)
        if known is not None and all(map(operator.is_, known[0], facts)):
            return known[1]
        layout = (
            spots_for(service, view.tasks, view.nodes, taken, joined),
            barred_from(service, view.nodes),
        )
        self._known[service.id] = (facts, layout)
        return layout

    def forget(self, service_id: str) -> None:
        """The service is gone."""
        self._known.pop(service_id, None)

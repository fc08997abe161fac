"""What managers hand out to a service: ports where it left the choice to them, and addresses."""

import json
from dataclasses import dataclass, field
from typing import Any

from monitor.simulate.http.extras import INGRESS
from monitor.simulate.rawjson import service_json
from monitor.simulate.state import SimService, Spec

_FIRST_PORT, _LAST_PORT = 30_000, 32_767


@dataclass(slots=True)
class Endpoints:
    """Ports go on from the last one given, and begin anew with each change of a service's ports.

    Addresses stay with a service and network. Neither is taken back: nothing is sent anywhere.
    """

    _ports: dict[str, tuple[str, list[Spec]]] = field(default_factory=dict)
    _addresses: dict[tuple[str, str], str] = field(default_factory=dict)
    _next_port: int = _FIRST_PORT

    def full_json(self, service: SimService) -> dict[str, Any]:
        """The service as the API spells it, with its `Endpoint`."""
        raw = service_json(service)
        endpoint = raw["Endpoint"]
        if endpoint.get("Ports"):
            endpoint["Ports"] = self._given(service.id, endpoint["Ports"])
        networks = self._networks(service)
        if networks and (service.spec.get("EndpointSpec") or {}).get("Mode", "vip") == "vip":
            endpoint["VirtualIPs"] = [
                {"NetworkID": network, "Addr": self._address(service.id, network)}
                for network in networks
            ]
        return raw

    def forget(self, service_id: str) -> None:
        self._ports.pop(service_id, None)

    def _given(self, service_id: str, ports: list[Spec]) -> list[Spec]:
        asked = json.dumps(ports)
        known = self._ports.get(service_id)
        if known is None or known[0] != asked:
            known = self._ports[service_id] = asked, [self._with_number(port) for port in ports]
        return known[1]

    def _with_number(self, port: Spec) -> Spec:
        if port.get("PublishedPort") or port.get("PublishMode") == "host":
            return port
        number = self._next_port
        self._next_port = number + 1 if number < _LAST_PORT else _FIRST_PORT
        # The daemon's own order: the mode of publishing stands last.
        mode = {key: value for key, value in port.items() if key == "PublishMode"}
        rest = {key: value for key, value in port.items() if key != "PublishMode"}
        return {**rest, "PublishedPort": number, **mode}

    def _networks(self, service: SimService) -> list[str]:
        spec = service.spec
        ports = (spec.get("EndpointSpec") or {}).get("Ports") or ()
        attached = spec["TaskTemplate"].get("Networks") or spec.get("Networks") or ()
        ingress = any(port.get("PublishMode") != "host" for port in ports)
        return [*([INGRESS] if ingress else []), *(str(one.get("Target")) for one in attached)]

    def _address(self, service_id: str, network: str) -> str:
        key = service_id, network
        if key not in self._addresses:
            upper, lower = divmod(len(self._addresses) % 64_000 + 2, 256)
            self._addresses[key] = f"10.255.{upper}.{lower}/24"
        return self._addresses[key]

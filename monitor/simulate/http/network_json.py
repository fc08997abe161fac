"""A network as the daemon spells it, and what it tells of one."""

from typing import Any

from monitor.model.event import Event
from monitor.simulate.http.extras import Network
from monitor.simulate.rawjson import rfc3339


def network_json(network: Network) -> dict[str, Any]:
    config = []
    options = dict(network.options)
    if network.subnets:
        config = network.subnets
    elif network.driver == "overlay":
        config = [
            {
                "Subnet": f"10.0.{network.number % 256}.0/24",
                "Gateway": f"10.0.{network.number % 256}.1",
            }
        ]
    if network.driver == "overlay":
        options["com.docker.network.driver.overlay.vxlanid_list"] = str(4096 + network.number)
    return {
        "Name": network.name,
        "Id": network.id,
        "Created": rfc3339(network.created_ns),
        "Scope": network.scope,
        "Driver": network.driver,
        "EnableIPv4": True,
        "EnableIPv6": False,
        "IPAM": {"Driver": "default", "Options": None, "Config": config},
        "Internal": network.internal,
        "Attachable": network.attachable,
        "Ingress": network.ingress,
        "ConfigFrom": {"Network": ""},
        "ConfigOnly": False,
        "Containers": {} if network.scope == "local" else None,
        "Options": options,
        "Labels": dict(network.labels),
    }


def event_of(network: Network, action: str, stamp: int) -> Event:
    """`stamp` in epoch nanoseconds."""
    attributes = {"name": network.name}
    if network.scope == "local":
        attributes["type"] = network.driver
    return Event("network", action, network.id, stamp, attributes, network.scope)

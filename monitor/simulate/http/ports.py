"""Published ports: which are refused."""

from monitor.simulate.http.answers import Refused
from monitor.simulate.http.face import Face
from monitor.simulate.state import Spec

_INVALID = "rpc error: code = InvalidArgument desc = "


def check_ports(face: Face, spec: Spec, own_id: str = "") -> None:
    """Raises Refused in managers' words; own_id: the service that the spec is to be of.

    Two services may both publish a port of the hosts: that is for the scheduler to keep apart.
    """
    endpoint = spec.get("EndpointSpec") or {}
    seen = set()
    for port in endpoint.get("Ports") or ():
        if endpoint.get("Mode") == "dnsrr" and _ingress(port):
            raise Refused(
                400,
                f"{_INVALID}EndpointSpec: port published with ingress mode can't be used with "
                "dnsrr mode",
            )
        if _published(port) in seen:
            raise Refused(400, f"{_INVALID}EndpointSpec: duplicate published ports provided")
        if port.get("PublishedPort"):
            seen.add(_published(port))
    for service in face.store.services.values():
        if service.id == own_id:
            continue
        for taken in (service.spec.get("EndpointSpec") or {}).get("Ports") or ():
            for port in endpoint.get("Ports") or ():
                both_hosts = not _ingress(taken) and not _ingress(port)
                if not port.get("PublishedPort") or both_hosts:
                    continue
                if _published(port) == _published(taken):
                    how = "an ingress" if _ingress(taken) else "a host-published"
                    raise Refused(
                        400,
                        f"{_INVALID}port '{port['PublishedPort']}' is already in use by service "
                        f"'{service.name}' ({service.id}) as {how} port",
                    )


def _ingress(port: Spec) -> bool:
    return str(port.get("PublishMode")) != "host"


def _published(port: Spec) -> tuple[int, str]:
    return port.get("PublishedPort", 0), port.get("Protocol", "tcp")

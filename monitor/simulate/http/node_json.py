"""A node as the API spells it, with what the model has no use for and clients print."""

import base64
from typing import Any

from monitor.simulate.rawjson import node_json
from monitor.simulate.state import SimNode

# What an engine of version 28 has built in, as (type, name).
PLUGINS: tuple[tuple[str, str], ...] = (
    *(
        ("Log", name)
        for name in (
            "awslogs",
            "fluentd",
            "gcplogs",
            "gelf",
            "journald",
            "json-file",
            "local",
            "splunk",
            "syslog",
        )
    ),
    *(("Network", name) for name in ("bridge", "host", "ipvlan", "macvlan", "null", "overlay")),
    ("Volume", "local"),
)
# No certificate at all: a Swarm within one process needs none, and this says so.
_CERTIFICATE = base64.b64encode(b"a simulated Swarm has no certificates").decode()
TLS_INFO = {
    "TrustRoot": f"-----BEGIN CERTIFICATE-----\n{_CERTIFICATE}\n-----END CERTIFICATE-----\n",
    "CertIssuerSubject": base64.b64encode(b"simulated").decode(),
    "CertIssuerPublicKey": base64.b64encode(b"simulated").decode(),
}


def full_node_json(node: SimNode) -> dict[str, Any]:
    raw = node_json(node)
    description = raw["Description"]
    description["Engine"]["Plugins"] = [{"Type": kind, "Name": name} for kind, name in PLUGINS]
    description["TLSInfo"] = TLS_INFO
    return raw

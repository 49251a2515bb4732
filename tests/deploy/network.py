"""What the network policies of Kubernetes allow: a pod that policies select may do only what one of them lists."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any, Literal

Json = dict[str, Any]
Direction = Literal["Ingress", "Egress"]


@dataclass(frozen=True)
class Pod:
    namespace: str
    labels: dict[str, str] = field(default_factory=dict)
    # Names of its ports.
    ports: dict[str, int] = field(default_factory=dict)


def allowed(policies: Sequence[Json], source: Pod | str, target: Pod | str, port: int) -> bool:
    """Whether the connection comes about. A text is an address outside the cluster."""
    out = not isinstance(source, Pod) or _may(policies, "Egress", source, target, target, port)
    return out and (not isinstance(target, Pod) or _may(policies, "Ingress", target, source, target, port))


def _may(
    policies: Sequence[Json], direction: Direction, pod: Pod, peer: Pod | str, target: Pod | str, port: int
) -> bool:
    own = [
        policy["spec"]
        for policy in policies
        if policy["metadata"]["namespace"] == pod.namespace
        and direction in policy["spec"]["policyTypes"]
        and _selects(policy["spec"]["podSelector"], pod.labels)
    ]
    rules = [rule for spec in own for rule in spec.get(direction.lower(), [])]
    side = "from" if direction == "Ingress" else "to"
    return not own or any(
        any(_is_peer(item, peer, pod.namespace) for item in rule[side]) and _is_port(rule, target, port)
        for rule in rules
    )


def _is_port(rule: Json, target: Pod | str, port: int) -> bool:
    named = target.ports if isinstance(target, Pod) else {}
    return "ports" not in rule or any(named.get(item["port"], item["port"]) == port for item in rule["ports"])


def _is_peer(item: Json, peer: Pod | str, namespace: str) -> bool:
    if "ipBlock" in item:
        block = item["ipBlock"]
        if isinstance(peer, Pod):
            return False  # pods have private addresses
        return _within(peer, block["cidr"]) and not any(_within(peer, cidr) for cidr in block.get("except", []))
    if isinstance(peer, str):
        return False
    if "namespaceSelector" in item:
        if not _selects(item["namespaceSelector"], {"kubernetes.io/metadata.name": peer.namespace}):
            return False
    elif peer.namespace != namespace:
        return False
    return _selects(item.get("podSelector", {}), peer.labels)


def _within(address: str, cidr: str) -> bool:
    return ip_address(address) in ip_network(cidr)


def _selects(selector: Json, labels: dict[str, str]) -> bool:
    for expression in selector.get("matchExpressions", []):
        assert expression["operator"] == "In"
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    return selector.get("matchLabels", {}).items() <= labels.items()

"""The network policies let through what the service needs, and nothing else."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.network import Pod, allowed

KUBERNETES = Path(__file__).parents[2] / "deploy/kubernetes"
Json = dict[str, Any]


def policies() -> list[Json]:
    """As `kubectl apply -k` puts them into the namespaces of the two kustomizations."""
    found = []
    for folder in (KUBERNETES, KUBERNETES / "databases"):
        namespace = yaml.safe_load((folder / "kustomization.yaml").read_text())["namespace"]
        for policy in yaml.safe_load_all((folder / "network.yaml").read_text()):
            policy["metadata"]["namespace"] = namespace
            found.append(policy)
    return found


def pod_of(file: str, kind: str) -> Pod:
    """A pod with the labels and ports of its manifest."""
    (template,) = (
        document["spec"]["template"]
        for document in yaml.safe_load_all((KUBERNETES / file).read_text())
        if document["kind"] == kind
    )
    ports = template["spec"]["containers"][0].get("ports", [])
    return Pod("llmbench", template["metadata"]["labels"], {item["name"]: item["containerPort"] for item in ports})


API, WORKER = pod_of("api.yaml", "Deployment"), pod_of("worker.yaml", "Deployment")
POSTGRESQL = Pod("databases", {"app.kubernetes.io/name": "postgresql"})
REDIS = Pod("databases", {"app.kubernetes.io/name": "redis"})
INGRESS, PROMETHEUS, DNS = Pod("ingress-nginx"), Pod("monitoring"), Pod("kube-system")
KEDA = Pod("keda", {"app": "keda-operator"})
# Somebody else's, in the same cluster and in our namespace.
STRANGER, NEIGHBOUR = Pod("default"), Pod("llmbench")
PROVIDER, METADATA, PRIVATE = "8.8.8.8", "169.254.169.254", "10.1.2.3"


@pytest.mark.parametrize(
    ("source", "target", "port"),
    [
        (INGRESS, API, 8000),
        (PROMETHEUS, API, 8000),
        (NEIGHBOUR, API, 8000),
        (WORKER, PROVIDER, 443),
        (WORKER, "2606:4700::1", 443),
        (PROMETHEUS, WORKER, 9100),
        *((pod, POSTGRESQL, 5432) for pod in (API, WORKER, KEDA)),
        *((pod, REDIS, 6379) for pod in (API, WORKER)),
        *((pod, DNS, 53) for pod in (API, WORKER)),
        *((pod, PROMETHEUS, 4318) for pod in (API, WORKER)),
    ],
)
def test_what_the_service_needs_is_allowed(source: Pod | str, target: Pod | str, port: int) -> None:
    assert allowed(policies(), source, target, port)


@pytest.mark.parametrize(
    ("source", "target", "port"),
    [
        *(
            (pod, database, port)
            for pod in (STRANGER, NEIGHBOUR)
            for database, port in ((POSTGRESQL, 5432), (REDIS, 6379))
        ),
        (KEDA, REDIS, 6379),
        (Pod("keda", {"app": "keda-metrics-apiserver"}), POSTGRESQL, 5432),
        (API, POSTGRESQL, 22),
        (STRANGER, API, 8000),
        (STRANGER, WORKER, 9100),
        (API, WORKER, 9100),
        (PROVIDER, API, 8000),
        (API, PROVIDER, 443),
        *((WORKER, address, 80) for address in (METADATA, PRIVATE, "127.0.0.1", "fd00::1", "::1")),
    ],
)
def test_everything_else_is_refused(source: Pod | str, target: Pod | str, port: int) -> None:
    assert not allowed(policies(), source, target, port)

"""Manifests, compose file, dashboard and alerts agree with each other, with their schemas and with the programs."""

import json
import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from opentelemetry import environment_variables
from opentelemetry.sdk import environment_variables as sdk_variables
from prometheus_client import CollectorRegistry

from api.monitoring import ApiMonitor
from shared.db.database import Database
from shared.network.hosts import AllowedHosts
from shared.providers.built_in import BUILT_IN
from shared.settings import Settings
from worker.monitoring import WorkerMonitor

ROOT = Path(__file__).parents[2]
MANIFESTS = sorted((ROOT / "deploy/kubernetes").glob("**/*.yaml"))
# Of other projects, whose schemas are not Kubernetes' own.
FOREIGN = ("kustomize.config.k8s.io", "keda.sh")
KEYS = {endpoint.api_key_env for endpoint in BUILT_IN if endpoint.api_key_env}
KNOWN = {name.upper() for name in Settings.model_fields} | KEYS
# OpenTelemetry's own, as its packages name them.
OTEL = {*vars(environment_variables), *vars(sdk_variables)}
Json = dict[str, Any]


def documents(path: Path) -> list[Json]:
    return [item for item in yaml.safe_load_all(path.read_text()) if item]


def everything() -> list[Json]:
    return [item for path in MANIFESTS for item in documents(path)]


def of_kind(kind: str) -> list[Json]:
    return [item for item in everything() if item["kind"] == kind]


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_every_manifest_is_valid_by_the_schemas_of_kubernetes(path: Path) -> None:
    for document in documents(path):
        if not document["apiVersion"].startswith(FOREIGN):
            kubernetes_validate.validate(document, "1.33", strict=True)


def test_the_schemas_would_say_so() -> None:
    wrong = {**of_kind("Deployment")[0], "spec": {"replicas": "two"}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, "1.33", strict=True)


def test_the_kustomization_lists_every_manifest() -> None:
    for folder in {path.parent for path in MANIFESTS}:
        (kustomization,) = documents(folder / "kustomization.yaml")
        there = {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml", "secrets.example.yaml"}
        assert set(kustomization["resources"]) == there


def test_every_setting_of_a_manifest_exists() -> None:
    for document in [*of_kind("ConfigMap"), *of_kind("Secret")]:
        assert set(document.get("data", document.get("stringData"))) <= KNOWN


def test_pods_are_restricted_and_only_workers_get_provider_keys() -> None:
    for document in [*of_kind("Deployment"), *of_kind("Job")]:
        pod = document["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        secrets = {item["secretRef"]["name"] for item in container["envFrom"] if "secretRef" in item}
        assert ("llmbench-providers" in secrets) == (container["name"] == "worker")


def test_workers_get_longer_to_stop_than_their_grace() -> None:
    grace_s = float(of_kind("ConfigMap")[0]["data"]["SHUTDOWN_GRACE_S"])
    (worker,) = [item for item in of_kind("Deployment") if item["metadata"]["name"] == "llmbench-worker"]
    assert worker["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] >= grace_s + 10
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert float(compose["services"]["worker"]["stop_grace_period"].rstrip("s")) >= grace_s + 10


def test_every_variable_of_the_compose_file_exists() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    for name in ("api", "worker", "migrate"):
        assert set(services[name]["environment"]) <= KNOWN | OTEL, name
    assert set(services["worker"]["environment"]) >= KEYS
    assert not KEYS & set(services["api"]["environment"])


@pytest.mark.parametrize("own", ["", "bench.example.com,*.internal"])
def test_other_containers_always_reach_the_api_of_the_compose_file(own: str) -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    text = services["api"]["environment"]["ALLOWED_HOSTS"].replace("${ALLOWED_HOSTS:-}", own)
    assert "$" not in text
    hosts = AllowedHosts(Settings(allowed_hosts=text).allowed_hosts)
    assert hosts.allows("api:8000")
    assert hosts.allows("bench.example.com") is bool(own)


def registered() -> set[str]:
    """Every metric that API and worker have."""
    database = Database("sqlite:///unused.db")
    names: set[str] = set()
    registry: CollectorRegistry
    for registry in (ApiMonitor(database).registry, WorkerMonitor(database).registry):
        for family in registry.collect():
            names |= {family.name, f"{family.name}_total", f"{family.name}_bucket", f"{family.name}_count"}
    return names


def expressions() -> list[str]:
    dashboard = json.loads((ROOT / "deploy/monitoring/grafana-dashboard.json").read_text())
    return [
        *(target["expr"] for panel in dashboard["panels"] for target in panel["targets"]),
        *(rule["expr"] for rule in alerts()),
    ]


def alerts() -> list[Json]:
    (group,) = yaml.safe_load((ROOT / "deploy/monitoring/alerts.yaml").read_text())["groups"]
    return list(group["rules"])


def test_dashboard_and_alerts_use_metrics_that_there_are() -> None:
    used = {name for text in expressions() for name in re.findall(r"llmbench_\w+", text)}
    assert len(used) > 10
    assert used <= registered()


def test_operations_says_what_each_alert_means() -> None:
    page = (ROOT / "docs/operations.md").read_text()
    for rule in alerts():
        assert f"`{rule['alert']}`" in page

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
from checks.rules import RULES, TARGET, prometheus_rule
from shared.db.connection.database import Database
from shared.network.hosts import AllowedHosts
from shared.providers.built_in import BUILT_IN
from shared.providers.endpoints import Endpoint
from shared.providers.files import parse_endpoints, read_endpoints
from shared.settings import Settings
from worker.monitoring import WorkerMonitor

ROOT = Path(__file__).parents[2]
MANIFESTS = sorted((ROOT / "deploy/kubernetes").glob("**/*.yaml"))
# Of other projects, whose schemas are not Kubernetes' own.
FOREIGN = ("kustomize.config.k8s.io", "keda.sh", "monitoring.coreos.com")
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


def settings() -> dict[str, str]:
    """Those of the generated ConfigMap."""
    (kustomization,) = documents(ROOT / "deploy/kubernetes/kustomization.yaml")
    (generator,) = kustomization["configMapGenerator"]
    assert set(generator) == {"name", "literals"}
    return dict(item.split("=", 1) for item in generator["literals"])


def test_every_setting_of_a_manifest_exists() -> None:
    names = [settings(), *(document["stringData"] for document in of_kind("Secret"))]
    assert set().union(*names) <= KNOWN


def pods() -> list[Json]:
    return [document["spec"]["template"]["spec"] for document in of_kind("Deployment")]


def test_pods_are_restricted_and_only_workers_get_provider_keys() -> None:
    for pod in pods():
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in [*pod["initContainers"], *pod["containers"]]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            secrets = {item["secretRef"]["name"] for item in container["envFrom"] if "secretRef" in item}
            assert ("llmbench-providers" in secrets) == (container["name"] == "worker")


def test_each_pod_migrates_with_the_image_that_it_then_runs() -> None:
    """A Job cannot be applied again with another tag, and it would run beside the pods instead of before them."""
    assert of_kind("Job") == []
    for pod in pods():
        (migrate,), (program,) = pod["initContainers"], pod["containers"]
        assert migrate["command"] == ["llmbench", "migrate"]
        assert migrate["image"] == program["image"]


def test_pods_are_spread_over_hosts() -> None:
    for document in of_kind("Deployment"):
        spread = document["spec"]["template"]["spec"]["topologySpreadConstraints"]
        assert "kubernetes.io/hostname" in {item["topologyKey"] for item in spread}
        for item in spread:
            assert item["labelSelector"] == document["spec"]["selector"]


def test_an_api_that_is_ended_answers_until_it_is_off_the_service() -> None:
    (api,) = [pod for pod in pods() if pod["containers"][0]["name"] == "api"]
    program, seconds = api["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    graceful = re.findall(r'"--timeout-graceful-shutdown", "(\d+)"', (ROOT / "Dockerfile.api").read_text())
    assert program == "sleep"
    assert api["terminationGracePeriodSeconds"] > int(seconds) + int(graceful[0])


def test_monitors_find_the_ports_that_serve_metrics() -> None:
    (service,), (monitor,), (pod_monitor,) = of_kind("Service"), of_kind("ServiceMonitor"), of_kind("PodMonitor")
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert monitor["spec"]["endpoints"][0]["port"] in {port["name"] for port in service["spec"]["ports"]}
    (worker,) = [item for item in of_kind("Deployment") if item["metadata"]["name"] == "llmbench-worker"]
    template = worker["spec"]["template"]
    assert pod_monitor["spec"]["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    (port,) = template["spec"]["containers"][0]["ports"]
    assert pod_monitor["spec"]["podMetricsEndpoints"][0]["port"] == port["name"]
    assert str(port["containerPort"]) == settings()["WORKER_METRICS_PORT"]


def test_the_rules_of_kubernetes_are_those_of_prometheus() -> None:
    assert TARGET.read_text() == prometheus_rule(RULES.read_text()), "run `make rules`"


def test_workers_get_longer_to_stop_than_their_grace() -> None:
    grace_s = float(settings()["SHUTDOWN_GRACE_S"])
    (worker,) = [item for item in of_kind("Deployment") if item["metadata"]["name"] == "llmbench-worker"]
    assert worker["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] >= grace_s + 10
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert float(compose["services"]["worker"]["stop_grace_period"].rstrip("s")) >= grace_s + 10


def test_every_variable_of_the_compose_file_exists() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    for name in ("api", "worker", "migrate"):
        assert set(services[name]["environment"]) <= KNOWN | OTEL, name
    for name in ("api", "worker"):
        # Both know the endpoints, or the API refuses what workers could run.
        (mount,) = services[name]["volumes"]
        assert services[name]["environment"]["PROVIDERS_FILE"] == mount["target"]
        assert "host.docker.internal:host-gateway" in services[name]["extra_hosts"]
    assert set(services["worker"]["environment"]) >= KEYS
    assert not KEYS & set(services["api"]["environment"])


def test_the_file_of_endpoints_that_compose_mounts_by_default_is_there_and_empty() -> None:
    (mount,) = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["api"]["volumes"]
    default = mount["source"].removeprefix("${PROVIDERS_FILE:-").removesuffix("}")
    assert read_endpoints(ROOT / default) == ()


def test_the_example_in_that_file_is_an_endpoint() -> None:
    lines = (ROOT / "deploy/providers.yaml").read_text().splitlines()
    example = "\n".join(line.removeprefix("# ") for line in lines[lines.index("#") + 1 :])
    (endpoint,) = parse_endpoints(example)
    assert Endpoint.model_validate(endpoint).base_url.startswith("http://host.docker.internal:")


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


def test_each_alert_links_to_its_section_of_the_runbook() -> None:
    sections = re.findall(r"^## (\w+)$", (ROOT / "docs/runbook.md").read_text(), re.MULTILINE)
    assert sections == [rule["alert"] for rule in alerts()]
    for rule in alerts():
        page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert page.endswith("/docs/runbook.md")
        assert anchor == rule["alert"].lower()


def test_every_alert_has_been_seen_to_fire() -> None:
    """`make check` plays the cases with promtool."""
    cases = yaml.safe_load((ROOT / "tests/deploy/alerts.yaml").read_text())["tests"]
    fired = {item["alertname"] for case in cases for item in case["alert_rule_test"] if item.get("exp_alerts")}
    assert fired == {rule["alert"] for rule in alerts()}


def test_secrets_stand_in_secrets_and_nowhere_else() -> None:
    """Pods get them by reference. Nothing that looks like one stands in a manifest, the ConfigMap or a command line."""
    secret = re.compile(r"PASSWORD|SECRET|_KEY\b|_URL\b|TOKEN")
    assert not [name for name in settings() if secret.search(name)]
    for pod in pods():
        for container in [*pod["initContainers"], *pod["containers"]]:
            assert "env" not in container
            assert not [word for word in container.get("command", []) if secret.search(word)]
    for document in of_kind("Secret"):
        for name, value in document["stringData"].items():
            assert value == "" or "PASSWORD@" in value, name
    assert {"SECRET_KEY", "ENCRYPTION_KEY"} <= set(of_kind("Secret")[0]["stringData"])


def test_probes_need_no_key_and_the_published_address_decides_about_the_first_one() -> None:
    (api,) = [pod["containers"][0] for pod in pods() if pod["containers"][0]["name"] == "api"]
    assert {api[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")} == {
        "/health"
    }
    # In a cluster others reach it: nothing may say that it is published on loopback.
    assert "PUBLISHED_ON" not in settings()
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["api"]
    assert compose["environment"]["PUBLISHED_ON"] == "${LLMBENCH_BIND:-127.0.0.1}"
    assert compose["ports"] == ["${LLMBENCH_BIND:-127.0.0.1}:${LLMBENCH_PORT:-8000}:8000"]

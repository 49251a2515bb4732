"""The check of what kubectl builds finds what would stop an apply, or would not reach a pod."""

from typing import Any

from checks.manifests import problems, problems_of_overlay

CONFIG = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "llmbench-1"},
    "data": {"LOG_LEVEL": "DEBUG", "SHUTDOWN_GRACE_S": "25"},
}


def deployment(image: str = "registry.example.com/llmbench-api:1.2", config: str = "llmbench-1") -> dict[str, Any]:
    labels = {"app": "x"}
    container = {"name": "api", "image": image, "envFrom": [{"configMapRef": {"name": config}}]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "llmbench-api"},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }


def test_nothing_is_wrong_with_a_right_one() -> None:
    assert problems_of_overlay([CONFIG, deployment()]) == []


def test_a_field_that_kubernetes_does_not_know_is_found() -> None:
    wrong = deployment()
    wrong["spec"]["replica"] = 2
    (found,) = problems([CONFIG, wrong])
    assert "replica" in found


def test_a_pod_without_its_config_map_is_found() -> None:
    assert problems([CONFIG, deployment(config="llmbench")]) == ["Deployment llmbench-api: no ConfigMap llmbench"]


def test_a_change_that_did_not_reach_a_pod_is_found() -> None:
    assert problems_of_overlay([CONFIG, deployment("llmbench-api:local")]) == [
        "llmbench-api: api runs llmbench-api:local"
    ]
    old = {**CONFIG, "data": {"LOG_LEVEL": "INFO", "SHUTDOWN_GRACE_S": "25"}}
    (found,) = problems_of_overlay([old, deployment()])
    assert "was not merged" in found

"""What `kubectl kustomize` makes of every folder of deploy/kubernetes: `python -m checks.manifests`.

Each must build, and each object must be valid by the schemas of Kubernetes. An overlay that changes a setting, a tag
and a namespace, as users write it, must build too.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml

from checks.report import not_run

KUBERNETES = Path(__file__).parents[1] / "deploy/kubernetes"
VERSION = "1.33"
# Of other projects, whose schemas are not Kubernetes' own.
FOREIGN = ("keda.sh", "monitoring.coreos.com")
Json = dict[str, Any]
OVERLAY = """
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: benchmarks
resources: [base]
configMapGenerator:
  - {name: llmbench, behavior: merge, literals: [LOG_LEVEL=DEBUG]}
images:
  - {name: llmbench-api, newName: registry.example.com/llmbench-api, newTag: "1.2"}
  - {name: llmbench-worker, newName: registry.example.com/llmbench-worker, newTag: "1.2"}
"""


def main() -> int:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        not_run("kubectl", "it is not installed, so nothing has built deploy/kubernetes as `kubectl apply -k` does")
        return 0
    found: list[str] = []
    objects = 0
    for folder in sorted(path.parent for path in KUBERNETES.glob("**/kustomization.yaml")):
        built = build(kubectl, folder)
        objects += len(built)
        found += [f"{folder.name}: {problem}" for problem in problems(built)]
    with tempfile.TemporaryDirectory() as overlay:
        shutil.copytree(KUBERNETES, Path(overlay) / "base")
        (Path(overlay) / "kustomization.yaml").write_text(OVERLAY, encoding="utf-8")
        found += [f"an overlay: {problem}" for problem in problems_of_overlay(build(kubectl, Path(overlay)))]
    sys.stderr.writelines(f"manifests: {problem}\n" for problem in found)
    if not found:
        sys.stdout.write(f"manifests: kubectl builds {objects} objects, all valid, and an overlay of them\n")
    return bool(found)


def build(kubectl: str, folder: Path) -> list[Json]:
    """Raises CalledProcessError if kubectl refuses the folder."""
    done = subprocess.run([kubectl, "kustomize", str(folder)], stdout=subprocess.PIPE, text=True, check=True)
    return [item for item in yaml.safe_load_all(done.stdout) if item]


def problems(built: Sequence[Json]) -> list[str]:
    found = []
    for item in built:
        name = f"{item['kind']} {item['metadata']['name']}"
        if not item["apiVersion"].startswith(FOREIGN):
            try:
                kubernetes_validate.validate(item, VERSION, strict=True)
            except kubernetes_validate.ValidationError as exc:
                found.append(f"{name}: {exc.message}")
        found += [f"{name}: no ConfigMap {wanted}" for wanted in sorted(_config_maps_of(item) - _config_maps(built))]
    return found


def problems_of_overlay(built: Sequence[Json]) -> list[str]:
    """Whether the changes of OVERLAY have reached every pod."""
    found = problems(built)
    (config,) = (item["data"] for item in built if item["kind"] == "ConfigMap")
    if (config["LOG_LEVEL"], config["SHUTDOWN_GRACE_S"]) != ("DEBUG", "25"):
        found.append(f"its setting was not merged with ours: {config}")
    for item in built:
        for container in _containers(item):
            if not container["image"].startswith("registry.example.com/") or not container["image"].endswith(":1.2"):
                found.append(f"{item['metadata']['name']}: {container['name']} runs {container['image']}")
    return found


def _containers(item: Json) -> list[Json]:
    if item["kind"] not in ("Deployment", "Job"):
        return []
    pod = item["spec"]["template"]["spec"]
    return [*pod.get("initContainers", []), *pod["containers"]]


def _config_maps_of(item: Json) -> set[str]:
    sources = [source for container in _containers(item) for source in container.get("envFrom", [])]
    return {source["configMapRef"]["name"] for source in sources if "configMapRef" in source}


def _config_maps(built: Sequence[Json]) -> set[str]:
    return {item["metadata"]["name"] for item in built if item["kind"] == "ConfigMap"}


if __name__ == "__main__":
    sys.exit(main())

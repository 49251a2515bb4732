"""Writes the PrometheusRule of Kubernetes from the alert rules: `python -m checks.rules`, for `make rules`."""

import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
RULES = ROOT / "deploy/monitoring/alerts.yaml"
TARGET = ROOT / "deploy/kubernetes/monitoring/rules.yaml"
HEAD = "# Written by `make rules` from deploy/monitoring/alerts.yaml.\n"


def prometheus_rule(rules: str) -> str:
    """The manifest with the groups of a rule file."""
    document: dict[str, Any] = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "llmbench", "labels": {"app.kubernetes.io/name": "llmbench"}},
        "spec": yaml.safe_load(rules),
    }
    return HEAD + yaml.safe_dump(document, sort_keys=False, width=120)


def main() -> int:
    TARGET.write_text(prometheus_rule(RULES.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

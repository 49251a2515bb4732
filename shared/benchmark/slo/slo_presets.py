"""Named sets of service-level objectives (SLOs). `SloSpec` takes their bounds; docs/metrics.md lists them with sources.

The MLPerf limits are those of the rules of MLPerf Inference for data centres (mlcommons/inference_policies,
inference_rules.adoc, revision ac93e89 of 2026-07-23). MLPerf asks for 99 % of the requests within each limit.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Preset:
    """A preset: its bounds by field of `SloSpec`, and the share of requests that must meet all of them."""

    name: str
    source: str
    bounds: Mapping[str, float]
    attainment: float


def _mlperf(name: str, ttft_ms: float, tpot_ms: float) -> Preset:
    source = "MLPerf Inference rules, July 2026"
    return Preset(f"mlperf_{name}", source, {"ttft_ms": ttft_ms, "tpot_ms": tpot_ms}, 0.99)


PRESETS = {
    preset.name: preset
    for preset in (
        # 50 ms/token are 20 tokens/s: about three times as fast as people read.
        Preset("interactive_chat", "ours", {"ttft_ms": 500, "tpot_ms": 50}, 0.95),
        _mlperf("llama3_1_8b_conversational", 2_000, 100),
        _mlperf("llama3_1_8b_interactive", 500, 30),
        _mlperf("llama2_70b_conversational", 2_000, 200),
        _mlperf("llama2_70b_interactive", 450, 40),
        _mlperf("llama3_1_405b_server", 6_000, 175),
        _mlperf("llama3_1_405b_interactive", 4_500, 80),
        _mlperf("mixtral_8x7b_server", 2_000, 200),
        _mlperf("deepseek_r1_server", 2_000, 80),
        _mlperf("deepseek_r1_interactive", 1_500, 15),
        _mlperf("gpt_oss_120b_server", 3_000, 80),
        _mlperf("gpt_oss_120b_interactive", 2_000, 20),
    )
}

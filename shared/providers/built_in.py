"""The endpoints that every installation has: well-known providers, and the simulator if there is one."""

from shared.protocols.registry import PROTOCOLS
from shared.providers.endpoints import Endpoint

BUILT_IN = (
    Endpoint(
        name="anthropic",
        protocol="anthropic",
        base_url="https://api.anthropic.com",
        api_key_env="ANTHROPIC_API_KEY",
        price_provider="anthropic",
    ),
    Endpoint(
        name="openai",
        protocol="openai",
        base_url="https://api.openai.com/v1",
        api_key_env="OPENAI_API_KEY",
        price_provider="openai",
        max_tokens_field="max_completion_tokens",
    ),
    Endpoint(
        name="groq",
        protocol="openai",
        base_url="https://api.groq.com/openai/v1",
        api_key_env="GROQ_API_KEY",
        price_provider="groq",
    ),
    Endpoint(
        name="openrouter",
        protocol="openai",
        base_url="https://openrouter.ai/api/v1",
        api_key_env="OPENROUTER_API_KEY",
        price_provider="openrouter",
    ),
    Endpoint(
        name="mistral",
        protocol="openai",
        base_url="https://api.mistral.ai/v1",
        api_key_env="MISTRAL_API_KEY",
        price_provider="mistral",
    ),
    Endpoint(
        name="deepseek",
        protocol="openai",
        base_url="https://api.deepseek.com/v1",
        api_key_env="DEEPSEEK_API_KEY",
        price_provider="deepseek",
    ),
    Endpoint(
        name="together",
        protocol="openai",
        base_url="https://api.together.xyz/v1",
        api_key_env="TOGETHER_API_KEY",
        price_provider="together",
    ),
    Endpoint(
        name="fireworks",
        protocol="openai",
        base_url="https://api.fireworks.ai/inference/v1",
        api_key_env="FIREWORKS_API_KEY",
        price_provider="fireworks",
    ),
    Endpoint(
        name="x-ai",
        protocol="openai",
        base_url="https://api.x.ai/v1",
        api_key_env="XAI_API_KEY",
        price_provider="x-ai",
    ),
    Endpoint(
        name="google",
        protocol="openai",
        base_url="https://generativelanguage.googleapis.com/v1beta/openai",
        api_key_env="GEMINI_API_KEY",
        price_provider="google",
    ),
)


# The protocol of the simulator's own models (`sim-*`) if a benchmark names no provider.
_SIMULATOR_PROTOCOL = "anthropic"


def simulator_endpoints(url: str) -> tuple[Endpoint, ...]:
    """The simulator under each protocol. It stands in for providers without a key; its prices are the real models'."""
    root = url.rstrip("/")
    return tuple(
        Endpoint(
            name="simulator" if name == _SIMULATOR_PROTOCOL else f"simulator-{name}",
            protocol=name,
            base_url=f"{root}{protocol.base_path}",
            models=("sim-*", "sim") if name == _SIMULATOR_PROTOCOL else (),
            price_provider="*",
            stand_in=True,
        )
        for name, protocol in PROTOCOLS.items()
    )

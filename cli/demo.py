"""The README's example, which `llmbench demo` runs."""

from typing import Any

EXAMPLE: dict[str, Any] = {
    "name": "Haiku Speed Test",
    "model": "claude-3-haiku-20240307",
    "prompts": ["Say hello in exactly 3 words", "What is 2 + 2?"],
}

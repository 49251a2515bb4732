"""What a benchmark was sent to: its endpoint, and how requests reached it."""

from typing import Any, Literal

from pydantic import BaseModel, Field


class EndpointOut(BaseModel):
    """Who the endpoint of a benchmark is. Only workers that have the same one, by fingerprint, run it."""

    name: str = Field(description="Its name, as in `provider`.", examples=["openai"])
    protocol: str = Field(description="Wire protocol.", examples=["openai"])
    base_url: str = Field(description="Where requests go.", examples=["https://api.openai.com/v1"])
    fingerprint: str = Field(
        description="Hash of name, protocol, base URL and all that decides what is measured (query, headers, options, "
        "`extra_body`, transport, TLS). No secret and no price is part of it.",
        examples=["9b0f6a52c1de4e7784c2f6a1d3b55e08"],
    )


class TargetTls(BaseModel):
    """Whom the requests trusted, and how they proved who they are."""

    verify: bool = Field(description="Whether the server's certificate was checked.", examples=[True])
    ca_file: str | None = Field(default=None, description="Own CAs, a file of the workers. Null: the system's.")
    client_cert: str | None = Field(default=None, description="File of the client's certificate. Null: none.")
    client_key: str | None = Field(default=None, description="File of its key. Null: none, or it is in `client_cert`.")


class TargetOut(BaseModel):
    """What the requests were sent to and with. Secrets are masked as `[redacted]`."""

    protocol: str = Field(description="Wire protocol.", examples=["openai"])
    base_url: str = Field(description="Base URL of the endpoint.", examples=["https://api.openai.com/v1"])
    path: str = Field(description="Path that the requests were sent to.", examples=["/v1/chat/completions"])
    query: dict[str, str] = Field(description="Parameters of the URL.", examples=[{"api-version": "2024-10-21"}])
    headers: dict[str, str] = Field(
        description="Headers of each request, without those of the connection.",
        examples=[{"api-key": "[redacted]", "content-type": "application/json"}],
    )
    key_env: str | None = Field(
        description="Environment variable of the key. Null: the endpoint needs none.", examples=["OPENAI_API_KEY"]
    )
    body: dict[str, Any] = Field(
        description="Fields of each body beside model and prompt, as planned from the benchmark's `parameters`. A "
        "prompt's own parameters replace them, and a field that the server refused was left out.",
        examples=[{"stream": True, "max_tokens": 256, "ignore_eos": True}],
    )
    extra_body: dict[str, Any] = Field(
        description="The part of `body` that the `extra_body` of endpoint and benchmark asked for.",
        examples=[{"ignore_eos": True}],
    )
    service_tier: str | None = Field(
        description="Tier that was asked for. Null: none. What was served is in each result.", examples=[None]
    )
    tls: TargetTls | None = Field(description="Null: the endpoint is reached without TLS.")
    transport: Literal["socket", "sdk"] = Field(
        description="`socket`: the engine's own sockets. `sdk`: the official SDK's client.", examples=["socket"]
    )
    proxy: bool = Field(description="Whether the requests went through a proxy.", examples=[False])

"""The TLS settings of an endpoint."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.network.tls import TlsOptions


class Tls(BaseModel):
    """TLS to one endpoint. The paths are those where the workers run."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    ca_file: Path | None = Field(
        default=None, description="PEM file of the CAs to trust, in place of the system's certificates."
    )
    client_cert: Path | None = Field(default=None, description="PEM file of the client's certificate.")
    client_key: Path | None = Field(
        default=None, description="PEM file of its private key, not encrypted. Left out: it is in `client_cert`."
    )
    verify: bool = Field(default=True, description="`false` accepts any certificate. Results say so.", strict=True)

    @model_validator(mode="after")
    def _consistent(self) -> "Tls":
        if self.client_key is not None and self.client_cert is None:
            raise ValueError("client_key needs a client_cert")
        if self.ca_file is not None and not self.verify:
            raise ValueError("ca_file has no effect when verify is false: leave one of them out")
        return self

    @property
    def options(self) -> TlsOptions:
        paths = {name: None if (path := getattr(self, name)) is None else str(path) for name in _TLS_FILES}
        return TlsOptions(**paths, verify=self.verify)


_TLS_FILES = ("ca_file", "client_cert", "client_key")

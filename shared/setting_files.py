"""`NAME_FILE=/path`: the value of the setting NAME is in this file. `shared.settings` is made of this."""

from collections import ChainMap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource


class UnreadableFile(Exception):
    """The message names the variable and says why its file cannot be read."""


class NamedFiles(PydanticBaseSettingsSource):
    """Values of settings from the files that variables name. A variable with the value itself wins over its file."""

    def __init__(self, settings: type[BaseSettings], variables: Iterable[PydanticBaseSettingsSource]) -> None:
        """`variables`: the environment and `.env`; the first that has a variable wins."""
        super().__init__(settings)
        # By name in small letters.
        environments = [dict(source.env_vars) for source in variables if isinstance(source, EnvSettingsSource)]
        self._environment: Mapping[str, str | None] = ChainMap(*environments)

    def __call__(self) -> dict[str, Any]:
        """Raises UnreadableFile."""
        found = {name: self._text(name) for name in self.settings_cls.model_fields}
        return {name: text for name, text in found.items() if text}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return self._text(field_name), field_name, False

    def _text(self, name: str) -> str | None:
        variable = f"{name}_file"
        # PROVIDERS_FILE is a setting itself.
        is_setting = variable in self.settings_cls.model_fields
        path = None if is_setting or self._environment.get(name) else self._environment.get(variable)
        if not path:
            return None
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as exc:
            raise UnreadableFile(f"{variable.upper()}: cannot be read: {exc.strerror}") from None
        except ValueError:
            raise UnreadableFile(f"{variable.upper()}: is no text in UTF-8") from None


class FileSettings(BaseSettings):
    """Settings from the environment, `.env`, the files that they name, and a folder of secrets."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The first that has a value wins."""
        files = NamedFiles(settings_cls, (env_settings, dotenv_settings))
        return init_settings, env_settings, dotenv_settings, files, file_secret_settings

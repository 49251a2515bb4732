"""Settings: read once, each listed in `.env.example`, each mistake named in one line."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from shared.network.proxy import UnusableProxy
from shared.protocols.registry import PROTOCOLS
from shared.providers.files import read_endpoints
from shared.providers.prices import PriceList
from shared.settings import Settings, load_settings

ENV_EXAMPLE = Path(__file__).parents[2] / ".env.example"
LINE = re.compile(r"^(?:# ?)?([A-Z][A-Z0-9_]*)=(.*)$")


def settings_of(**values: Any) -> Settings:
    return load_settings(_env_file=None, **values)


def example() -> dict[str, tuple[str, str]]:
    """Variable → (its value, the comment lines right above it) as `.env.example` has them."""
    found: dict[str, tuple[str, str]] = {}
    comment: list[str] = []
    for line in ENV_EXAMPLE.read_text(encoding="utf-8").splitlines():
        variable = LINE.match(line)
        if variable:
            found[variable[1]] = (variable[2].strip(), " ".join(comment))
        comment = [*comment, line.lstrip("# ")] if line.startswith("#") and not variable else []
    return found


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_the_env_example_lists_each_setting_with_its_default_and_description(name: str) -> None:
    field = Settings.model_fields[name]
    value, comment = example()[name.upper()]
    assert field.description is not None
    assert field.description in comment
    if field.default is None:
        assert value == ""
    else:
        assert getattr(settings_of(**{name: value}), name) == field.default


def test_every_setting_of_the_env_example_exists() -> None:
    """Beside the settings there are only keys of providers and what other programs read."""
    known = {name.upper() for name in Settings.model_fields}
    others = set(example()) - known
    keys = {name for name in others if name.endswith(("_API_KEY", "_API_KEY_FILE"))}
    assert all(name.startswith("OTEL_") for name in others - keys)


@pytest.mark.parametrize("name", list(Settings.model_fields))
def test_each_setting_has_a_valid_default_and_a_description(name: str) -> None:
    field = Settings.model_fields[name]
    assert field.description
    assert not field.is_required()
    assert getattr(settings_of(**{name: field.default}), name) == field.default


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        ({"lease_s": "soon"}, ["LEASE_S: "]),
        ({"lease_s": 0}, ["LEASE_S: "]),
        *(
            ({name: value}, [f"{name.upper()}: "])
            for name in ("lease_s", "unclaimed_after_s", "shutdown_grace_s", "retention_days", "text_retention_days")
            for value in ("inf", "nan", "1e300", "-1")
        ),
        ({"sweep_s": "inf"}, ["SWEEP_S: "]),
        *(
            ({name: url}, [f"{name.upper()}: must "])
            for name in ("public_url", "simulator_url")
            for url in (
                "https://[bad",
                "http://",
                "https://h:99999",
                "https://u:p@h",
                "https://h?a=b",
                "bench.example.com",
            )
        ),
        *(
            (
                {"providers": f'[{{"name": "x", "protocol": "openai", "base_url": "{url}"}}]'},
                ["PROVIDERS[0].base_url: must "],
            )
            for url in ("http://127.0.0.1:99999/v1", "http://h:abc", "http://@h/v1", "http://h?", "http://[h")
        ),
        ({"database_url": "mysql://x"}, ["DATABASE_URL: must start with sqlite:/// or postgresql://"]),
        ({"database_url": "sqlite://"}, ["DATABASE_URL: must name a file"]),
        ({"database_url": "sqlite:///:memory:"}, ["DATABASE_URL: must name a file"]),
        ({"database_url": "postgres://u:p@h/db?sslmode=on"}, ["DATABASE_URL: sslmode must be one of disable, "]),
        ({"database_pooler": "statement"}, ["DATABASE_POOLER: "]),
        ({"redis_url": "rediss://h?ssl_cert_reqs=on"}, ["REDIS_URL: ssl_cert_reqs must be one of none, "]),
        ({"redis_url": "http://x"}, ["REDIS_URL: must start with redis://, rediss:// or unix://"]),
        ({"secret_key": "short"}, ["SECRET_KEY: must have 32 characters or more"]),
        ({"secret_key": " , "}, ["SECRET_KEY: must have 32 characters or more"]),
        ({"secret_key": f"{'n' * 32},short"}, ["SECRET_KEY: must have 32 characters or more"]),
        ({"log_level": "LOUD"}, ["LOG_LEVEL: "]),
        ({"sweep_s": 30, "lease_s": 30}, ["settings: SWEEP_S must be smaller than LEASE_S"]),
        ({"max_crashes": "x", "max_body_bytes": 1}, ["MAX_BODY_BYTES: ", "MAX_CRASHES: "]),
        ({"providers": "[unclosed"}, ["PROVIDERS: is neither YAML nor JSON"]),
        ({"providers": "7"}, ["PROVIDERS: must be a list of endpoints"]),
        ({"providers": '[{"name": "x", "protocol": "openai"}]'}, ["PROVIDERS[0].base_url: "]),
        (
            {"providers": '[{"name": "x", "protocol": "gopher", "base_url": "http://h"}]'},
            [f"PROVIDERS[0].protocol: unknown protocol; known protocols: {', '.join(PROTOCOLS)}"],
        ),
        (
            {"providers": '[{"name": "x", "protocol": "openai", "base_url": "http://h", "max_token_field": "n"}]'},
            ["PROVIDERS[0].max_token_field: "],
        ),
        (
            {"providers_file": "/nowhere/providers.yaml"},
            ["PROVIDERS_FILE: /nowhere/providers.yaml: cannot be read: No such file or directory"],
        ),
    ],
)
def test_a_wrong_value_ends_the_program_with_one_line_for_each_variable(values: Any, lines: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        settings_of(**values)
    head, *found = str(caught.value).splitlines()
    assert head == "wrong settings:"
    assert len(found) == len(lines)
    for line, expected in zip(found, lines, strict=True):
        assert line.strip().startswith(expected)


@pytest.mark.parametrize(
    "text",
    [
        "- {name: x, protocol: openai, base_url: 'http://h', api_key: sk-0123456789abcdef}",
        "- {name: x, protocol: sk-0123456789abcdef, base_url: 'http://h'}",
        "- {name: x, protocol: openai, base_url: 'http://u:sk-0123456789abcdef@h'}",
        "sk-0123456789abcdef: [",
        "- sk-0123456789abcdef",
    ],
)
@pytest.mark.parametrize("in_file", [True, False])
def test_a_key_that_somebody_wrote_into_the_providers_is_refused_and_not_repeated(
    tmp_path: Path, text: str, in_file: bool
) -> None:
    path = tmp_path / "providers.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit) as caught:
        settings_of(**({"providers_file": path} if in_file else {"providers": text}))
    assert "PROVIDERS" in str(caught.value)
    assert "sk-0123" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"# Nothing yet.\n", b"providers: []"])
def test_a_file_of_endpoints_may_be_empty(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "providers.yaml"
    path.write_bytes(content)
    assert read_endpoints(path) == ()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\xff", "is not text in UTF-8"),
        (b"[unclosed", "is neither YAML nor JSON"),
        (b"7", "must be a list of endpoints"),
        (None, "cannot be read: Is a directory"),
    ],
)
def test_each_problem_of_the_file_names_the_file(tmp_path: Path, content: bytes | None, problem: str) -> None:
    path = tmp_path / "providers.yaml"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(SystemExit) as caught:
        settings_of(providers_file=path)
    assert str(caught.value).splitlines()[1].strip() == f"PROVIDERS_FILE: {path}: {problem}"


def test_an_unknown_protocol_in_the_file_is_an_error_that_lists_the_known_ones(tmp_path: Path) -> None:
    path = tmp_path / "providers.yaml"
    path.write_text("- {name: x, protocol: gopher, base_url: 'http://h'}")
    with pytest.raises(SystemExit, match=f"PROVIDERS_FILE: {path}: protocol: unknown .* {', '.join(PROTOCOLS)}$"):
        settings_of(providers_file=path)


def test_a_pooler_is_a_setting() -> None:
    assert settings_of(database_pooler="transaction").transaction_pooling
    assert not settings_of().transaction_pooling
    assert settings_of(database_url="postgresql://u@h/d?pgbouncer=true").transaction_pooling
    assert not settings_of(database_url="postgresql://u@h/d").transaction_pooling


def test_the_variable_wins_over_the_file_and_the_file_over_what_is_built_in(tmp_path: Path) -> None:
    path = tmp_path / "providers.yaml"
    path.write_text(
        "providers:\n"
        "- {name: openai, protocol: openai, base_url: 'http://file/v1'}\n"
        "- {name: home, protocol: openai, base_url: 'http://file/v1'}\n",
        encoding="utf-8",
    )
    variable = (
        '[{"name": "home", "protocol": "openai", "base_url": "http://variable/v1",'
        ' "prices": {"input_usd_per_mtok": "0.10", "output_usd_per_mtok": 2}}]'
    )
    endpoints = settings_of(providers_file=path, providers=variable).endpoints(PriceList())
    assert {item.name: item.base_url for item in endpoints if item.name in ("openai", "home")} == {
        "openai": "http://file/v1",
        "home": "http://variable/v1",
    }
    home = endpoints.get("home")
    assert home is not None
    assert home.prices is not None
    assert home.prices.input_usd_per_mtok == Decimal("0.10")


@pytest.mark.parametrize("providers", ["", "[]", "providers: []"])
def test_no_providers_leave_the_built_in_ones(providers: str) -> None:
    names = [item.name for item in settings_of(providers=providers).endpoints(PriceList())]
    assert names[0] == "anthropic"
    assert "simulator" not in names


def test_a_simulator_url_adds_the_simulators() -> None:
    endpoints = settings_of(simulator_url="http://127.0.0.1:8765").endpoints(PriceList())
    stand_ins = [item for item in endpoints if item.stand_in]
    assert [item.protocol for item in stand_ins] == list(PROTOCOLS)
    assert {"simulator", "simulator-openai"} <= {item.name for item in stand_ins}


@pytest.mark.parametrize(
    ("environment", "url", "proxy"),
    [
        ({"https_proxy": "http://proxy:3128"}, "https://api.anthropic.com", "http://proxy:3128"),
        ({"https_proxy": "http://proxy:3128"}, "http://vllm.internal/v1", None),
        ({"all_proxy": "http://proxy:3128"}, "http://vllm.internal/v1", "http://proxy:3128"),
        ({"https_proxy": "http://proxy:3128", "no_proxy": "anthropic.com"}, "https://api.anthropic.com", None),
        ({"http_proxy": "http://proxy:3128"}, "http://127.0.0.1:8000/v1", None),
        ({"http_proxy": "http://proxy:3128"}, "http://[::1]:8000/v1", None),
        ({"http_proxy": "http://proxy:3128"}, "http://localhost:8000/v1", None),
        ({"https_proxy": "proxy.corp:3128"}, "https://api.anthropic.com", "http://proxy.corp:3128"),
        ({"https_proxy": "127.0.0.1:9"}, "https://api.anthropic.com", "http://127.0.0.1:9"),
        ({"https_proxy": "localhost"}, "https://api.anthropic.com", "http://localhost"),
        ({"https_proxy": "https://me:pa%20ss@[::1]:9"}, "https://api.anthropic.com", "https://me:pa%20ss@[::1]:9"),
        ({"all_proxy": "socks5://proxy:1080"}, "http://127.0.0.1:8000/v1", None),
        ({}, "https://api.anthropic.com", None),
    ],
)
def test_a_proxy_is_what_the_environment_names_for_the_url_and_none_for_this_machine(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], url: str, proxy: str | None
) -> None:
    name_proxies(monkeypatch, **environment)
    assert Settings(_env_file=None).proxy_for(url) == proxy


def name_proxies(monkeypatch: pytest.MonkeyPatch, **environment: str) -> None:
    """The environment names these proxies alone."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize(
    "proxy",
    [
        "socks5://proxy:1080",
        "socks5h://me:hunter2@proxy:1080",
        "ftp://proxy",
        "http://",
        "http://proxy:99999",
        "http://proxy:port",
        "http://pro xy:3128",
        "http://[::1:3128",
        "//proxy:3128",
    ],
)
def test_a_proxy_that_cannot_be_used_names_its_variable_and_not_its_value(
    monkeypatch: pytest.MonkeyPatch, variable: str, proxy: str
) -> None:
    name_proxies(monkeypatch, **{variable: proxy})
    with pytest.raises(UnusableProxy, match=f"^{variable} cannot be used: it must be like http://proxy.example:3128"):
        Settings(_env_file=None).proxy_for("https://api.anthropic.com")


def test_a_setting_may_come_from_a_mounted_file_and_the_environment_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "redis_url").write_text("redis://:secret@redis/0\n")
    monkeypatch.delenv("REDIS_URL", raising=False)
    assert settings_of(_secrets_dir=tmp_path).redis_url == "redis://:secret@redis/0"
    monkeypatch.setenv("REDIS_URL", "redis://other/0")
    assert settings_of(_secrets_dir=tmp_path).redis_url == "redis://other/0"


def test_a_setting_may_come_from_the_file_that_a_variable_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If it were ignored, keys would be hashed without the SECRET_KEY, and nothing would say so."""
    file, mounted = tmp_path / "secret key", tmp_path / "run"
    file.write_text("f" * 32 + "\n")
    mounted.mkdir()
    (mounted / "secret_key").write_text("m" * 32)
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.setenv("SECRET_KEY_FILE", str(file))

    def secret_key() -> str:
        found = settings_of(_secrets_dir=mounted).secret_key
        assert found is not None
        return found.get_secret_value()

    assert secret_key() == "f" * 32
    monkeypatch.setenv("SECRET_KEY", "e" * 32)
    assert secret_key() == "e" * 32
    monkeypatch.setenv("SECRET_KEY", "")
    assert secret_key() == "f" * 32
    monkeypatch.delenv("SECRET_KEY_FILE")
    assert secret_key() == "m" * 32
    (tmp_path / ".env").write_text(f"SECRET_KEY_FILE={file}\n")
    of_dotenv = load_settings(_env_file=tmp_path / ".env", _secrets_dir=mounted).secret_key
    assert of_dotenv is not None
    assert of_dotenv.get_secret_value() == "f" * 32


def test_a_file_that_a_variable_names_must_be_readable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL_FILE", str(tmp_path / "none"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with pytest.raises(SystemExit, match="DATABASE_URL_FILE: cannot be read: No such file or directory"):
        settings_of()
    (tmp_path / "none").write_bytes(b"\xff\xfe")
    with pytest.raises(SystemExit, match="DATABASE_URL_FILE: is no text in UTF-8"):
        settings_of()
    (tmp_path / "none").write_text("mysql://root:hunter2@host/db")
    with pytest.raises(SystemExit, match="DATABASE_URL: must start with") as refused:
        settings_of()
    assert "hunter2" not in str(refused.value)


def test_providers_file_is_a_setting_and_no_file_of_providers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("providers: []\n")
    monkeypatch.setenv("PROVIDERS_FILE", str(tmp_path / "own.yaml"))
    assert settings_of().providers == ()


def test_the_first_secret_key_hashes_and_those_of_all_are_known() -> None:
    old, new = "o" * 32, "n" * 32
    of_old = settings_of(secret_key=old).key_hasher()
    both = settings_of(secret_key=f"{new}, {old}").key_hasher()
    assert both.hashes_with == settings_of(secret_key=new).key_hasher().hashes_with
    assert both.matches("secret", of_old.hash("secret"), of_old.hashes_with)
    assert old not in repr(settings_of(secret_key=old))


def test_people_whom_a_proxy_names_need_the_proxy_and_the_header() -> None:
    users = '{"ops@example.com": "ef56gh78", "*@example.com": "ab12cd34"}'
    proxies = {"trusted_proxies": "127.0.0.1"}
    settings = settings_of(**proxies, trusted_user_header="X-Forwarded-Email", trusted_users=users)
    assert settings.trusted_users.key_id("eve@example.com") == "ab12cd34"
    for values, message in (
        ({"trusted_user_header": "X-Forwarded-Email"}, "TRUSTED_USER_HEADER needs TRUSTED_PROXIES"),
        ({**proxies, "trusted_users": users}, "TRUSTED_USERS needs TRUSTED_USER_HEADER"),
        ({**proxies, "trusted_user_header": "Cookie"}, "TRUSTED_USER_HEADER: must be the name of a header"),
        ({**proxies, "trusted_user_header": "X-Forwarded-For"}, "TRUSTED_USER_HEADER: must be the name of a header"),
        ({**proxies, "trusted_user_header": "X Email"}, "TRUSTED_USER_HEADER: must be the name of a header"),
        ({**proxies, "trusted_users": "alice"}, "TRUSTED_USERS: must be JSON"),
        ({**proxies, "trusted_users": '{"alice": "lbk_x"}'}, "TRUSTED_USERS: entry 1 needs the id of a key"),
    ):
        with pytest.raises(SystemExit, match=message):
            settings_of(**values)

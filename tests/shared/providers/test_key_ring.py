"""Keys come from a variable or from a file that it names, and are shown by nothing."""

from pathlib import Path

import pytest

from shared.providers.built_in import BUILT_IN
from shared.providers.endpoints import Endpoint
from shared.providers.key_ring import KeyRing

ANTHROPIC = BUILT_IN[0]
KEY = "sk-ant-0123456789abcdef"
FREE = Endpoint(name="free", protocol="openai", base_url="http://127.0.0.1:8000/v1")


def key_of(ring: KeyRing) -> str | None:
    secret = ring.get(ANTHROPIC)
    return None if secret is None else secret.get_secret_value()


def test_a_key_is_the_value_of_its_variable() -> None:
    assert key_of(KeyRing({"ANTHROPIC_API_KEY": KEY})) == KEY


def test_a_key_is_the_content_of_a_file_without_the_line_end(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(f"{KEY}\n", encoding="utf-8")
    ring = KeyRing({"ANTHROPIC_API_KEY_FILE": str(path)})
    assert key_of(ring) == KEY
    assert ring.can_use(ANTHROPIC)


def test_a_key_file_is_read_when_the_key_is_asked_for(tmp_path: Path) -> None:
    """A key that is exchanged while programs run is used from then on."""
    path = tmp_path / "key"
    ring = KeyRing({"ANTHROPIC_API_KEY_FILE": str(path)})
    assert not ring.can_use(ANTHROPIC)
    path.write_text("first-key", encoding="utf-8")
    assert key_of(ring) == "first-key"
    path.write_text("second-key", encoding="utf-8")
    assert key_of(ring) == "second-key"


def test_the_variable_wins_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("other", encoding="utf-8")
    assert key_of(KeyRing({"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_API_KEY_FILE": str(path)})) == KEY


def test_a_folder_has_a_file_of_the_name_of_each_variable(tmp_path: Path) -> None:
    """As Docker and Kubernetes mount secrets. A key that is exchanged there is used from then on."""
    ring = KeyRing({"ANTHROPIC_API_KEY": ""}, tmp_path)
    assert not ring.can_use(ANTHROPIC)
    (tmp_path / "ANTHROPIC_API_KEY").write_text(f"{KEY}\n", encoding="utf-8")
    assert key_of(ring) == KEY
    assert ring.secrets([ANTHROPIC]) == [KEY]
    (tmp_path / "ANTHROPIC_API_KEY").write_text("\n", encoding="utf-8")
    assert not ring.can_use(ANTHROPIC)


def test_the_environment_wins_over_the_folder(tmp_path: Path) -> None:
    (tmp_path / "ANTHROPIC_API_KEY").write_text("of-the-folder", encoding="utf-8")
    (tmp_path / "named").write_text("of-the-named-file", encoding="utf-8")
    assert key_of(KeyRing({"ANTHROPIC_API_KEY": KEY}, tmp_path)) == KEY
    named = {"ANTHROPIC_API_KEY_FILE": str(tmp_path / "named")}
    assert key_of(KeyRing(named, tmp_path)) == "of-the-named-file"
    # A file that is empty or not there says nothing.
    assert key_of(KeyRing({"ANTHROPIC_API_KEY_FILE": "/nowhere/key"}, tmp_path)) == "of-the-folder"


def test_a_name_leads_out_of_no_folder(tmp_path: Path) -> None:
    (tmp_path / "other").write_text(KEY, encoding="utf-8")
    folder = tmp_path / "secrets"
    folder.mkdir()
    endpoint = ANTHROPIC.model_copy(update={"api_key_env": "../other"})
    assert KeyRing({}, folder).get(endpoint) is None


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"ANTHROPIC_API_KEY": ""},
        {"ANTHROPIC_API_KEY": None},
        {"ANTHROPIC_API_KEY_FILE": "/nowhere/key"},
        {"OPENAI_API_KEY": KEY},
    ],
)
def test_without_a_value_there_is_no_key(environment: dict[str, str | None]) -> None:
    ring = KeyRing(environment)
    assert ring.get(ANTHROPIC) is None
    assert not ring.can_use(ANTHROPIC)


def test_an_empty_key_file_holds_no_key(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("\n", encoding="utf-8")
    assert not KeyRing({"ANTHROPIC_API_KEY_FILE": str(path)}).can_use(ANTHROPIC)


@pytest.mark.parametrize("named", [True, False], ids=["named file", "folder"])
def test_a_file_that_is_no_text_makes_its_endpoint_alone_unusable(tmp_path: Path, named: bool) -> None:
    (tmp_path / "ANTHROPIC_API_KEY").write_bytes(b"\xff\xfes\x00k\x00")
    file = {"ANTHROPIC_API_KEY_FILE": str(tmp_path / "ANTHROPIC_API_KEY")}
    ring = KeyRing({"OPENAI_API_KEY": KEY} | (file if named else {}), None if named else tmp_path)
    assert ring.problems(ANTHROPIC) == ["ANTHROPIC_API_KEY: its file cannot be read (it is not in UTF-8)"]
    assert [endpoint.name for endpoint in BUILT_IN if ring.can_use(endpoint)] == ["openai"]
    assert ring.get(ANTHROPIC) is None
    assert ring.secrets(BUILT_IN) == [KEY]


def test_a_file_that_the_system_does_not_let_us_read_makes_its_endpoint_unusable(tmp_path: Path) -> None:
    """As one of another user does. The superuser may read that, so this one has a name that is too long."""
    path = tmp_path / ("k" * 300)
    ring = KeyRing({"ANTHROPIC_API_KEY_FILE": str(path)})
    assert ring.problems(ANTHROPIC) == ["ANTHROPIC_API_KEY: its file cannot be read (File name too long)"]
    (tmp_path / "ANTHROPIC_API_KEY").write_text(KEY, encoding="utf-8")
    assert key_of(KeyRing({"ANTHROPIC_API_KEY_FILE": str(path)}, tmp_path)) == KEY


def test_an_endpoint_without_a_variable_needs_no_key() -> None:
    ring = KeyRing({"ANTHROPIC_API_KEY": KEY})
    assert ring.can_use(FREE)
    assert ring.get(FREE) is None


@pytest.mark.parametrize("show", [str, repr, lambda ring: repr(ring.get(ANTHROPIC)), lambda ring: str([ring])])
def test_a_key_is_in_no_text_of_its_ring(show: object) -> None:
    assert callable(show)
    assert KEY not in show(KeyRing({"ANTHROPIC_API_KEY": KEY}))


def test_the_secrets_are_the_keys_of_these_endpoints() -> None:
    ring = KeyRing({"ANTHROPIC_API_KEY": KEY, "HOME": "/root"})
    assert ring.secrets([*BUILT_IN, FREE]) == [KEY]

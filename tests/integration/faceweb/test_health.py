"""What containers and load balancers are told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client, override_settings
from pytest_django import DjangoAssertNumQueries

from recognition.services import analysis
from tests import fakes

pytestmark = pytest.mark.django_db(transaction=True)

NO_REDIS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": ["redis://127.0.0.1:1/0"]},
    }
}


@pytest.fixture(autouse=True)
def recognition(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that recognises."""
    monkeypatch.setattr(analysis, "_analysers", [fakes.FakeAnalyser({})])


@pytest.fixture
def _no_database(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """New connections are refused."""
    connection.close()
    with monkeypatch.context() as patch:
        patch.setitem(connection.settings_dict, "PORT", "1")
        yield
        connection.close()


def faults(client: Client, *, status: int = 503) -> dict[str, str]:
    """The parts that are not well, with what is said of them."""
    response = client.get("/readyz")
    assert response.status_code == status
    answer: dict[str, Any] = response.json()
    assert answer["ready"] is (status == 200)
    return {part: said for part, said in answer["parts"].items() if said != "ok"}


def test_a_process_is_alive_without_asking_the_database(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok")
    assert client.post("/healthz").status_code == 405


def test_a_process_whose_parts_all_work_is_ready(client: Client) -> None:
    fakes.activated_pack()
    assert faults(client, status=200) == {}
    assert set(client.get("/readyz").json()["parts"]) == {
        "database",
        "schema",
        "model_pack",
        "channel_layer",
        "recognition",
    }
    assert client.post("/readyz").status_code == 405


def test_a_new_database_has_no_model_pack(client: Client) -> None:
    assert set(faults(client)) == {"model_pack"}


def test_a_database_of_the_version_before_is_told(client: Client) -> None:
    fakes.activated_pack()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE django_migrations SET name = '-' || name WHERE app = 'recognition' AND name LIKE '0001%'"
        )
    try:
        assert "1 migrations behind" in faults(client)["schema"]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE django_migrations SET name = substr(name, 2) WHERE name LIKE '-%'")


@pytest.mark.usefixtures("_no_database")
def test_without_its_database_a_process_lives_and_is_not_ready(client: Client) -> None:
    assert client.get("/healthz").status_code == 200
    assert faults(client) == {"database": "The database does not answer."}


def test_a_redis_that_does_not_answer_is_told(client: Client) -> None:
    fakes.activated_pack()
    with override_settings(CHANNEL_LAYERS=NO_REDIS):
        assert set(faults(client)) == {"channel_layer"}


def test_a_process_without_recognition_is_not_ready(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.activated_pack()
    monkeypatch.setattr(analysis, "_analysers", [])
    assert faults(client) == {"recognition": "No recognition process is alive."}

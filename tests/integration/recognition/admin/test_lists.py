"""What every list of the admin says where it is empty."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from recognition.models import FaceSample, Job, Person

pytestmark = pytest.mark.django_db

MODELS = [model for model in admin.site._registry if model._meta.app_label == "recognition"]


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("grace"))
    return client


def shown(client: Client, model: type[Model], query: str = "") -> str:
    return client.get(reverse(f"admin:recognition_{model._meta.model_name}_changelist") + query).content.decode()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_an_empty_list_says_what_it_holds_and_names_no_filters(model: type[Model], client: Client) -> None:
    page = shown(client, model)
    assert "No results found" not in page
    if "Nothing is here yet" in page:
        text = str(admin.site._registry[model].empty_text)  # type: ignore[attr-defined]  # ours, of every such list
        assert text
        assert text in page
        assert ">Reset<" not in page


def test_only_what_can_be_added_is_offered(client: Client) -> None:
    assert "Add person" in shown(client, Person)
    assert "Add job" not in shown(client, Job)


@pytest.mark.parametrize(("model", "query"), [(Person, "?q=zoe"), (FaceSample, "?status__exact=active")])
def test_a_list_that_is_filtered_can_be_reset(model: type[Model], query: str, client: Client) -> None:
    page = shown(client, model, query)
    assert "Nothing fits" in page
    assert ">Reset<" in page
    assert "Nothing is here yet" not in page

"""Every address of the site, by the part of the product that answers it."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LogoutView
from django.urls import include, path
from django.views.i18n import JavaScriptCatalog, set_language

from faceweb import health, metrics
from recognition.admin import dashboard, users
from recognition.web.log_in import LogInView

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("accounts/login/", LogInView.as_view(), name="login"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    path("i18n/setlang/", login_not_required(set_language), name="set_language"),
    path(
        "i18n/catalog.js",
        login_not_required(JavaScriptCatalog.as_view(packages=["recognition"])),
        name="javascript-catalog",
    ),
    # Before the admin, whose page it is.
    path("admin/password_change/", admin.site.admin_view(users.own_password)),
    path("admin/", admin.site.urls),
    path("decisions.csv", dashboard.decisions_file, name="decisions-file"),
    path("", include("recognition.web.urls")),
]

handler400 = "recognition.web.bad_request.bad_request"

"""The log-in, which leads everybody to a page that they may open."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser, User
from django.contrib.auth.views import LoginView
from django.urls import reverse


class LogInView(LoginView):
    """Django's log-in; where no page was asked for, it goes to the user's own start page."""

    redirect_authenticated_user = True

    def get_default_redirect_url(self) -> str:
        """Where to go when the address names no page."""
        return start_page(self.request.user)


def start_page(user: User | AnonymousUser) -> str:
    """The first page that a user may open; without any the live page, which names what is missing."""
    if user.has_perm("recognition.use_live"):
        return reverse("live")
    if user.is_staff:
        return reverse("home")
    if user.has_perm("recognition.search_gallery"):
        return reverse("search")
    return reverse("live")

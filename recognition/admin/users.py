"""Django's own users and groups in the look of this admin.

Whoever may change users could make themselves anything. So those who are no superusers change less: names, whether an
account is active, and roles; and neither their own roles nor any account that may do more than roles allow.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, gettext_lazy
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from recognition.admin.base import NOTHING, actor_of
from recognition.admin.checkboxes import WithCheckboxes
from recognition.services import accounts

admin.site.unregister(User)
admin.site.unregister(Group)


@transaction.atomic
def own_password(request: HttpRequest) -> HttpResponse:
    """The admin's page on which somebody changes their own password; recorded where it did."""
    user = actor_of(request)
    before = user.password
    response: HttpResponse = admin.site.password_change(request)
    if User.objects.filter(pk=user.pk).exclude(password=before).exists():
        accounts.record_password(user=user, actor=user)
    return response


@admin.register(User)
class UserAdmin(WithCheckboxes, DjangoUserAdmin, ModelAdmin):  # type: ignore[type-arg]  # generic in its stubs only
    """Who may log in, and in which roles."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "first_name", "last_name", "roles", "is_active", "last_login")
    fieldsets_of_roles = (
        (None, {"fields": ("username", "password")}),
        (gettext_lazy("Personal info"), {"fields": ("first_name", "last_name", "email")}),
        (gettext_lazy("Roles"), {"fields": ("is_active", "groups")}),
        (gettext_lazy("Important dates"), {"fields": ("last_login", "date_joined")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Users with their roles."""
        shown: QuerySet[User] = super().get_queryset(request)
        return shown.prefetch_related("groups")

    @display(description=gettext_lazy("roles"))
    def roles(self, user: User) -> str:
        """What the user may do, in a word or two."""
        names = [str(group) for group in user.groups.all()]
        if user.is_superuser:
            names.insert(0, gettext("superuser"))
        return ", ".join(names) or NOTHING

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Everything for superusers, roles for everybody else."""
        if obj is None or _is_superuser(request):
            return super().get_fieldsets(request, obj)
        return self.fieldsets_of_roles

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """The name to log in with is in audits and lockouts; one's own roles are for others to give."""
        readonly = ("last_login", "date_joined")
        if obj is None or _is_superuser(request):
            return readonly
        own = ("is_active", "groups") if obj.pk == request.user.pk else ()
        return (*readonly, "username", *own)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Also asked before a password is set: whoever sets it could log in as that user."""
        return bool(super().has_change_permission(request, obj)) and _within_roles(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """The same rule as for changing."""
        return bool(super().has_delete_permission(request, obj)) and _within_roles(request, obj)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """An account made here may enter the admin, where it finds only what its roles allow."""
        if not change:
            obj.is_staff = True
        form.rights_before = accounts.rights_of(obj)
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Roles are stored last: what changed is recorded after them."""
        super().save_related(request, form, formsets, change)
        accounts.record_user(
            user=form.instance, before=form.rights_before, fields=form.changed_data, actor=actor_of(request)
        )

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002  # Django's name
        """Recorded where the page stored a password, or took it away."""
        with transaction.atomic():
            before = User.objects.filter(pk=id).values_list("password", flat=True).first()
            response: HttpResponse = super().user_change_password(request, id, form_url)
            user = User.objects.filter(pk=id).exclude(password=before).first()
            if user is not None:
                accounts.record_password(user=user, actor=actor_of(request))
        return response

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """Recorded with what the account could do."""
        accounts.record_user_deleted(user=obj, actor=actor_of(request))
        super().delete_model(request, obj)

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Each account is recorded."""
        for user in queryset:
            accounts.record_user_deleted(user=user, actor=actor_of(request))
        super().delete_queryset(request, queryset)


@admin.register(Group)
class GroupAdmin(WithCheckboxes, DjangoGroupAdmin, ModelAdmin):
    """Permissions by role; superusers alone change what a role may do."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """For superusers."""
        return _is_superuser(request) and bool(super().has_add_permission(request))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """For superusers."""
        return _is_superuser(request) and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """For superusers."""
        return _is_superuser(request) and bool(super().has_delete_permission(request, obj))

    def save_model(self, request: HttpRequest, obj: Group, form: Any, change: bool) -> None:
        """Looks at what the role allowed before."""
        form.rights_before = accounts.rights_of_role(obj)
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Permissions are stored last: what changed is recorded after them."""
        super().save_related(request, form, formsets, change)
        accounts.record_role(role=form.instance, before=form.rights_before, actor=actor_of(request))

    def delete_model(self, request: HttpRequest, obj: Group) -> None:
        """Recorded with what the role allowed, and whom."""
        accounts.record_role_deleted(role=obj, actor=actor_of(request))
        super().delete_model(request, obj)

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Group]) -> None:
        """Each role is recorded."""
        for role in queryset:
            accounts.record_role_deleted(role=role, actor=actor_of(request))
        super().delete_queryset(request, queryset)


def _is_superuser(request: HttpRequest) -> bool:
    return actor_of(request).is_superuser


def _within_roles(request: HttpRequest, user: Model | None) -> bool:
    """Whether a user may do no more than roles allow, so that whoever gives roles may change them."""
    if not isinstance(user, User) or _is_superuser(request):
        return True
    return not user.is_superuser and not user.user_permissions.exists()

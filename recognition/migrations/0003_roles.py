"""Four roles as Django groups; see docs/howto/roles.md. What an administrator changed in them later stays."""

from __future__ import annotations

from django.db import migrations

VIEW_OF_A_DECISION = ("view_recognitionevent", "view_eventoverride", "view_checkpoint", "view_alert")

ROLES = {
    "operator": (
        *VIEW_OF_A_DECISION,
        "use_live",
        "use_checkpoint",
        "pair_kiosk",
        "view_kioskdevice",
        "add_eventoverride",
        "view_claimlockout",
        "lift_lockout",
        "acknowledge_alert",
        "view_actiondelivery",
    ),
    "enroller": (
        "view_person",
        "add_person",
        "change_person",
        "view_persongroup",
        "view_facesample",
        "add_facesample",
        "change_facesample",
        "delete_facesample",
        "search_gallery",
    ),
    "auditor": (
        *VIEW_OF_A_DECISION,
        "view_auditentry",
        "view_person",
        "view_persongroup",
        "view_facesample",
        "view_denylistentry",
        "view_claimlockout",
        "view_actiondelivery",
        "view_kioskdevice",
        "view_thresholdpolicy",
        "view_modelpack",
    ),
    "administrator": (
        "view_thresholdpolicy",
        "add_thresholdpolicy",
        "approve_thresholdpolicy",
        "view_modelpack",
        "view_checkpoint",
        "add_checkpoint",
        "change_checkpoint",
        "view_kioskdevice",
        "pair_kiosk",
        "view_actiondelivery",
        "view_claimlockout",
        "lift_lockout",
        "view_persongroup",
        "add_persongroup",
        "change_persongroup",
        "delete_persongroup",
        "view_person",
        "view_facesample",
        "delete_person",
        "view_denylistentry",
        "add_denylistentry",
        "delete_denylistentry",
        "view_auditentry",
        "auth.view_user",
        "auth.add_user",
        "auth.change_user",
        "auth.view_group",
    ),
}


def make_roles(apps, schema_editor):
    """Makes the groups; permissions that Django would make only after all migrations are made here."""
    Group = apps.get_model("auth", "Group")
    for name, permissions in ROLES.items():
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.add(*(_permission(apps, code) for code in permissions))


def _permission(apps, code):
    app_label, _, codename = code.rpartition(".")
    app_label = app_label or "recognition"
    model, name = _described(apps, app_label, codename)
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label=app_label, model=model._meta.model_name
    )
    permission, _ = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=content_type, codename=codename, defaults={"name": name}
    )
    return permission


def _described(apps, app_label, codename):
    """The model that a permission belongs to, and what the permission is called."""
    for model in apps.get_app_config(app_label).get_models():
        meta = model._meta
        for action in meta.default_permissions:
            if codename == f"{action}_{meta.model_name}":
                return model, f"Can {action} {meta.verbose_name_raw}"
        for own, name in meta.permissions:
            if codename == own:
                return model, str(name)
    raise LookupError(f"{app_label}.{codename}: no model has such a permission")


def remove_roles(apps, schema_editor):
    """Removes the groups with the migration that made them."""
    apps.get_model("auth", "Group").objects.filter(name__in=ROLES).delete()


class Migration(migrations.Migration):

    dependencies = [
        ("recognition", "0002_checkpoints"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(make_roles, remove_roles)]

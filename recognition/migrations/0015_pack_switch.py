from django.db import migrations, models


def give_to_roles(apps, schema_editor):
    """Adds to the role that is there; Django would make the permission only after all migrations."""
    group = apps.get_model("auth", "Group").objects.filter(name="administrator").first()
    if group is None:
        return
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="recognition", model="modelpack"
    )
    permission, _ = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=content_type,
        codename="switch_modelpack",
        defaults={"name": "Can try and switch model packs"},
    )
    group.permissions.add(permission)


class Migration(migrations.Migration):
    """Model packs are tried out by a job, and switched by whoever may."""

    dependencies = [
        ('recognition', '0014_guided_enrolment'),
        ('auth', '0012_alter_user_first_name_max_length'),
        ('contenttypes', '0002_remove_content_type_name'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='modelpack',
            options={'permissions': [('switch_modelpack', 'Can try and switch model packs')], 'verbose_name': 'model pack', 'verbose_name_plural': 'model packs'},
        ),
        migrations.AlterField(
            model_name='job',
            name='kind',
            field=models.CharField(choices=[('gallery_check', 'gallery check'), ('import', 'import'), ('pack_switch', 'model pack tried out')], max_length=40, verbose_name='kind'),
        ),
        migrations.RunPython(give_to_roles, migrations.RunPython.noop),
    ]

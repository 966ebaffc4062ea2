import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


ROLES = {
    "enroller": ("view_importbatch", "add_importbatch"),
    "auditor": ("view_importbatch",),
}

NAMES = {"view_importbatch": "Can view import", "add_importbatch": "Can add import"}


def give_to_roles(apps, schema_editor):
    """Adds to the roles that are there; Django would make the permissions only after all migrations."""
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="recognition", model="importbatch"
    )
    for role, codenames in ROLES.items():
        group = apps.get_model("auth", "Group").objects.filter(name=role).first()
        for codename in codenames if group else ():
            permission, _ = apps.get_model("auth", "Permission").objects.get_or_create(
                content_type=content_type, codename=codename, defaults={"name": NAMES[codename]}
            )
            group.permissions.add(permission)


class Migration(migrations.Migration):
    """Uploads of many people, and what became of each file."""

    dependencies = [
        ('recognition', '0011_sample_event'),
        ('auth', '0012_alter_user_first_name_max_length'),
        ('contenttypes', '0002_remove_content_type_name'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='auditentry',
            name='action',
            field=models.CharField(choices=[('person.enrolled', 'person enrolled'), ('person.changed', 'person changed'), ('person.deleted', 'person deleted'), ('person.merged', 'two people merged'), ('person.split', 'person split in two'), ('person.move_undone', 'merge or split undone'), ('person.photos_removed', 'photos removed, templates kept'), ('person.photos_kept', 'photos are kept from now on'), ('sample.added', 'sample added'), ('sample.status_changed', 'sample status changed'), ('sample.deleted', 'sample deleted'), ('people.told_apart', 'two people told apart'), ('people.not_told_apart', 'two people no longer told apart'), ('policy.changed', 'threshold policy changed'), ('policy.proposed', 'threshold policy proposed'), ('policy.approved', 'threshold policy approved'), ('policy.rejected', 'threshold policy rejected'), ('policy.activated', 'threshold policy in force'), ('policy.retired', 'threshold policy of a checkpoint out of force'), ('checkpoint.saved', 'checkpoint changed'), ('person_group.saved', 'group of people changed'), ('person_group.deleted', 'group of people deleted'), ('person.pin_set', 'PIN set'), ('deny_list.added', 'put on the deny list'), ('deny_list.removed', 'taken off the deny list'), ('kiosk.code_made', 'pairing code made'), ('kiosk.paired', 'kiosk paired'), ('kiosk.removed', 'kiosk removed'), ('lockout.lifted', 'lockout lifted'), ('event.overridden', 'decision overridden'), ('alert.acknowledged', 'alert acknowledged'), ('pack.activated', 'model pack activated'), ('pack.measured', 'thresholds measured'), ('import.uploaded', 'import uploaded'), ('import.discarded', 'import discarded'), ('job.requested', 'job asked for'), ('job.cancelled', 'job cancelled')], max_length=50, verbose_name='action'),
        ),
        migrations.AlterField(
            model_name='job',
            name='kind',
            field=models.CharField(choices=[('gallery_check', 'gallery check'), ('import', 'import')], max_length=40, verbose_name='kind'),
        ),
        migrations.CreateModel(
            name='ImportBatch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('file_name', models.CharField(max_length=200, verbose_name='file')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='uploaded')),
                ('expires_at', models.DateTimeField(db_index=True)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='uploaded by')),
                ('job', models.OneToOneField(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='import_batch', to='recognition.job', verbose_name='job')),
            ],
            options={
                'verbose_name': 'import',
                'verbose_name_plural': 'imports',
                'ordering': ['-pk'],
                'default_permissions': ('add', 'view'),
            },
        ),
        migrations.CreateModel(
            name='ImportItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('path', models.CharField(max_length=1000)),
                ('person', models.JSONField(null=True)),
                ('state', models.CharField(choices=[('pending', 'to be looked at'), ('enrolled', 'enrolled'), ('set_aside', 'set aside'), ('known', 'known already'), ('refused', 'not used')], default='pending', max_length=20)),
                ('reasons', models.JSONField(default=list)),
                ('image_sha256', models.CharField(blank=True, max_length=64)),
                ('data', models.BinaryField(null=True)),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='items', to='recognition.importbatch')),
                ('sample', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='recognition.facesample')),
            ],
            options={
                'verbose_name': 'file of an import',
                'verbose_name_plural': 'files of an import',
                'ordering': ['pk'],
                'default_permissions': (),
                'indexes': [models.Index(fields=['batch', 'state'], name='importitem_batch_state')],
            },
        ),
        migrations.RunPython(give_to_roles, migrations.RunPython.noop),
    ]

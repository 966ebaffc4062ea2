import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


ROLES = {
    "enroller": ("view_distinctpair", "delete_distinctpair"),
    "auditor": ("view_distinctpair",),
}

NAMES = {"view_distinctpair": "Can view pair told apart", "delete_distinctpair": "Can delete pair told apart"}


def give_to_roles(apps, schema_editor):
    """Adds to the roles that are there; Django would make the permissions only after all migrations."""
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="recognition", model="distinctpair"
    )
    for role, codenames in ROLES.items():
        group = apps.get_model("auth", "Group").objects.filter(name=role).first()
        for codename in codenames if group else ():
            permission, _ = apps.get_model("auth", "Permission").objects.get_or_create(
                content_type=content_type, codename=codename, defaults={"name": NAMES[codename]}
            )
            group.permissions.add(permission)


class Migration(migrations.Migration):
    """What speaks against a sample, and people who were told apart."""

    dependencies = [
        ('recognition', '0008_waiting_photo'),
        ('auth', '0012_alter_user_first_name_max_length'),
        ('contenttypes', '0002_remove_content_type_name'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='facesample',
            name='doubts',
            field=models.JSONField(default=list, help_text='What spoke against it when it was enrolled: codes, ids and numbers.', verbose_name='doubts'),
        ),
        migrations.AlterField(
            model_name='auditentry',
            name='action',
            field=models.CharField(choices=[('person.enrolled', 'person enrolled'), ('person.changed', 'person changed'), ('person.deleted', 'person deleted'), ('sample.added', 'sample added'), ('sample.status_changed', 'sample status changed'), ('sample.deleted', 'sample deleted'), ('people.told_apart', 'two people told apart'), ('people.not_told_apart', 'two people no longer told apart'), ('policy.changed', 'threshold policy changed'), ('policy.proposed', 'threshold policy proposed'), ('policy.approved', 'threshold policy approved'), ('policy.rejected', 'threshold policy rejected'), ('policy.activated', 'threshold policy in force'), ('policy.retired', 'threshold policy of a checkpoint out of force'), ('checkpoint.saved', 'checkpoint changed'), ('person_group.saved', 'group of people changed'), ('person_group.deleted', 'group of people deleted'), ('person.pin_set', 'PIN set'), ('deny_list.added', 'put on the deny list'), ('deny_list.removed', 'taken off the deny list'), ('kiosk.code_made', 'pairing code made'), ('kiosk.paired', 'kiosk paired'), ('kiosk.removed', 'kiosk removed'), ('lockout.lifted', 'lockout lifted'), ('event.overridden', 'decision overridden'), ('alert.acknowledged', 'alert acknowledged'), ('pack.activated', 'model pack activated'), ('pack.measured', 'thresholds measured'), ('job.requested', 'job asked for'), ('job.cancelled', 'job cancelled')], max_length=50, verbose_name='action'),
        ),
        migrations.CreateModel(
            name='DistinctPair',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='since')),
                ('created_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
                ('first', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='recognition.person', verbose_name='person')),
                ('second', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='recognition.person', verbose_name='other person')),
            ],
            options={
                'verbose_name': 'pair told apart',
                'verbose_name_plural': 'pairs told apart',
                'ordering': ['-created_at', '-pk'],
                'default_permissions': ('view', 'delete'),
                'constraints': [models.UniqueConstraint(fields=('first', 'second'), name='one_pair_of_two_people'), models.CheckConstraint(condition=models.Q(('first__lt', models.F('second'))), name='a_pair_is_in_ascending_order')],
            },
        ),
        migrations.RunPython(give_to_roles, migrations.RunPython.noop),
    ]

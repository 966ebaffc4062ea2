import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def give_to_roles(apps, schema_editor):
    """Adds to the role that is there; Django would make the permission only after all migrations."""
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="recognition", model="person"
    )
    group = apps.get_model("auth", "Group").objects.filter(name="enroller").first()
    if group is not None:
        permission, _ = apps.get_model("auth", "Permission").objects.get_or_create(
            content_type=content_type, codename="merge_person", defaults={"name": "Can merge and split people"}
        )
        group.permissions.add(permission)


class Migration(migrations.Migration):
    """Rows that turned out to be one person, and people without photos."""

    dependencies = [
        ('recognition', '0009_doubtful_samples'),
        ('auth', '0012_alter_user_first_name_max_length'),
        ('contenttypes', '0002_remove_content_type_name'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='person',
            options={'ordering': ['name', 'pk'], 'permissions': [('merge_person', 'Can merge and split people')], 'verbose_name': 'person', 'verbose_name_plural': 'people'},
        ),
        migrations.AddField(
            model_name='person',
            name='keeps_photos',
            field=models.BooleanField(default=True, editable=False, help_text='Without photos only templates are stored: recognised as well, but never embedded anew.', verbose_name='photos are kept'),
        ),
        migrations.AddField(
            model_name='person',
            name='merged_into',
            field=models.ForeignKey(editable=False, help_text="Set where this row turned out to be another person's: neither listed nor searched any more.", null=True, on_delete=django.db.models.deletion.CASCADE, related_name='merged_people', to='recognition.person', verbose_name='merged into'),
        ),
        migrations.AlterField(
            model_name='auditentry',
            name='action',
            field=models.CharField(choices=[('person.enrolled', 'person enrolled'), ('person.changed', 'person changed'), ('person.deleted', 'person deleted'), ('person.merged', 'two people merged'), ('person.split', 'person split in two'), ('person.move_undone', 'merge or split undone'), ('person.photos_removed', 'photos removed, templates kept'), ('person.photos_kept', 'photos are kept from now on'), ('sample.added', 'sample added'), ('sample.status_changed', 'sample status changed'), ('sample.deleted', 'sample deleted'), ('people.told_apart', 'two people told apart'), ('people.not_told_apart', 'two people no longer told apart'), ('policy.changed', 'threshold policy changed'), ('policy.proposed', 'threshold policy proposed'), ('policy.approved', 'threshold policy approved'), ('policy.rejected', 'threshold policy rejected'), ('policy.activated', 'threshold policy in force'), ('policy.retired', 'threshold policy of a checkpoint out of force'), ('checkpoint.saved', 'checkpoint changed'), ('person_group.saved', 'group of people changed'), ('person_group.deleted', 'group of people deleted'), ('person.pin_set', 'PIN set'), ('deny_list.added', 'put on the deny list'), ('deny_list.removed', 'taken off the deny list'), ('kiosk.code_made', 'pairing code made'), ('kiosk.paired', 'kiosk paired'), ('kiosk.removed', 'kiosk removed'), ('lockout.lifted', 'lockout lifted'), ('event.overridden', 'decision overridden'), ('alert.acknowledged', 'alert acknowledged'), ('pack.activated', 'model pack activated'), ('pack.measured', 'thresholds measured'), ('job.requested', 'job asked for'), ('job.cancelled', 'job cancelled')], max_length=50, verbose_name='action'),
        ),
        migrations.CreateModel(
            name='PersonMove',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('merge', 'merged'), ('split', 'split')], max_length=20, verbose_name='kind')),
                ('before', models.JSONField()),
                ('made_at', models.DateTimeField(auto_now_add=True, verbose_name='time')),
                ('undone_at', models.DateTimeField(null=True, verbose_name='undone')),
                ('made_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
                ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='moves_from', to='recognition.person', verbose_name='from')),
                ('target', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='moves_to', to='recognition.person', verbose_name='to')),
                ('undone_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'move of samples',
                'verbose_name_plural': 'moves of samples',
                'ordering': ['-pk'],
                'default_permissions': (),
                'constraints': [models.CheckConstraint(condition=models.Q(('source', models.F('target')), _negated=True), name='a_move_is_between_two_people')],
            },
        ),
        migrations.RunPython(give_to_roles, migrations.RunPython.noop),
    ]

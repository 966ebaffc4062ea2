import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


ROLES = {
    "enroller": ("view_job", "add_job", "cancel_job"),
    "auditor": ("view_job",),
    "administrator": ("view_job", "add_job", "cancel_job"),
}

NAMES = {"view_job": "Can view job", "add_job": "Can add job", "cancel_job": "Can cancel jobs"}


def give_to_roles(apps, schema_editor):
    """Adds to the roles that are there; Django would make the permissions only after all migrations."""
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="recognition", model="job"
    )
    for role, codenames in ROLES.items():
        group = apps.get_model("auth", "Group").objects.filter(name=role).first()
        for codename in codenames if group else ():
            permission, _ = apps.get_model("auth", "Permission").objects.get_or_create(
                content_type=content_type, codename=codename, defaults={"name": NAMES[codename]}
            )
            group.permissions.add(permission)


class Migration(migrations.Migration):
    """Long work, and who may look at it, ask for it, and cancel it."""

    dependencies = [
        ('recognition', '0006_events_guard'),
        ('auth', '0012_alter_user_first_name_max_length'),
        ('contenttypes', '0002_remove_content_type_name'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='auditentry',
            name='action',
            field=models.CharField(choices=[('person.enrolled', 'person enrolled'), ('person.changed', 'person changed'), ('person.deleted', 'person deleted'), ('sample.added', 'sample added'), ('sample.status_changed', 'sample status changed'), ('sample.deleted', 'sample deleted'), ('policy.changed', 'threshold policy changed'), ('policy.proposed', 'threshold policy proposed'), ('policy.approved', 'threshold policy approved'), ('policy.rejected', 'threshold policy rejected'), ('policy.activated', 'threshold policy in force'), ('policy.retired', 'threshold policy of a checkpoint out of force'), ('checkpoint.saved', 'checkpoint changed'), ('person_group.saved', 'group of people changed'), ('person_group.deleted', 'group of people deleted'), ('person.pin_set', 'PIN set'), ('deny_list.added', 'put on the deny list'), ('deny_list.removed', 'taken off the deny list'), ('kiosk.code_made', 'pairing code made'), ('kiosk.paired', 'kiosk paired'), ('kiosk.removed', 'kiosk removed'), ('lockout.lifted', 'lockout lifted'), ('event.overridden', 'decision overridden'), ('alert.acknowledged', 'alert acknowledged'), ('pack.activated', 'model pack activated'), ('pack.measured', 'thresholds measured'), ('job.requested', 'job asked for'), ('job.cancelled', 'job cancelled')], max_length=50, verbose_name='action'),
        ),
        migrations.CreateModel(
            name='Job',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('gallery_check', 'gallery check')], max_length=40, verbose_name='kind')),
                ('parameters', models.JSONField(default=dict, help_text='Ids and numbers; no name, no image.', verbose_name='parameters')),
                ('requested_at', models.DateTimeField(auto_now_add=True, verbose_name='asked for')),
                ('state', models.CharField(choices=[('queued', 'waiting'), ('running', 'running'), ('succeeded', 'done'), ('failed', 'failed'), ('cancelled', 'cancelled')], default='queued', max_length=20, verbose_name='state')),
                ('started_at', models.DateTimeField(null=True, verbose_name='started')),
                ('finished_at', models.DateTimeField(null=True, verbose_name='ended')),
                ('heartbeat_at', models.DateTimeField(null=True, verbose_name='last step')),
                ('done', models.PositiveIntegerField(default=0, verbose_name='steps done')),
                ('total', models.PositiveIntegerField(null=True, verbose_name='steps in all')),
                ('checkpoint', models.JSONField(default=dict, help_text='Where it goes on after a process was killed.')),
                ('result', models.JSONField(default=dict, help_text='Codes, ids and numbers.', verbose_name='result')),
                ('error_code', models.CharField(blank=True, max_length=40, verbose_name='error')),
                ('error_parameters', models.JSONField(default=dict)),
                ('is_cancel_requested', models.BooleanField(default=False, verbose_name='to be cancelled')),
                ('attempt', models.PositiveIntegerField(default=0, help_text='Counts up with each process that takes it: a late one finds that it is no longer its own.')),
                ('interruptions', models.PositiveIntegerField(default=0, help_text='How often a process that had it was killed.')),
                ('queue_number', models.BigIntegerField(help_text='Its row in the table of procrastinate while it is open.', null=True)),
                ('requested_by', models.ForeignKey(help_text='Empty for the command line.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='asked for by')),
            ],
            options={
                'verbose_name': 'job',
                'verbose_name_plural': 'jobs',
                'ordering': ['-requested_at', '-pk'],
                'permissions': [('cancel_job', 'Can cancel jobs')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state__in', ['queued', 'running'])), fields=('kind',), name='one_open_job_of_a_kind'), models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', True), ('state__in', ['queued', 'running'])), models.Q(('finished_at__isnull', False), ('state__in', ['succeeded', 'failed', 'cancelled'])), _connector='OR'), name='a_job_has_ended_when_its_state_is_final')],
            },
        ),
        migrations.RunPython(give_to_roles, migrations.RunPython.noop),
    ]

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


CLASSES = ("accepted", "refused", "unknown", "no_decision")

PERMISSIONS = {
    "retentionrule": {
        "view_retentionrule": ("Can view retention rule", ("auditor", "administrator")),
        "change_retentionrule": ("Can change retention rule", ("administrator",)),
    },
}


def make_rules(apps, schema_editor):
    """One of each class, which keeps everything."""
    for code in CLASSES:
        apps.get_model("recognition", "RetentionRule").objects.create(code=code)


def give_to_roles(apps, schema_editor):
    """Adds to the roles that are there; Django would make the permissions only after all migrations."""
    Permission = apps.get_model("auth", "Permission")
    for model, permissions in PERMISSIONS.items():
        content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
            app_label="recognition", model=model
        )
        for codename, (name, roles) in permissions.items():
            permission, _ = Permission.objects.get_or_create(
                content_type=content_type, codename=codename, defaults={"name": name}
            )
            for group in apps.get_model("auth", "Group").objects.filter(name__in=roles):
                group.permissions.add(permission)


class Migration(migrations.Migration):

    dependencies = [
        ('recognition', '0020_event_log'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='auditentry',
            name='action',
            field=models.CharField(choices=[('person.enrolled', 'person enrolled'), ('person.changed', 'person changed'), ('person.deleted', 'person deleted'), ('person.erasure_waits', 'erasure waits for a legal hold'), ('person.erased', 'person erased'), ('legal_basis.recorded', 'legal basis recorded'), ('legal_basis.withdrawn', 'legal basis withdrawn'), ('legal_hold.placed', 'legal hold placed'), ('legal_hold.lifted', 'legal hold lifted'), ('person.merged', 'two people merged'), ('person.split', 'person split in two'), ('person.move_undone', 'merge or split undone'), ('person.photos_removed', 'photos removed, templates kept'), ('person.photos_kept', 'photos are kept from now on'), ('sample.added', 'sample added'), ('sample.status_changed', 'sample status changed'), ('sample.deleted', 'sample deleted'), ('people.told_apart', 'two people told apart'), ('people.not_told_apart', 'two people no longer told apart'), ('policy.changed', 'threshold policy changed'), ('policy.proposed', 'threshold policy proposed'), ('policy.approved', 'threshold policy approved'), ('policy.rejected', 'threshold policy rejected'), ('policy.activated', 'threshold policy in force'), ('policy.retired', 'threshold policy of a checkpoint out of force'), ('checkpoint.saved', 'checkpoint changed'), ('person_group.saved', 'group of people changed'), ('person_group.deleted', 'group of people deleted'), ('person.pin_set', 'PIN set'), ('deny_list.added', 'put on the deny list'), ('deny_list.removed', 'taken off the deny list'), ('kiosk.code_made', 'pairing code made'), ('kiosk.paired', 'kiosk paired'), ('kiosk.removed', 'kiosk removed'), ('lockout.lifted', 'lockout lifted'), ('event.overridden', 'decision overridden'), ('review.drawn', 'events drawn for review'), ('verdict.given', 'verdict given'), ('events.exported', 'recognition events exported'), ('event_filter.saved', 'filter of events saved'), ('event_filter.deleted', 'filter of events deleted'), ('event_hold.placed', 'hold placed on an event'), ('event_hold.lifted', 'hold on an event lifted'), ('retention.changed', 'retention changed'), ('retention.applied', 'removed after its time'), ('alert.acknowledged', 'alert acknowledged'), ('pack.activated', 'model pack activated'), ('pack.measured', 'thresholds measured'), ('import.uploaded', 'import uploaded'), ('import.discarded', 'import discarded'), ('job.requested', 'job asked for'), ('job.cancelled', 'job cancelled'), ('backup.made', 'backup made'), ('backup.restored', 'backup restored'), ('gallery.exported', 'gallery exported'), ('gallery.imported', 'gallery imported')], max_length=50, verbose_name='action'),
        ),
        migrations.CreateModel(
            name='EventHold',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.TextField(verbose_name='reason')),
                ('placed_at', models.DateTimeField(auto_now_add=True, verbose_name='since')),
                ('lifted_at', models.DateTimeField(null=True, verbose_name='lifted')),
                ('event', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='holds', to='recognition.recognitionevent', verbose_name='event')),
                ('lifted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='lifted by')),
                ('placed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
            ],
            options={
                'verbose_name': 'hold on an event',
                'verbose_name_plural': 'holds on events',
                'ordering': ['-pk'],
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='RetentionRule',
            fields=[
                ('code', models.CharField(choices=[('accepted', 'Accepted'), ('refused', 'Refused'), ('unknown', 'Unknown'), ('no_decision', 'No decision')], editable=False, max_length=20, primary_key=True, serialize=False, verbose_name='class')),
                ('event_days', models.PositiveIntegerField(blank=True, help_text='With all that belongs to them. Empty: they are kept until somebody says otherwise.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(36500)], verbose_name='days for events')),
                ('crop_days', models.PositiveIntegerField(blank=True, help_text='Of the face that was seen; the event stays. Empty: as long as the event.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(36500)], verbose_name='days for pictures')),
            ],
            options={
                'verbose_name': 'retention rule',
                'verbose_name_plural': 'retention rules',
                'default_permissions': ('change', 'view'),
                'constraints': [models.CheckConstraint(condition=models.Q(('event_days', None), ('event_days__range', (1, 36500)), _connector='OR'), name='events_are_kept_for_some_days'), models.CheckConstraint(condition=models.Q(('crop_days', None), ('crop_days__range', (1, 36500)), _connector='OR'), name='crops_are_kept_for_some_days')],
            },
        ),
        migrations.RunPython(make_rules, migrations.RunPython.noop),
        migrations.RunPython(give_to_roles, migrations.RunPython.noop),
    ]

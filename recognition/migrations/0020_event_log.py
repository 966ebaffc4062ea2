import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

# Written out, because `models.searching.WORD_BREAKS` may change and what was indexed then does not. Only the beginning
# of a text is read: there is a largest size of what is searched, and a longer note has to be kept all the same.
WORDS = r"""
    CREATE FUNCTION recognition_words(text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN to_tsvector(
        'pg_catalog.simple'::regconfig,
        translate(lower(left($1, 10000)), '-_/\.:,;@#+*''"()[]{}<>|&%$!?=~^`', repeat(' ', 32))
    );
"""

# So that a filter of two kinds which hardly ever come together is known to keep few rows.
STATISTICS = """
    CREATE STATISTICS recognition_event_log (mcv)
    ON decision, checkpoint_id, policy_id, kind FROM recognition_recognitionevent;
"""


def give_to_roles(apps, schema_editor):
    """Adds to the roles that are there; Django would make the permissions only after all migrations."""
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="recognition", model="recognitionevent"
    )
    permission, _ = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=content_type,
        codename="export_recognitionevent",
        defaults={"name": "Can export recognition events"},
    )
    for group in apps.get_model("auth", "Group").objects.filter(name="auditor"):
        group.permissions.add(permission)


class Migration(migrations.Migration):
    """What the log of events is searched by, and saved filters."""

    dependencies = [
        ('recognition', '0019_sealed_log'),
        ('auth', '0012_alter_user_first_name_max_length'),
        ('contenttypes', '0002_remove_content_type_name'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(sql=WORDS, reverse_sql="DROP FUNCTION recognition_words(text);"),
        migrations.RunSQL(sql=STATISTICS, reverse_sql="DROP STATISTICS recognition_event_log;"),
        migrations.CreateModel(
            name='SavedFilter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60, verbose_name='name')),
                ('query', models.JSONField(default=dict, help_text='As the address of the page has it.', verbose_name='filter')),
                ('is_shared', models.BooleanField(default=False, verbose_name='for everybody')),
            ],
            options={
                'verbose_name': 'saved filter',
                'verbose_name_plural': 'saved filters',
                'ordering': ['name', 'pk'],
                'default_permissions': (),
            },
        ),
        migrations.AlterModelOptions(
            name='recognitionevent',
            options={'ordering': ['-decided_at', '-id'], 'permissions': [('use_live', 'Can use the live recognition page'), ('search_gallery', 'Can search the gallery by photo'), ('export_recognitionevent', 'Can export recognition events')], 'verbose_name': 'recognition event', 'verbose_name_plural': 'recognition events'},
        ),
        migrations.AlterField(
            model_name='auditentry',
            name='action',
            field=models.CharField(choices=[('person.enrolled', 'person enrolled'), ('person.changed', 'person changed'), ('person.deleted', 'person deleted'), ('person.erasure_waits', 'erasure waits for a legal hold'), ('person.erased', 'person erased'), ('legal_basis.recorded', 'legal basis recorded'), ('legal_basis.withdrawn', 'legal basis withdrawn'), ('legal_hold.placed', 'legal hold placed'), ('legal_hold.lifted', 'legal hold lifted'), ('person.merged', 'two people merged'), ('person.split', 'person split in two'), ('person.move_undone', 'merge or split undone'), ('person.photos_removed', 'photos removed, templates kept'), ('person.photos_kept', 'photos are kept from now on'), ('sample.added', 'sample added'), ('sample.status_changed', 'sample status changed'), ('sample.deleted', 'sample deleted'), ('people.told_apart', 'two people told apart'), ('people.not_told_apart', 'two people no longer told apart'), ('policy.changed', 'threshold policy changed'), ('policy.proposed', 'threshold policy proposed'), ('policy.approved', 'threshold policy approved'), ('policy.rejected', 'threshold policy rejected'), ('policy.activated', 'threshold policy in force'), ('policy.retired', 'threshold policy of a checkpoint out of force'), ('checkpoint.saved', 'checkpoint changed'), ('person_group.saved', 'group of people changed'), ('person_group.deleted', 'group of people deleted'), ('person.pin_set', 'PIN set'), ('deny_list.added', 'put on the deny list'), ('deny_list.removed', 'taken off the deny list'), ('kiosk.code_made', 'pairing code made'), ('kiosk.paired', 'kiosk paired'), ('kiosk.removed', 'kiosk removed'), ('lockout.lifted', 'lockout lifted'), ('event.overridden', 'decision overridden'), ('review.drawn', 'events drawn for review'), ('verdict.given', 'verdict given'), ('events.exported', 'recognition events exported'), ('event_filter.saved', 'filter of events saved'), ('event_filter.deleted', 'filter of events deleted'), ('alert.acknowledged', 'alert acknowledged'), ('pack.activated', 'model pack activated'), ('pack.measured', 'thresholds measured'), ('import.uploaded', 'import uploaded'), ('import.discarded', 'import discarded'), ('job.requested', 'job asked for'), ('job.cancelled', 'job cancelled'), ('backup.made', 'backup made'), ('backup.restored', 'backup restored'), ('gallery.exported', 'gallery exported'), ('gallery.imported', 'gallery imported')], max_length=50, verbose_name='action'),
        ),
        migrations.AlterField(
            model_name='recognitionevent',
            name='best_person',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='recognition.person', verbose_name='closest person'),
        ),
        migrations.AlterField(
            model_name='recognitionevent',
            name='checkpoint',
            field=models.ForeignKey(db_index=False, help_text='Empty for the live page.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='recognition.checkpoint', verbose_name='checkpoint'),
        ),
        migrations.AlterField(
            model_name='recognitionevent',
            name='claimed_person',
            field=models.ForeignKey(db_index=False, help_text='Empty where nobody has the claimed id.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='claims', to='recognition.person', verbose_name='claimed person'),
        ),
        migrations.AlterField(
            model_name='recognitionevent',
            name='decided_at',
            field=models.DateTimeField(verbose_name='decided'),
        ),
        migrations.AlterField(
            model_name='recognitionevent',
            name='person',
            field=models.ForeignKey(db_index=False, help_text='Set for an accepted event only.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='events', to='recognition.person', verbose_name='person'),
        ),
        migrations.AlterField(
            model_name='recognitionevent',
            name='policy',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='recognition.thresholdpolicy', verbose_name='policy version'),
        ),
        migrations.AddIndex(
            model_name='eventoverride',
            index=django.contrib.postgres.indexes.GinIndex(models.Func('reason', function='recognition_words', output_field=django.contrib.postgres.search.SearchVectorField()), name='override_words'),
        ),
        migrations.AddIndex(
            model_name='person',
            index=django.contrib.postgres.indexes.GinIndex(models.Func('name', function='recognition_words', output_field=django.contrib.postgres.search.SearchVectorField()), models.Func('external_id', function='recognition_words', output_field=django.contrib.postgres.search.SearchVectorField()), name='person_words'),
        ),
        migrations.AddIndex(
            model_name='verdict',
            index=django.contrib.postgres.indexes.GinIndex(models.Func('note', function='recognition_words', output_field=django.contrib.postgres.search.SearchVectorField()), condition=models.Q(('note', ''), _negated=True), name='verdict_words'),
        ),
        migrations.AddField(
            model_name='savedfilter',
            name='owner',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='saved_filters', to=settings.AUTH_USER_MODEL, verbose_name='owner'),
        ),
        migrations.AddConstraint(
            model_name='savedfilter',
            constraint=models.UniqueConstraint(fields=('owner', 'name'), name='one_filter_of_a_name_and_owner'),
        ),
        migrations.AddIndex(
            model_name='recognitionevent',
            index=models.Index(fields=['decided_at', 'id'], include=('decision', 'kind', 'checkpoint', 'policy', 'person', 'best_person', 'claimed_person', 'similarity'), name='event_log'),
        ),
        migrations.AddIndex(
            model_name='recognitionevent',
            index=models.Index(fields=['decision', 'decided_at', 'id'], include=('kind', 'checkpoint', 'policy', 'similarity'), name='event_log_decision'),
        ),
        migrations.AddIndex(
            model_name='recognitionevent',
            index=models.Index(fields=['checkpoint', 'decided_at', 'id'], include=('kind', 'decision', 'policy', 'similarity'), name='event_log_checkpoint'),
        ),
        migrations.AddIndex(
            model_name='recognitionevent',
            index=models.Index(fields=['policy', 'decided_at', 'id'], include=('kind', 'decision', 'checkpoint', 'similarity'), name='event_log_policy'),
        ),
        migrations.AddIndex(
            model_name='recognitionevent',
            index=models.Index(fields=['person', 'decided_at', 'id'], name='event_log_person'),
        ),
        migrations.AddIndex(
            model_name='recognitionevent',
            index=models.Index(fields=['best_person', 'decided_at', 'id'], name='event_log_best_person'),
        ),
        migrations.AddIndex(
            model_name='recognitionevent',
            index=models.Index(fields=['claimed_person', 'decided_at', 'id'], name='event_log_claimed_person'),
        ),
        migrations.AddIndex(
            model_name='recognitionevent',
            index=models.Index(fields=['similarity'], name='event_log_similarity'),
        ),
        migrations.AddIndex(
            model_name='recognitionevent',
            index=django.contrib.postgres.indexes.GinIndex(models.Func('reasons', function='jsonb_path_query_array', output_field=models.JSONField(), template="%(function)s(%(expressions)s, '$[*].reason')"), name='event_log_reasons'),
        ),
        migrations.AddIndex(
            model_name='recognitionevent',
            index=models.Index(django.contrib.postgres.indexes.OpClass(django.db.models.functions.text.Upper('claimed_id'), 'text_pattern_ops'), models.F('decided_at'), models.F('id'), condition=models.Q(('claimed_id', ''), _negated=True), name='event_log_claimed_id'),
        ),
        migrations.RunPython(give_to_roles, migrations.RunPython.noop),
    ]

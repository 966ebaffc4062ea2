import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

PERMISSIONS = {
    "verdict": {
        "view_verdict": ("Can view verdict", ("auditor", "administrator")),
        "add_verdict": ("Can add verdict", ("auditor",)),
        "set_aside_false_match": ("Can set aside the sample of a false match", ("auditor",)),
    },
    "reviewbatch": {
        "view_reviewbatch": ("Can view review", ("auditor", "administrator")),
        "add_reviewbatch": ("Can add review", ("auditor",)),
    },
}

KEPT = """
    CREATE TRIGGER recognition_verdict_keep BEFORE UPDATE ON recognition_verdict
    FOR EACH ROW EXECUTE FUNCTION recognition_keep_row('by_id');
    CREATE TRIGGER recognition_reviewitem_keep BEFORE UPDATE ON recognition_reviewitem
    FOR EACH ROW EXECUTE FUNCTION recognition_keep_row();
    CREATE TRIGGER recognition_reviewbatch_keep BEFORE UPDATE OR DELETE ON recognition_reviewbatch
    FOR EACH ROW EXECUTE FUNCTION recognition_keep_row('drawn_by_id');
    CREATE TRIGGER recognition_reviewstratum_keep BEFORE UPDATE OR DELETE ON recognition_reviewstratum
    FOR EACH ROW EXECUTE FUNCTION recognition_keep_row();
"""

# Looked at when the transaction ends: what belongs to an event is deleted before it.
GOES_WITH_EVENT = """
    CREATE FUNCTION recognition_goes_with_event() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT FROM recognition_recognitionevent WHERE id = OLD.event_id) THEN
            RAISE EXCEPTION '% %: a row of it is removed only with its event', TG_TABLE_NAME, OLD.id
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NULL;
    END
    $$;
    CREATE CONSTRAINT TRIGGER recognition_verdict_goes AFTER DELETE ON recognition_verdict
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION recognition_goes_with_event();
    CREATE CONSTRAINT TRIGGER recognition_reviewitem_goes AFTER DELETE ON recognition_reviewitem
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION recognition_goes_with_event();
"""


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
    """Events that are drawn for review, and verdicts."""

    dependencies = [
        ('recognition', '0016_legal_basis'),
        ('auth', '0012_alter_user_first_name_max_length'),
        ('contenttypes', '0002_remove_content_type_name'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='auditentry',
            name='action',
            field=models.CharField(choices=[('person.enrolled', 'person enrolled'), ('person.changed', 'person changed'), ('person.deleted', 'person deleted'), ('person.erasure_waits', 'erasure waits for a legal hold'), ('person.erased', 'person erased'), ('legal_basis.recorded', 'legal basis recorded'), ('legal_basis.withdrawn', 'legal basis withdrawn'), ('legal_hold.placed', 'legal hold placed'), ('legal_hold.lifted', 'legal hold lifted'), ('person.merged', 'two people merged'), ('person.split', 'person split in two'), ('person.move_undone', 'merge or split undone'), ('person.photos_removed', 'photos removed, templates kept'), ('person.photos_kept', 'photos are kept from now on'), ('sample.added', 'sample added'), ('sample.status_changed', 'sample status changed'), ('sample.deleted', 'sample deleted'), ('people.told_apart', 'two people told apart'), ('people.not_told_apart', 'two people no longer told apart'), ('policy.changed', 'threshold policy changed'), ('policy.proposed', 'threshold policy proposed'), ('policy.approved', 'threshold policy approved'), ('policy.rejected', 'threshold policy rejected'), ('policy.activated', 'threshold policy in force'), ('policy.retired', 'threshold policy of a checkpoint out of force'), ('checkpoint.saved', 'checkpoint changed'), ('person_group.saved', 'group of people changed'), ('person_group.deleted', 'group of people deleted'), ('person.pin_set', 'PIN set'), ('deny_list.added', 'put on the deny list'), ('deny_list.removed', 'taken off the deny list'), ('kiosk.code_made', 'pairing code made'), ('kiosk.paired', 'kiosk paired'), ('kiosk.removed', 'kiosk removed'), ('lockout.lifted', 'lockout lifted'), ('event.overridden', 'decision overridden'), ('review.drawn', 'events drawn for review'), ('verdict.given', 'verdict given'), ('alert.acknowledged', 'alert acknowledged'), ('pack.activated', 'model pack activated'), ('pack.measured', 'thresholds measured'), ('import.uploaded', 'import uploaded'), ('import.discarded', 'import discarded'), ('job.requested', 'job asked for'), ('job.cancelled', 'job cancelled'), ('backup.made', 'backup made'), ('backup.restored', 'backup restored'), ('gallery.exported', 'gallery exported'), ('gallery.imported', 'gallery imported')], max_length=50, verbose_name='action'),
        ),
        migrations.CreateModel(
            name='ReviewBatch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('since', models.DateTimeField(verbose_name='decided from')),
                ('until', models.DateTimeField(verbose_name='decided before')),
                ('width', models.FloatField(help_text='Largest distance of the similarity from the threshold that decided.', validators=[django.core.validators.MinValueValidator(0.0), django.core.validators.MaxValueValidator(1.0)], verbose_name='near the threshold')),
                ('second_share', models.FloatField(help_text='Share of the events that a second person looks at too, 0..1.', validators=[django.core.validators.MinValueValidator(0.0), django.core.validators.MaxValueValidator(1.0)], verbose_name='asked twice')),
                ('seed', models.BigIntegerField(help_text='With it the same events are drawn again.', verbose_name='seed')),
                ('drawn_at', models.DateTimeField(verbose_name='drawn')),
                ('drawn_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
            ],
            options={
                'verbose_name': 'review',
                'verbose_name_plural': 'reviews',
                'ordering': ['-pk'],
                'default_permissions': ('add', 'view'),
            },
        ),
        migrations.CreateModel(
            name='ReviewStratum',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(choices=[('override', 'overridden by staff'), ('near_threshold', 'near the threshold'), ('accept', 'accepted, drawn at random'), ('refusal', 'refused, drawn at random')], max_length=20, verbose_name='group')),
                ('population', models.PositiveIntegerField(verbose_name='events in the time')),
                ('size', models.PositiveIntegerField(verbose_name='events drawn')),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='strata', to='recognition.reviewbatch', verbose_name='review')),
            ],
            options={
                'verbose_name': 'group of a review',
                'verbose_name_plural': 'groups of a review',
                'ordering': ['pk'],
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='ReviewItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField(help_text='Drawn by lot, across the groups.', verbose_name='position')),
                ('asks_second', models.BooleanField(verbose_name='asked twice')),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='items', to='recognition.reviewbatch', verbose_name='review')),
                ('event', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='review_items', to='recognition.recognitionevent', verbose_name='event')),
                ('stratum', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='items', to='recognition.reviewstratum', verbose_name='group')),
            ],
            options={
                'verbose_name': 'event of a review',
                'verbose_name_plural': 'events of a review',
                'ordering': ['position'],
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Verdict',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(choices=[('true_match', 'True match'), ('false_match', 'False match'), ('true_non_match', 'True non-match'), ('false_non_match', 'False non-match'), ('spoof', 'Spoof'), ('cannot_tell', 'Cannot tell')], max_length=20, verbose_name='verdict')),
                ('note', models.TextField(blank=True, verbose_name='note')),
                ('reading', models.PositiveSmallIntegerField(help_text='1 for the first person whom the review asked, 2 for the second.', null=True, verbose_name='reading')),
                ('at', models.DateTimeField(verbose_name='time')),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
                ('event', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='verdicts', to='recognition.recognitionevent', verbose_name='event')),
                ('item', models.ForeignKey(help_text='Empty for a verdict that no review asked for.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='verdicts', to='recognition.reviewitem', verbose_name='event of a review')),
                ('supersedes', models.OneToOneField(help_text='The verdict that the same person gave before.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='superseded_by', to='recognition.verdict', verbose_name='takes back')),
            ],
            options={
                'verbose_name': 'verdict',
                'verbose_name_plural': 'verdicts',
                'ordering': ['-at', '-pk'],
                'permissions': [('set_aside_false_match', 'Can set aside the sample of a false match')],
                'default_permissions': ('add', 'view'),
            },
        ),
        migrations.AddConstraint(
            model_name='reviewbatch',
            constraint=models.CheckConstraint(condition=models.Q(('since__lt', models.F('until'))), name='a_review_begins_before_it_ends'),
        ),
        migrations.AddConstraint(
            model_name='reviewstratum',
            constraint=models.UniqueConstraint(fields=('batch', 'code'), name='one_group_of_a_kind_a_review'),
        ),
        migrations.AddConstraint(
            model_name='reviewstratum',
            constraint=models.CheckConstraint(condition=models.Q(('size__lte', models.F('population'))), name='no_more_events_are_drawn_than_there_are'),
        ),
        migrations.AddConstraint(
            model_name='reviewitem',
            constraint=models.UniqueConstraint(fields=('batch', 'event'), name='an_event_is_in_a_review_once'),
        ),
        migrations.AddConstraint(
            model_name='reviewitem',
            constraint=models.UniqueConstraint(fields=('batch', 'position'), name='one_event_a_position'),
        ),
        migrations.AddConstraint(
            model_name='verdict',
            constraint=models.CheckConstraint(condition=models.Q(('code__in', ['true_match', 'false_match', 'true_non_match', 'false_non_match', 'spoof', 'cannot_tell'])), name='a_verdict_is_a_known_one'),
        ),
        migrations.AddConstraint(
            model_name='verdict',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('item', None), ('reading', None)), models.Q(('item__isnull', False), ('reading__isnull', False)), _connector='OR'), name='an_answer_has_a_reading'),
        ),
        migrations.AddConstraint(
            model_name='verdict',
            constraint=models.UniqueConstraint(condition=models.Q(('supersedes', None)), fields=('item', 'reading'), name='one_person_a_reading'),
        ),
        # Both go with the tables.
        migrations.RunSQL(sql=KEPT, reverse_sql=migrations.RunSQL.noop),
        migrations.RunSQL(sql=GOES_WITH_EVENT, reverse_sql="DROP FUNCTION recognition_goes_with_event() CASCADE;"),
        migrations.RunPython(give_to_roles, migrations.RunPython.noop),
    ]

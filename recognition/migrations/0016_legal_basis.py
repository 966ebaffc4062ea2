import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


PERMISSIONS = {
    "legalbasis": {
        "view_legalbasis": ("Can view legal basis", ("enroller", "auditor", "administrator")),
        "add_legalbasis": ("Can add legal basis", ("enroller",)),
        "withdraw_legalbasis": ("Can withdraw legal bases", ("enroller",)),
    },
    "legalhold": {
        "view_legalhold": ("Can view legal hold", ("auditor", "administrator")),
        "add_legalhold": ("Can add legal hold", ("administrator",)),
        "lift_legalhold": ("Can lift legal holds", ("administrator",)),
    },
    "erasurerequest": {"view_erasurerequest": ("Can view erasure", ("auditor", "administrator"))},
    "erasurecertificate": {
        "view_erasurecertificate": ("Can view erasure certificate", ("auditor", "administrator"))
    },
}

LINKS = "'person_id', 'claimed_person_id', 'best_person_id', 'best_sample_id', 'runner_up_id', 'device_id', 'operator_id'"

EVENT_TRIGGER = """
    DROP TRIGGER recognition_recognitionevent_keep ON recognition_recognitionevent;
    CREATE TRIGGER recognition_recognitionevent_keep BEFORE UPDATE ON recognition_recognitionevent
    FOR EACH ROW EXECUTE FUNCTION recognition_keep_row({links});
"""

# As of 0006, but for a text that may become empty as a link may become null.
KEEP_ROW = """
    CREATE OR REPLACE FUNCTION recognition_keep_row() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        -- The columns that may be emptied, as the trigger names them; null when it names none.
        links text[] := coalesce(TG_ARGV[:], ARRAY[]::text[]);
        link text;
        is_kept boolean;
    BEGIN
        IF TG_OP = 'DELETE' THEN
            RAISE EXCEPTION '% %: a row of it is never removed', TG_TABLE_NAME, to_jsonb(OLD) ->> 'id'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        is_kept := to_jsonb(NEW) - links = to_jsonb(OLD) - links;
        FOREACH link IN ARRAY links LOOP
            is_kept := is_kept AND (
                {is_empty}
                OR to_jsonb(NEW) ->> link IS NOT DISTINCT FROM to_jsonb(OLD) ->> link
            );
        END LOOP;
        IF NOT is_kept THEN
            RAISE EXCEPTION '%: a row of it never changes, but for links to what is erased', TG_TABLE_NAME
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END
    $$;
"""

BASIS_GUARD = """
    CREATE FUNCTION recognition_keep_basis() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        free text[] := ARRAY['withdrawn_at', 'recorded_by_id'];
    BEGIN
        IF to_jsonb(NEW) - free <> to_jsonb(OLD) - free
            OR (OLD.withdrawn_at IS NOT NULL AND NEW.withdrawn_at IS DISTINCT FROM OLD.withdrawn_at)
            OR (NEW.recorded_by_id IS NOT NULL AND NEW.recorded_by_id IS DISTINCT FROM OLD.recorded_by_id)
        THEN
            RAISE EXCEPTION 'a legal basis never changes, but for its withdrawal'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END
    $$;
    CREATE TRIGGER recognition_legalbasis_keep BEFORE UPDATE ON recognition_legalbasis
    FOR EACH ROW EXECUTE FUNCTION recognition_keep_basis();
"""

CERTIFICATE_GUARD = """
    CREATE TRIGGER recognition_erasurecertificate_keep BEFORE UPDATE OR DELETE ON recognition_erasurecertificate
    FOR EACH ROW EXECUTE FUNCTION recognition_keep_row('made_by_id');
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
    """By which right people are recognised, holds, and erasures with their certificates."""

    dependencies = [
        ('recognition', '0015_pack_switch'),
        ('auth', '0012_alter_user_first_name_max_length'),
        ('contenttypes', '0002_remove_content_type_name'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='auditentry',
            name='action',
            field=models.CharField(choices=[('person.enrolled', 'person enrolled'), ('person.changed', 'person changed'), ('person.deleted', 'person deleted'), ('person.erasure_waits', 'erasure waits for a legal hold'), ('person.erased', 'person erased'), ('legal_basis.recorded', 'legal basis recorded'), ('legal_basis.withdrawn', 'legal basis withdrawn'), ('legal_hold.placed', 'legal hold placed'), ('legal_hold.lifted', 'legal hold lifted'), ('person.merged', 'two people merged'), ('person.split', 'person split in two'), ('person.move_undone', 'merge or split undone'), ('person.photos_removed', 'photos removed, templates kept'), ('person.photos_kept', 'photos are kept from now on'), ('sample.added', 'sample added'), ('sample.status_changed', 'sample status changed'), ('sample.deleted', 'sample deleted'), ('people.told_apart', 'two people told apart'), ('people.not_told_apart', 'two people no longer told apart'), ('policy.changed', 'threshold policy changed'), ('policy.proposed', 'threshold policy proposed'), ('policy.approved', 'threshold policy approved'), ('policy.rejected', 'threshold policy rejected'), ('policy.activated', 'threshold policy in force'), ('policy.retired', 'threshold policy of a checkpoint out of force'), ('checkpoint.saved', 'checkpoint changed'), ('person_group.saved', 'group of people changed'), ('person_group.deleted', 'group of people deleted'), ('person.pin_set', 'PIN set'), ('deny_list.added', 'put on the deny list'), ('deny_list.removed', 'taken off the deny list'), ('kiosk.code_made', 'pairing code made'), ('kiosk.paired', 'kiosk paired'), ('kiosk.removed', 'kiosk removed'), ('lockout.lifted', 'lockout lifted'), ('event.overridden', 'decision overridden'), ('alert.acknowledged', 'alert acknowledged'), ('pack.activated', 'model pack activated'), ('pack.measured', 'thresholds measured'), ('import.uploaded', 'import uploaded'), ('import.discarded', 'import discarded'), ('job.requested', 'job asked for'), ('job.cancelled', 'job cancelled'), ('backup.made', 'backup made'), ('backup.restored', 'backup restored'), ('gallery.exported', 'gallery exported'), ('gallery.imported', 'gallery imported')], max_length=50, verbose_name='action'),
        ),
        migrations.CreateModel(
            name='ErasureCertificate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('made_at', models.DateTimeField(verbose_name='erased')),
                ('reason', models.CharField(choices=[('withdrawn', 'consent was withdrawn'), ('requested', 'the person asked for it'), ('no_purpose', 'no longer needed'), ('mistake', 'enrolled by mistake'), ('deleted', 'deleted in the admin'), ('restored', 'erased before, and brought back by a backup')], max_length=20, verbose_name='reason')),
                ('contents', models.JSONField(help_text='Counts, internal numbers and digests.', verbose_name='contents')),
                ('signature', models.CharField(help_text='HMAC of the contents.', max_length=100, verbose_name='signature')),
                ('events', models.ManyToManyField(related_name='erasures', to='recognition.recognitionevent', verbose_name='events')),
                ('made_by', models.ForeignKey(help_text='Empty for the command line.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
            ],
            options={
                'verbose_name': 'erasure certificate',
                'verbose_name_plural': 'erasure certificates',
                'ordering': ['-pk'],
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='LegalHold',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.TextField(verbose_name='reason')),
                ('placed_at', models.DateTimeField(auto_now_add=True, verbose_name='since')),
                ('lifted_at', models.DateTimeField(null=True, verbose_name='lifted')),
                ('lifted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='lifted by')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='legal_holds', to='recognition.person', verbose_name='person')),
                ('placed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
            ],
            options={
                'verbose_name': 'legal hold',
                'verbose_name_plural': 'legal holds',
                'ordering': ['-pk'],
                'permissions': [('lift_legalhold', 'Can lift legal holds')],
                'default_permissions': ('add', 'view'),
            },
        ),
        migrations.CreateModel(
            name='ErasureRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(choices=[('withdrawn', 'consent was withdrawn'), ('requested', 'the person asked for it'), ('no_purpose', 'no longer needed'), ('mistake', 'enrolled by mistake'), ('deleted', 'deleted in the admin'), ('restored', 'erased before, and brought back by a backup')], max_length=20, verbose_name='reason')),
                ('state', models.CharField(choices=[('waiting_for_hold', 'waits for a legal hold'), ('done', 'done')], max_length=20, verbose_name='state')),
                ('requested_at', models.DateTimeField(verbose_name='asked for')),
                ('certificate', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='request', to='recognition.erasurecertificate', verbose_name='certificate')),
                ('person', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='erasure_requests', to='recognition.person', verbose_name='person')),
                ('requested_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='asked for by')),
            ],
            options={
                'verbose_name': 'erasure',
                'verbose_name_plural': 'erasures',
                'ordering': ['-pk'],
                'default_permissions': ('view',),
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('certificate', None), ('state', 'waiting_for_hold')), models.Q(('certificate__isnull', False), ('state', 'done')), _connector='OR'), name='an_erasure_that_is_done_has_a_certificate'), models.UniqueConstraint(condition=models.Q(('state', 'waiting_for_hold')), fields=('person',), name='one_waiting_erasure_a_person')],
            },
        ),
        migrations.CreateModel(
            name='LegalBasis',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('consent', 'consent'), ('contract', 'contract'), ('legal_obligation', 'legal obligation'), ('vital_interest', 'vital interest'), ('public_task', 'public task'), ('legitimate_interest', 'legitimate interest')], max_length=30, verbose_name='ground')),
                ('text_version', models.CharField(blank=True, help_text='Of the text that was agreed to.', max_length=100, verbose_name='version of the text')),
                ('given_at', models.DateTimeField(verbose_name='given')),
                ('how', models.CharField(blank=True, choices=[('signed_form', 'signed form'), ('online', 'online form'), ('oral', 'spoken, before a witness')], max_length=20, verbose_name='how it was given')),
                ('document', models.CharField(blank=True, help_text='Where the proof is filed; no proof itself.', max_length=200, verbose_name='document')),
                ('valid_until', models.DateTimeField(blank=True, null=True, verbose_name='valid until')),
                ('withdrawn_at', models.DateTimeField(null=True, verbose_name='withdrawn')),
                ('recorded_at', models.DateTimeField(auto_now_add=True, verbose_name='recorded')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='legal_bases', to='recognition.person', verbose_name='person')),
                ('recorded_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='recorded by')),
            ],
            options={
                'verbose_name': 'legal basis',
                'verbose_name_plural': 'legal bases',
                'ordering': ['-pk'],
                'permissions': [('withdraw_legalbasis', 'Can withdraw legal bases')],
                'default_permissions': ('add', 'view'),
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('kind', 'consent'), _negated=True), models.Q(('text_version', ''), ('how', ''), _connector='OR', _negated=True), _connector='OR'), name='a_consent_says_to_what_and_how', violation_error_message='For a consent, say to which version of the text, and how it was given.'), models.CheckConstraint(condition=models.Q(('valid_until', None), ('valid_until__gt', models.F('given_at')), _connector='OR'), name='a_basis_begins_before_it_ends', violation_error_message='The basis ends before it was given: choose a later “valid until”.')],
            },
        ),
        migrations.RunSQL(
            sql=KEEP_ROW.format(is_empty="coalesce(to_jsonb(NEW) ->> link, '') = ''"),
            reverse_sql=KEEP_ROW.format(is_empty="to_jsonb(NEW) ->> link IS NULL"),
        ),
        migrations.RunSQL(
            sql=EVENT_TRIGGER.format(links=f"{LINKS}, 'claimed_id'"), reverse_sql=EVENT_TRIGGER.format(links=LINKS)
        ),
        migrations.RunSQL(sql=BASIS_GUARD, reverse_sql="DROP FUNCTION recognition_keep_basis() CASCADE;"),
        migrations.RunSQL(
            sql=CERTIFICATE_GUARD,
            reverse_sql="DROP TRIGGER recognition_erasurecertificate_keep ON recognition_erasurecertificate;",
        ),
        migrations.RunPython(give_to_roles, migrations.RunPython.noop),
    ]

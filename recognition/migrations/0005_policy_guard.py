from django.db import migrations, models

# Beside the trigger of 0002, which keeps the numbers and the order of a version's life: when each step was taken and by
# whom. A step that somebody has to answer for names them; only what the installation itself made has nobody.
STEPS = """
    CREATE FUNCTION recognition_thresholdpolicy_steps() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        decides boolean := NEW.state <> OLD.state AND (NEW.state IN ('approved', 'rejected') OR OLD.state = 'proposed');
        begins boolean := NEW.state = 'active' AND OLD.state <> 'active';
        ends boolean := NEW.state = 'former' AND OLD.state = 'active';
    BEGIN
        IF NOT ends AND NEW.retired_at IS DISTINCT FROM OLD.retired_at
            OR NOT begins AND NEW.activated_at IS DISTINCT FROM OLD.activated_at
            OR NOT decides AND (
                NEW.decided_at IS DISTINCT FROM OLD.decided_at
                OR NEW.decided_by_id IS NOT NULL AND NEW.decided_by_id IS DISTINCT FROM OLD.decided_by_id
            )
        THEN
            RAISE EXCEPTION 'threshold policy %: who proposed and decided it, and when, never changes', OLD.version
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF ends AND NEW.retired_at IS NULL OR begins AND NEW.activated_at IS NULL
            OR (begins OR decides) AND NEW.decided_at IS NULL
            OR decides AND NEW.decided_by_id IS NULL AND NEW.created_by_id IS NOT NULL
        THEN
            RAISE EXCEPTION 'threshold policy %: % becomes % only with who did it, and when',
                OLD.version, OLD.state, NEW.state USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END
    $$;
    CREATE TRIGGER recognition_thresholdpolicy_steps
    BEFORE UPDATE ON recognition_thresholdpolicy
    FOR EACH ROW EXECUTE FUNCTION recognition_thresholdpolicy_steps();
"""

# Looked at when the transaction ends: Django empties the links of an account before it deletes it, and a version goes
# out of force before the next one comes in.
ENDS = """
    CREATE FUNCTION recognition_thresholdpolicy_names() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (
            SELECT FROM auth_user
            WHERE id = OLD.created_by_id AND NEW.created_by_id IS NULL
                OR id = OLD.decided_by_id AND NEW.decided_by_id IS NULL
        ) THEN
            RAISE EXCEPTION 'threshold policy %: who proposed and decided it is forgotten only with the account',
                OLD.version USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NULL;
    END
    $$;
    CREATE CONSTRAINT TRIGGER recognition_thresholdpolicy_names
    AFTER UPDATE ON recognition_thresholdpolicy DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (
        NEW.created_by_id IS NULL AND OLD.created_by_id IS NOT NULL
        OR NEW.decided_by_id IS NULL AND OLD.decided_by_id IS NOT NULL
    )
    EXECUTE FUNCTION recognition_thresholdpolicy_names();

    CREATE FUNCTION recognition_thresholdpolicy_site() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT EXISTS (
            SELECT FROM recognition_thresholdpolicy
            WHERE pack_id = OLD.pack_id AND checkpoint_id IS NULL AND state = 'active'
        ) THEN
            RAISE EXCEPTION 'threshold policy %: a version of the site goes out of force only for the next one',
                OLD.version USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NULL;
    END
    $$;
    CREATE CONSTRAINT TRIGGER recognition_thresholdpolicy_site
    AFTER UPDATE ON recognition_thresholdpolicy DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.checkpoint_id IS NULL AND OLD.state = 'active' AND NEW.state <> 'active')
    EXECUTE FUNCTION recognition_thresholdpolicy_site();
"""


def _without(*names):
    return "\n".join(
        f"DROP TRIGGER recognition_thresholdpolicy_{name} ON recognition_thresholdpolicy;"
        f"DROP FUNCTION recognition_thresholdpolicy_{name}();"
        for name in names
    )


class Migration(migrations.Migration):

    dependencies = [
        ('recognition', '0004_one_override'),
    ]

    operations = [
        migrations.AlterField(
            model_name='auditentry',
            name='action',
            field=models.CharField(choices=[('person.enrolled', 'person enrolled'), ('person.changed', 'person changed'), ('person.deleted', 'person deleted'), ('sample.added', 'sample added'), ('sample.status_changed', 'sample status changed'), ('sample.deleted', 'sample deleted'), ('policy.changed', 'threshold policy changed'), ('policy.proposed', 'threshold policy proposed'), ('policy.approved', 'threshold policy approved'), ('policy.rejected', 'threshold policy rejected'), ('policy.activated', 'threshold policy in force'), ('policy.retired', 'threshold policy of a checkpoint out of force'), ('checkpoint.saved', 'checkpoint changed'), ('person_group.saved', 'group of people changed'), ('person_group.deleted', 'group of people deleted'), ('person.pin_set', 'PIN set'), ('deny_list.added', 'put on the deny list'), ('deny_list.removed', 'taken off the deny list'), ('kiosk.code_made', 'pairing code made'), ('kiosk.paired', 'kiosk paired'), ('kiosk.removed', 'kiosk removed'), ('lockout.lifted', 'lockout lifted'), ('event.overridden', 'decision overridden'), ('alert.acknowledged', 'alert acknowledged'), ('pack.activated', 'model pack activated'), ('pack.measured', 'thresholds measured')], max_length=50, verbose_name='action'),
        ),
        migrations.RunSQL(sql=STEPS, reverse_sql=_without('steps')),
        migrations.RunSQL(sql=ENDS, reverse_sql=_without('names', 'site')),
    ]

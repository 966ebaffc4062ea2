from django.db import migrations, models

import recognition.models.arrivals


DROP_INDEXES = """
    DO $$
    DECLARE
        name text;
    BEGIN
        FOR name IN SELECT indexname FROM pg_indexes
            WHERE schemaname = current_schema() AND indexname LIKE 'facetemplate\\_hnsw\\_pack\\_%'
        LOOP
            EXECUTE format('DROP INDEX %I', name);
        END LOOP;
    END $$
"""


class Migration(migrations.Migration):
    """Vectors are no longer searched through an index of the database; its indexes go first, as they would be kept up."""

    dependencies = [
        ('recognition', '0027_verdict_code'),
    ]

    operations = [
        migrations.RunSQL(DROP_INDEXES, migrations.RunSQL.noop),
        migrations.AddField(
            model_name='facetemplate',
            name='arrived_in',
            field=recognition.models.arrivals.TransactionId(
                db_default=recognition.models.arrivals.CurrentTransaction(), editable=False, null=True
            ),
        ),
        migrations.AddIndex(
            model_name='facetemplate',
            index=models.Index(fields=['pack', 'arrived_in'], name='template_arrivals'),
        ),
    ]

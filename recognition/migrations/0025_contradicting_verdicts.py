from django.db import migrations, models

# Verdicts never change, and what is filled in here is no part of what they say.
FILL = """
    ALTER TABLE recognition_verdict DISABLE TRIGGER recognition_verdict_keep;
    UPDATE recognition_verdict SET contradicts = true WHERE EXISTS (
        SELECT FROM recognition_verdict earlier
        WHERE earlier.event_id = recognition_verdict.event_id AND earlier.id < recognition_verdict.id
        AND earlier.code <> recognition_verdict.code AND earlier.by_id IS DISTINCT FROM recognition_verdict.by_id
    );
    ALTER TABLE recognition_verdict ENABLE TRIGGER recognition_verdict_keep;
"""


class Migration(migrations.Migration):
    """Events of which people said different things are found by an index."""

    dependencies = [("recognition", "0024_sealed_holds")]

    operations = [
        migrations.AddField(
            "verdict",
            "contradicts",
            models.BooleanField(
                default=False,
                help_text="Whether somebody else had said otherwise before, and stands by it or not.",
                verbose_name="contradicts",
            ),
        ),
        migrations.RunSQL(sql=FILL, reverse_sql=migrations.RunSQL.noop),
        migrations.AddIndex(
            "verdict",
            models.Index(fields=["event"], condition=models.Q(("contradicts", True)), name="verdict_contradicts"),
        ),
    ]

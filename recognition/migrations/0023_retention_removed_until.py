from django.db import migrations, models


# What went before is known by when it went; the fewest days that a rule can have are one.
REMOVED_BEFORE = """
UPDATE recognition_retentionrule SET removed_until = removed.at - interval '1 day'
FROM (
    SELECT subject, max(at) AS at FROM recognition_auditentry
    WHERE action = 'retention.applied' AND details ? 'events' GROUP BY subject
) AS removed
WHERE removed.subject = 'retentionrule:' || code;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('recognition', '0022_audit_accounts'),
    ]

    operations = [
        migrations.AddField(
            model_name='retentionrule',
            name='removed_until',
            field=models.DateTimeField(editable=False, help_text='When the newest event that was removed had been decided. Empty: none ever was removed.', null=True, verbose_name='removed until'),
        ),
        migrations.RunSQL(sql=REMOVED_BEFORE, reverse_sql=migrations.RunSQL.noop),
    ]

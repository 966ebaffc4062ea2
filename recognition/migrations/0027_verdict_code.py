from django.db import migrations, models


class Migration(migrations.Migration):
    """Events of which somebody said a certain thing are found by an index."""

    dependencies = [("recognition", "0026_anchor_place")]

    operations = [
        migrations.AddIndex("verdict", models.Index(fields=["code", "event"], name="verdict_code")),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    """How it went last to keep a head of the sealed log outside of the database."""

    dependencies = [("recognition", "0025_contradicting_verdicts")]

    operations = [
        migrations.CreateModel(
            name="AnchorPlace",
            fields=[
                (
                    "code",
                    models.CharField(
                        choices=[("file", "file"), ("address", "address")],
                        max_length=20,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("kept_at", models.DateTimeField(null=True)),
                ("failing_since", models.DateTimeField(null=True)),
                ("reason", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "verbose_name": "place of anchors",
                "verbose_name_plural": "places of anchors",
                "default_permissions": (),
            },
        ),
    ]

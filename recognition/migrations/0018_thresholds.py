from django.db import migrations, models


class Migration(migrations.Migration):
    """Thresholds are measured on the site's own gallery, by a job."""

    dependencies = [
        ('recognition', '0017_reviews'),
    ]

    operations = [
        migrations.AlterField(
            model_name='job',
            name='kind',
            field=models.CharField(choices=[('gallery_check', 'gallery check'), ('import', 'import'), ('pack_switch', 'model pack tried out'), ('thresholds', 'thresholds measured')], max_length=40, verbose_name='kind'),
        ),
    ]

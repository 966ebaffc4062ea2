from django.db import migrations, models


class Migration(migrations.Migration):
    """Samples of a guided enrolment, with the pose that they show."""

    dependencies = [
        ('recognition', '0013_backups'),
    ]

    operations = [
        migrations.AddField(
            model_name='facesample',
            name='pose',
            field=models.CharField(blank=True, default='', editable=False, help_text='Which pose of the guided enrolment it shows; empty for other sources.', max_length=10, verbose_name='pose'),
        ),
        migrations.AlterField(
            model_name='facesample',
            name='source',
            field=models.CharField(choices=[('upload', 'admin upload'), ('command', 'command line'), ('import', 'folder import'), ('event', 'face of an event'), ('guided', 'guided webcam enrolment')], max_length=20, verbose_name='source'),
        ),
    ]

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Samples that are the face of an event."""

    dependencies = [
        ('recognition', '0010_people_pages'),
    ]

    operations = [
        migrations.AddField(
            model_name='facesample',
            name='event',
            field=models.ForeignKey(blank=True, editable=False, help_text='Whose face it is a picture of; empty for other sources, and where the event was removed.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='enrolled_samples', to='recognition.recognitionevent', verbose_name='event'),
        ),
        migrations.AlterField(
            model_name='facesample',
            name='source',
            field=models.CharField(choices=[('upload', 'admin upload'), ('command', 'command line'), ('import', 'folder import'), ('event', 'face of an event')], max_length=20, verbose_name='source'),
        ),
    ]

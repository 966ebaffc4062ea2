import django.contrib.postgres.functions
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):
    """Stable ids of people and samples, by which erasures and exports know them anywhere."""

    dependencies = [
        ('recognition', '0012_imports'),
    ]

    operations = [
        migrations.AddField(
            model_name='facesample',
            name='uid',
            field=models.UUIDField(db_default=django.contrib.postgres.functions.RandomUUID(), default=uuid.uuid4, editable=False, help_text='Stays the same in every backup, export and import.', unique=True),
        ),
        migrations.AddField(
            model_name='person',
            name='uid',
            field=models.UUIDField(db_default=django.contrib.postgres.functions.RandomUUID(), default=uuid.uuid4, editable=False, help_text='Stays the same in every backup, export and import.', unique=True),
        ),
        migrations.AlterField(
            model_name='auditentry',
            name='action',
            field=models.CharField(choices=[('person.enrolled', 'person enrolled'), ('person.changed', 'person changed'), ('person.deleted', 'person deleted'), ('person.merged', 'two people merged'), ('person.split', 'person split in two'), ('person.move_undone', 'merge or split undone'), ('person.photos_removed', 'photos removed, templates kept'), ('person.photos_kept', 'photos are kept from now on'), ('sample.added', 'sample added'), ('sample.status_changed', 'sample status changed'), ('sample.deleted', 'sample deleted'), ('people.told_apart', 'two people told apart'), ('people.not_told_apart', 'two people no longer told apart'), ('policy.changed', 'threshold policy changed'), ('policy.proposed', 'threshold policy proposed'), ('policy.approved', 'threshold policy approved'), ('policy.rejected', 'threshold policy rejected'), ('policy.activated', 'threshold policy in force'), ('policy.retired', 'threshold policy of a checkpoint out of force'), ('checkpoint.saved', 'checkpoint changed'), ('person_group.saved', 'group of people changed'), ('person_group.deleted', 'group of people deleted'), ('person.pin_set', 'PIN set'), ('deny_list.added', 'put on the deny list'), ('deny_list.removed', 'taken off the deny list'), ('kiosk.code_made', 'pairing code made'), ('kiosk.paired', 'kiosk paired'), ('kiosk.removed', 'kiosk removed'), ('lockout.lifted', 'lockout lifted'), ('event.overridden', 'decision overridden'), ('alert.acknowledged', 'alert acknowledged'), ('pack.activated', 'model pack activated'), ('pack.measured', 'thresholds measured'), ('import.uploaded', 'import uploaded'), ('import.discarded', 'import discarded'), ('job.requested', 'job asked for'), ('job.cancelled', 'job cancelled'), ('backup.made', 'backup made'), ('backup.restored', 'backup restored'), ('gallery.exported', 'gallery exported'), ('gallery.imported', 'gallery imported')], max_length=50, verbose_name='action'),
        ),
    ]

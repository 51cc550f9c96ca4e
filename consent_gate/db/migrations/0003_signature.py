from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('gate', '0002_erased_relative'),
    ]

    operations = [
        migrations.RenameField(
            model_name='thresholdset',
            old_name='seal',
            new_name='signature',
        ),
    ]

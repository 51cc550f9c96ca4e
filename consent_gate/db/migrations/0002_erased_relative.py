from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('gate', '0001_first'),
    ]

    operations = [
        migrations.AddField(
            model_name='pupilentry',
            name='erased_relative',
            field=models.BooleanField(default=False),
        ),
    ]

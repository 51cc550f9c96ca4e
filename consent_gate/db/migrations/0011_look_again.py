"""Pictures that somebody enrolled since may be in."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("gate", "0025_screening"),
    ]

    operations = [
        migrations.AddField(
            model_name="item",
            name="look_again",
            field=models.BooleanField(db_index=True, default=False),
        ),
    ]

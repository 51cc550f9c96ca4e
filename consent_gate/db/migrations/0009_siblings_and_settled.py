"""Further forms of a picture; recalls closed so long ago that the lists forget them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("gate", "0008_review_notes"),
    ]

    operations = [
        migrations.AddField(
            model_name="publication",
            name="siblings",
            field=models.JSONField(default=list),
        ),
        migrations.AlterField(
            model_name="publication",
            name="state",
            field=models.CharField(
                choices=[
                    ("intended", "Intended"),
                    ("written", "Written"),
                    ("listed", "Listed"),
                    ("live", "Live"),
                    ("unlisted", "Unlisted"),
                    ("removed", "Removed"),
                    ("settled", "Settled"),
                    ("abandoned", "Abandoned"),
                    ("discarded", "Discarded"),
                ],
                max_length=10,
            ),
        ),
    ]

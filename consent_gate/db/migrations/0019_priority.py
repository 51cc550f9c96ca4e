"""Whose turn it is among photos that wait for examination."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("gate", "0009_siblings_and_settled"),
    ]

    operations = [
        migrations.AddField(
            model_name="item",
            name="priority",
            field=models.PositiveSmallIntegerField(
                choices=[(0, "Live"), (1, "Again"), (2, "Backfill")], default=0
            ),
        ),
        migrations.AddIndex(
            model_name="item",
            index=models.Index(fields=["state", "priority", "received_at"], name="whose_turn"),
        ),
        migrations.RemoveIndex(model_name="item", name="gate_item_state_343f07_idx"),
    ]

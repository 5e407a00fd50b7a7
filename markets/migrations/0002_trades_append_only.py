from django.db import migrations

from engine.constraints import append_only


class Migration(migrations.Migration):

    dependencies = [
        ('engine', '0001_initial'),
        ('markets', '0001_initial'),
    ]

    operations = [
        append_only("markets_trade"),
    ]

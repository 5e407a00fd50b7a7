from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('markets', '0003_orders_in_full'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='order',
            name='order_history_all_markets',
        ),
        migrations.RemoveIndex(
            model_name='order',
            name='order_open',
        ),
        # Room on each page for what changes on it: an order that stays on its page keeps its place
        # in all indexes. Of pages that are written from now on.
        migrations.RunSQL(
            "ALTER TABLE markets_order SET (fillfactor = 80)",
            "ALTER TABLE markets_order RESET (fillfactor)",
        ),
    ]

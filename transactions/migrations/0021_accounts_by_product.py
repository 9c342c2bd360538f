"""Find accounts by product and currency."""

from pathlib import Path

from django.db import migrations

from core.db.migrations import RunSQLFile

SQL = Path(__file__).resolve().parent.parent / "products" / "sql"


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_language"),
        ("transactions", "0020_fraud_alerts"),
    ]

    operations = [RunSQLFile(SQL / "accounts_by_product.sql", model="productterms")]

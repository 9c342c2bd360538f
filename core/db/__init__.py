"""Django's databases: named queries, errors, migrations, fitness."""

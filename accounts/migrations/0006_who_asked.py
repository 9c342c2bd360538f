"""Keep what the maker of a request was when they asked."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_door"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="approval",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="approval",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="approval",
            name="delete_delete",
        ),
        migrations.AddField(
            model_name="approval",
            name="maker_role",
            field=models.CharField(blank=True, db_default="", max_length=12),
        ),
        migrations.AddField(
            model_name="approvalevent",
            name="maker_role",
            field=models.CharField(blank=True, db_default="", max_length=12),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="approval",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "accounts_approvalevent" ("action", "asked_at", "checker_id", "decided_at", "id", "maker_id", "maker_role", "payload", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "result", "state", "tried_at", "words") VALUES (NEW."action", NEW."asked_at", NEW."checker_id", NEW."decided_at", NEW."id", NEW."maker_id", NEW."maker_role", NEW."payload", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'insert\', NEW."id", NEW."reason", NEW."result", NEW."state", NEW."tried_at", NEW."words"); RETURN NULL;',
                    hash="5080ea8ece8a9956dcb12eac1c443b3c0ea2cd77",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_6f5fb",
                    table="accounts_approval",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="approval",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "accounts_approvalevent" ("action", "asked_at", "checker_id", "decided_at", "id", "maker_id", "maker_role", "payload", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "result", "state", "tried_at", "words") VALUES (NEW."action", NEW."asked_at", NEW."checker_id", NEW."decided_at", NEW."id", NEW."maker_id", NEW."maker_role", NEW."payload", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'update\', NEW."id", NEW."reason", NEW."result", NEW."state", NEW."tried_at", NEW."words"); RETURN NULL;',
                    hash="c0cbc3fb6dd7e1da488ec35c8d6434e6ae25a347",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_ec125",
                    table="accounts_approval",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="approval",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "accounts_approvalevent" ("action", "asked_at", "checker_id", "decided_at", "id", "maker_id", "maker_role", "payload", "pgh_context", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "result", "state", "tried_at", "words") VALUES (OLD."action", OLD."asked_at", OLD."checker_id", OLD."decided_at", OLD."id", OLD."maker_id", OLD."maker_role", OLD."payload", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, NOW(), \'delete\', OLD."id", OLD."reason", OLD."result", OLD."state", OLD."tried_at", OLD."words"); RETURN NULL;',
                    hash="ef09a9f199e35e83dcb3d881238243badb4ef61b",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_5ffed",
                    table="accounts_approval",
                    when="AFTER",
                ),
            ),
        ),
    ]

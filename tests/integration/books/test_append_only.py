"""Nobody rewrites history: neither the application's role by any road, nor the owner."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import errors

from tests.integration.books.conftest import BusyBank

TABLES = (
    "journal",
    "journal_default",
    "reversal",
    "reference",
    "account_event",
    "account",
    "hold",
    "holder",
    "request",
    "folded",
    "tail",
    "payee_limit",
    "currency",
)
HISTORY = ("journal", "{leaf}", "reversal", "reference", "account_event")
WRITES = (
    "UPDATE ledger.{table} SET {column} = {column}",
    "DELETE FROM ledger.{table}",
    "TRUNCATE ledger.{table}",
    "INSERT INTO ledger.{table} OVERRIDING SYSTEM VALUE SELECT * FROM ledger.{table}",
    "COPY ledger.{table} FROM STDIN",
    "BEGIN; LOCK TABLE ledger.{table} IN ACCESS EXCLUSIVE MODE",
    "SELECT * FROM ledger.{table} FOR UPDATE",
    "WITH gone AS (DELETE FROM ledger.{table} RETURNING *) SELECT * FROM gone",
    "MERGE INTO ledger.{table} t USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE",
    "DO $$ BEGIN EXECUTE 'DELETE FROM ledger.{table}'; END $$",
    "PREPARE w AS DELETE FROM ledger.{table}; EXECUTE w",
    "ALTER TABLE ledger.{table} DISABLE TRIGGER ALL",
    "DROP TABLE ledger.{table} CASCADE",
    "CREATE RULE r AS ON INSERT TO ledger.{table} DO ALSO DELETE FROM ledger.journal",
    "CREATE TRIGGER t BEFORE INSERT ON ledger.{table} EXECUTE FUNCTION ledger.refuse_rewrite()",
    "ALTER TABLE ledger.{table} OWNER TO bank_app",
    # Granting what one has not is answered with a warning; nothing is granted.
    "GRANT ALL ON ledger.{table} TO bank_app; DELETE FROM ledger.{table}",
)
ROADS = (
    "INSERT INTO ledger.journal TABLE ledger.journal ON CONFLICT (id) DO UPDATE SET amount = 1",
    "INSERT INTO ledger.{leaf} SELECT * FROM ledger.journal",
    "UPDATE ledger.{leaf} SET amount = 1",
    "DELETE FROM ledger.{leaf}",
    "TRUNCATE ledger.{leaf}",
    "COPY ledger.journal FROM PROGRAM 'echo'",
    "COPY ledger.journal TO '/tmp/journal'",
    "BEGIN; DECLARE c CURSOR FOR SELECT * FROM ledger.journal FOR UPDATE",
    "BEGIN; DELETE FROM ledger.journal; PREPARE TRANSACTION 'gone'",
    "ALTER TABLE ledger.journal DETACH PARTITION ledger.{leaf}",
    "ALTER TABLE ledger.journal DETACH PARTITION ledger.journal_default CONCURRENTLY",
    "ALTER TABLE ledger.journal ENABLE ROW LEVEL SECURITY",
    "CREATE TABLE ledger.more PARTITION OF ledger.journal DEFAULT",
    "CREATE TABLE public.mine (LIKE ledger.journal)",
    "CREATE TEMP TABLE journal (LIKE ledger.journal)",
    "CREATE TEMP VIEW mine AS SELECT * FROM ledger.journal",
    "CREATE VIEW public.mine AS SELECT * FROM ledger.journal",
    "CREATE SCHEMA mine",
    "CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT NULL'",
    "CREATE FUNCTION ledger.mine() RETURNS void LANGUAGE sql AS ''",
    "CREATE FUNCTION pg_temp.mine() RETURNS void LANGUAGE sql AS ''",
    "CREATE OR REPLACE FUNCTION ledger.tick_v1() RETURNS bigint LANGUAGE sql AS 'SELECT 1'",
    "ALTER FUNCTION ledger.fold_v1() SECURITY INVOKER",
    "ALTER FUNCTION ledger.fold_v1() SET search_path = public",
    "DROP FUNCTION ledger.refuse_rewrite() CASCADE",
    "DROP SCHEMA ledger CASCADE",
    "ALTER SCHEMA ledger OWNER TO bank_app",
    "SET session_replication_role = replica",
    "SELECT set_config('session_replication_role', 'replica', false)",
    "SET ROLE bank_owner",
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION bank_owner",
    "SET SESSION AUTHORIZATION postgres",
    "GRANT bank_owner TO bank_app",
    "ALTER ROLE bank_app SUPERUSER",
    "ALTER ROLE bank_owner PASSWORD 'guess'",
    "CREATE ROLE mine",
    "ALTER SYSTEM SET fsync = off",
    "SELECT lo_export(0, '/tmp/x')",
    "SELECT lo_import('/etc/hostname')",
    "SELECT pg_read_file('postgresql.conf')",
    "UPDATE pg_catalog.pg_class SET relowner = 10",
    "DELETE FROM pg_catalog.pg_trigger",
    "CREATE EVENT TRIGGER t ON ddl_command_start EXECUTE FUNCTION ledger.refuse_rewrite()",
    "CREATE PUBLICATION mine FOR ALL TABLES",
    "CREATE SUBSCRIPTION mine CONNECTION '' PUBLICATION mine",
    "REINDEX TABLE ledger.journal",
    "CLUSTER ledger.journal_default USING journal_default_pkey",
    "SELECT ledger.guard_v1('ledger.journal')",
    "SELECT ledger.adopt_default_v1('2020-01-01')",
    "SELECT ledger.note_v1(1, 'open', 0, '', '{}')",
    "SELECT ledger.expire_held_v1(ARRAY[1::bigint])",
    "SELECT ledger.claim_v1(0, 'k', 'r', gen_random_uuid())",
)
COLUMNS = {
    "account": "number",
    "holder": "account",
    "request": "key",
    "folded": "account",
    "tail": "name",
    "payee_limit": "account",
    "currency": "code",
    "account_event": "account",
    "reversal": "original_id",
    "reference": "reference",
}


@pytest.fixture
def leaf(busy_bank: BusyBank) -> str:
    """Return the partition that holds the busy bank's transfers."""
    with psycopg.connect(busy_bank.superuser_url) as superuser:
        (name,) = superuser.execute(
            "SELECT relname FROM pg_class WHERE oid = (SELECT tableoid FROM ledger.journal LIMIT 1)"
        ).fetchone() or ("",)
    return str(name)


@pytest.fixture(autouse=True)
def untouched(busy_bank: BusyBank) -> Iterator[None]:
    """Compare all tables of the ledger before and after."""
    before = _content(busy_bank)
    yield
    assert _content(busy_bank) == before


def _content(bank: BusyBank) -> list[object]:
    with psycopg.connect(bank.superuser_url) as superuser:
        return [
            superuser.execute(
                f"SELECT md5(string_agg(t::text, ' ' ORDER BY t::text)) FROM ledger.{table} t"
            ).fetchone()
            for table in TABLES
        ]


def run(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


@pytest.mark.parametrize("table", TABLES)
def test_the_application_cannot_write(table: str, busy_bank: BusyBank) -> None:
    for write in WRITES:
        statement = write.replace("{table}", table)
        statement = statement.replace("{column}", COLUMNS.get(table, "id"))
        with pytest.raises(errors.InsufficientPrivilege):
            run(busy_bank.app_url, statement)


@pytest.mark.parametrize("road", ROADS)
def test_the_application_finds_no_other_road(road: str, busy_bank: BusyBank, leaf: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        run(busy_bank.app_url, road.replace("{leaf}", leaf))


def test_the_readers_role_can_call_nothing_that_writes(busy_bank: BusyBank) -> None:
    with psycopg.connect(busy_bank.superuser_url) as superuser:
        callable_by_readers = superuser.execute(
            "SELECT proname FROM pg_proc WHERE pronamespace = 'ledger'::regnamespace "
            "AND has_function_privilege('bank_readonly', oid, 'EXECUTE') ORDER BY 1"
        ).fetchall()
    assert [name for (name,) in callable_by_readers] == [
        "account_in_v1",
        "id_from_v1",
        "id_tick_v1",
        "id_time_v1",
        "id_v1",
        "interest_v1",
    ]


def test_the_application_calls_no_step_of_a_function_by_itself(busy_bank: BusyBank) -> None:
    with psycopg.connect(busy_bank.superuser_url) as superuser:
        steps = superuser.execute(
            "SELECT proname FROM pg_proc WHERE pronamespace = 'ledger'::regnamespace "
            "AND NOT prosecdef AND provolatile = 'v' "
            "AND has_function_privilege('bank_app', oid, 'EXECUTE')"
        ).fetchall()
    assert steps == []


@pytest.mark.parametrize("table", HISTORY)
@pytest.mark.parametrize("write", WRITES[:3])
def test_the_owner_is_stopped_by_the_triggers(
    table: str, write: str, busy_bank: BusyBank, leaf: str
) -> None:
    statement = write.replace("{column}", COLUMNS.get(table, "id"))
    statement = statement.replace("{table}", table).replace("{leaf}", leaf)
    with pytest.raises(psycopg.Error) as refused:
        run(busy_bank.owner_url, statement)
    assert refused.value.sqlstate == "BK090"


@pytest.mark.parametrize("table", HISTORY)
@pytest.mark.parametrize("write", WRITES[:3])
def test_a_superuser_who_plays_a_replica_is_stopped_too(
    table: str, write: str, busy_bank: BusyBank, leaf: str
) -> None:
    statement = write.replace("{column}", COLUMNS.get(table, "id"))
    statement = statement.replace("{table}", table).replace("{leaf}", leaf)
    with pytest.raises(psycopg.Error) as refused:
        run(busy_bank.superuser_url, f"SET session_replication_role = replica; {statement}")
    assert refused.value.sqlstate == "BK090"


def test_objects_of_the_callers_own_name_deceive_no_function(busy_bank: BusyBank) -> None:
    """Even where temporary objects are allowed, which they are not."""
    post = (
        "SELECT transfer_id FROM ledger.post_fully_v1("
        f"0, 'hijack', {busy_bank.payer}, {busy_bank.payee}, 1, 'INR', 'fee', 'api', '2026-03-02')"
    )
    with psycopg.connect(busy_bank.superuser_url, autocommit=True) as superuser:
        superuser.execute("GRANT TEMP ON DATABASE " + superuser.info.dbname + " TO bank_app")
    with psycopg.connect(busy_bank.app_url) as app:
        for table in ("journal", "account", "request", "hold"):
            app.execute(f"CREATE TEMP TABLE {table} (LIKE ledger.{table})")
        app.execute(
            "CREATE FUNCTION pg_temp.sha256(bytea) RETURNS bytea "
            "LANGUAGE sql AS $$ SELECT ''::bytea $$"
        )
        app.execute("SET search_path = pg_temp, public, pg_catalog, ledger")
        (transfer,) = app.execute(post).fetchone() or (None,)
        real = "SELECT count(*) FROM ledger.journal WHERE id = %s"
        assert app.execute(real, [transfer]).fetchone() == (1,)
        assert app.execute("SELECT count(*) FROM pg_temp.journal").fetchone() == (0,)
        answered = "SELECT length(hash) FROM ledger.request WHERE key = 'hijack'"
        assert app.execute(answered).fetchone() == (32,)
        app.rollback()

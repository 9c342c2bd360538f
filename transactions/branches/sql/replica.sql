-- How the replica is subscribed to the nodes, and how far it has come.

-- name: is_ready_to_copy
-- Whether all tables are there that are published, and the role that copies them.
SELECT
    to_regclass('ledger.pulse') IS NOT NULL
    AND (
        to_regclass('public.accounts_user') IS NULL
        OR to_regclass('public.notifications_message') IS NOT NULL
    )
    AND EXISTS (SELECT FROM pg_roles WHERE rolname = 'bank_replica')

-- name: named_node
-- The node whose ledger this is; a replica is none.
SELECT code FROM ledger.this_node

-- name: is_subscribed
SELECT EXISTS (
    SELECT FROM pg_subscription
    WHERE subname = %s AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
)

-- name: whole
-- The nodes whose copies are whole.
SELECT node FROM ledger.source WHERE is_whole

-- name: sources
-- How far each node's copy has come, and how long ago the node was last heard of.
SELECT
    node, is_whole, lsn::text, beat_at,
    greatest(extract(EPOCH FROM clock_timestamp() - beat_at), 0)::float8 AS lag
FROM ledger.source

-- name: identity
SELECT system_identifier, current_database() FROM pg_control_system()

-- name: make_slot
SELECT pg_create_logical_replication_slot(%s, 'pgoutput')

-- name: make_lasting_slot
-- One that a standby of the node has, too.
SELECT pg_create_logical_replication_slot(%s, 'pgoutput', failover => true)

-- name: drop_slot
-- One that an earlier attempt left behind. Used by somebody, it stays, and the new one is refused.
SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s AND NOT active

-- name: lives_on
-- Whether a subscription's slot lives on at a standby of its node, and the slot; PostgreSQL 17 or newer.
SELECT subfailover, subslotname
FROM pg_subscription
WHERE subname = %s AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())

-- name: is_in_use
SELECT slot_name FROM pg_replication_slots WHERE slot_name = %s AND active

-- name: forget_ledger
DELETE FROM ledger.journal WHERE node = %(node)s;
DELETE FROM ledger.reversal WHERE node = %(node)s;
DELETE FROM ledger.reference WHERE node = %(node)s;
DELETE FROM ledger.account_event WHERE node = %(node)s;
DELETE FROM ledger.decision WHERE node = %(node)s;
DELETE FROM ledger.arrival WHERE node = %(node)s;
DELETE FROM ledger.hold WHERE node = %(node)s;
DELETE FROM ledger.payee_limit WHERE node = %(node)s;
DELETE FROM ledger.holder WHERE node = %(node)s;
DELETE FROM ledger.account WHERE node = %(node)s;
DELETE FROM ledger.pulse WHERE node = %(node)s;
-- What was folded of it counts no longer: all is folded anew.
DELETE FROM ledger.folded;
DELETE FROM ledger.tail WHERE name = 'fold';

-- name: forget_people
DELETE FROM public.notifications_messageattempt;
DELETE FROM public.notifications_message;
DELETE FROM public.accounts_approval;
DELETE FROM public.accounts_credentialchange;
DELETE FROM public.accounts_statuschange;
DELETE FROM public.accounts_session;
DELETE FROM public.accounts_login;
DELETE FROM public.accounts_card;
DELETE FROM public.accounts_account;
DELETE FROM public.accounts_user;
DELETE FROM public.accounts_branch;
DELETE FROM public.accounts_district;

-- What a node publishes to the replica. Run by its owner after every migration; repeating it is
-- harmless. A list of tables and columns, so that nothing leaves a node that nobody has thought about.

-- name: ledger
-- The ledger of every node. Left out: the requests' keys, the fold, the tailers' cursors, and the
-- transaction ids, which mean something on their own server only.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_publication WHERE pubname = 'bank_ledger') THEN
        CREATE PUBLICATION bank_ledger WITH (publish_via_partition_root = true);
    END IF;
END
$$;
ALTER PUBLICATION bank_ledger SET TABLE
ledger.account,
ledger.holder,
ledger.payee_limit,
ledger.hold (
    id, account, payee, amount, captured, client, placed_day, placed_at, expires_at, ended_at,
    transfer_id, state, memo
),
ledger.journal (
    id, debit, credit, peer, amount, debit_after, credit_after, client, event_at, group_id, kind,
    channel, reference, memo
),
ledger.reversal,
ledger.reference,
ledger.account_event (id, account, action, client, recorded_at, reason, details),
ledger.decision,
ledger.arrival,
ledger.pulse;
GRANT USAGE ON SCHEMA ledger TO bank_replica;
GRANT SELECT ON ledger.account, ledger.holder, ledger.payee_limit, ledger.hold, ledger.journal,
ledger.reversal, ledger.reference, ledger.account_event, ledger.decision, ledger.arrival,
ledger.pulse TO bank_replica;

-- name: people
-- People, the identity of accounts, who logged in from where, what was asked for and decided, and which
-- messages were sent, at the head office. Nobody's password, token or second factor, nothing by which a
-- session could be taken over, nothing that a message says, and no node's address.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_publication WHERE pubname = 'bank_people') THEN
        CREATE PUBLICATION bank_people;
    END IF;
END
$$;
ALTER PUBLICATION bank_people SET TABLE
public.accounts_branch,
public.accounts_district,
public.accounts_account,
public.accounts_user (
    id, number, email, full_name, phone, birth_date, role, branch_id, district_id,
    external_reference, status, is_active, is_staff, is_superuser, date_joined
),
public.accounts_card (
    id, person_id, account_id, kind, tier, state, last_four, expires_on, payment_limit, daily_limit,
    monthly_limit, issued_at, external_reference
),
public.accounts_login,
public.accounts_session (
    id, person_id, kind, address, device, began_at, last_used_at, expires_at, ended_at
),
public.accounts_statuschange,
public.accounts_credentialchange,
public.accounts_approval,
public.notifications_message (
    id, person_id, kind, channel, state, is_taken, tries, next_attempt_at, created_at, sent_at
),
public.notifications_messageattempt (id, message_id, at, milliseconds, failure);
GRANT USAGE ON SCHEMA public TO bank_replica;
GRANT SELECT ON public.accounts_branch, public.accounts_district, public.accounts_account,
public.accounts_login, public.accounts_statuschange, public.accounts_credentialchange,
public.accounts_approval TO bank_replica;
GRANT SELECT (
    id, person_id, kind, channel, state, is_taken, tries, next_attempt_at, created_at, sent_at
) ON public.notifications_message TO bank_replica;
GRANT SELECT (
    id, message_id, at, milliseconds, failure
) ON public.notifications_messageattempt TO bank_replica;
GRANT SELECT (
    id, person_id, account_id, kind, tier, state, last_four, expires_on, payment_limit, daily_limit,
    monthly_limit, issued_at, external_reference
) ON public.accounts_card TO bank_replica;
GRANT SELECT (
    id, person_id, kind, address, device, began_at, last_used_at, expires_at, ended_at
) ON public.accounts_session TO bank_replica;
GRANT SELECT (
    id, number, email, full_name, phone, birth_date, role, branch_id, district_id,
    external_reference, status, is_active, is_staff, is_superuser, date_joined
) ON public.accounts_user TO bank_replica;

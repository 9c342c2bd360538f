-- What releases made of the ledger that had come to a migration, and today's files of that migration do
-- not: each as it was until the migration that it is named for.

-- name: 0008
ALTER TABLE ledger.account DROP COLUMN IF EXISTS transfer_limit

-- name: 0009
CREATE UNIQUE INDEX account_place ON ledger.account (number, status);
ALTER TABLE ledger.account REPLICA IDENTITY USING INDEX account_place;

-- name: 0012
CREATE OR REPLACE FUNCTION ledger.id_from_v1(p_at timestamptz) RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN ledger.id_v1((extract(EPOCH FROM p_at) * 4096000)::bigint, ~9223372036854775807)

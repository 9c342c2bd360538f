-- What a node keeps of transfers to and from other nodes. Written by the functions of branches.sql.

-- Decisions of transfers that leave this node: the source's own commit is the decision. An attempt
-- that somebody had to give up for lost is 'aborted' here first, and can then no longer commit.
CREATE TABLE ledger.decision (
    id uuid NOT NULL,
    attempt smallint NOT NULL CHECK (attempt > 0),
    state text NOT NULL CHECK (state IN ('committed', 'aborted')),
    destination text,
    transfer_id uuid,
    decided_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (id, attempt),
    CHECK ((state = 'committed') = (transfer_id IS NOT NULL))
);
CREATE UNIQUE INDEX decision_committed ON ledger.decision (id) WHERE state = 'committed';
CREATE UNIQUE INDEX decision_transfer ON ledger.decision (transfer_id) WHERE transfer_id IS NOT NULL;
COMMENT ON COLUMN ledger.decision.id IS 'of the transfer between nodes; its legs have ids of their own';
COMMENT ON COLUMN ledger.decision.transfer_id IS 'the leg here; of a batch, the first one';

-- Transfers that have come to this node, each once.
CREATE TABLE ledger.arrival (
    id uuid PRIMARY KEY,
    attempt smallint NOT NULL,
    source text NOT NULL,
    transfer_id uuid NOT NULL UNIQUE,
    arrived_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Accounts that live elsewhere than their number says, copied to every node; the newest word counts.
CREATE TABLE ledger.moved (
    account bigint PRIMARY KEY,
    node text NOT NULL,
    moves integer NOT NULL CHECK (moves > 0),
    moved_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- The node's heartbeat, for readers of copies, and when its prepared transactions were last looked at.
CREATE TABLE ledger.pulse (
    node text PRIMARY KEY,
    beat_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    swept_at timestamptz
);

SELECT ledger.guard_v1('ledger.decision');
SELECT ledger.guard_v1('ledger.arrival');

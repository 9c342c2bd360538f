-- Cash of accounts that have moved: what they booked of late on other nodes counts against the limit of
-- a day here. It moves along with the account.
CREATE TABLE ledger.cash_elsewhere (
    account bigint NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    channel text NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    PRIMARY KEY (account, id)
);
COMMENT ON COLUMN ledger.cash_elsewhere.id IS 'the transfer''s, in the journal of the node that booked it';

-- Cash that accounts paid in and took out, wherever they lived.
CREATE VIEW ledger.cash_booked AS
SELECT account, id, kind, channel, amount FROM ledger.entry WHERE kind IN ('deposit', 'withdrawal')
UNION ALL
SELECT account, id, kind, channel, amount FROM ledger.cash_elsewhere;

-- What a connection between nodes has ready: planned once for each connection.
PREPARE send (
    uuid, smallint, text, bigint, bigint, text, bigint, bigint, bigint, text, text, text, date,
    bigint, text, text, timestamptz
) AS SELECT transfer_id, debit_after, replayed
FROM ledger.send_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17);

PREPARE receive (
    uuid, smallint, text, bigint, bigint, bigint, bigint, bigint, text, text, text, text,
    timestamptz
) AS SELECT transfer_id, credit_after
FROM ledger.receive_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);

-- Wait while a position over all nodes is taken; from here on one waits for this transaction.
PREPARE enter AS SELECT pg_advisory_xact_lock_shared(7103, 3);

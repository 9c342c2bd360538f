-- Transfer ids: UUID version 7 (RFC 9562) whose time part counts ticks of 1/4096 ms, made after the
-- account locks are held, so that ids on one account are in the order of its postings. PostgreSQL
-- before 18 has no uuidv7(), and its own keeps no order across sessions.

-- The clock, in ticks.
CREATE OR REPLACE FUNCTION ledger.tick_v1() RETURNS bigint
LANGUAGE sql VOLATILE PARALLEL SAFE
RETURN (date_part('epoch', clock_timestamp()) * 4096000)::bigint;

-- The random end of an id: the variant's two bits, then 62 of which 52 are random. It keeps ids of
-- different accounts and nodes apart; it is no secret.
CREATE OR REPLACE FUNCTION ledger.id_tail_v1() RETURNS bigint
LANGUAGE sql VOLATILE PARALLEL SAFE
RETURN (random() * 4611686018427387904)::bigint | ~9223372036854775807;

-- The id of one tick: 48 bits of milliseconds, the version, 12 bits of their fraction, the tail.
CREATE OR REPLACE FUNCTION ledger.id_v1(p_tick bigint, p_tail bigint) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN encode(
    int8send(((p_tick >> 12) << 16) | 28672 | (p_tick & 4095)) || int8send(p_tail), 'hex'
)::uuid;

-- The first possible id of an instant: lower bound of what was recorded from then on. Before 1970, where
-- ids begin, it is the first of all.
CREATE OR REPLACE FUNCTION ledger.id_from_v1(p_at timestamptz) RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN ledger.id_v1(
    greatest((extract(EPOCH FROM p_at) * 4096000)::bigint, 0), ~9223372036854775807
);

-- The tick of an id.
CREATE OR REPLACE FUNCTION ledger.id_tick_v1(p_id uuid) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ('x' || translate(substr(p_id::text, 1, 13), '-', ''))::bit(48)::bigint << 12
| ('x' || substr(p_id::text, 16, 3))::bit(12)::bigint;

-- When the transfer of this id was recorded, to the microsecond.
CREATE OR REPLACE FUNCTION ledger.id_time_v1(p_id uuid) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN to_timestamp(trunc(ledger.id_tick_v1(p_id) * 1000 / 4096.0) / 1000000);

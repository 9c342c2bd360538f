-- Where the log-in door counts while the cache is away; as Django's database cache has it.
CREATE TABLE accounts_doorfallback (
    cache_key varchar(255) PRIMARY KEY,
    value text NOT NULL,
    expires timestamptz NOT NULL
);
CREATE INDEX door_fallback_expires ON accounts_doorfallback (expires);

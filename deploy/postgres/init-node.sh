#!/bin/sh
# Make a new server a node: the bank's roles, their passwords from files, rights in its database.
# The official image runs it once, when it has made the database `bank`.
set -eu

superuser() {
    psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username=postgres "$@"
}

superuser --dbname=postgres --file=/etc/bank/roles.sql
for role in bank_owner bank_app bank_readonly bank_replica bank_backup; do
    superuser --dbname=postgres --set=role="$role" <<'SQL'
SET log_min_error_statement = panic;
\set place '/run/secrets/' :role
\set password `cat :place`
ALTER ROLE :"role" PASSWORD :'password';
SQL
done
superuser --dbname=bank --file=/etc/bank/database.sql
if [ "${BANK_NODE:-}" = replica ]; then
    superuser --dbname=bank --file=/etc/bank/replica.sql
fi

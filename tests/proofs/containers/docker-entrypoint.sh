#!/bin/sh
# What the official image's entry point does with what deploy/compose.yml gives it: a server is made
# when there is none, its database too, and the scripts of the init folder are run once.
set -eu
if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA"
    chown postgres "$PGDATA" /run/postgresql
    exec gosu postgres "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    initdb --username=postgres --pwfile="$POSTGRES_PASSWORD_FILE" $POSTGRES_INITDB_ARGS > /dev/null
    pg_ctl --wait --silent -D "$PGDATA" -o "-c listen_addresses='' ${*#postgres}" start
    psql --username=postgres --dbname=postgres --quiet --command="CREATE DATABASE $POSTGRES_DB"
    for script in /docker-entrypoint-initdb.d/*.sh; do
        "$script"
    done
    pg_ctl --wait --silent -D "$PGDATA" --mode=fast stop
fi
exec "$@"

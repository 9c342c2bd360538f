#!/bin/sh
# Run the official image's PostgreSQL as a node of the bank.
set -eu
install -o postgres -g postgres -m 600 /run/secrets/server.key /run/postgresql/server.key
exec docker-entrypoint.sh postgres -c config_file=/etc/bank/node.conf

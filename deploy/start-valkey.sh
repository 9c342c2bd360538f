#!/bin/sh
# Run the official image's Valkey with TLS alone, and a password that no list of processes shows.
set -eu
umask 077
# In memory, and not through a pipe: the server itself must get the signal to stop.
{
    cat /etc/bank/valkey.conf
    cat <<'CONF'
port 0
tls-port 6379
tls-cert-file /run/secrets/server.pem
tls-key-file /run/secrets/server.key
tls-ca-cert-file /run/secrets/authority.pem
tls-auth-clients no
dir /data
CONF
    printf 'requirepass %s\n' "$(cat /run/secrets/password)"
} > /tmp/valkey.conf
exec valkey-server /tmp/valkey.conf

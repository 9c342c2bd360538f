#!/bin/sh
# Make what deploy/compose.yml needs and nobody may know: passwords, keys, and an authority of this
# bank's own that signs its servers' certificates. What is there already stays.
set -eu
umask 077
cd "$(dirname "$0")"
host=${BANK_HOST:-localhost}
days=3650
mkdir -p secrets
cd secrets

random() { openssl rand -hex 32; }

# A folder is all that one container sees of the secrets. Only this machine's user enters `secrets`
# itself, so that what is inside may be readable by whoever a container works as.
folder() {
    mkdir -p "$1"
    chmod 755 "$1"
}

put() {
    cat > "$1.new"
    chmod 444 "$1.new"
    mv "$1.new" "$1"
}

sign() { # FOLDER NAME [PEM]: a certificate for a name, with its key
    [ -e "$1/${3:-server.pem}" ] && return
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$2" \
        -keyout "$1/key.new" -out "$1/request.new" 2>/dev/null
    printf 'subjectAltName=DNS:%s,DNS:localhost,IP:127.0.0.1\n' "$2" > "$1/names.new"
    openssl x509 -req -in "$1/request.new" -CA authority.pem -CAkey authority.key -CAcreateserial \
        -days "$days" -extfile "$1/names.new" -out "$1/certificate.new" 2>/dev/null
    if [ -n "${3:-}" ]; then
        cat "$1/certificate.new" "$1/key.new" | put "$1/$3"
    else
        put "$1/server.pem" < "$1/certificate.new"
        put "$1/server.key" < "$1/key.new"
    fi
    rm "$1/key.new" "$1/request.new" "$1/names.new" "$1/certificate.new"
}

if [ ! -e authority.pem ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days "$days" \
        -subj "/CN=The bank's own authority" -keyout authority.key -out authority.pem 2>/dev/null
fi
for role in postgres bank_owner bank_app bank_readonly bank_replica bank_backup valkey key metrics; do
    [ -e "$role" ] || random > "$role"
done
# Keys from before, and the next one; see "A new key" in docs/howto/containers.md.
[ -e key_fallbacks ] || : > key_fallbacks

for node in head-office branch-mumbai branch-delhi replica; do
    folder "$node"
    sign "$node" "$node"
    put "$node/authority.pem" < authority.pem
    for role in postgres bank_owner bank_app bank_readonly bank_replica bank_backup; do
        put "$node/$role" < "$role"
    done
done

folder valkey-server
sign valkey-server valkey
put valkey-server/authority.pem < authority.pem
put valkey-server/password < valkey

folder door
sign door "$host" lb.pem

url() { # ROLE NODE
    printf 'postgresql://%s:%s@%s:5432/bank?sslmode=verify-full&sslrootcert=%s' \
        "$1" "$(cat "$1")" "$2" /run/secrets/authority.pem
}

folder bank
put bank/authority.pem < authority.pem
put bank/secret_key < key
put bank/secret_key_fallbacks < key_fallbacks
put bank/metrics_token < metrics
url bank_app head-office | put bank/database_url
printf 'MUM=%s,DEL=%s' "$(url bank_app branch-mumbai)" "$(url bank_app branch-delhi)" |
    put bank/branch_database_urls
url bank_readonly replica | put bank/replica_database_url
printf 'rediss://:%s@valkey:6379/0?ssl_cert_reqs=required&ssl_ca_certs=%s' \
    "$(cat valkey)" /run/secrets/authority.pem | put bank/redis_url

# Who changes the schema and who subscribes: for the container `open` alone.
folder owner
url bank_owner head-office | put owner/owner_database_url
url bank_replica head-office | put owner/replication_database_url

# Who backs up: for the machine that does, alone.
folder backup
put backup/authority.pem < authority.pem
url bank_backup head-office | put backup/backup_database_url

#!/bin/sh
# Prints the file of secrets that deploy/compose.yaml needs, with new random passwords: sh deploy/env.sh > deploy/.env
set -eu
random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
cat <<EOF
# Read by docker compose. The passwords of the broker and of the database are those of the first start: change them there, too.
COPYDESK_AMQP_PASSWORD=$(random)
POSTGRES_PASSWORD=$(random)
GRAFANA_PASSWORD=$(random)
# name:secret, separated by commas; COPYDESK_OPERATORS are the names that reach the documents of all.
COPYDESK_API_KEYS=admin:$(random)
COPYDESK_OPERATORS=admin
# Turns on the API keys of the ledger (copydesk keys). If it changes, all of them are void.
COPYDESK_KEYS_SECRET=$(random)
# Turns on options.callback_url. If it changes, so do the secrets that receivers of callbacks check with.
COPYDESK_CALLBACK_SECRET=$(random)
EOF

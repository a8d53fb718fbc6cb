#!/bin/sh
# Writes docker/.env with secrets made here, once. Compose reads it; git ignores it.
set -eu
cd "$(dirname "$0")"
[ -f .env ] && { echo "docker/.env is there already; nothing was changed"; exit 0; }
secret() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
umask 077
{
  echo "POSTGRES_PASSWORD=$(secret)"
  for service in GATEWAY INGEST CATALOG REPORTING NOTIFIER; do echo "PATCHWATCH_${service}_DATABASE_PASSWORD=$(secret)"; done
  echo "PATCHWATCH_JWT_SECRET=$(secret)"
  echo "PATCHWATCH_PEPPER=$(secret)"
  echo "PATCHWATCH_BOOTSTRAP_EMAIL=admin@patchwatch.example"
  echo "PATCHWATCH_BOOTSTRAP_PASSWORD=$(secret)"
} > .env
echo "docker/.env written; the first login is admin@patchwatch.example with PATCHWATCH_BOOTSTRAP_PASSWORD from that file"

#!/bin/sh
# Loads what the gateway's file outputs have written into the database, each file in one transaction.
#
#   alerts.ndjson ─ mv ─▶ alerts.ndjson.UUID ─ next round ─▶ rows, and the file's name in `loaded` ─▶ rm
#
# A file is moved in one round and loaded in the next: the gateway makes a new file before it writes again, and what it was
# just writing has ended by then. A crash at any place repeats a step and loses or doubles nothing.
set -eu
cd "$OUTBOX" 2>/dev/null || { mkdir -p "$OUTBOX" && cd "$OUTBOX"; }
if [ -n "${PASSWORD_FILE:-}" ]; then
	PGPASSWORD=$(cat "$PASSWORD_FILE")
	export PGPASSWORD
fi

load() {
	psql -X -q -v ON_ERROR_STOP=1 -v file="$1" -v source="${1%.ndjson.*}" <<SQL
begin;
create temp table line (n bigint generated always as identity, text text) on commit drop;
\\copy line (text) from '$1' with (format csv, delimiter E'\\x01', quote E'\\x02')
insert into output (source, body)
	select :'source', as_json(text) from line
	where not exists (select from loaded where file = :'file') order by n;
insert into loaded (file, lines) select :'file', count(*) from line on conflict do nothing;
commit;
SQL
}

round() {
	for file in *.ndjson.*; do
		[ -e "$file" ] || continue
		load "$file" || return 1
		rm "$file"
	done
	for file in *.ndjson; do
		[ -s "$file" ] || continue
		# A name that no file had before: a clock that is set back must not make one of `loaded`.
		mv "$file" "$file.$(cat /proc/sys/kernel/random/uuid)"
	done
	touch "${ROUND:-/tmp/round}"
}

trap 'exit 0' TERM INT
while :; do
	round || echo "the database did not take it; tried again in ${PAUSE:-10} s" >&2
	sleep "${PAUSE:-10}" &
	wait $!
done

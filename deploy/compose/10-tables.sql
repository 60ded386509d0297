-- One row for each line that a gateway's file output has written.
create table output (
	received timestamptz not null default now(),
	source text not null,           -- name of the file, without .ndjson: the pipeline's
	body jsonb not null
);
create index on output (source, received desc);

-- Files that are in: one that was loaded and not yet removed when the power went is not loaded twice.
create table loaded (
	file text primary key,
	at timestamptz not null default now(),
	lines bigint not null
);

-- A filter made elsewhere may write what is no JSON: such a line is kept as a string.
create function as_json(line text) returns jsonb language plpgsql immutable as $$
begin
	return line::jsonb;
exception when others then
	return to_jsonb(line);
end $$;

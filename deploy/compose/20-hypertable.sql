create extension if not exists timescaledb;
select create_hypertable('output', 'received', chunk_time_interval => interval '1 day');
alter table output set (timescaledb.compress, timescaledb.compress_segmentby = 'source');
select add_compression_policy('output', interval '7 days');
select add_retention_policy('output', interval '90 days');

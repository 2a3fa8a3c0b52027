-- fim in ClickHouse. Lines go into fim_lines as they are, one String each; what is asked for often becomes a column.
-- Repeats of a line (a crash, a shipper) collapse: they have the same chain, number and digest.

CREATE TABLE IF NOT EXISTS fim
(
    at         DateTime64(9, 'UTC'),
    reported   DateTime64(9, 'UTC'),
    host       LowCardinality(String),
    kind       LowCardinality(String),
    action     LowCardinality(String),
    severity   UInt8,
    consumer   LowCardinality(String),
    detected   LowCardinality(String),
    via        LowCardinality(String),
    path       String,
    user       LowCardinality(String),
    login_uid  Nullable(UInt32),
    process    LowCardinality(String),
    executable String,
    args       Array(String),
    container  String,
    changes    Array(String),
    diff       String,
    gap        String,
    sequence   UInt64,
    id         String,
    chain      LowCardinality(String),
    digest     String,
    line       String CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (host, chain, sequence, digest)
TTL toDateTime(at) + INTERVAL 13 MONTH;

CREATE TABLE IF NOT EXISTS fim_lines (line String) ENGINE = Null;

CREATE MATERIALIZED VIEW IF NOT EXISTS fim_read TO fim AS
SELECT
    parseDateTime64BestEffort(JSONExtractString(line, '@timestamp'), 9, 'UTC')        AS at,
    parseDateTime64BestEffort(JSONExtractString(line, 'event', 'created'), 9, 'UTC')  AS reported,
    JSONExtractString(line, 'host', 'hostname')                AS host,
    JSONExtractString(line, 'event', 'kind')                   AS kind,
    JSONExtractString(line, 'event', 'action')                 AS action,
    JSONExtractUInt(line, 'event', 'severity')                 AS severity,
    JSONExtractString(line, 'fim', 'consumer')                 AS consumer,
    JSONExtractString(line, 'fim', 'detected')                 AS detected,
    JSONExtractString(line, 'fim', 'via')                      AS via,
    JSONExtractString(line, 'file', 'path')                    AS path,
    JSONExtractString(line, 'user', 'name')                    AS user,
    JSONExtract(line, 'fim', 'login_uid', 'Nullable(UInt32)')  AS login_uid,
    JSONExtractString(line, 'process', 'name')                 AS process,
    JSONExtractString(line, 'process', 'executable')           AS executable,
    JSONExtract(line, 'process', 'args', 'Array(String)')      AS args,
    JSONExtractString(line, 'container', 'id')                 AS container,
    JSONExtractArrayRaw(line, 'fim', 'changes')                AS changes,
    JSONExtractString(line, 'fim', 'diff')                     AS diff,
    JSONExtractRaw(line, 'fim', 'gap')                         AS gap,
    JSONExtractUInt(line, 'event', 'sequence')                 AS sequence,
    JSONExtractString(line, 'event', 'id')                     AS id,
    JSONExtractString(line, 'fim', 'chain', 'id')              AS chain,
    JSONExtractString(line, 'fim', 'chain', 'digest')          AS digest,
    line
FROM fim_lines
WHERE isValidJSON(line);

-- What to ask first. FINAL leaves repeats out.

-- The worst of the last day.
SELECT at, host, severity, action, path, user, process, changes
FROM fim FINAL
WHERE kind = 'event' AND severity >= 70 AND at > now() - INTERVAL 1 DAY
ORDER BY at DESC LIMIT 100;

-- Who became root: accounts with uid 0, and changes of a uid to 0.
SELECT at, host, user AS made_by, process, change
FROM fim FINAL ARRAY JOIN changes AS change
WHERE consumer = 'users'
  AND ((JSONExtractString(change, 'what') = 'account_created' AND JSONExtractInt(change, 'uid') = 0 AND JSONHas(change, 'uid'))
    OR (JSONExtractString(change, 'what') = 'uid' AND JSONExtractInt(change, 'after') = 0))
ORDER BY at DESC;

-- Keys that were added, by host and user.
SELECT host, JSONExtractString(change, 'user') AS account, JSONExtractString(change, 'fingerprint') AS key, min(at) AS first
FROM fim FINAL ARRAY JOIN changes AS change
WHERE JSONExtractString(change, 'what') = 'key_added'
GROUP BY host, account, key ORDER BY first DESC;

-- The same change on many hosts is a rollout; on one it may be something else.
SELECT path, changes, uniqExact(host) AS hosts, any(host) AS one_of_them, min(at) AS first
FROM fim FINAL
WHERE kind = 'event' AND at > now() - INTERVAL 1 DAY
GROUP BY path, changes HAVING hosts = 1
ORDER BY first DESC LIMIT 100;

-- Gaps that are not closed. Each start of fim numbers them anew: the last line of a number counts.
SELECT host, JSONExtractRaw(gap, 'id') AS number, maxIf(at, action = 'coverage_gap') AS opened,
       argMaxIf(JSONExtractString(gap, 'cause'), sequence, action = 'coverage_gap') AS cause
FROM fim FINAL
WHERE action IN ('coverage_gap', 'gap_closed')
GROUP BY host, chain, number
HAVING argMax(action, sequence) = 'coverage_gap'
ORDER BY opened;

-- Lines that have not arrived: holes in the numbers of a chain.
SELECT host, chain, before + 1 AS missing_from, sequence - 1 AS missing_to
FROM
(
    SELECT host, chain, sequence, lagInFrame(sequence, 1, toUInt64(0)) OVER (PARTITION BY host, chain ORDER BY sequence
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS before
    FROM (SELECT DISTINCT host, chain, sequence FROM fim)
)
WHERE sequence > before + 1
ORDER BY host, missing_from;

-- Hosts that say nothing any more.
SELECT host, max(reported) AS last, argMax(action, reported) AS said
FROM fim GROUP BY host HAVING last < now() - INTERVAL 1 DAY ORDER BY last;

-- For `fim verify --unordered`: the lines of a host as they were written.
SELECT line FROM fim WHERE host = 'web01' ORDER BY chain, sequence;

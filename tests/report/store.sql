-- A small run: three servers, three blocks, every verdict, and texts that must not be believed. tests/report/report.sh
-- reads it behind harness/schema.sql.
INSERT INTO run VALUES ('title', 'Three <models> & a "run"'), ('plan', 'tiny'), ('plan_text', '[plan]' || char(10) || 'title = <b>'),
	('command', 'c10k bench tiny'), ('seed', '7'), ('status', 'complete'), ('planned_cells', '147'),
	('started_at', '2026-11-22T19:00:00Z'), ('finished_at', '2026-11-22T19:01:00Z'), ('unchecked', '0'), ('version', 'test'),
	('kernel', 'Linux 6'), ('cpu_model', 'model'), ('cpu_count', '2'), ('server_cpus', '0'), ('client_cpus', '1'),
	('steal_share', '0'), ('pressure', '1'), ('libraries', '{"libev": "4.33"}'), ('mitigations', '<script>alert(1)</script>');
INSERT INTO server VALUES
	('thread', 'thread', 'recv', 'C', 'a thread for each | `connection`', NULL, 'servers/thread.c', 100, 'thread.c: a thread for each.' || char(10) || char(10) || 'Cost: a <b>stack</b> [x](y).'),
	('select', 'readiness', 'select', 'C', 'one loop', 1019, 'servers/select.c', 120, NULL),
	('epoll', 'readiness', 'epoll_wait', 'C', 'one loop', NULL, 'servers/epoll.c', 130, '');
INSERT INTO conformance
	WITH way(sending) AS (VALUES ('whole'), ('split'), ('coalesced')), id(i) AS (VALUES (1), (2), (3))
	SELECT name, 'case-' || i, 'RFC 9112 3.' || i, sending, NOT (name = 'select' AND i = 2 AND sending = 'split'),
		CASE WHEN name = 'select' AND i = 2 AND sending = 'split' THEN 'sent <x>, got 200' END
	FROM server, way, id;
CREATE TEMP TABLE load (experiment, target, connections, idle);
INSERT INTO load VALUES ('throughput', '/', 10, 0), ('throughput', '/', 1000, 0), ('throughput', '/', 10000, 0),
	('idle', '/', 100, 0), ('idle', '/', 100, 10000), ('wait', '/sleep/100', 1000, 0);
CREATE TEMP TABLE who (server, twin, speed);
INSERT INTO who VALUES ('thread', 0, 0.5), ('select', 0, 0.9), ('epoll', 0, 1), ('epoll', 1, 1.001);
INSERT INTO cell (experiment, server, twin, target, connections, idle, rep, position, started_at, verdict, reason, rate_per_s,
		p50_us, p99_us, ctx_switches_per_req, ctx_voluntary_per_req, ctx_involuntary_per_req, cpu_user_us_per_req,
		cpu_sys_us_per_req, established, answered, starved, fairness, errors, client_cpu)
	WITH block(rep) AS (VALUES (1), (2), (3))
	SELECT experiment, server, twin, target, connections, idle, rep,
		row_number() OVER (ORDER BY rep, experiment, connections, idle, server, twin), '2026-11-22T19:00:00Z', 'valid', '',
		min(1e5 * speed * (1 + rep * 0.001), CASE experiment WHEN 'wait' THEN 9900 ELSE 1e9 END), 1e3 / speed, 5e3 / speed,
		CASE server WHEN 'thread' THEN 1.2 ELSE 0.02 END, CASE server WHEN 'thread' THEN 1.1 ELSE 0.01 END,
		CASE server WHEN 'epoll' THEN 0 ELSE 0.01 END, 1, 5 / speed, connections + idle, connections + idle,
		CASE WHEN server = 'thread' AND connections = 10000 THEN 2000 + rep ELSE 0 END, 0.9, 0, 0.5
	FROM load, who, block;
INSERT INTO cell (experiment, server, twin, target, connections, idle, rep, position, started_at, verdict, established, answered,
		user_bytes_per_conn, kernel_bytes_per_conn, blank)
	WITH block(rep) AS (VALUES (1), (2), (3))
	SELECT 'memory', server, twin, '/', 1000, 0, rep, 100 + row_number() OVER (ORDER BY rep, server, twin), '2026-11-22T19:00:00Z',
		'valid', 1000, 1000, CASE server WHEN 'thread' THEN 9000 ELSE 200 + rep END, 4000, 'rate_per_s: held, not measured'
	FROM who, block;
UPDATE cell SET blank = blank || '; p99_9_us: too few samples' WHERE experiment = 'memory' AND rep = 2;
UPDATE cell SET blank = blank || '; threads: unknown' WHERE experiment = 'memory' AND rep = 3;
INSERT INTO run VALUES ('slo_us', '10000');
-- cost: the same rates for all; latency: at 150% nobody keeps up; below, 2% fewer came due than the rate says, and all were answered
INSERT INTO cell (experiment, server, twin, target, connections, idle, level_per_s, level_percent, rep, position, started_at,
		verdict, marks, offered_per_s, rate_per_s, requests, p50_us, p99_us, cpu_user_us_per_req, cpu_sys_us_per_req, loadgen)
	WITH block(rep) AS (VALUES (1), (2), (3)),
		level(experiment, per_s, percent) AS (VALUES ('cost', 10000, 0), ('cost', 0, 25), ('latency', 0, 10),
			('latency', 0, 90), ('latency', 0, 150)),
		paced AS (SELECT *, CASE WHEN per_s THEN per_s WHEN experiment = 'cost' THEN 5000
			ELSE round(1e3 * speed * percent) END AS offered FROM level, who, block)
	SELECT experiment, server, twin, '/', 1000, 0, per_s, percent, rep, 200 + row_number() OVER (ORDER BY rep, server, twin),
		'2026-11-22T19:00:00Z', 'valid', iif(percent > 100, 'overloaded', ''), offered, offered * iif(percent > 100, 0.7, 0.98),
		40000, iif(percent > 100, 1e5, 100 + percent), iif(percent > 100, 4e5, 200 + 10 * percent), 2 / speed, 8 / speed + rep,
		json_object('achieved_share', iif(percent > 100, 0.7, 1))
	FROM paced WHERE experiment = 'cost' OR twin = 0;
INSERT INTO cell (experiment, server, target, connections, idle, level_percent, rep, position, started_at, verdict, reason)
	VALUES ('cost', 'select', '/', 1000, 0, 50, 1, 290, '2026-11-22T19:00:00Z', 'failed', 'no capacity to take 50% of');
INSERT INTO cell (experiment, server, target, connections, idle, rep, position, started_at, verdict, syscalls_per_req)
	SELECT 'ledger', name, '/', n, 0, 1, 200 + n + length(name), '2026-11-22T19:00:00Z', 'valid', 2.1
	FROM server, (SELECT 64 AS n UNION SELECT 1000) WHERE name != 'select';
INSERT INTO syscall SELECT id, call, 1000 * per_req, per_req, 'bpf' FROM cell,
	(SELECT 'recvfrom' AS call, 1.0 AS per_req UNION SELECT 'sendto', 1.0 UNION SELECT 'epoll_wait', 0.1 UNION SELECT '<b>', 0.3)
	WHERE experiment = 'ledger';
INSERT INTO cell (experiment, server, target, connections, idle, rep, position, started_at, verdict, syscalls_per_req)
	VALUES ('ledger', 'epoll', '/', 1000, 0, 2, 299, '2026-11-22T19:00:00Z', 'valid', 2.2); -- no epoll_wait in this block
INSERT INTO syscall SELECT id, call, 1000 * per_req, per_req, 'bpf' FROM cell,
	(SELECT 'recvfrom' AS call, 1.0 AS per_req UNION SELECT 'sendto', 1.0 UNION SELECT 'futex', 0.2)
	WHERE experiment = 'ledger' AND rep = 2;
INSERT INTO timeline SELECT id, 50000000, 3, 3, '' FROM cell WHERE experiment = 'ledger' AND server = 'epoll' AND connections = 64;
INSERT INTO timeline SELECT id, 0, 0, NULL, 'not <permitted>' FROM cell WHERE experiment = 'ledger' AND server = 'thread' AND connections = 64;
INSERT INTO timeline_thread SELECT cell_id, 7, 'epoll <b>', 30000000, 10000000, 10000000, 5000000, 'r30000000 p10000000 w10000000'
	FROM timeline WHERE reason = '';
UPDATE cell SET requests = CAST(rate_per_s AS INTEGER) WHERE requests IS NULL; -- in a second
UPDATE cell SET verdict = 'unsupported', reason = 'select serves at most 1019 connections', rate_per_s = NULL, p50_us = NULL,
	p99_us = NULL, ctx_switches_per_req = NULL, ctx_voluntary_per_req = NULL, ctx_involuntary_per_req = NULL,
	cpu_user_us_per_req = NULL, cpu_sys_us_per_req = NULL, established = NULL, answered = NULL, starved = NULL
	WHERE server = 'select' AND connections + idle > 1019;
UPDATE cell SET verdict = 'client-limited', reason = 'worker 0 used 97% of its CPU'
	WHERE server = 'epoll' AND experiment = 'throughput' AND connections = 10;
UPDATE cell SET verdict = 'invalid', reason = 'errors `$(id)` <b>' WHERE server = 'thread' AND experiment = 'wait' AND rep = 2;
UPDATE cell SET verdict = 'failed', reason = 'exit 1: "EOD"', rate_per_s = NULL, marks = 'unfair'
	WHERE server = 'thread' AND experiment = 'idle' AND idle = 0;
UPDATE cell SET loadgen = '{"latency_ns": {"service": {"hdr": "' || CASE server WHEN 'thread' THEN 'no histogram'
	ELSE 'HISTFAAAAEJ4nJNpmSzMwMCgwgABzFCaEYj5/wOB/QeIQONSJhZWFmYmRjYejjIFOXYmIJPpJLePHKMGEzsLIxMLjx0LAK1JCow=' END || '"}}, "bytes": {"sent": 4100, "received": 13600}, '
	|| '"requests": {"sent": 100, "completed": 100}}' WHERE experiment = 'throughput' AND verdict = 'valid';
-- Their course in time: ten steps before the window, ten in it; every other step has answers, 229 of some 240 ms.
UPDATE cell SET series = 'time_s,phase,rate_per_s,errors,p50_us,p99_us,open_connections,answered_connections'
		|| (WITH step(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM step WHERE i < 20)
		SELECT group_concat(char(10) || printf('%.3f,%s,%.1f,0,%s,,1000,1000', i * 0.02,
			CASE WHEN i < 5 THEN 'connect' WHEN i < 10 THEN 'warm-up' WHEN i < 20 THEN 'measure' ELSE 'drain' END,
			i % 2 * 11450.0, CASE WHEN i % 2 THEN '240000' ELSE '' END), '') FROM step) || char(10),
	hlog = '#[Histogram log format version 1.3]' || (WITH step(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM step WHERE i < 19)
		SELECT group_concat(char(10) || printf('%.3f,0.020,289.118,%s', i * 0.02, CASE WHEN i % 2
			THEN 'HISTFAAAAEJ4nJNpmSzMwMCgwgABzFCaEYj5/wOB/QeIQONSJhZWFmYmRjYejjIFOXYmIJPpJLePHKMGEzsLIxMLjx0LAK1JCow='
			ELSE 'HISTFAAAABt4nJNpmSzMgADMUJoRiPn/A4H9B4gAAGSyBoU=' END), '') FROM step) || char(10)
	WHERE experiment = 'throughput' AND connections = 1000 AND rep = 1 AND twin = 0;
-- stream: 16 requests in flight on each connection
INSERT INTO cell (experiment, server, target, connections, idle, pipeline, rep, position, started_at, verdict, rate_per_s, p50_us, p99_us)
	SELECT 'stream', name, '/bytes/65536', n, 0, 16, 1, 300 + n + length(name), '2026-11-22T19:00:00Z', 'valid', 2e4 + n, 1e3, 5e3
	FROM server, (SELECT 10 AS n UNION SELECT 100);

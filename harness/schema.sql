-- One run = one file. WAL, one transaction a cell: what is here is finished. All else (CSV, Markdown, plots, HTML)
-- is derived from it. A value the machine could not give is NULL, never 0; `blank` says why.
PRAGMA user_version = 4;

-- key, value: plan, plan_text, title, command, seed, status (running | complete | partial), started_at, finished_at (ISO 8601 UTC),
-- planned_cells, unchecked (0 | 1), until_decided (0 | 1), version (git describe), compiler, kernel, cpu_model, cpu_count, server_cpus, client_cpus,
-- memory_bytes, governor, virtualisation, mitigations, clock_source, file_limit, somaxconn, perf_event_paranoid, libraries
-- (JSON object name -> version), steal_share, pressure (PSI some avg10 at the start), arguments (JSON array: those of
-- bench), plan_path, machine (a hash of its id), sha256 plan, sha256 c10k, sha256 loadgen, sha256 servers/NAME,
-- slo_us (latency: p99 is to stay below), resumed (how often), extended_from (position of the first cell of the latest block beyond the plan)
CREATE TABLE run (
	key   TEXT PRIMARY KEY,
	value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE server (
	name            TEXT PRIMARY KEY,
	family          TEXT NOT NULL,
	api             TEXT NOT NULL,
	language        TEXT NOT NULL,
	summary         TEXT NOT NULL,
	max_connections INTEGER,      -- NULL: not capped by the model
	source          TEXT,         -- servers/epoll.c
	source_lines    INTEGER,
	about           TEXT          -- the comment that the source opens with
) WITHOUT ROWID;

CREATE TABLE conformance (
	server  TEXT NOT NULL,
	case_id TEXT NOT NULL,
	section TEXT NOT NULL,        -- "RFC 9112 3.2"
	sending TEXT NOT NULL,        -- whole | split | coalesced
	passed  INTEGER NOT NULL,
	detail  TEXT,                 -- why not
	PRIMARY KEY (server, case_id, sending)
) WITHOUT ROWID;

CREATE TABLE cell (
	id           INTEGER PRIMARY KEY,
	experiment   TEXT NOT NULL,   -- throughput | idle | memory | wait | churn | mixed | file | query | stream | slow | cost | latency | batch | scaling
	server       TEXT NOT NULL,
	twin         INTEGER NOT NULL DEFAULT 0, -- 1: the A/A repetition, never part of the server's own median
	target       TEXT NOT NULL,   -- "/", "/sleep/100"
	connections  INTEGER NOT NULL,-- active ones
	idle         INTEGER NOT NULL,-- connected and silent
	slow         INTEGER NOT NULL DEFAULT 0, -- connected, sending or reading slowly
	cpus         INTEGER NOT NULL DEFAULT 0, -- scaling: CPUs and workers of the server; 0: server_cpus of the run, 1 worker
	cache        TEXT NOT NULL DEFAULT '', -- file: warm | cold (dropped from the page cache before the cell)
	requests_per_conn INTEGER NOT NULL DEFAULT 0, -- then the client connects anew; 0: never
	pipeline     INTEGER NOT NULL DEFAULT 1, -- requests a connection sends at once, the next when all are answered
	level_per_s   INTEGER NOT NULL DEFAULT 0, -- open loop: the rate that the plan gives; 0: a percentage, or a closed loop
	level_percent INTEGER NOT NULL DEFAULT 0, -- open loop: the rate as a percentage of capacity (see harness/capacity.h); else 0
	rep          INTEGER NOT NULL,-- block, from 1
	position     INTEGER NOT NULL,-- order in which the run measured it, from 1
	started_at   TEXT NOT NULL,
	verdict      TEXT NOT NULL CHECK (verdict IN ('valid', 'client-limited', 'invalid', 'unsupported', 'failed')),
	reason       TEXT NOT NULL DEFAULT '',   -- why not valid
	marks        TEXT NOT NULL DEFAULT '',   -- comma-separated findings about a cell that stays valid: unfair, unchecked

	elapsed_s    REAL,            -- measure window
	requests     INTEGER,         -- completed inside it
	errors       INTEGER,
	rate_per_s   REAL,
	-- of service time (pipelined: since all were sent); of an open loop response time; mixed: of the light requests
	p50_us REAL, p90_us REAL, p99_us REAL, p99_9_us REAL, p99_99_us REAL, max_us REAL, mean_us REAL,

	ctx_switches_per_req     REAL, -- perf software counter
	ctx_voluntary_per_req    REAL, -- /proc/PID/task/*/status
	ctx_involuntary_per_req  REAL,
	cpu_user_us_per_req      REAL,
	cpu_sys_us_per_req       REAL,
	runqueue_us_per_req      REAL,
	minor_faults_per_req     REAL, -- page faults: served from memory
	major_faults_per_req     REAL, -- page faults: read from a disk
	syscalls_per_req         REAL, -- ledger: all system calls of table syscall
	server_cpu               REAL, -- CPUs busy, 0..number of server CPUs
	snapshot_us              REAL, -- how long one reading of all tasks took
	threads                  INTEGER,
	user_bytes_per_conn      REAL, -- PSS at the barrier less the baseline, over established connections
	kernel_bytes_per_conn    REAL, -- likewise: the sum of the next three
	page_table_bytes_per_conn REAL,
	stack_bytes_per_conn     REAL, -- kernel stacks of threads and processes, and their other structures
	socket_bytes_per_conn    REAL, -- the server's ends, with epoll registrations and armed io_uring requests

	established  INTEGER,
	answered     INTEGER,
	starved      INTEGER,
	fairness     REAL,
	littles_law_residual REAL,
	client_cpu   REAL,            -- busiest load generator worker, 0..1
	harness_cpu_share REAL,       -- the harness's own CPU time inside the window, for each second of the server's
	server_requests INTEGER,      -- the server's own count over its life, from /stats
	client_requests INTEGER,      -- what the load generator sent over its life
	offered_per_s INTEGER,        -- open loop: requests due each second; NULL: closed loop
	cached_start REAL,            -- file: share of the data file in the page cache, before the load
	cached_end   REAL,            -- and after it

	-- batch: hyperfine's, over whole runs of the load generator with a fixed number of requests
	batch_median_s REAL, batch_mean_s REAL, batch_stddev_s REAL, batch_min_s REAL, batch_max_s REAL,
	batch_times  TEXT,            -- JSON array of seconds, one a run

	blank        TEXT NOT NULL DEFAULT '', -- "runqueue_us_per_req: no schedstat in this kernel; ..."
	loadgen      TEXT,            -- the load generator's whole JSON, histograms included (c10k.loadgen/1)
	log          TEXT,            -- last words of the server and of the load generator, if any
	series       TEXT,            -- of some cells, see cell_keeps_course(): the load generator's --series, in steps of 20 ms
	hlog         TEXT,            -- and its --hlog, likewise
	sha256       TEXT NOT NULL DEFAULT '', -- of the cell, see cell_digest.h
	UNIQUE (experiment, server, twin, target, connections, idle, slow, cpus, cache, requests_per_conn, pipeline, level_per_s, level_percent, rep)
);

-- What the kernel counted of the server and all it has started, each count the difference of two readings beside the
-- time between them. Of it harness/raw.c makes the figures of `cell` for switches, CPU time, run-queue wait, faults,
-- server_cpu, harness_cpu_share and bytes a connection; c10k verify makes them again. All NULL: the cell was not run.
CREATE TABLE raw (
	cell_id            INTEGER PRIMARY KEY REFERENCES cell (id),
	window_ns          INTEGER, -- measure window, by the load generator's edges
	completed          INTEGER, -- requests answered inside it
	perf_ns            INTEGER, -- perf software counters; NULL: there are none, the tasks' own counts stand in
	perf_switches      INTEGER,
	perf_cpu_ns        INTEGER,
	tasks_ns           INTEGER, -- sums over all tasks: taskstats, or /proc/PID/task/*/{status,schedstat}
	voluntary          INTEGER,
	involuntary        INTEGER,
	task_cpu_ns        INTEGER,
	task_wait_ns       INTEGER,
	tick_user_us       INTEGER, -- CPU time as the clock tick saw it: it splits the exact time above
	tick_system_us     INTEGER,
	minor_faults       INTEGER,
	major_faults       INTEGER,
	harness_cpu_ns     INTEGER,
	syscall_ns         INTEGER, -- bpf: how long the calls of table syscall were counted
	syscall_requests   INTEGER, -- strace: requests of the server's life, in which they were counted
	clients            INTEGER, -- connections held at the barrier
	pss_bytes          INTEGER, -- gained until then since the server was ready, as the next six are
	page_table_bytes   INTEGER,
	new_threads        INTEGER,
	new_processes      INTEGER,
	new_sockets        INTEGER,
	new_epoll_items    INTEGER,
	new_uring_requests INTEGER,
	bytes_per_thread   REAL,    -- what one costs the kernel (memory_costs.c)
	bytes_per_process  REAL,
	bytes_per_socket   REAL,
	bytes_per_epoll_item REAL
);

-- System calls of the server and all it has started, counted in a pass of its own (experiment ledger).
CREATE TABLE syscall (
	cell_id INTEGER NOT NULL REFERENCES cell (id),
	name    TEXT NOT NULL,        -- "recvfrom"
	calls   INTEGER NOT NULL,
	per_req REAL NOT NULL,
	source  TEXT NOT NULL CHECK (source IN ('bpf', 'strace')), -- strace: over the server's whole life
	PRIMARY KEY (cell_id, name)
) WITHOUT ROWID;

-- What the server's threads did in some 50 ms (experiments ledger and compute, few connections), from switch records.
CREATE TABLE timeline (
	cell_id          INTEGER PRIMARY KEY REFERENCES cell (id),
	window_ns        INTEGER NOT NULL,
	switches         INTEGER NOT NULL, -- threads switched out, by their records
	switches_counted INTEGER,          -- by perf's counter in the same window
	reason           TEXT NOT NULL     -- why there are no threads; '' when there are
);
CREATE TABLE timeline_thread (
	cell_id      INTEGER NOT NULL REFERENCES cell (id),
	tid          INTEGER NOT NULL,
	name         TEXT NOT NULL,
	running_ns   INTEGER NOT NULL,  -- these three add up to window_ns
	preempted_ns INTEGER NOT NULL,  -- it could have run on
	waiting_ns   INTEGER NOT NULL,
	ready_ns     INTEGER NOT NULL,  -- of the waiting: woken, without a CPU (schedstat; not where in it)
	spans        TEXT NOT NULL,     -- "r1200 w80000 p300": running, waiting, preempted, each in ns
	PRIMARY KEY (cell_id, tid)
) WITHOUT ROWID;

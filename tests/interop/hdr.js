// What hdr.sh made, as hdr-histogram-js reads it.
//   node hdr.js PACKAGE encode FROM.json TO.json   its own encoding of each histogram instead of ours
//   node hdr.js PACKAGE check FOLDER
"use strict";
const fs = require("fs");
const [, , packagePath, command, ...paths] = process.argv;
const hdr = require(packagePath);
const BUCKET_COUNT = 27648;
const PERCENTILES = { p50: 50, p90: 90, p99: 99, p99_9: 99.9, p99_99: 99.99 };
let passed = 0, failed = 0;

function is(what, got, wanted) {
	if (got === wanted) {
		passed++;
	} else {
		failed++;
		console.log(`failed: ${what}: ${got}, not ${wanted}`);
	}
}

const readJson = (path) => JSON.parse(fs.readFileSync(path, "utf8"));

// Does the histogram hold what the JSON says beside it? Its values are known to a bucket, ours to a nanosecond.
function checkHistogram(what, histogram, json) {
	is(`${what} count`, histogram.totalCount, json.count);
	const filled = [...Array(BUCKET_COUNT).keys()].filter((i) => histogram.getCountAtIndex(i) > 0);
	is(`${what} min`, filled[0], histogram.countsArrayIndex(json.min));
	is(`${what} max`, filled[filled.length - 1], histogram.countsArrayIndex(json.max));
	for (const [name, percentile] of Object.entries(PERCENTILES))
		if (json[name] !== null)
			is(`${what} ${name}`, Math.min(histogram.getValueAtPercentile(percentile), json.max), json[name]);
}

function decodeLog(path) {
	const reader = new hdr.HistogramLogReader(fs.readFileSync(path, "utf8"), 64);
	const lines = [];
	for (let line; (line = reader.nextIntervalHistogram()) !== null;)
		lines.push(line);
	return lines;
}

// All lines together are the measure window and its histogram.
function checkLog(name, result, json) {
	const lines = decodeLog(`${name}.hlog`);
	const union = hdr.decodeFromCompressedBase64(json.hdr, 64);
	union.reset();
	for (const line of lines)
		union.add(line);
	checkHistogram(`${name}.hlog`, union, json);
	const ours = hdr.decodeFromCompressedBase64(json.hdr, 64);
	is(`${name}.hlog buckets`, differences(union, ours), 0);
	is(`${name}.hlog lines`, lines.length, Math.ceil(result.elapsed_s));
	for (let i = 0; i + 1 < lines.length; i++) {
		is(`${name}.hlog line ${i + 1} ends where the next begins`,
			Math.round(lines[i].endTimeStampMsec), Math.round(lines[i + 1].startTimeStampMsec));
	}
	const first = lines[0].startTimeStampMsec, last = lines[lines.length - 1].endTimeStampMsec;
	is(`${name}.hlog length in ms`, Math.round(last - first), Math.round(result.elapsed_s * 1000));
	is(`${name}.hlog is of today`, Math.abs(Date.now() - first) < 3600e3, true);
}

function differences(a, b) {
	let count = 0;
	for (let i = 0; i < BUCKET_COUNT; i++)
		count += a.getCountAtIndex(i) !== b.getCountAtIndex(i);
	return count;
}

function check(folder) {
	process.chdir(folder);
	const results = {};
	for (const name of ["a", "b", "open", "overload", "merged", "again"]) {
		results[name] = readJson(`${name}.json`);
		for (const [kind, json] of Object.entries(results[name].latency_ns))
			if (json !== null)
				checkHistogram(`${name} ${kind}`, hdr.decodeFromCompressedBase64(json.hdr, 64), json);
	}
	const { a, b, open, overload, merged, again } = results;

	for (const [name, result] of Object.entries({ a, b })) {
		is(`${name}: a sample for each answer`, result.latency_ns.service.count, result.requests.completed);
		checkLog(name, result, result.latency_ns.service);
	}
	for (const [name, result] of Object.entries({ open, overload })) {
		is(`${name}: a sample for each request due`, result.latency_ns.response.count,
			result.requests.completed + result.requests.unfinished);
		checkLog(name, result, result.latency_ns.response);
	}
	is("overload leaves requests unfinished", overload.requests.unfinished > 100, true);

	const decode = (result) => hdr.decodeFromCompressedBase64(result.latency_ns.service.hdr, 64);
	const union = decode(a);
	union.add(decode(b));
	is("merge is the union, bucket by bucket", differences(decode(merged), union), 0);
	is("merge of what was encoded elsewhere", differences(decode(again), union), 0);
	for (const name of ["completed", "sent", "lifetime"])
		is(`merge adds ${name}`, merged.requests[name], a.requests[name] + b.requests[name]);
	is("merge adds rates", merged.rate_per_s.toFixed(2), (a.rate_per_s + b.rate_per_s).toFixed(2));

	console.log(`${passed} passed, ${failed} failed`);
	process.exit(failed ? 1 : 0);
}

function encode(from, to) {
	const result = readJson(from);
	for (const json of Object.values(result.latency_ns))
		if (json !== null)
			json.hdr = hdr.encodeIntoCompressedBase64(hdr.decodeFromCompressedBase64(json.hdr, 64));
	fs.writeFileSync(to, JSON.stringify(result));
}

if (command === "encode")
	encode(...paths);
else
	check(...paths);

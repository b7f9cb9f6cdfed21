/*
 * test_wire.c: every conformance case against the core alone, in each way of sending, cut in two at
 * every place, byte by byte, and with a client that takes a byte at a time: the same bytes come
 * out, and the judge finds them right. Then mutations of the same messages, at random with a fixed
 * seed: whatever comes in, what goes out are well-formed answers. Run it under sanitizers: make
 * SANITIZE=-fsanitize=address,undefined BUILD=build-asan unit
 */
#include <stdio.h>

#include "harness/wire.c"
#include "harness/wire_cases.c"
#include "tests/unit/player.h"

enum { SPLITS_FULL_LEN = 4096, SPLITS_EDGE = 300, SPLIT_STRIDE = 4099 };

struct script {
	const struct wire_case *wire;
	enum wire_sending sending;
	char *bytes;
	size_t len;
};

static void script_init(struct script *s, const struct wire_case *c, enum wire_sending sending)
{
	size_t message_len = wire_message_len(c), next_len = strlen(WIRE_NEXT);
	bool before = c->flags & WIRE_CUT;
	*s = (struct script){ .wire = c, .sending = sending };
	s->bytes = malloc(message_len + next_len);
	assert_non_null(s->bytes);
	s->len = message_len;
	if (sending == WIRE_COALESCED) {
		wire_put_message(s->bytes + (before ? next_len : 0), c);
		memcpy(s->bytes + (before ? 0 : message_len), WIRE_NEXT, next_len);
		s->len += next_len;
	} else {
		wire_put_message(s->bytes, c);
	}
}

/* Behind the script: the next request where the connection is kept, and the client's end. */
static void end_script(struct player *p, const struct script *s)
{
	char why[WIRE_WHY_CAP] = "";
	if (s->wire->flags & WIRE_FIN)
		player_feed_eof(p);
	enum wire_verdict verdict =
	    wire_judge(s->wire, s->sending, player_out(p), p->ended, "c10k/test", why);
	if (verdict == WIRE_ANSWERED) {
		player_feed_text(p, WIRE_NEXT);
		verdict =
		    wire_judge(s->wire, s->sending, player_out(p), p->ended, "c10k/test", why);
	}
	if (verdict != WIRE_RIGHT)
		fail_msg("%s, %s (%s: %s): %s\ncame: %.*s", s->wire->id,
		    wire_sending_name(s->sending), s->wire->section, s->wire->rule,
		    verdict == WIRE_MORE ? "too little came" : why,
		    (int)(p->out_len < 600 ? p->out_len : 600), p->out);
	if (!p->ended)
		assert_int_equal(p->env.pool.lent_count, 0); /* an idle connection owns no buffer */
}

static void assert_same_out(const struct player *p, const struct player *reference,
    const struct script *s, const char *how, size_t at)
{
	if (p->ended != reference->ended || !slice_equals(player_out(p), player_out(reference)))
		fail_msg("%s, %s, %s %zu: other bytes come out than in one piece\ncame: %.*s",
		    s->wire->id, wire_sending_name(s->sending), how, at,
		    (int)(p->out_len < 600 ? p->out_len : 600), p->out);
}

static size_t next_split(const struct script *s, size_t at)
{
	if (s->len <= SPLITS_FULL_LEN || at < SPLITS_EDGE || at + SPLITS_EDGE > s->len)
		return at + 1;
	size_t next = at + SPLIT_STRIDE;
	return next + SPLITS_EDGE > s->len ? s->len - SPLITS_EDGE + 1 : next;
}

static void replay(const struct script *s)
{
	struct player reference, p;
	player_init(&reference);
	player_feed(&reference, s->bytes, s->len, SIZE_MAX);
	end_script(&reference, s);

	player_init(&p);
	for (size_t at = 1; at < s->len; at = next_split(s, at)) {
		player_restart(&p);
		player_feed(&p, s->bytes, at, SIZE_MAX);
		player_feed(&p, s->bytes + at, s->len - at, SIZE_MAX);
		end_script(&p, s);
		assert_same_out(&p, &reference, s, "split at", at);
	}
	static const size_t pieces[] = { 1, 2, 7 };
	for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
		player_restart(&p);
		p.send_most = pieces[i] == 7 ? 1 : SIZE_MAX; /* ... and taken a byte at a time */
		player_feed(&p, s->bytes, s->len, pieces[i]);
		end_script(&p, s);
		assert_same_out(&p, &reference, s, "in pieces of", pieces[i]);
	}
	player_deinit(&p);
	player_deinit(&reference);
}

static void test_cases_at_every_split(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < wire_case_count; i++)
		for (enum wire_sending sending = WIRE_WHOLE; sending < WIRE_SENDING_COUNT;
		     sending++) {
			struct script s;
			if (sending == WIRE_SPLIT) /* replay() splits every one */
				continue;
			script_init(&s, &wire_cases[i], sending);
			replay(&s);
			free(s.bytes);
		}
}

static void test_ids_are_unique(void **state)
{
	(void)state;
	assert_true(wire_case_count >= 110);
	for (uint32_t i = 0; i < wire_case_count; i++)
		for (uint32_t k = 0; k < i; k++)
			assert_string_not_equal(wire_cases[i].id, wire_cases[k].id);
}

/* --- the judge -------------------------------------------------------------------------------- */

#define LINE "HTTP/1.1 200 OK\r\n"
#define SERVER "Server: c10k/test\r\n"
#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
#define LENGTH "Content-Length: 2\r\n"
#define OK LINE SERVER DATE LENGTH "\r\nok"
#define NEXT LINE SERVER DATE "Content-Length: 7\r\n\r\n0123456"
#define BAD \
	"HTTP/1.1 400 Bad\r\n" SERVER DATE "Content-Length: 0\r\nConnection: close\r\n\r\n"

/* What it must not let pass, each a small step away from what is right. */
static void test_the_judge_is_strict(void **state)
{
	static const struct wire_case keep = { .status = { 200 }, .body = "ok" };
	static const struct wire_case close = { .status = { 400 }, .flags = WIRE_CLOSE };
	static const struct wire_case cut = { .flags = WIRE_CLOSE | WIRE_FIN | WIRE_CUT };
	static const struct wire_case both = { .status = { 100, 200 } };
	/* clang-format off */
	static const struct {
		const struct wire_case *wire;
		const char *came;
		bool ended;
		enum wire_verdict verdict;
	} rows[] = {
		{ &keep, OK NEXT, false, WIRE_RIGHT },
		{ &keep, OK, false, WIRE_ANSWERED },
		{ &keep, OK "HTTP/1.1 200 OK\r\nServer", false, WIRE_MORE },
		{ &keep, "", false, WIRE_MORE },
		{ &keep, "", true, WIRE_WRONG },
		{ &keep, OK, true, WIRE_WRONG },
		{ &keep, OK NEXT, true, WIRE_WRONG },
		{ &keep, OK NEXT NEXT, false, WIRE_WRONG },
		{ &keep, OK OK, false, WIRE_WRONG },
		{ &keep, OK "x", true, WIRE_WRONG },
		{ &keep, BAD, true, WIRE_WRONG },
		{ &keep, LINE SERVER DATE LENGTH "\r\nno", false, WIRE_WRONG },
		{ &keep, LINE SERVER DATE "Content-Length: 3\r\n\r\nok", true, WIRE_WRONG },
		{ &keep, LINE SERVER DATE "\r\nok", false, WIRE_WRONG },
		{ &keep, LINE SERVER LENGTH "\r\nok", false, WIRE_WRONG },
		{ &keep, LINE "Server: c10k/other\r\n" DATE LENGTH "\r\nok", false, WIRE_WRONG },
		{ &keep, LINE DATE LENGTH "\r\nok", false, WIRE_WRONG },
		{ &keep, LINE SERVER DATE DATE LENGTH "\r\nok", false, WIRE_WRONG },
		{ &keep, LINE SERVER "Date: Sun, 6 Nov 1994 08:49:37 GMT\r\n" LENGTH "\r\nok", false,
		  WIRE_WRONG },
		{ &keep, "HTTP/1.1 200 OK\n" SERVER DATE LENGTH "\r\nok", false, WIRE_WRONG },
		{ &keep, "HTTP/1.0 200 OK\r\n" SERVER DATE LENGTH "\r\nok", false, WIRE_WRONG },
		{ &keep, LINE "Server : c10k/test\r\n" DATE LENGTH "\r\nok", false, WIRE_WRONG },
		{ &keep, LINE SERVER DATE LENGTH "Connection: close\r\n\r\nok", false, WIRE_WRONG },
		{ &close, BAD, true, WIRE_RIGHT },
		{ &close, BAD, false, WIRE_MORE },
		{ &close, BAD BAD, true, WIRE_WRONG },
		{ &close, BAD NEXT, false, WIRE_WRONG },
		{ &close, OK, true, WIRE_WRONG },
		{ &close, "HTTP/1.1 400 Bad\r\n" SERVER DATE "Content-Length: 0\r\n\r\n", true,
		  WIRE_WRONG },
		{ &cut, "", true, WIRE_RIGHT },
		{ &cut, "", false, WIRE_MORE },
		{ &cut, BAD, true, WIRE_RIGHT },
		{ &cut, OK, true, WIRE_WRONG },
		{ &both, "HTTP/1.1 100 Continue\r\n\r\n" OK NEXT, false, WIRE_RIGHT },
		{ &both, "HTTP/1.1 100 Continue\r\n\r\n", false, WIRE_MORE },
		{ &both, OK NEXT, false, WIRE_WRONG },
	};
	/* clang-format on */
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char why[WIRE_WHY_CAP] = "";
		struct slice came = { rows[i].came, strlen(rows[i].came) };
		enum wire_verdict verdict =
		    wire_judge(rows[i].wire, WIRE_WHOLE, came, rows[i].ended, "c10k/test", why);
		if (verdict != rows[i].verdict)
			fail_msg("row %zu: %d, not %d (%s)", i, verdict, rows[i].verdict, why);
		assert_true(verdict != WIRE_WRONG || why[0]);
	}
}

/* --- mutations -------------------------------------------------------------------------------- */

static uint64_t seed = 20261122;

static uint32_t below(uint32_t bound)
{
	seed += 0x9e3779b97f4a7c15u;
	uint64_t z = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (uint32_t)((z >> 33) % bound);
}

enum { MUTANT_CAP = 16 * 1024 };

/* A random stretch of random cases behind one another, some bytes changed, doubled or gone. */
static size_t make_mutant(char *out)
{
	static const char likely[] = "\r\n \t:;,0159aAfF\"/*#HTP.%\0\177\200\377";
	size_t len = 0;
	for (uint32_t count = 1 + below(3); count > 0; count--) {
		const struct wire_case *c = &wire_cases[below(wire_case_count)];
		size_t message_len = wire_message_len(c);
		if (message_len > MUTANT_CAP - len)
			continue;
		wire_put_message(out + len, c);
		len += message_len;
	}
	for (uint32_t count = below(6); count > 0 && len > 1; count--) {
		size_t at = below((uint32_t)len);
		size_t run = 1 + below(4);
		if (run > len - at)
			run = len - at;
		switch (below(4)) {
		case 0:
			out[at] = (char)below(256);
			break;
		case 1:
			out[at] = likely[below(sizeof likely - 1)];
			break;
		case 2:
			memmove(out + at, out + at + run, len - at - run);
			len -= run;
			break;
		default:
			if (len + run <= MUTANT_CAP) {
				memmove(out + at + run, out + at, len - at);
				len += run;
			}
			break;
		}
	}
	return len;
}

/* Any number of whole answers, the last one of which ends the connection if it has ended. */
static void assert_well_formed(
    const struct player *p, bool has_head, const char *mutant, size_t len)
{
	char why[WIRE_WHY_CAP] = "";
	struct transcript t = {
		.left = player_out(p), .ended = true, .server = "c10k/test", .why = why
	};
	struct answer a = { 0 };
	while (t.left.len > 0) {
		if (a.close)
			fail_msg(
			    "bytes behind an answer that said close, to: %.*s", (int)len, mutant);
		/* which answer is to a HEAD cannot be known: one without a body, by its looks */
		struct transcript before = t;
		enum wire_verdict verdict = take_answer(&t, false, &a);
		bool looks_right = t.left.len == 0 ||
		    memcmp(t.left.ptr, "HTTP/1.1 ", t.left.len < 9 ? t.left.len : 9) == 0;
		if (has_head && (verdict != WIRE_RIGHT || !looks_right)) {
			t = before;
			verdict = take_answer(&t, true, &a);
		}
		if (verdict != WIRE_RIGHT)
			fail_msg("%s, to: %.*s\ncame: %.*s", why, (int)len, mutant, (int)p->out_len,
			    p->out);
	}
}

static void test_mutants(void **state)
{
	enum { MUTANTS = 30000 };
	static char mutant[MUTANT_CAP];
	struct player p;
	(void)state;
	player_init(&p);
	p.service.has_database = true;
	p.service.file_len = 1 << 20;
	for (int i = 0; i < MUTANTS; i++) {
		size_t len = make_mutant(mutant);
		player_restart(&p);
		for (size_t at = 0; at < len && !p.closed;) {
			size_t piece = 1 + below(below(2) ? 8 : 2000);
			if (piece > len - at)
				piece = len - at;
			p.send_most = below(3) ? SIZE_MAX : 1 + below(100);
			player_feed(&p, mutant + at, piece, SIZE_MAX);
			at += piece;
		}
		player_feed_eof(&p);
		assert_true(p.closed);
		assert_well_formed(&p, memmem(mutant, len, "HEAD ", 5) != NULL, mutant, len);
	}
	player_deinit(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids_are_unique),
		cmocka_unit_test(test_the_judge_is_strict),
		cmocka_unit_test(test_cases_at_every_split),
		cmocka_unit_test(test_mutants),
	};
	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}

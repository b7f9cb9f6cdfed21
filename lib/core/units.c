/*
 * units.c: numbers as people write them. Parsing is in integers throughout, so that "1.5M" is
 * 1,500,000 exactly and an overflow is noticed; printing rounds to three significant digits,
 * then picks the unit, so that 999.7us reads "1.00ms" and never "1000us". The C library's scanf
 * and printf would know neither, and the core does without them.
 */
#include "units.h"

struct unit {
	const char *name;
	uint64_t scale; /* how many of the smallest unit it is */
};

static const struct unit count_units[] = {
	{ "", 1 }, { "k", 1000 }, { "M", 1000000 }, { "G", 1000000000 }, { NULL, 0 }
};
static const struct unit time_units[] = {
	{ "", 1000000000 }, { "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 },
	{ "m", UINT64_C(60000000000) }, { "h", UINT64_C(3600000000000) }, { NULL, 0 }
};
static const struct unit size_units[] = { { "", 1 }, { "B", 1 }, { "k", 1 << 10 },
	{ "KiB", 1 << 10 }, { "M", 1 << 20 }, { "MiB", 1 << 20 }, { "G", 1 << 30 },
	{ "GiB", 1 << 30 }, { NULL, 0 } };

static bool is_digit(char ch)
{
	return ch >= '0' && ch <= '9';
}

/* Digits at the start of *text, which moves behind them. False without a digit or on overflow. */
static bool take_digits(struct slice *text, uint64_t *value)
{
	if (text->len == 0 || !is_digit(*text->ptr))
		return false;
	*value = 0;
	while (text->len && is_digit(*text->ptr)) {
		if (__builtin_mul_overflow(*value, 10u, value)
		    || __builtin_add_overflow(*value, (uint64_t)(*text->ptr - '0'), value))
			return false;
		*text = slice_skip(*text, 1);
	}
	return true;
}

static const struct unit *find_unit(const struct unit *units, struct slice name)
{
	for (; units->name; units++)
		if (slice_equals(name, (struct slice){ units->name, strlen(units->name) }))
			return units;
	return NULL;
}

static bool parse(struct slice text, const struct unit *units, uint64_t *value)
{
	uint64_t whole, total;
	if (!take_digits(&text, &whole))
		return false;
	struct slice fraction = { text.ptr, 0 };
	if (text.len && *text.ptr == '.') {
		fraction = slice_skip(text, 1);
		uint64_t ignored;
		text = fraction;
		if (!take_digits(&text, &ignored))
			return false;
		fraction.len -= text.len;
	}
	const struct unit *unit = find_unit(units, text);
	if (!unit || __builtin_mul_overflow(whole, unit->scale, &total))
		return false;
	/*
	 * from the last digit to the first, which is exact; what is finer than the unit is cut
	 * off
	 */
	uint64_t part = 0;
	for (size_t i = fraction.len; i-- > 0;)
		part = (part + (uint64_t)(fraction.ptr[i] - '0') * unit->scale) / 10;
	if (__builtin_add_overflow(total, part, &total))
		return false;
	*value = total;
	return true;
}

bool units_parse_count(struct slice text, uint64_t *count)
{
	return parse(text, count_units, count);
}

bool units_parse_time_ns(struct slice text, uint64_t *time_ns)
{
	return parse(text, time_units, time_ns);
}

bool units_parse_size(struct slice text, uint64_t *len)
{
	return parse(text, size_units, len);
}

bool units_parse_digits(struct slice text, uint64_t *value)
{
	uint64_t parsed;
	if (!take_digits(&text, &parsed) || text.len)
		return false;
	*value = parsed;
	return true;
}

size_t units_put_digits(char *out, uint64_t value)
{
	char reversed[20];
	size_t len = 0;
	do {
		reversed[len++] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	for (size_t i = 0; i < len; i++)
		out[i] = reversed[len - 1 - i];
	return len;
}

/* Appends to out[*len], keeping room for the NUL. */
static void put(char *out, size_t cap, size_t *len, const char *bytes, size_t count)
{
	for (size_t i = 0; i < count && *len + 1 < cap; i++)
		out[(*len)++] = bytes[i];
	out[*len] = '\0';
}

/* `value` with `decimals` (0..2) behind the point, then `suffix`. */
static char *put_number(char *out, size_t cap, double value, int decimals, const char *suffix)
{
	static const uint32_t powers[] = { 1, 10, 100 };
	uint64_t scaled = (uint64_t)(value * powers[decimals] + 0.5);
	char digits[20];
	size_t len = 0;
	put(out, cap, &len, digits, units_put_digits(digits, scaled / powers[decimals]));
	if (decimals) {
		uint64_t fraction = scaled % powers[decimals];
		put(out, cap, &len, ".", 1);
		if (decimals == 2 && fraction < 10)
			put(out, cap, &len, "0", 1);
		put(out, cap, &len, digits, units_put_digits(digits, fraction));
	}
	put(out, cap, &len, suffix, strlen(suffix));
	return out;
}

/* Three digits, in the largest of `names` that leaves 1 or more; each is `step` times the last. */
static char *format(char *out, size_t cap, double value, double step, const char *const *names)
{
	if (!(value >= 0 && value < 1e18))
		return memcpy(out, "?", 2);
	bool whole = value == (double)(uint64_t)value;
	bool scaled = false;
	while (names[1] && value >= step - 0.5) {
		value /= step;
		names++;
		scaled = true;
	}
	int decimals = value >= 99.95 || (whole && !scaled) ? 0 : value >= 9.995 ? 1 : 2;
	return put_number(out, cap, value, decimals, *names);
}

char *units_format_count(char *out, size_t cap, double count)
{
	static const char *const names[] = { "", "k", "M", "G", NULL };
	return format(out, cap, count, 1000, names);
}

char *units_format_time_ns(char *out, size_t cap, double time_ns)
{
	static const char *const names[] = { "ns", "us", "ms", "s", NULL };
	return format(out, cap, time_ns, 1000, names);
}

char *units_format_size(char *out, size_t cap, double len)
{
	static const char *const names[] = { " B", " KiB", " MiB", " GiB", " TiB", NULL };
	return format(out, cap, len, 1024, names);
}

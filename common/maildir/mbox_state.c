/* the lines of an mbox that are not the message's: its From_ line and its state */
#include "common/maildir/mbox_state.h"
#include "common/maildir/source.h"

/* --- From_ ---------------------------------------------------------------- */

static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
				 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char weekdays[][4] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

static size_t
word_index(struct span word, const char (*words)[4], size_t n)
{
	size_t i = 0;

	while (i < n && !span_equal_nocase(word, span_str(words[i])))
		i++;
	return i;
}

static struct span
word_take(struct span *rest)
{
	*rest = span_trim(*rest, " \t\r\n");
	return span_cut(rest, ' ');
}

static bool
clock_parse(struct span word, int64_t *seconds)
{
	static const uint64_t most[] = {23, 59, 60};
	uint64_t value[3] = {0};
	size_t n = 0;

	while (word.n > 0 && n < 3) {
		if (!number_parse(span_cut(&word, ':'), most[n], &value[n]))
			return false;
		n++;
	}
	*seconds = (int64_t)(value[0] * 3600 + value[1] * 60 + value[2]);
	return n >= 2 && word.n == 0;
}

/* "+0130" as seconds. */
static bool
zone_parse(struct span word, int64_t *seconds)
{
	uint64_t value;

	if (word.n != 5 || (word.at[0] != '+' && word.at[0] != '-') ||
	    !number_parse(span_after(word, 1), 9999, &value))
		return false;
	*seconds = (int64_t)(value / 100 * 3600 + value % 100 * 60);
	if (word.at[0] == '-')
		*seconds = -*seconds;
	return true;
}

/* Days since 1970 of the Gregorian calendar. */
static int64_t
days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t y = year - (month <= 2), m = (month + 9) % 12;

	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 719469;
}

/* "Nov 10 12:34:56 [zone] 2020 [zone]"; without a zone it is UTC. */
static bool
date_parse(struct span rest, int64_t *time_us)
{
	size_t month = word_index(word_take(&rest), months, N_ELEMS(months));
	uint64_t day, year = 0;
	int64_t clock, zone = 0;

	if (month == N_ELEMS(months) || !number_parse(word_take(&rest), 31, &day) ||
	    day == 0 || !clock_parse(word_take(&rest), &clock))
		return false;
	for (int i = 0; i < 3 && rest.n > 0; i++) {
		struct span word = word_take(&rest);

		if (!zone_parse(word, &zone) && word.n == 4 &&
		    !number_parse(word, 9999, &year))
			year = 0;
	}
	if (year < 1970)
		return false;
	*time_us = (days_of((int64_t)year, (int64_t)month + 1, (int64_t)day) * 86400 +
		    clock - zone) *
		   1000000;
	return true;
}

bool
mbox_from_line(struct span line, int64_t *time_us)
{
	if (!span_starts(line, SPAN("From ")))
		return false;
	line = span_after(line, 5);
	/* The sender may have blanks. */
	while (line.n > 0) {
		size_t day = word_index(word_take(&line), weekdays, N_ELEMS(weekdays));

		if (day < N_ELEMS(weekdays) && date_parse(line, time_us))
			return true;
	}
	return false;
}

/* --- state ---------------------------------------------------------------- */

typedef void state_take(struct span value, struct mbox_state *s);

static void
take_letters(struct span value, const char *letters, const uint32_t *flags,
	     struct mbox_state *s)
{
	for (size_t i = 0; i < value.n; i++)
		for (size_t k = 0; letters[k]; k++)
			if (value.at[i] == letters[k])
				s->flags |= flags[k];
}

static void
take_status(struct span value, struct mbox_state *s)
{
	static const uint32_t flags[] = {MAIL_SEEN};

	take_letters(value, "R", flags, s);
}

static void
take_x_status(struct span value, struct mbox_state *s)
{
	static const uint32_t flags[] = {MAIL_ANSWERED, MAIL_FLAGGED, MAIL_DELETED,
					 MAIL_DRAFT};

	take_letters(value, "AFDT", flags, s);
}

static void
take_keywords(struct span value, struct mbox_state *s)
{
	s->keywords = value;
}

static void
take_number(struct span value, uint32_t *out)
{
	uint64_t number;

	if (number_parse(value, UINT32_MAX - 1, &number))
		*out = (uint32_t)number;
}

static void
take_uid(struct span value, struct mbox_state *s)
{
	take_number(value, &s->uid);
}

static void
take_base(struct span value, struct mbox_state *s)
{
	take_number(word_take(&value), &s->uidvalidity);
	take_number(word_take(&value), &s->uidlast);
	s->base_keywords = span_trim(value, " \t");
}

static void
take_imap(struct span value, struct mbox_state *s)
{
	take_base(value, s);
	s->internal = true;
}

static void
take_length(struct span value, struct mbox_state *s)
{
	s->has_length = number_parse(value, INT64_MAX / 2, &s->length);
}

static const struct {
	const char *name;
	state_take *take;
} state_lines[] = {
    {"Status",         take_status  },
    {"X-Status",       take_x_status},
    {"X-Keywords",     take_keywords},
    {"X-UID",          take_uid     },
    {"X-IMAP",         take_imap    },
    {"X-IMAPbase",     take_base    },
    {"Content-Length", take_length  },
};

bool
mbox_state_line(struct span line, struct mbox_state *s)
{
	size_t colon = span_find(line, ':');
	struct span name = span_trim(span_first(line, colon), " \t");
	struct span value = span_trim(span_after(line, colon + 1), " \t\r\n");

	for (size_t i = 0; colon < line.n && i < N_ELEMS(state_lines); i++)
		if (span_equal_nocase(name, span_str(state_lines[i].name))) {
			if (s)
				state_lines[i].take(value, s);
			return true;
		}
	return false;
}

/* "X-Postroad: lines=5 bytes=1200 internal=.. saved=.. [raw] [uidl=..]" */
static void
own_parse(struct span value, struct mbox_state *s)
{
	while (value.n > 0) {
		struct span word = word_take(&value), key = span_cut(&word, '=');
		uint64_t number = 0;
		bool good = number_parse(word, INT64_MAX, &number);

		if (span_equal(key, SPAN("raw")))
			s->raw = true;
		else if (span_equal(key, SPAN("uidl")))
			s->uidl = word;
		else if (span_equal(key, SPAN("guid")))
			s->guid = word;
		else if (good && span_equal(key, SPAN("lines")))
			s->own_lines = (size_t)number;
		else if (good && span_equal(key, SPAN("bytes")))
			s->bytes = number;
		else if (good && span_equal(key, SPAN("internal")))
			s->internal_us = (int64_t)number;
		else if (good && span_equal(key, SPAN("saved")))
			s->saved_us = (int64_t)number;
		else if (good && span_equal(key, SPAN("uidnext")) &&
			 number < UINT32_MAX)
			s->uidnext = (uint32_t)number;
	}
}

static struct span
line_take(struct span *rest)
{
	struct span line = span_first(*rest, span_find(*rest, '\n') + 1);

	*rest = span_after(*rest, line.n);
	return line;
}

void
mbox_state_parse(struct span bytes, struct mbox_state *out)
{
	struct span mark = SPAN("X-Postroad: "), rest = bytes;

	*out = (struct mbox_state){0};
	if (span_starts(rest, mark)) {
		struct span line = line_take(&rest);

		out->own = true;
		own_parse(span_after(line, mark.n), out);
		for (size_t i = 1; i < out->own_lines && rest.n > 0; i++)
			mbox_state_line(line_take(&rest), out);
		out->header_bytes = bytes.n - rest.n;
		return;
	}
	while (rest.n > 0) {
		struct span line = line_take(&rest);

		if (span_trim(line, "\r\n").n == 0)
			break;
		mbox_state_line(line, out);
	}
	out->header_bytes = bytes.n - rest.n;
}

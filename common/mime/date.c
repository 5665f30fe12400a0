#include "common/mime/date.h"
#include "common/mime/lex.h"

static const char months[12][4] = {"jan", "feb", "mar", "apr", "may", "jun",
				   "jul", "aug", "sep", "oct", "nov", "dec"};

/* [RFC5322 4.3]; the military letters say nothing and count as UTC. */
static const struct {
	const char *name;
	int hours;
} zones[] = {
    {"EST", -5},
    {"EDT", -4},
    {"CST", -6},
    {"CDT", -5},
    {"MST", -7},
    {"MDT", -6},
    {"PST", -8},
    {"PDT", -7},
    {"UT",  0 },
    {"GMT", 0 },
};

struct fields {
	unsigned year, month, day; /* month 1 to 12, 0 when missing */
	unsigned hour, minute, second;
};

/* A number of at most four digits. */
static bool
number(struct mime_lex *l, unsigned *out, unsigned *digits)
{
	const char *start;
	uint64_t value;

	mime_lex_skip(l);
	start = l->at;
	while (!mime_lex_done(l) && ascii_digit(*l->at))
		l->at++;
	*digits = (unsigned)(l->at - start);
	if (*digits > 4 || !number_parse(span_make(start, *digits), 9999, &value))
		return false;
	*out = (unsigned)value;
	return true;
}

static struct span
letters(struct mime_lex *l)
{
	const char *start;

	mime_lex_skip(l);
	start = l->at;
	while (!mime_lex_done(l) && ascii_alpha(*l->at))
		l->at++;
	return span_make(start, (size_t)(l->at - start));
}

static unsigned
month_number(struct span name)
{
	for (unsigned i = 0; i < N_ELEMS(months); i++)
		if (name.n >= 3 &&
		    span_equal_nocase(span_first(name, 3), span_str(months[i])))
			return i + 1;
	return 0;
}

/* Between the parts of a date: space, and what some write instead of it. */
static void
between(struct mime_lex *l)
{
	do
		mime_lex_skip(l);
	while (mime_lex_take(l, ',') || mime_lex_take(l, '-') || mime_lex_take(l, '.'));
}

static bool
year(struct mime_lex *l, struct fields *f)
{
	unsigned digits;

	between(l);
	if (!number(l, &f->year, &digits) || digits < 2)
		return false;
	if (digits == 2)
		f->year += f->year < 50 ? 2000 : 1900;
	if (digits == 3)
		f->year += 1900;
	return true;
}

static bool
time_of_day(struct mime_lex *l, struct fields *f)
{
	unsigned digits;

	if (!number(l, &f->hour, &digits))
		return false;
	mime_lex_skip(l);
	if (!mime_lex_take(l, ':') && !mime_lex_take(l, '.'))
		return false;
	if (!number(l, &f->minute, &digits))
		return false;
	mime_lex_skip(l);
	if (mime_lex_take(l, ':') || mime_lex_take(l, '.'))
		return number(l, &f->second, &digits);
	return true;
}

/* Minutes east of UTC; 0 when missing or unknown. */
static int
zone(struct mime_lex *l)
{
	struct span name = letters(l);
	int sign = 1;
	unsigned value, digits;

	for (size_t i = 0; i < N_ELEMS(zones); i++)
		if (span_equal_nocase(name, span_str(zones[i].name)))
			return zones[i].hours * 60;
	mime_lex_skip(l);
	if (mime_lex_take(l, '-'))
		sign = -1;
	else if (!mime_lex_take(l, '+'))
		return 0;
	if (!number(l, &value, &digits) || digits != 4 || value % 100 > 59)
		return 0;
	return sign * (int)(value / 100 * 60 + value % 100);
}

/* Days since 1970-01-01, from years that begin in March so that the leap day
 * comes last. */
static int64_t
days_since_epoch(const struct fields *f)
{
	int64_t y = (int64_t)f->year - (f->month <= 2);
	int64_t m = (f->month + 9) % 12;
	int64_t day_of_year = (153 * m + 2) / 5 + f->day - 1;

	return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
}

static bool
in_range(const struct fields *f)
{
	return f->day >= 1 && f->day <= 31 && f->year >= 1900 && f->hour <= 23 &&
	       f->minute <= 59 && f->second <= 60;
}

/* "1 Jan 2024 10:00:00 +0100", or as C's asctime() has it with the year last. */
static bool
date_and_time(struct mime_lex *l, struct fields *f)
{
	unsigned digits;
	struct span name = letters(l);

	between(l);
	f->month = month_number(name);
	if (f->month == 0 && !mime_lex_done(l) && ascii_alpha(*l->at))
		f->month = month_number(letters(l));
	if (!number(l, &f->day, &digits))
		return false;
	between(l);
	if (f->month > 0)
		return time_of_day(l, f) && year(l, f);
	f->month = month_number(letters(l));
	return f->month > 0 && year(l, f) && (between(l), time_of_day(l, f));
}

struct mime_date
mime_date_parse(struct span value)
{
	struct mime_lex l = mime_lex_make(value);
	struct mime_date date = {MIME_DATE_NONE, 0};
	struct fields f = {0};
	int64_t seconds;

	if (!date_and_time(&l, &f) || !in_range(&f))
		return date;
	date.zone_minutes = zone(&l);
	seconds = days_since_epoch(&f) * 86400 + f.hour * 3600 + f.minute * 60 +
		  f.second - date.zone_minutes * 60;
	date.seconds = seconds < 0 ? 0 : seconds;
	return date;
}

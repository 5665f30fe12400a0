#include "common/imap/date.h"

static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
				   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

#define DAY_S      86400
#define YEAR_FIRST (-INT64_C(62167219200)) /* 1-Jan-0000 */
#define YEAR_LAST  INT64_C(253402300799)   /* 31-Dec-9999 23:59:59 */

struct day {
	int32_t year;
	unsigned month, day; /* from 1 */
};

/* Days since 1970 of the Gregorian calendar, by years that begin in March, so that
 * a leap day is the last of its year. */
static int32_t
days_of(struct day d)
{
	int32_t year = d.year - (d.month <= 2);
	int32_t era = (year >= 0 ? year : year - 399) / 400;
	int32_t of_era = year - era * 400;
	int32_t month = (int32_t)(d.month + 9) % 12;
	int32_t of_year = (153 * month + 2) / 5 + (int32_t)d.day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year -
	       719468;
}

static struct day
day_of(int32_t days)
{
	int32_t z = days + 719468;
	int32_t era = (z >= 0 ? z : z - 146096) / 146097;
	int32_t of_era = z - era * 146097;
	int32_t year =
	    (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int32_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int32_t month = (5 * of_year + 2) / 153;

	return (struct day){
	    .year = year + era * 400 + (month >= 10),
	    .month = (unsigned)(month < 10 ? month + 3 : month - 9),
	    .day = (unsigned)(of_year - (153 * month + 2) / 5 + 1),
	};
}

/* Exactly n digits off the front of *s. */
static bool
take_digits(struct span *s, size_t n, unsigned max, unsigned *out)
{
	uint64_t value;

	if (s->n < n || !number_parse(span_first(*s, n), max, &value))
		return false;
	*s = span_after(*s, n);
	*out = (unsigned)value;
	return true;
}

static bool
take_char(struct span *s, char c)
{
	if (s->n == 0 || *s->at != c)
		return false;
	*s = span_after(*s, 1);
	return true;
}

static bool
take_month(struct span *s, unsigned *out)
{
	for (unsigned i = 0; i < N_ELEMS(months); i++) {
		if (!span_equal_nocase(span_first(*s, 3), span_str(months[i])))
			continue;
		*s = span_after(*s, 3);
		*out = i + 1;
		return true;
	}
	return false;
}

/* "1-Feb-1994" off the front of *s. */
static bool
take_day(struct span *s, int32_t *days)
{
	size_t digits = s->n > 1 && ascii_digit(s->at[1]) ? 2 : 1;
	struct day d, same;
	unsigned year;

	if (!take_digits(s, digits, 31, &d.day) || d.day == 0 || !take_char(s, '-') ||
	    !take_month(s, &d.month) || !take_char(s, '-') ||
	    !take_digits(s, 4, 9999, &year))
		return false;
	d.year = (int32_t)year;
	*days = days_of(d);
	same = day_of(*days);
	return same.month == d.month && same.day == d.day; /* no 30-Feb */
}

bool
imap_date_parse(struct span s, int32_t *days)
{
	int32_t value;

	if (!take_day(&s, &value) || s.n > 0)
		return false;
	*days = value;
	return true;
}

/* " 02:44:25"; a leap second is taken for the one before it. */
static bool
take_time(struct span *s, int32_t *seconds)
{
	unsigned hour, minute, second;

	if (!take_char(s, ' ') || !take_digits(s, 2, 23, &hour) || !take_char(s, ':') ||
	    !take_digits(s, 2, 59, &minute) || !take_char(s, ':') ||
	    !take_digits(s, 2, 60, &second))
		return false;
	*seconds = (int32_t)(hour * 3600 + minute * 60 + (second > 59 ? 59 : second));
	return true;
}

/* " -0700" */
static bool
take_zone(struct span *s, int32_t *seconds)
{
	unsigned hours, minutes;
	bool west;

	if (!take_char(s, ' '))
		return false;
	west = take_char(s, '-');
	if ((!west && !take_char(s, '+')) || !take_digits(s, 2, 23, &hours) ||
	    !take_digits(s, 2, 59, &minutes))
		return false;
	*seconds = (int32_t)(hours * 3600 + minutes * 60) * (west ? -1 : 1);
	return true;
}

bool
imap_date_time_parse(struct span s, int64_t *seconds)
{
	int32_t days, time, zone;

	take_char(&s, ' ');
	if (!take_day(&s, &days) || !take_time(&s, &time) || !take_zone(&s, &zone) ||
	    s.n > 0)
		return false;
	*seconds = (int64_t)days * DAY_S + time - zone;
	return true;
}

static void
put_digits(char *at, unsigned n, unsigned value)
{
	while (n > 0) {
		at[--n] = (char)('0' + value % 10);
		value /= 10;
	}
}

void
imap_put_date_time(struct buf *out, int64_t seconds)
{
	char text[] = "\" 7-Feb-1994 21:52:25 +0000\"";
	int32_t days;
	uint32_t time;
	struct day d;

	seconds = seconds < YEAR_FIRST ? YEAR_FIRST : seconds;
	seconds = seconds > YEAR_LAST ? YEAR_LAST : seconds;
	days = (int32_t)((seconds - YEAR_FIRST) / DAY_S + YEAR_FIRST / DAY_S);
	time = (uint32_t)((seconds - YEAR_FIRST) % DAY_S);
	d = day_of(days);
	put_digits(text + 1, 2, d.day);
	if (text[1] == '0')
		text[1] = ' ';
	memcpy(text + 4, months[d.month - 1], 3);
	put_digits(text + 8, 4, (unsigned)d.year);
	put_digits(text + 13, 2, time / 3600);
	put_digits(text + 16, 2, time / 60 % 60);
	put_digits(text + 19, 2, time % 60);
	buf_put(out, span_make(text, sizeof(text) - 1));
}

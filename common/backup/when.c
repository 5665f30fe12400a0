/* moments as people write them */
#include "common/backup/backup.h"

#include <stdio.h>

#define SECOND_US 1000000
#define DAY_S     86400

/* Days since 1970 of a date of the Gregorian calendar, whose years begin in March so
 * that a leap day is the last of its year. */
static int64_t
days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = y / 400, of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year -
	       719468;
}

static void
date_of(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
	int64_t z = days + 719468, era = z / 146097, of_era = z - era * 146097;
	int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
	int64_t m = (5 * of_year + 2) / 153;

	*day = of_year - (153 * m + 2) / 5 + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = y + era * 400 + (*month <= 2);
}

/* Exactly n digits from the front. */
static bool
digits(struct span *rest, size_t n, int64_t *out)
{
	uint64_t value;

	if (rest->n < n || !number_parse(span_first(*rest, n), 9999, &value))
		return false;
	*rest = span_after(*rest, n);
	*out = (int64_t)value;
	return true;
}

static bool
letter(struct span *rest, char c)
{
	if (rest->n == 0 || ascii_lower(rest->at[0]) != c)
		return false;
	*rest = span_after(*rest, 1);
	return true;
}

static bool
parse_date(struct span *rest, int64_t *days)
{
	static const int64_t lengths[] = {31, 28, 31, 30, 31, 30,
					  31, 31, 30, 31, 30, 31};
	int64_t year, month, day;
	bool leap;

	if (!digits(rest, 4, &year) || !letter(rest, '-') || !digits(rest, 2, &month) ||
	    !letter(rest, '-') || !digits(rest, 2, &day) || year < 1970 || month < 1 ||
	    month > 12 || day < 1)
		return false;
	leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	if (day > lengths[month - 1] + (month == 2 && leap))
		return false;
	*days = days_of(year, month, day);
	return true;
}

/* Digits beyond the sixth are dropped. */
static bool
parse_fraction(struct span *rest, int64_t *us)
{
	int64_t unit = SECOND_US / 10;
	size_t n = 0;

	*us = 0;
	if (!letter(rest, '.'))
		return true;
	for (; rest->n > 0 && ascii_digit(rest->at[0]); n++) {
		*us += (rest->at[0] - '0') * unit;
		unit /= 10;
		*rest = span_after(*rest, 1);
	}
	return n > 0;
}

static bool
parse_offset(struct span *rest, int64_t *seconds)
{
	bool minus = rest->n > 0 && rest->at[0] == '-';
	int64_t hours, minutes;

	*seconds = 0;
	if (rest->n == 0 || letter(rest, 'z'))
		return true;
	if ((!minus && rest->at[0] != '+'))
		return false;
	*rest = span_after(*rest, 1);
	if (!digits(rest, 2, &hours) || !letter(rest, ':') ||
	    !digits(rest, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*seconds = (hours * 60 + minutes) * 60 * (minus ? -1 : 1);
	return true;
}

/* "12:48:33.5+01:00", the seconds and what follows optional. */
static bool
parse_time(struct span *rest, int64_t *us)
{
	int64_t hour, minute, second = 0, fraction, offset;

	if (!digits(rest, 2, &hour) || !letter(rest, ':') || !digits(rest, 2, &minute))
		return false;
	if (letter(rest, ':') && !digits(rest, 2, &second))
		return false;
	if (hour > 23 || minute > 59 || second > 60 ||
	    !parse_fraction(rest, &fraction) || !parse_offset(rest, &offset))
		return false;
	*us = ((hour * 60 + minute) * 60 + second - offset) * SECOND_US + fraction;
	return true;
}

static bool
parse_ago(struct span text, int64_t now_us, int64_t *out_us)
{
	static const struct span ago = SPAN("ago");
	uint64_t seconds;

	if (!span_ends_nocase(text, ago))
		return false;
	text = span_trim(span_first(text, text.n - ago.n), " ");
	if (!number_parse_seconds(text, &seconds) ||
	    seconds > (uint64_t)(now_us / SECOND_US))
		return false;
	*out_us = now_us - (int64_t)seconds * SECOND_US;
	return true;
}

bool
backup_when_parse(struct span text, int64_t now_us, int64_t *out_us)
{
	struct span rest = span_trim(text, " ");
	int64_t days, us = 0;

	if (span_equal_nocase(rest, SPAN("now"))) {
		*out_us = now_us;
		return true;
	}
	if (parse_ago(rest, now_us, out_us))
		return true;
	if (!parse_date(&rest, &days))
		return false;
	if (rest.n > 0 && ((!letter(&rest, 't') && !letter(&rest, ' ')) ||
			   !parse_time(&rest, &us) || rest.n > 0))
		return false;
	*out_us = days * DAY_S * SECOND_US + us;
	return true;
}

void
backup_when_put(int64_t us, char out[BACKUP_WHEN_TEXT])
{
	int64_t s = us / SECOND_US, days = s / DAY_S, of_day = s % DAY_S;
	int64_t year, month, day;

	date_of(days, &year, &month, &day);
	snprintf(out, BACKUP_WHEN_TEXT, "%04d-%02d-%02dT%02d:%02d:%02dZ", (int)year,
		 (int)month, (int)day, (int)(of_day / 3600), (int)(of_day / 60 % 60),
		 (int)(of_day % 60));
}

#include "common/movein/stamp.h"

/* Days from 1970-01-01 to a date of the Gregorian calendar. */
static int64_t
days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = y / 400, of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year -
	       719468;
}

/* `n` digits off the front, then `after` if it is not NUL. */
static bool
take_number(struct span *rest, size_t n, char after, uint64_t max, int64_t *out)
{
	uint64_t number;

	if (rest->n < n || !number_parse(span_first(*rest, n), max, &number))
		return false;
	*rest = span_after(*rest, n);
	*out = (int64_t)number;
	if (after == '\0')
		return true;
	if (rest->n == 0 || rest->at[0] != after)
		return false;
	*rest = span_after(*rest, 1);
	return true;
}

static bool
take_zone(struct span rest, int64_t *offset_s, bool *has_zone)
{
	int64_t hours, minutes = 0;
	bool minus;

	*offset_s = 0;
	*has_zone = rest.n > 0;
	if (rest.n == 0 || span_equal_nocase(rest, SPAN("z")))
		return true;
	minus = rest.at[0] == '-';
	if (!minus && rest.at[0] != '+')
		return false;
	rest = span_after(rest, 1);
	if (!take_number(&rest, 2, '\0', 15, &hours))
		return false;
	if (rest.n > 0 && rest.at[0] == ':')
		rest = span_after(rest, 1);
	if (rest.n > 0 && !take_number(&rest, 2, '\0', 59, &minutes))
		return false;
	*offset_s = (hours * 60 + minutes) * (minus ? -60 : 60);
	return rest.n == 0;
}

static bool
take_clock(struct span *rest, int64_t *seconds)
{
	int64_t hour, minute, second;

	if (rest->n == 0 || (rest->at[0] != ' ' && rest->at[0] != 'T'))
		return false;
	*rest = span_after(*rest, 1);
	if (!take_number(rest, 2, ':', 24, &hour) ||
	    !take_number(rest, 2, ':', 59, &minute) ||
	    !take_number(rest, 2, '\0', 60, &second))
		return false;
	if (rest->n > 0 && rest->at[0] == '.') {
		*rest = span_after(*rest, 1);
		while (rest->n > 0 && ascii_digit(rest->at[0]))
			*rest = span_after(*rest, 1);
	}
	*seconds = (hour * 60 + minute) * 60 + second;
	return true;
}

bool
movein_stamp(struct span text, uint64_t *seconds, bool *has_zone)
{
	struct span rest = span_trim(text, " \t\r\n");
	int64_t year, month, day, clock = 0, offset = 0, sum;
	bool zone = false;

	if (!take_number(&rest, 4, '-', 9999, &year) ||
	    !take_number(&rest, 2, '-', 12, &month) ||
	    !take_number(&rest, 2, '\0', 31, &day) || year < 1970 || month < 1 ||
	    day < 1)
		return false;
	if (rest.n > 0 && (!take_clock(&rest, &clock) ||
			   !take_zone(span_trim(rest, " "), &offset, &zone)))
		return false;
	sum = days_of(year, month, day) * 86400 + clock - offset;
	if (sum < 0)
		return false;
	*seconds = (uint64_t)sum;
	*has_zone = zone;
	return true;
}

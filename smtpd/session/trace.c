#include "smtpd/session/inner.h"

/* Days since 1970-01-01 as a date of the Gregorian calendar. */
static void
date_of_day(int64_t day, int *year, int *month, int *month_day)
{
	int64_t z = day + 719468; /* since 0000-03-01 */
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t of_era = z - era * 146097;
	int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
	int64_t m = (5 * of_year + 2) / 153; /* 0 is March */

	*month_day = (int)(of_year - (153 * m + 2) / 5 + 1);
	*month = (int)(m < 10 ? m + 3 : m - 9);
	*year = (int)(y + era * 400 + (*month <= 2));
}

void
date_put(struct buf *out, int64_t unix_s)
{
	static const char days[] = "ThuFriSatSunMonTueWed";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int64_t day = unix_s / 86400;
	int of_day = (int)(unix_s % 86400);
	int year, month, month_day;

	date_of_day(day, &year, &month, &month_day);
	buf_putf(out, "%.3s, %d %.3s %04d %02d:%02d:%02d +0000", days + day % 7 * 3,
		 month_day, months + (month - 1) * 3, year, of_day / 3600,
		 of_day / 60 % 60, of_day % 60);
}

/* "with" what: [RFC3848], [RFC6531 4.3]. */
void
session_protocol_put(const struct session *s, struct buf *out)
{
	bool lmtp = s->policy->kind == SESSION_LMTP;

	if (s->envelope.utf8)
		buf_put_str(out, "UTF8");
	if (lmtp)
		buf_put_str(out, "LMTP");
	else
		buf_put_str(out, s->extended && !s->envelope.utf8 ? "ESMTP" : "SMTP");
	if (!s->extended)
		return;
	if (s->tls)
		buf_put_char(out, 'S');
	if (s->login)
		buf_put_char(out, 'A');
}

static void
put_client(const struct session *s, struct buf *out)
{
	bool six = s->address && strchr(s->address, ':');

	if (!s->address) {
		buf_put_str(out, "(local)");
		return;
	}
	buf_put_char(out, '(');
	if (s->name && smtp_domain_valid(span_str(s->name), false)) {
		buf_put_str(out, s->name);
		buf_put_char(out, ' ');
	}
	buf_putf(out, "[%s%s])", six ? "IPv6:" : "", s->address);
}

static void
put_from(const struct session *s, struct buf *out)
{
	buf_put_str(out, "from ");
	buf_put_str(out, s->hello);
	buf_put_char(out, ' ');
	put_client(s, out);
	buf_put_str(out, "\r\n\t");
}

void
trace_put(const struct session *s, struct buf *out)
{
	buf_put_str(out, "Received: ");
	if (!s->policy->hide_client)
		put_from(s, out);
	if (s->tls_text) {
		buf_put_str(out, "(using ");
		buf_put_str(out, s->tls_text);
		buf_put_str(out, ")\r\n\t");
	}
	buf_put_str(out, "by ");
	buf_put(out, s->policy->host_name);
	buf_put_str(out, " (Postroad) with ");
	session_protocol_put(s, out);
	buf_put_str(out, " id ");
	buf_put_str(out, s->queue_id);
	if (s->envelope.n_rcpts == 1) {
		buf_put_str(out, "\r\n\tfor <");
		buf_put(out, s->envelope.rcpts[0].address);
		buf_put_char(out, '>');
	}
	buf_put_str(out, ";\r\n\t");
	date_put(out, s->begun_s);
	buf_put_str(out, "\r\n");
}

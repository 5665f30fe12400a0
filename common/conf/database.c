#include "common/conf/database.h"
#include "common/conf/conf.h"

#define VALUE_MAX 4096

/* "a,b": each the folder of a socket, or empty, which means the usual one. */
static bool
hosts_remote(struct span hosts)
{
	while (hosts.n > 0) {
		struct span host = span_cut(&hosts, ',');

		if (host.n > 0 && host.at[0] != '/' &&
		    !span_starts_nocase(host, SPAN("%2F")))
			return true;
	}
	return false;
}

static bool
names_hosts(struct span key)
{
	return span_equal(key, SPAN("host")) || span_equal(key, SPAN("hostaddr"));
}

/* ---- postgresql://user@host:port/database?host=... */

/* Ports and users are of no interest; "[::1]:5432" begins with no '/'. */
static bool
authority_remote(struct span authority)
{
	struct span hosts = authority;

	if (span_find(authority, '@') < authority.n)
		(void)span_cut(&hosts, '@');
	while (hosts.n > 0) {
		struct span server = span_cut(&hosts, ',');

		if (hosts_remote(span_cut(&server, ':')))
			return true;
	}
	return false;
}

static bool
uri_remote(struct span rest)
{
	size_t n = 0;
	struct span parameters;

	while (n < rest.n && rest.at[n] != '/' && rest.at[n] != '?')
		n++;
	if (authority_remote(span_first(rest, n)))
		return true;
	parameters = span_after(rest, n);
	(void)span_cut(&parameters, '?');
	while (parameters.n > 0) {
		struct span value = span_cut(&parameters, '&');
		struct span key = span_cut(&value, '=');

		if (names_hosts(key) && hosts_remote(value))
			return true;
	}
	return false;
}

/* ---- host=... dbname='...' */

static void
skip_blanks(struct span *rest)
{
	while (rest->n > 0 && (rest->at[0] == ' ' || rest->at[0] == '\t'))
		*rest = span_after(*rest, 1);
}

/* A value with its quotes and backslashes undone; false when it does not end. */
static bool
take_value(struct span *rest, struct buf *out)
{
	bool quoted = rest->n > 0 && rest->at[0] == '\'';

	*rest = span_after(*rest, quoted);
	while (rest->n > 0) {
		char c = rest->at[0];

		*rest = span_after(*rest, 1);
		if (quoted ? c == '\'' : (c == ' ' || c == '\t'))
			return true;
		if (c == '\\' && rest->n > 0) {
			c = rest->at[0];
			*rest = span_after(*rest, 1);
		}
		buf_put_char(out, c);
	}
	return !quoted;
}

static bool
pairs_remote(struct span rest)
{
	struct buf value = buf_make(VALUE_MAX);
	bool remote = false;

	for (skip_blanks(&rest); rest.n > 0 && !remote; skip_blanks(&rest)) {
		bool pair = span_find(rest, '=') < rest.n;
		struct span key = span_trim(span_cut(&rest, '='), " \t");

		buf_reset(&value);
		skip_blanks(&rest);
		remote = !pair || !take_value(&rest, &value) || value.full ||
			 (names_hosts(key) && hosts_remote(buf_span(&value)));
	}
	buf_release(&value);
	return remote;
}

bool
conf_database_remote(struct span connection)
{
	static const char *const schemes[] = {"postgresql://", "postgres://"};

	for (size_t i = 0; i < N_ELEMS(schemes); i++)
		if (span_starts(connection, span_str(schemes[i])))
			return uri_remote(span_after(connection, strlen(schemes[i])));
	return pairs_remote(connection);
}

bool
conf_needs_network(const struct settings *s)
{
	if (s->directory != CONF_DIRECTORY_BERKELEY &&
	    conf_database_remote(span_str(s->postgresql_connection)))
		return true;
	for (size_t i = 0; i < s->tables.n; i++) {
		const struct conf_table *t = &s->tables.at[i];

		/* What a file of such a table names is known only to who reads it. */
		if (t->type == CONF_TABLE_POSTGRESQL &&
		    (t->connection[0] == '\0' ||
		     conf_database_remote(span_str(t->connection))))
			return true;
	}
	return false;
}

#include "common/pgsql/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define OPTIONS_MAX       64 /* of libpq; it has about 45 */
#define SERVERS_MAX       (HOSTS_MAX * 8)
#define PASSWORD_FILE_MAX 4096
#define TEXT_MAX          (64U << 10)

struct where {
	char *name;
	char *password_file;
	char *password;            /* where there is no such file; "" none */
	PQconninfoOption *options; /* as the operator wrote them */
	char *presets;             /* the value of "options" */
	char *application;
	char user_timeout[16];
	char *hosts[HOSTS_MAX]; /* "" in place of the default socket */
	size_t n_hosts;
	char *ports[HOSTS_MAX]; /* one for all, or one a host */
	size_t n_ports;
};

/* ---- reading the setting */

static const char *
option(const struct where *w, const char *keyword)
{
	for (const PQconninfoOption *o = w->options; o && o->keyword; o++)
		if (strcmp(o->keyword, keyword) == 0)
			return o->val;
	return NULL;
}

/* "a,b,c" into copies; what is more than HOSTS_MAX is -1. */
static int
split(const char *text, char *out[HOSTS_MAX], size_t *n)
{
	struct span rest = span_str(text);
	bool more = true;

	while (more) {
		more = span_find(rest, ',') < rest.n;
		if (*n == HOSTS_MAX)
			return -1;
		out[(*n)++] = span_dup(span_cut(&rest, ','));
	}
	return 0;
}

/* What has no place in a setting: secrets, files of settings that are elsewhere. */
static int
check_options(const struct where *w, struct err *err)
{
	static const char *const refused[] = {"password", "passfile", "service",
					      "sslpassword", "replication"};

	for (size_t i = 0; i < N_ELEMS(refused); i++)
		if (option(w, refused[i]))
			return err_set(err,
				       "%s has no place in a connection setting; a "
				       "password goes into a file of its own",
				       refused[i]);
	return 0;
}

static int
read_hosts(struct where *w, struct err *err)
{
	const char *hosts = option(w, "hostaddr"), *ports = option(w, "port");

	if (!hosts)
		hosts = option(w, "host");
	if (split(hosts ? hosts : "", w->hosts, &w->n_hosts) != 0 ||
	    split(ports ? ports : "", w->ports, &w->n_ports) != 0)
		return err_set(err, "more than %d hosts", HOSTS_MAX);
	if (w->n_ports != 1 && w->n_ports != w->n_hosts)
		return err_set(err, "%zu hosts, but %zu ports", w->n_hosts, w->n_ports);
	return 0;
}

/* libpq cites parts of the text in its errors, a password perhaps; so it is not
 * passed on. */
static int
parse(struct where *w, const char *connection, struct err *err)
{
	char *why = NULL;

	w->options = PQconninfoParse(connection, &why);
	if (why)
		PQfreemem(why);
	if (!w->options)
		return err_set(err, "it is not of the form \"host=... dbname=... "
				    "user=...\" or postgresql://...");
	if (check_options(w, err) != 0)
		return -1;
	return read_hosts(w, err);
}

/* Settings of the server's side of each connection, before the operator's own. */
static void
make_presets(struct where *w, const struct pgsql_options *o)
{
	struct buf text = buf_make(TEXT_MAX);
	const char *own = option(w, "options");

	/* Sooner than this side gives up, so that the connection survives. */
	buf_putf(&text, "-c statement_timeout=%llu -c lock_timeout=%llu",
		 (unsigned long long)(o->timeout_ms - o->timeout_ms / 8),
		 (unsigned long long)(o->timeout_ms - o->timeout_ms / 8));
	buf_putf(&text, " -c idle_in_transaction_session_timeout=%llu",
		 (unsigned long long)(2 * o->timeout_ms + 5000));
	if (o->read_only)
		buf_put_str(&text, " -c default_transaction_read_only=on");
	if (own)
		buf_putf(&text, " %s", own);
	w->presets = span_dup(buf_span(&text));
	buf_reset(&text);
	buf_putf(&text, "postroad %s", o->name);
	w->application = span_dup(buf_span(&text));
	buf_release(&text);
	(void)snprintf(w->user_timeout, sizeof(w->user_timeout), "%llu",
		       (unsigned long long)o->timeout_ms);
}

int
where_new(const struct pgsql_options *o, struct where **out, struct err *err)
{
	struct where *w = memory_new(1, sizeof(*w));
	struct err why;

	w->name = span_dup(span_str(o->name));
	w->password_file = span_dup(span_str(o->password_file));
	w->password = span_dup(span_str(o->password));
	if (parse(w, o->connection, &why) != 0) {
		where_free(&w);
		return err_set(err, "the connection of database %.32s: %s", o->name,
			       why.text);
	}
	make_presets(w, o);
	*out = w;
	return 0;
}

void
where_free(struct where **owner)
{
	struct where *w = *owner;

	*owner = NULL;
	if (!w)
		return;
	PQconninfoFree(w->options);
	for (size_t i = 0; i < w->n_hosts; i++)
		free(w->hosts[i]);
	for (size_t i = 0; i < w->n_ports; i++)
		free(w->ports[i]);
	free(w->presets);
	free(w->application);
	free(w->password_file);
	explicit_bzero(w->password, strlen(w->password));
	free(w->password);
	free(w->name);
	free(w);
}

/* ---- hosts */

/* '@' is a socket in the abstract name space of a network namespace. */
static bool
is_socket(const char *host)
{
	return host[0] == '/' || host[0] == '@' || host[0] == '\0';
}

size_t
where_hosts(const struct where *w, const char *hosts[HOSTS_MAX])
{
	bool named = option(w, "hostaddr") == NULL;

	for (size_t i = 0; i < w->n_hosts; i++)
		hosts[i] = named && !is_socket(w->hosts[i]) ? w->hosts[i] : "";
	return w->n_hosts;
}

/* ---- connecting */

/* host, hostaddr and port of libpq, which are lists of the same length: a host
 * stands there once for each of its addresses. */
struct lists {
	struct buf host, hostaddr, port;
	size_t n;
};

static void
list_put(struct buf *out, size_t n, struct span value)
{
	if (n > 0)
		buf_put_char(out, ',');
	buf_put(out, value);
}

static void
lists_add(struct lists *l, const struct where *w, size_t host, struct span address)
{
	const char *name =
	    option(w, "host") || !option(w, "hostaddr") ? w->hosts[host] : "";

	list_put(&l->host, l->n, span_str(name));
	list_put(&l->hostaddr, l->n, address);
	list_put(&l->port, l->n, span_str(w->ports[w->n_ports == 1 ? 0 : host]));
	l->n++;
}

static void
lists_add_host(struct lists *l, const struct where *w, size_t host, const char *found)
{
	struct span rest = span_str(found);

	if (option(w, "hostaddr"))
		lists_add(l, w, host, span_str(w->hosts[host]));
	else if (is_socket(w->hosts[host]))
		lists_add(l, w, host, (struct span){0});
	while (rest.n > 0 && l->n < SERVERS_MAX)
		lists_add(l, w, host, span_cut(&rest, ','));
}

static int
read_password(const struct where *w, struct buf *out, struct err *err)
{
	char text[PASSWORD_FILE_MAX];
	int fd = open(w->password_file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

	if (n < 0)
		err_sys(err, "the password file of database %.32s", w->name);
	if (fd >= 0)
		close(fd);
	if (n >= 0) {
		struct span rest = span_make(text, (size_t)n);

		buf_put(out, span_trim(span_cut(&rest, '\n'), "\r"));
		buf_put_char(out, '\0');
	}
	explicit_bzero(text, sizeof(text));
	return n < 0 ? -1 : 0;
}

struct pairs {
	const char *keys[OPTIONS_MAX + 1], *values[OPTIONS_MAX + 1];
	size_t n;
};

static void
pair(struct pairs *p, const char *key, const char *value)
{
	ASSERT(p->n < OPTIONS_MAX);
	p->keys[p->n] = key;
	p->values[p->n++] = value;
}

/* Of those that libpq gets from elsewhere, or that the operator need not write. */
static void
pair_usual(struct pairs *p, const struct where *w)
{
	const struct {
		const char *key, *value;
	} usual[] = {
	    {"keepalives_idle",     "10"               },
	    {"keepalives_interval", "3"                },
	    {"keepalives_count",    "3"                },
	    {"tcp_user_timeout",    w->user_timeout    },
	    {"gssencmode",          "disable"          }, /* Kerberos waits */
	    {"application_name",    w->application     },
	    {"passfile",            "/nonexistent/none"},
	};

	for (size_t i = 0; i < N_ELEMS(usual); i++)
		if (!option(w, usual[i].key))
			pair(p, usual[i].key, usual[i].value);
	pair(p, "client_encoding", "UTF8");
	pair(p, "options", w->presets);
}

static void
pair_own(struct pairs *p, const struct where *w)
{
	static const char *const ours[] = {"host", "hostaddr", "port", "options",
					   "client_encoding"};

	for (const PQconninfoOption *o = w->options; o->keyword; o++) {
		bool own = o->val != NULL;

		for (size_t i = 0; i < N_ELEMS(ours); i++)
			own = own && strcmp(o->keyword, ours[i]) != 0;
		if (own)
			pair(p, o->keyword, o->val);
	}
}

/* With a NUL behind it; empty without one. */
static int
get_password(const struct where *w, struct buf *out, struct err *err)
{
	if (w->password_file[0] != '\0')
		return read_password(w, out, err);
	if (w->password[0] != '\0') {
		buf_put_str(out, w->password);
		buf_put_char(out, '\0');
	}
	if (out->full)
		return err_set(err, "the password of database %.32s is too long",
			       w->name);
	return 0;
}

static PGconn *
connect_to(const struct where *w, struct lists *l, struct err *err)
{
	struct buf password = buf_make(PASSWORD_FILE_MAX + 1);
	struct pairs p = {.n = 0};
	PGconn *pq = NULL;

	buf_put_char(&l->host, '\0');
	buf_put_char(&l->hostaddr, '\0');
	buf_put_char(&l->port, '\0');
	pair_usual(&p, w);
	pair_own(&p, w);
	pair(&p, "host", l->host.at);
	pair(&p, "hostaddr", l->hostaddr.at);
	pair(&p, "port", l->port.at);
	if (get_password(w, &password, err) == 0) {
		if (password.n > 0)
			pair(&p, "password", password.at);
		pq = PQconnectStartParams(p.keys, p.values, 0);
		if (!pq)
			err_set(err, "database %.32s: out of memory", w->name);
	}
	if (password.n > 0)
		explicit_bzero(password.at, password.n);
	buf_release(&password);
	return pq;
}

PGconn *
where_connect(const struct where *w, char *const addresses[HOSTS_MAX], unsigned first,
	      struct err *err)
{
	struct lists l = {buf_make(TEXT_MAX), buf_make(TEXT_MAX), buf_make(TEXT_MAX),
			  0};
	PGconn *pq = NULL;

	for (size_t i = 0; i < w->n_hosts; i++) {
		size_t host = (first + i) % w->n_hosts;

		lists_add_host(&l, w, host, addresses ? addresses[host] : NULL);
	}
	if (l.n == 0)
		err_set(err, "no host has an address");
	else
		pq = connect_to(w, &l, err);
	buf_release(&l.host);
	buf_release(&l.hostaddr);
	buf_release(&l.port);
	return pq;
}

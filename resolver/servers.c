#include "resolver/servers.h"
#include "resolver/anchors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <unbound.h>
#include <unbound-event.h>

#define RESOLV_CONF     "/etc/resolv.conf"
#define FILE_BYTES_MAX  (256u << 10)
#define SERVERS_MAX     8   /* of resolv.conf */
#define SERVER_TEXT_MAX 100 /* of one address with scope and port */

/* What differs from libunbound's own defaults, and why. */
static const struct {
	const char *option, *value;
} options[] = {
    {"do-not-query-localhost:", "no"   }, /* a forwarder on this host */
    {"outgoing-range:",         "1024" }, /* questions on the wire at once */
    {"num-queries-per-thread:", "4096" },
    {"outgoing-num-tcp:",       "64"   },
    {"msg-cache-size:",         "16m"  },
    {"rrset-cache-size:",       "32m"  },
    {"neg-cache-size:",         "4m"   },
    {"key-cache-size:",         "4m"   },
    {"infra-host-ttl:",         "15"   }, /* when one that was away is asked again */
    {"infra-keep-probing:",     "yes"  },
    {"val-bogus-ttl:",          "30"   },
    {"cache-max-negative-ttl:", "900"  },
    {"cache-max-ttl:",          "86400"},
};

/* Names of a house's own networks: whoever is asked shall say, not libunbound. */
static const struct {
	const char *option, *value;
} forwarding[] = {
    {"unblock-lan-zones:",  "yes"},
    {"insecure-lan-zones:", "yes"},
};

static int
fault(const char *what, int code, struct err *err)
{
	return err_set(err, "%s: %s", what, ub_strerror(code));
}

static int
file_read(const char *path, struct buf *out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *at;
	ssize_t n = 1;

	if (fd < 0)
		return err_sys(err, "cannot open %s", path);
	while (n > 0 && (at = buf_extend(out, 4096))) {
		n = read(fd, at, 4096);
		out->n -= 4096 - (size_t)(n > 0 ? n : 0);
	}
	close(fd);
	if (n < 0)
		return err_sys(err, "cannot read %s", path);
	return n > 0 ? err_set(err, "%s is too long", path) : 0;
}

/* --- whom to ask ---------------------------------------------------------- */

/* The next word of a line; empty at its end. */
static struct span
word_take(struct span *line)
{
	struct span word = span_trim(*line, " \t\r");
	size_t n = 0;

	while (n < word.n && word.at[n] != ' ' && word.at[n] != '\t')
		n++;
	*line = span_after(word, n);
	return span_first(word, n);
}

bool
resolv_conf_next(struct span *rest, struct span *address)
{
	while (rest->n > 0) {
		struct span line = span_cut(rest, '\n'), word;

		if (!span_equal(word_take(&line), SPAN("nameserver")))
			continue;
		word = word_take(&line);
		if (word.n > 0) {
			*address = word;
			return true;
		}
	}
	return false;
}

static bool
forwarder_add(struct ub_ctx *ctx, struct span server)
{
	char text[SERVER_TEXT_MAX];

	return span_copy(server, text, sizeof(text)) && ub_ctx_set_fwd(ctx, text) == 0;
}

/* A line that makes no sense does not keep mail from going out. */
static size_t
resolv_conf_add(struct ub_ctx *ctx, struct span text)
{
	struct span address;
	size_t n = 0;

	while (n < SERVERS_MAX && resolv_conf_next(&text, &address)) {
		if (forwarder_add(ctx, address))
			n++;
		else
			logline(LOGLINE_WARNING, "resolver.server",
				L_SPAN("address", address),
				L_STR("why", "not an address"));
	}
	return n;
}

/* As resolv.conf(5): without any, or without the file, the server is on this host. */
static int
resolv_conf_use(struct ub_ctx *ctx, struct err *err)
{
	struct buf text = buf_make(FILE_BYTES_MAX);
	int result = file_read(RESOLV_CONF, &text, err);
	bool missing = result != 0 && err->code == ENOENT;

	if (missing || result == 0) {
		result = 0;
		if (resolv_conf_add(ctx, buf_span(&text)) == 0 &&
		    !forwarder_add(ctx, SPAN("127.0.0.1")))
			result = err_set(err, "the DNS library refuses 127.0.0.1");
	}
	buf_release(&text);
	return result;
}

static int
list_use(struct ub_ctx *ctx, const struct conf_list *servers, struct err *err)
{
	for (size_t i = 0; i < servers->n; i++)
		if (!forwarder_add(ctx, span_str(servers->at[i])))
			return err_set(err,
				       "dns_servers: %s is no ADDRESS or ADDRESS@PORT",
				       servers->at[i]);
	return 0;
}

static bool
asks_root(const struct conf_list *servers)
{
	return servers->n == 1 && strcmp(servers->at[0], "root") == 0;
}

static int
servers_use(struct ub_ctx *ctx, const struct conf_list *servers, struct err *err)
{
	if (asks_root(servers))
		return 0;
	for (size_t i = 0; i < N_ELEMS(forwarding); i++)
		if (ub_ctx_set_option(ctx, forwarding[i].option, forwarding[i].value) !=
		    0)
			return err_set(err, "libunbound does not know %s",
				       forwarding[i].option);
	return servers->n == 0 ? resolv_conf_use(ctx, err)
			       : list_use(ctx, servers, err);
}

/* --- what to trust -------------------------------------------------------- */

static int
anchors_add(struct ub_ctx *ctx, struct span text, struct err *err)
{
	char line[2048];
	int n = 0, code = 0;

	while (code == 0 && text.n > 0) {
		struct span record = span_cut(&text, '\n');

		record = span_trim(span_first(record, span_find(record, ';')), " \t\r");
		if (record.n == 0)
			continue;
		if (!span_copy(record, line, sizeof(line)))
			return err_set(err, "dns_trust_anchor: a line is too long");
		code = ub_ctx_add_ta(ctx, line);
		n++;
	}
	if (code != 0)
		return fault("dns_trust_anchor", code, err);
	return n > 0 ? 0 : err_set(err, "dns_trust_anchor: there is no record in it");
}

static int
anchors_use(struct ub_ctx *ctx, const char *path, struct err *err)
{
	struct buf text = buf_make(FILE_BYTES_MAX);
	int result;

	if (*path == '\0')
		return anchors_add(ctx, SPAN(ROOT_ANCHORS), err);
	result = file_read(path, &text, err);
	if (result == 0)
		result = anchors_add(ctx, buf_span(&text), err);
	buf_release(&text);
	return result;
}

/* --- the context ---------------------------------------------------------- */

static int
options_use(struct ub_ctx *ctx, struct err *err)
{
	for (size_t i = 0; i < N_ELEMS(options); i++)
		if (ub_ctx_set_option(ctx, options[i].option, options[i].value) != 0)
			return err_set(err, "libunbound does not know %s",
				       options[i].option);
	return 0;
}

/* Those who are asked know what loopback addresses are called, but for localhost. */
static int
loopback_forward(struct ub_ctx *ctx)
{
	int code = ub_ctx_zone_remove(ctx, "127.in-addr.arpa.");

	return code != 0
		   ? code
		   : ub_ctx_data_add(ctx, "1.0.0.127.in-addr.arpa. IN PTR localhost.");
}

/* Settings are looked at here; only the text of an anchor can be wrong now. That
 * "test" has no names is not true in every house. */
static int
finalize(struct ub_ctx *ctx, const char *anchor, bool forwards, struct err *err)
{
	int code = ub_ctx_zone_remove(ctx, "test.");

	if (code == 0 && forwards)
		code = loopback_forward(ctx);
	if (code != 0 && *anchor != '\0')
		return err_set(err, "dns_trust_anchor: a line of %s is no DS or DNSKEY",
			       anchor);
	return code == 0 ? 0 : fault("the DNS library refuses its settings", code, err);
}

struct ub_ctx *
servers_context(struct event_base *base, const struct settings *settings,
		struct err *err)
{
	struct ub_ctx *ctx = ub_ctx_create_event(base);

	if (!ctx) {
		(void)err_set(err, "the DNS library cannot start");
		return NULL;
	}
	(void)ub_ctx_debugout(ctx, NULL);
	if (options_use(ctx, err) != 0 ||
	    servers_use(ctx, &settings->dns_servers, err) != 0 ||
	    anchors_use(ctx, settings->dns_trust_anchor, err) != 0 ||
	    finalize(ctx, settings->dns_trust_anchor,
		     !asks_root(&settings->dns_servers), err) != 0) {
		ub_ctx_delete(ctx);
		return NULL;
	}
	return ctx;
}

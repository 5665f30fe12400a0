#include "common/conf/reading.h"

#include <arpa/inet.h>
#include <inttypes.h>

void
conf_release(struct settings *settings)
{
	size_t n;
	const struct conf_row *rows = conf_rows(&n);

	for (size_t i = 0; i < n; i++)
		conf_value_release(&rows[i], settings);
	conf_routes_release(&settings->routes);
	conf_tables_release(&settings->tables);
}

void
conf_put_quoted(struct buf *out, const char *text)
{
	buf_put_char(out, '\'');
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			buf_put_char(out, '\\');
		buf_put_char(out, *text);
	}
	buf_put_char(out, '\'');
}

static void
put_list(struct buf *out, const struct conf_list *list)
{
	buf_put_char(out, '{');
	for (size_t i = 0; i < list->n; i++) {
		buf_put_str(out, i > 0 ? ", " : "");
		conf_put_quoted(out, list->at[i]);
	}
	buf_put_char(out, '}');
}

static void
put_network(struct buf *out, const struct conf_network *network)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	bool v4 = network->bits >= 96 && memcmp(network->address, mapped, 12) == 0;
	char text[INET6_ADDRSTRLEN];

	ASSERT(inet_ntop(v4 ? AF_INET : AF_INET6, network->address + (v4 ? 12 : 0),
			 text, sizeof(text)));
	buf_putf(out, "'%s/%d'", text, v4 ? network->bits - 96 : network->bits);
}

static void
put_networks(struct buf *out, const struct conf_networks *list)
{
	buf_put_char(out, '{');
	for (size_t i = 0; i < list->n; i++) {
		buf_put_str(out, i > 0 ? ", " : "");
		put_network(out, &list->at[i]);
	}
	buf_put_char(out, '}');
}

void
conf_value_text(const struct conf_row *row, const void *values, struct buf *out)
{
	const void *member = conf_member_const(row, values);
	bool star;

	switch (row->type) {
	case CONF_TEXT:
	case CONF_DOMAIN:
	case CONF_PATH:
		conf_put_quoted(out, *(char *const *)member);
		break;
	case CONF_NUMBER:
	case CONF_BYTES:
	case CONF_SECONDS:
		buf_putf(out, "%" PRIu64, *(const uint64_t *)member);
		break;
	case CONF_SWITCH:
		buf_put_str(out, *(const bool *)member ? "yes" : "no");
		break;
	case CONF_CHOICE:
		buf_put(out,
			conf_choice_word(row, (size_t) * (const int *)member, &star));
		break;
	case CONF_LIST:
	case CONF_DOMAINS:
	case CONF_LISTEN:
		put_list(out, member);
		break;
	case CONF_NETWORKS:
		put_networks(out, member);
		break;
	}
}

bool
conf_value_put(const struct settings *settings, struct span name, struct buf *out)
{
	size_t n;
	const struct conf_row *rows = conf_rows(&n);

	for (size_t i = 0; i < n; i++)
		if (span_equal(name, span_str(rows[i].name))) {
			conf_value_text(&rows[i], settings, out);
			return true;
		}
	return false;
}

void
conf_text_put(const struct settings *settings, enum conf_secrets secrets,
	      struct buf *out)
{
	size_t n;
	const struct conf_row *rows = conf_rows(&n);

	for (size_t i = 0; i < n; i++) {
		buf_put_str(out, rows[i].name);
		buf_put_str(out, " = ");
		conf_value_text(&rows[i], settings, out);
		buf_put_char(out, '\n');
	}
	conf_routes_put(&settings->routes, secrets, out);
	conf_tables_put(&settings->tables, out);
}

static bool
value_equal(const struct conf_row *row, const struct settings *a,
	    const struct settings *b)
{
	struct buf x = buf_make(CONF_FILE_BYTES_MAX), y = buf_make(CONF_FILE_BYTES_MAX);
	bool equal;

	conf_value_text(row, a, &x);
	conf_value_text(row, b, &y);
	equal = span_equal(buf_span(&x), buf_span(&y));
	buf_release(&x);
	buf_release(&y);
	return equal;
}

void
conf_keep_fixed(struct settings *fresh, const struct settings *running,
		void (*changed)(const char *name, void *context), void *context)
{
	size_t n;
	const struct conf_row *rows = conf_rows(&n);

	for (size_t i = 0; i < n; i++) {
		if (rows[i].reloadable || value_equal(&rows[i], fresh, running))
			continue;
		conf_value_release(&rows[i], fresh);
		conf_value_copy(&rows[i], running, fresh);
		if (changed)
			changed(rows[i].name, context);
	}
}

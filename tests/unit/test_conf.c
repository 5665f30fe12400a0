/* tests/unit/test_conf.c - the settings table and the reading of the file */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/conf/conf.h"

#include <inttypes.h>
#include <stdio.h>

static int
parse(const char *text, struct settings *out, struct conf_errors *errors)
{
	return conf_parse(span_str(text), "f", "fallback.example", out, errors);
}

/* The errors, joined by newlines; empty when the text is right. */
static void
assert_errors(const char *text, const char *want)
{
	struct buf got = buf_make(100000);
	struct conf_errors errors;
	struct settings s;

	if (parse(text, &s, &errors) == 0)
		conf_release(&s);
	for (size_t i = 0; i < errors.n; i++) {
		buf_put_str(&got, i > 0 ? "\n" : "");
		buf_put_str(&got, errors.at[i].text);
	}
	buf_put_char(&got, '\0');
	assert_string_equal(got.at, want);
	conf_errors_release(&errors);
	buf_release(&got);
}

static void
test_conf_empty_file_has_every_default(void **state)
{
	struct conf_errors errors;
	struct settings s;

	(void)state;
	assert_int_equal(parse("", &s, &errors), 0);
	assert_string_equal(s.hostname, "fallback.example");
	assert_int_equal(s.message_bytes_max, 50u << 20);
	assert_int_equal(s.queue_lifetime, 5 * 86400);
	assert_int_equal(s.log_level, CONF_LOG_INFO);
	assert_int_equal(s.log_level, LOGLINE_INFO);
	assert_int_equal(s.bare_newline, BARE_NEWLINE_REJECT);
	assert_int_equal(s.smtp_listen.n, 1);
	assert_int_equal(s.limits_exempt.n, 2);
	assert_false(s.auth_without_tls);
	conf_release(&s);
}

static void
test_conf_values_of_every_type(void **state)
{
	struct conf_errors errors;
	struct settings s;

	(void)state;
	assert_int_equal(parse("hostname = Mail.Example.ORG # ours\n"
			       "domains = { example.org, /* two */\n"
			       "  \"b\xc3\xbc.example\" // three\n}\n"
			       "message_bytes_max=20M\n"
			       "queue_lifetime = '3d'\n"
			       "auth_without_tls = on\n"
			       "bare_newline = normalise\n"
			       "smtp_listen = {}\n"
			       "pop3_listen = [::1]:110\n"
			       "pop3_listen += {127.0.0.1:110}\n"
			       "trusted_networks = {192.0.2.0/24, 2001:db8::/32, ::1}\n"
			       "log_to = \"/var/log/a b#c\"\n",
			       &s, &errors),
			 0);
	assert_string_equal(s.hostname, "mail.example.org");
	assert_int_equal(s.domains.n, 2);
	assert_string_equal(s.domains.at[1], "b\xc3\xbc.example");
	assert_int_equal(s.message_bytes_max, 20u << 20);
	assert_int_equal(s.queue_lifetime, 3 * 86400);
	assert_true(s.auth_without_tls);
	assert_int_equal(s.bare_newline, BARE_NEWLINE_NORMALISE);
	assert_int_equal(s.smtp_listen.n, 0);
	assert_int_equal(s.pop3_listen.n, 2);
	assert_int_equal(s.trusted_networks.n, 3);
	assert_int_equal(s.trusted_networks.at[0].bits, 120);
	assert_string_equal(s.log_to, "/var/log/a b#c");
	conf_release(&s);
}

static void
test_conf_all_errors_at_once_with_lines(void **state)
{
	(void)state;
	assert_errors(
	    "# comment\n"
	    "hostnam = mail\n"
	    "domains = { example.org,\n"
	    "  \"a..b\" }\n"
	    "message_bytes_max = 20X\n"
	    "queue_lifetime = 0s\n"
	    "bare_newline = {a, b}\n"
	    "foo = { x, y }\n"
	    "recipients_max = 99\n"
	    "log_level = loud\n"
	    "limits_exempt = 1.2.3.4/33\n"
	    "spool_directory = spool\n"
	    "auth_without_tls = maybe\n"
	    "queue_active_max = {}\n"
	    "smtp_listen = \"1.2.3.4:99999\"\n",
	    "f:2: hostnam is not a setting\n"
	    "f:4: domains: \"a..b\" is not a domain name\n"
	    "f:5: message_bytes_max must be a size such as 500, 64K or 50M\n"
	    "f:6: queue_lifetime must be at least 1\n"
	    "f:7: bare_newline takes one value\n"
	    "f:8: foo is not a setting\n"
	    "f:9: recipients_max must be at least 100\n"
	    "f:10: log_level must be error, warning, info or debug\n"
	    "f:11: limits_exempt must be a network such as 192.0.2.0/24 or "
	    "2001:db8::/32\n"
	    "f:12: spool_directory must be a path that starts with /\n"
	    "f:13: auth_without_tls must be yes or no\n"
	    "f:14: queue_active_max takes one value\n"
	    "f:15: smtp_listen must be ADDRESS:PORT, [ADDRESS]:PORT or *:PORT");
}

static void
test_conf_settings_that_must_fit_each_other(void **state)
{
	(void)state;
	assert_errors("queue_retry_min = 2h\nqueue_retry_max = 1h\n",
		      "f:1: queue_retry_min must not be more than queue_retry_max");
	assert_errors("tls_key = /k\n",
		      "f:1: tls_certificate and tls_key need each other");
	assert_errors("\ntls_certificate = /c\n",
		      "f:2: tls_certificate and tls_key need each other");
	assert_errors(
	    "log_to = somewhere\n",
	    "f:1: log_to must be stderr, journal, syslog or a path that starts "
	    "with /");
}

static void
test_conf_wrong_syntax_is_told_with_its_line(void **state)
{
	(void)state;
	assert_errors("hostname = a\nhostname = b\n",
		      "f:2: hostname is set twice, first in line 1");
	assert_errors("\nhostname\n", "f:3: premature end of file");
	assert_errors("a {\n b = c\n}\n", "f:1: missing equal sign after option 'a'");
	assert_errors("hostname = \"abc", "f:1: a quoted text is never closed");
	assert_errors("\n/* x\n", "f:2: a comment is never closed");
	assert_errors("hostname = 'a\nb'\n", "f:2: hostname has a control character");
}

static void
test_conf_refuses_a_nul_byte(void **state)
{
	struct conf_errors errors;
	struct settings s;

	(void)state;
	assert_int_equal(conf_parse(SPAN("hostname = a\n\0\n"), "f", "h", &s, &errors),
			 -1);
	assert_string_equal(errors.at[0].text, "f: has a NUL byte in it");
	conf_errors_release(&errors);
}

/* --- each row ------------------------------------------------------------- */

/* Settings that would stand in the way of an extreme value. */
static void
partner_put(const struct conf_row *row, char *text, size_t size)
{
	static const char *const partners[][2] = {
	    {"queue_retry_min",          "queue_retry_max = 1w"          },
	    {"queue_retry_max",          "queue_retry_min = 1s"          },
	    {"smtp_errors_delay",        "smtp_errors_max = 10000"       },
	    {"smtp_errors_max",          "smtp_errors_delay = 1"         },
	    {"auth_delay_s",             "auth_delay_max_s = 10m"        },
	    {"auth_delay_max_s",         "auth_delay_s = 0"              },
	    {"header_field_bytes_max",   "header_bytes_max = 64M"        },
	    {"header_bytes_max",         "header_field_bytes_max = 1000" },
	    {"remote_connections_first", "remote_connections_max = 10000"},
	    {"remote_connections_max",   "remote_connections_first = 1"  },
	};
	size_t n = strlen(text);

	for (size_t i = 0; i < N_ELEMS(partners); i++)
		if (strcmp(row->name, partners[i][0]) == 0)
			snprintf(text + n, size - n, "%s\n", partners[i][1]);
}

static bool
accepts(const struct conf_row *row, uint64_t value)
{
	struct conf_errors errors;
	struct settings s;
	char text[200];
	bool ok;

	snprintf(text, sizeof(text), "%s = %" PRIu64 "\n", row->name, value);
	partner_put(row, text, sizeof(text));
	ok = parse(text, &s, &errors) == 0;
	if (ok) {
		struct buf put = buf_make(1000), want = buf_make(1000);

		assert_true(conf_value_put(&s, span_str(row->name), &put));
		buf_putf(&want, "%" PRIu64, value);
		assert_true(span_equal(buf_span(&put), buf_span(&want)));
		buf_release(&put);
		buf_release(&want);
		conf_release(&s);
	}
	conf_errors_release(&errors);
	return ok;
}

static void
test_conf_every_number_at_its_limits(void **state)
{
	size_t n;
	const struct conf_row *rows = conf_rows(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		const struct conf_row *row = &rows[i];

		if (row->type != CONF_NUMBER && row->type != CONF_BYTES &&
		    row->type != CONF_SECONDS)
			continue;
		print_message("%s\n", row->name);
		assert_true(accepts(row, row->min));
		assert_true(accepts(row, row->min + 1));
		assert_true(accepts(row, row->max));
		assert_true(accepts(row, row->max - 1));
		assert_false(accepts(row, row->max + 1));
		if (row->min > 0)
			assert_false(accepts(row, row->min - 1));
	}
}

static void
test_conf_every_text_at_its_longest(void **state)
{
	size_t n;
	const struct conf_row *rows = conf_rows(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		struct buf text = buf_make(10000);
		struct conf_errors errors;
		struct settings s;

		if (rows[i].type != CONF_PATH && rows[i].type != CONF_TEXT)
			continue;
		for (uint64_t more = 0; more < 2; more++) {
			buf_reset(&text);
			buf_putf(&text, "%s = /", rows[i].name);
			for (uint64_t k = 1; k < rows[i].max + more; k++)
				buf_put_char(&text, 'x');
			if (strcmp(rows[i].name, "tls_key") == 0 ||
			    strcmp(rows[i].name, "tls_certificate") == 0)
				buf_putf(&text, "\n%s = /y",
					 rows[i].name[4] == 'k' ? "tls_certificate"
								: "tls_key");
			buf_put_char(&text, '\0');
			print_message("%s %d\n", rows[i].name, (int)more);
			assert_int_equal(parse(text.at, &s, &errors), more ? -1 : 0);
			if (!more)
				conf_release(&s);
			conf_errors_release(&errors);
		}
		buf_release(&text);
	}
}

static void
test_conf_every_row_has_help_and_a_unique_name(void **state)
{
	size_t n;
	const struct conf_row *rows = conf_rows(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		assert_true(strlen(rows[i].help) > 5);
		assert_true(strlen(conf_type_name(rows[i].type)) > 2);
		assert_true(rows[i].min <= rows[i].max);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(rows[i].name, rows[k].name);
	}
}

static void
test_conf_text_of_settings_reads_back_to_the_same(void **state)
{
	struct buf first = buf_make(CONF_TEXT_BYTES_MAX);
	struct buf second = buf_make(CONF_TEXT_BYTES_MAX);
	struct conf_errors errors;
	struct settings s, back;

	(void)state;
	assert_int_equal(
	    parse("log_to = \"/a'b\\\\c${HOME}#\"\n"
		  "trusted_networks = {::ffff:1.2.3.0/120, 0.0.0.0/0, ::/0}\n"
		  "bare_newline = normalise\nauth_without_tls = yes\n"
		  "route a.example { to = '[::1]:26' user = x password = 'y\\'' }\n"
		  "route .b.example { to = mx:c.example tls = verify source = ::1 }\n"
		  "route '*' { connections = 1 }\n",
		  &s, &errors),
	    0);
	conf_text_put(&s, CONF_SECRETS_SHOWN, &first);
	assert_int_equal(conf_parse(buf_span(&first), "f", "", &back, &errors), 0);
	conf_text_put(&back, CONF_SECRETS_SHOWN, &second);
	assert_true(span_equal(buf_span(&first), buf_span(&second)));
	conf_release(&s);
	conf_release(&back);
	buf_release(&first);
	buf_release(&second);
}

static void
count_changed(const char *name, void *context)
{
	int *n = context;

	assert_string_equal(name, "spool_directory");
	++*n;
}

static void
test_conf_keep_fixed_keeps_what_needs_a_restart(void **state)
{
	struct conf_errors errors;
	struct settings running, fresh;
	int n = 0;

	(void)state;
	assert_int_equal(
	    parse("spool_directory = /a\nrecipients_max = 100", &running, &errors), 0);
	assert_int_equal(
	    parse("spool_directory = /b\nrecipients_max = 200", &fresh, &errors), 0);
	conf_keep_fixed(&fresh, &running, count_changed, &n);
	assert_int_equal(n, 1);
	assert_string_equal(fresh.spool_directory, "/a");
	assert_int_equal(fresh.recipients_max, 200);
	conf_release(&running);
	conf_release(&fresh);
}

/* --- routes ---------------------------------------------------------------- */

static void
parse_routes(const char *text, struct settings *out)
{
	struct conf_errors errors;

	if (parse(text, out, &errors) != 0)
		print_message("%s\n", errors.at[0].text);
	assert_int_equal(errors.n, 0);
}

static void
test_routes_of_every_form(void **state)
{
	static const struct {
		const char *to, *host;
		bool mx, literal;
		uint16_t port;
	} rows[] = {
	    {"",		       "",                  false, false, 0    },
	    {"mail.Example.NET",       "mail.example.net",  false, false, 0    },
	    {"mail.example.net:2525",  "mail.example.net",  false, false, 2525 },
	    {"mail.example.net:65535", "mail.example.net",  false, false, 65535},
	    {"mx:example.net",         "example.net",       true,  false, 0    },
	    {"MX:example.net:26",      "example.net",       true,  false, 26   },
	    {"[192.0.2.1]",            "192.0.2.1",         false, true,  0    },
	    {"[192.0.2.1]:25",         "192.0.2.1",         false, true,  25   },
	    {"192.0.2.1:25",           "192.0.2.1",         false, true,  25   },
	    {"[2001:db8::1]",          "2001:db8::1",       false, true,  0    },
	    {"[2001:db8::1]:25",       "2001:db8::1",       false, true,  25   },
	    {"b\xc3\xbc.example",      "xn--b-eha.example", false, false, 0    },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct settings s;
		char text[200];

		snprintf(text, sizeof(text), "route \"a.example\" { to = \"%s\" }\n",
			 rows[i].to);
		print_message("%s\n", rows[i].to);
		parse_routes(text, &s);
		assert_int_equal(s.routes.n, 1);
		assert_string_equal(s.routes.at[0].to, rows[i].host);
		assert_int_equal(s.routes.at[0].mx, rows[i].mx);
		assert_int_equal(s.routes.at[0].literal, rows[i].literal);
		assert_int_equal(s.routes.at[0].port, rows[i].port);
		assert_int_equal(s.routes.at[0].tls, CONF_REMOTE_TLS_DEFAULT);
		conf_release(&s);
	}
}

static void
test_hop_alone_is_read_as_a_route_has_it(void **state)
{
	static const char *const bad[] = {
	    "",    "mx:",         "mx:[192.0.2.1]", "a b.example",
	    ":25", "a.example:0", "a.example:x"};
	struct conf_hop hop = {0};

	(void)state;
	assert_true(conf_hop_parse(SPAN("mx:Example.net:26"), &hop));
	assert_string_equal(hop.host, "example.net");
	assert_true(hop.mx);
	assert_int_equal(hop.port, 26);
	free(hop.host);
	hop = (struct conf_hop){0};
	for (size_t i = 0; i < N_ELEMS(bad); i++)
		if (conf_hop_parse(span_str(bad[i]), &hop))
			fail_msg("%s", bad[i]);
	assert_null(hop.host);
}

static const char all_keys[] = "route 'Example.ORG' {\n"
			       "  to = [192.0.2.1] # here\n"
			       "  protocol = lmtp\n"
			       "  tls = dane-only\n"
			       "  tls_name = Lmtp.example.net\n"
			       "  user = me\n"
			       "  password = 'a\\'b\\\\\"c'\n"
			       "  connections = 3\n"
			       "  messages_per_minute = 60\n"
			       "  source = 2001:db8::2\n"
			       "}\n";

static void
test_route_has_every_key(void **state)
{
	const struct conf_route *route;
	struct settings s;

	(void)state;
	parse_routes(all_keys, &s);
	route = conf_route_find(&s.routes, SPAN("example.org"));
	assert_non_null(route);
	assert_string_equal(route->to, "192.0.2.1");
	assert_int_equal(route->protocol, ROUTE_LMTP);
	assert_int_equal(route->port, CONF_LMTP_PORT);
	assert_int_equal(route->tls, CONF_REMOTE_TLS_DANE_ONLY);
	assert_string_equal(route->tls_name, "lmtp.example.net");
	assert_string_equal(route->user, "me");
	assert_string_equal(route->password, "a'b\\\"c");
	assert_int_equal(route->connections_max, 3);
	assert_int_equal(route->messages_per_minute_max, 60);
	assert_string_equal(route->source, "2001:db8::2");
	assert_true(conf_routes_secret(&s.routes));
	conf_release(&s);
}

static void
test_route_words_of_tls_are_those_of_remote_tls(void **state)
{
	static const char *const words[] = {"none",    "may",    "dane",
					    "encrypt", "verify", "dane-only"};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(words); i++) {
		struct settings s;
		char text[200];

		snprintf(text, sizeof(text), "remote_tls = %s\nroute a { tls = %s }\n",
			 words[i], words[i]);
		parse_routes(text, &s);
		assert_int_equal(s.remote_tls, i);
		assert_int_equal(s.routes.at[0].tls, i);
		conf_release(&s);
	}
}

static void
test_route_found_is_the_nearest(void **state)
{
	static const struct {
		const char *domain, *title;
	} rows[] = {
	    {"example.org",               "example.org"          },
	    {"EXAMPLE.org",               "example.org"          },
	    {"a.example.org",             ".example.org"         },
	    {"a.b.example.org",           ".b.example.org"       },
	    {"b.example.org",             ".example.org"         },
	    {"notexample.org",            "*"                    },
	    {"[192.0.2.1]",               "[192.0.2.1]"          },
	    {"[192.0.2.10]",              "*"                    },
	    {"[IPv6:2001:db8::1]",        "*"                    },
	    {"B\xc3\xbc"
	     "cher.example", "xn--bcher-kva.example"},
	    {"xn--bcher-kva.example",     "xn--bcher-kva.example"},
	    {"",			  "*"		    },
	};
	struct settings s;
	char text[400];

	(void)state;
	parse_routes("route '*' {}\nroute .example.org { }\nroute example.org {}\n"
		     "route .b.Example.org {}\nroute '[192.0.2.1]' {}\n"
		     "route b\xc3\xbc"
		     "cher.example {}",
		     &s);
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		const struct conf_route *route =
		    conf_route_find(&s.routes, span_str(rows[i].domain));

		print_message("%s\n", rows[i].domain);
		assert_non_null(route);
		assert_string_equal(route->domain, rows[i].title);
	}
	memset(text, 'x', sizeof(text));
	assert_string_equal(
	    conf_route_find(&s.routes, span_make(text, sizeof(text)))->domain, "*");
	conf_release(&s);
	parse_routes("route a.example {}", &s);
	assert_null(conf_route_find(&s.routes, SPAN("b.example")));
	conf_release(&s);
	parse_routes("", &s);
	assert_null(conf_route_find(&s.routes, SPAN("b.example")));
	assert_false(conf_routes_secret(&s.routes));
	conf_release(&s);
}

static void
test_route_errors_have_lines(void **state)
{
	(void)state;
	assert_errors("# route x {\nhostname = route\nroute \"a b\" {\n}\n"
		      "route good {\n to = \"x:0\"\n}\n"
		      "route more {\n to = a\n tls = loud\n\n connections = 10001\n}\n"
		      "route names {\n too = a\n hostname = b\n}\n"
		      "route r { source = {} }\n"
		      "route last { password = x }\nto = y\n",
		      "f:3: route \"a b\": is not a domain\n"
		      "f:5: route \"good\": to must be HOST, HOST:PORT, [ADDRESS], "
		      "[ADDRESS]:PORT or mx:DOMAIN\n"
		      "f:10: route \"more\": tls must be default, none, may, dane, "
		      "encrypt, verify or dane-only\n"
		      "f:12: route \"more\": connections must be at most 10000\n"
		      "f:15: too is not a setting of a route\n"
		      "f:16: hostname is not a setting of a route\n"
		      "f:18: route \"r\": source takes one value\n"
		      "f:19: route \"last\": user and password need each other\n"
		      "f:20: to is not a setting");
	assert_errors("route a { to = b }\nroute a { to = c }\n",
		      "f:2: found duplicate title 'a'");
	assert_errors("route a { }\nroute A { }\n",
		      "f:2: route \"a\" is there twice, first in line 1");
	assert_errors("route a { to = b to = c }\n",
		      "f:1: to is set twice, first in line 1");
	assert_errors("route a { protocol = lmtp }",
		      "f:1: route \"a\": protocol lmtp needs the host in `to`");
	assert_errors(
	    "\nroute a { user = x password = y }",
	    "f:2: route \"a\": a password goes to nobody but the server in `to`");
	assert_errors("route a { to = b }\nroute c {\n to = d\n",
		      "f:4: a section is never closed");
	assert_errors("route a { route b {} }",
		      "f:1: missing equal sign after option 'route'");
	assert_errors("route a { source = here }",
		      "f:1: route \"a\": source is not an address");
	assert_errors("route a { to = mx:1.2.3.4 }",
		      "f:1: route \"a\": to must be HOST, HOST:PORT, [ADDRESS], "
		      "[ADDRESS]:PORT or mx:DOMAIN");
	assert_errors("remote_source = {192.0.2.1, eth0}",
		      "f:1: remote_source: \"eth0\" is not an address");
}

static void
test_route_passwords_can_be_hidden(void **state)
{
	struct buf text = buf_make(CONF_TEXT_BYTES_MAX);
	struct conf_errors errors;
	struct settings s, back;

	(void)state;
	parse_routes(all_keys, &s);
	conf_text_put(&s, CONF_SECRETS_HIDDEN, &text);
	assert_int_equal(conf_parse(buf_span(&text), "f", "", &back, &errors), 0);
	assert_int_equal(back.routes.n, 1);
	assert_string_equal(back.routes.at[0].user, "");
	assert_string_equal(back.routes.at[0].password, "");
	assert_int_equal(back.routes.at[0].connections_max, 3);
	conf_release(&s);
	conf_release(&back);
	buf_release(&text);
}

static void
many_routes(unsigned n, struct buf *text)
{
	buf_reset(text);
	for (unsigned i = 0; i < n; i++)
		buf_putf(text, "route \"d%u.example.org\" { to = \"m%u.example\" }\n",
			 i * 7919 % CONF_ROUTES_MAX, i);
}

static void
test_route_number_at_its_limit(void **state)
{
	struct buf text = buf_make(CONF_TEXT_BYTES_MAX);
	struct conf_errors errors;
	struct settings s;
	char name[40];

	(void)state;
	many_routes(CONF_ROUTES_MAX, &text);
	assert_true(text.n < CONF_FILE_BYTES_MAX);
	assert_int_equal(conf_parse(buf_span(&text), "f", "h", &s, &errors), 0);
	assert_int_equal(s.routes.n, CONF_ROUTES_MAX);
	for (unsigned i = 0; i < CONF_ROUTES_MAX; i++) {
		snprintf(name, sizeof(name), "d%u.example.org", i);
		assert_non_null(conf_route_find(&s.routes, span_str(name)));
	}
	conf_release(&s);
	buf_putf(&text, "route one.more {}");
	assert_int_equal(conf_parse(buf_span(&text), "f", "h", &s, &errors), -1);
	assert_string_equal(errors.at[0].text,
			    "f:10001: there are more than 10000 routes");
	conf_errors_release(&errors);
	buf_release(&text);
}

/* --- addresses ------------------------------------------------------------ */

static void
test_listen_forms(void **state)
{
	static const struct {
		const char *text;
		bool ok, any, v4;
		unsigned port;
	} rows[] = {
	    {"*:25",         true,  true,  false, 25   },
	    {"127.0.0.1:0",  true,  false, true,  0    },
	    {"[::1]:65535",  true,  false, false, 65535},
	    {"[::1]:65536",  false, 0,     0,     0    },
	    {"::1:25",       false, 0,     0,     0    },
	    {"[::1]",        false, 0,     0,     0    },
	    {":25",          false, 0,     0,     0    },
	    {"localhost:25", false, 0,     0,     0    },
	    {"1.2.3.4:",     false, 0,     0,     0    },
	    {"1.2.3:25",     false, 0,     0,     0    },
	    {"",             false, 0,     0,     0    },
	    {"[1.2.3.4]:25", false, 0,     0,     0    },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct conf_listen got = {0};

		print_message("%s\n", rows[i].text);
		assert_int_equal(conf_listen_parse(span_str(rows[i].text), &got),
				 rows[i].ok);
		assert_int_equal(got.any, rows[i].any);
		assert_int_equal(got.v4, rows[i].v4);
		assert_int_equal(got.port, rows[i].port);
	}
}

static void
test_networks_match(void **state)
{
	static const struct {
		const char *network, *address;
		bool want;
	} rows[] = {
	    {"192.0.2.0/24",  "192.0.2.255",    true },
	    {"192.0.2.0/24",  "192.0.3.0",      false},
	    {"192.0.2.7",     "192.0.2.7",      true },
	    {"192.0.2.7",     "192.0.2.6",      false},
	    {"10.0.0.0/9",    "10.127.255.255", true },
	    {"10.0.0.0/9",    "10.128.0.0",     false},
	    {"0.0.0.0/0",     "255.1.2.3",      true },
	    {"0.0.0.0/0",     "2001:db8::1",    false},
	    {"::/0",          "1.2.3.4",        true },
	    {"2001:db8::/32", "2001:db8:1::",   true },
	    {"2001:db8::/32", "2001:db9::",     false},
	    {"::1",           "::1",            true },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct conf_network network, address;
		struct conf_networks list = {&network, 1};

		print_message("%s %s\n", rows[i].network, rows[i].address);
		assert_true(conf_network_parse(span_str(rows[i].network), &network));
		assert_true(conf_network_parse(span_str(rows[i].address), &address));
		assert_int_equal(conf_networks_match(&list, address.address),
				 rows[i].want);
	}
}

static void
test_network_wrong_forms_fail(void **state)
{
	static const char *const bad[] = {"",           "/",      "1.2.3.4/",
					  "1.2.3.4/33", "::/129", "1.2.3.4/x",
					  "1.2.3/24",   "a",      "1.2.3.4/24/1"};
	struct conf_network out;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(bad); i++) {
		print_message("%s\n", bad[i]);
		assert_false(conf_network_parse(span_str(bad[i]), &out));
	}
}

/* --- tables ---------------------------------------------------------------- */

static void
test_tables_of_every_type_and_back(void **state)
{
	struct buf first = buf_make(CONF_TEXT_BYTES_MAX);
	struct buf second = buf_make(CONF_TEXT_BYTES_MAX);
	const struct conf_table *people;
	struct conf_errors errors;
	struct settings s, back;

	(void)state;
	assert_int_equal(
	    parse("client_access = {blocked, b}\ntable b { type = cidr file = /c }\n"
		  "table blocked { file = '/etc/a b' }\n"
		  "table people { type = postgresql connection = 'host=x'\n"
		  "  query = \"SELECT a FROM b WHERE c = '%s'\" timeout_s = 3 }\n"
		  "table old { type = postgresql file = /p.cf }\n",
		  &s, &errors),
	    0);
	assert_int_equal(s.tables.n, 4);
	assert_string_equal(s.client_access.at[0], "blocked");
	people = conf_table_find(&s.tables, SPAN("people"));
	assert_non_null(people);
	assert_int_equal(people->type, CONF_TABLE_POSTGRESQL);
	assert_string_equal(people->query, "SELECT a FROM b WHERE c = '%s'");
	assert_int_equal(people->timeout_s, 3);
	assert_null(conf_table_find(&s.tables, SPAN("nobody")));
	conf_text_put(&s, CONF_SECRETS_HIDDEN, &first);
	assert_int_equal(conf_parse(buf_span(&first), "f", "", &back, &errors), 0);
	conf_text_put(&back, CONF_SECRETS_HIDDEN, &second);
	assert_true(span_equal(buf_span(&first), buf_span(&second)));
	conf_release(&s);
	conf_release(&back);
	buf_release(&first);
	buf_release(&second);
}

static void
test_table_errors_have_lines(void **state)
{
	(void)state;
	assert_errors("table a { }", "f:1: table \"a\": needs a file");
	assert_errors("\ntable 'a b' { file = /x }",
		      "f:2: table \"a b\": a name is letters, digits, \"-\", \"_\" and "
		      "\".\"");
	assert_errors("table a { file = /x\n tipe = text }",
		      "f:2: tipe is not a setting of a table");
	assert_errors(
	    "table a { file = /x query = 'SELECT %s' }",
	    "f:1: table \"a\": query, connection and password_file are for type "
	    "postgresql");
	assert_errors("table a { type = postgresql }",
		      "f:1: table \"a\": needs a query");
	assert_errors("table a { type = postgresql file = /x query = 'SELECT %s' }",
		      "f:1: table \"a\": takes either a file, or connection and query");
	assert_errors("\nhelo_access = {a}\n",
		      "f:2: helo_access: there is no table \"a\"");
	assert_errors("route x { }\ntable a { file = /x",
		      "f:2: a section is never closed");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_conf_empty_file_has_every_default),
	    cmocka_unit_test(test_conf_values_of_every_type),
	    cmocka_unit_test(test_conf_all_errors_at_once_with_lines),
	    cmocka_unit_test(test_conf_settings_that_must_fit_each_other),
	    cmocka_unit_test(test_conf_wrong_syntax_is_told_with_its_line),
	    cmocka_unit_test(test_conf_refuses_a_nul_byte),
	    cmocka_unit_test(test_conf_every_number_at_its_limits),
	    cmocka_unit_test(test_conf_every_text_at_its_longest),
	    cmocka_unit_test(test_conf_every_row_has_help_and_a_unique_name),
	    cmocka_unit_test(test_conf_text_of_settings_reads_back_to_the_same),
	    cmocka_unit_test(test_conf_keep_fixed_keeps_what_needs_a_restart),
	    cmocka_unit_test(test_routes_of_every_form),
	    cmocka_unit_test(test_hop_alone_is_read_as_a_route_has_it),
	    cmocka_unit_test(test_route_has_every_key),
	    cmocka_unit_test(test_route_words_of_tls_are_those_of_remote_tls),
	    cmocka_unit_test(test_route_found_is_the_nearest),
	    cmocka_unit_test(test_route_errors_have_lines),
	    cmocka_unit_test(test_route_passwords_can_be_hidden),
	    cmocka_unit_test(test_route_number_at_its_limit),
	    cmocka_unit_test(test_tables_of_every_type_and_back),
	    cmocka_unit_test(test_table_errors_have_lines),
	    cmocka_unit_test(test_listen_forms),
	    cmocka_unit_test(test_networks_match),
	    cmocka_unit_test(test_network_wrong_forms_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* tests/unit/test_conf_route.c - routes: their forms, keys and errors */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/conf_fixture.h"

#include <stdio.h>

static void
parse_routes(const char *text, struct settings *out)
{
	struct conf_errors errors;

	if (parse_text(text, out, &errors) != 0)
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
	static const char *const bad[] = {"",
					  "mx:",
					  "mx:[192.0.2.1]",
					  "a b.example",
					  ":25",
					  "a.example:0",
					  "a.example:x",
					  "lmtp://",
					  "lmtp://mx:a.example"};
	struct conf_hop hop = {0};

	(void)state;
	assert_true(conf_hop_parse(SPAN("mx:Example.net:26"), &hop));
	assert_string_equal(hop.host, "example.net");
	assert_true(hop.mx);
	assert_int_equal(hop.port, 26);
	free(hop.host);
	assert_true(conf_hop_parse(SPAN("lmtp://[192.0.2.1]:24"), &hop));
	assert_string_equal(hop.host, "192.0.2.1");
	assert_true(hop.lmtp && hop.literal && !hop.mx);
	free(hop.host);
	assert_true(conf_hop_parse(SPAN("lmtp:24"), &hop)); /* a host of that name */
	assert_false(hop.lmtp);
	assert_string_equal(hop.host, "lmtp");
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_routes_of_every_form),
	    cmocka_unit_test(test_hop_alone_is_read_as_a_route_has_it),
	    cmocka_unit_test(test_route_has_every_key),
	    cmocka_unit_test(test_route_words_of_tls_are_those_of_remote_tls),
	    cmocka_unit_test(test_route_found_is_the_nearest),
	    cmocka_unit_test(test_route_errors_have_lines),
	    cmocka_unit_test(test_route_passwords_can_be_hidden),
	    cmocka_unit_test(test_route_number_at_its_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

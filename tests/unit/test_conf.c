/* tests/unit/test_conf.c - the settings table and the reading of the file */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/conf_fixture.h"

#include <inttypes.h>
#include <stdio.h>

static void
test_conf_empty_file_has_every_default(void **state)
{
	struct conf_errors errors;
	struct settings s;

	(void)state;
	assert_int_equal(parse_text("", &s, &errors), 0);
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
	assert_int_equal(
	    parse_text("hostname = Mail.Example.ORG # ours\n"
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
	ok = parse_text(text, &s, &errors) == 0;
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
			assert_int_equal(parse_text(text.at, &s, &errors),
					 more ? -1 : 0);
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
	    parse_text(
		"log_to = \"/a'b\\\\c${HOME}#\"\n"
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
	    parse_text("spool_directory = /a\nrecipients_max = 100", &running, &errors),
	    0);
	assert_int_equal(
	    parse_text("spool_directory = /b\nrecipients_max = 200", &fresh, &errors),
	    0);
	conf_keep_fixed(&fresh, &running, count_changed, &n);
	assert_int_equal(n, 1);
	assert_string_equal(fresh.spool_directory, "/a");
	assert_int_equal(fresh.recipients_max, 200);
	conf_release(&running);
	conf_release(&fresh);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

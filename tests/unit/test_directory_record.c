/* tests/unit/test_directory_record.c - what older versions wrote is read on; bytes of
 * requests, rows and values */
#include "tests/unit/directory_fixture.h"

#include "common/directory/internal.h"

/* ---- values of version 1 */

static void
begin(struct buf *value)
{
	buf_reset(value);
	wire_put_u8(value, 1);
}

static void
store(struct fixture *f, const struct record_key *key, struct buf *value)
{
	struct changes changes;

	wire_put_u32(value, crc32c(0, buf_span(value)));
	changes_init(&changes);
	changes_put(&changes, key, buf_span(value));
	assert_int_equal(changes_apply(&changes, f->d->backend, &f->err),
			 DIRECTORY_DONE);
	changes_release(&changes);
}

static struct record_key
key_of(enum directory_kind kind, const char *name)
{
	struct directory_name n;
	struct err err;

	assert_int_equal(directory_name_parse(span_str(name), &n, &err), 0);
	return record_key_of(kind, &n, (struct span){0});
}

/* A directory as the first version left it. */
static void
fill_old(struct fixture *f)
{
	struct record_key key = key_of(DIRECTORY_DOMAIN, "@example.org"), account, id;
	struct directory_password password = {.crypt = "$y$x", .has_scram = true};
	struct buf value = buf_make(4096);

	begin(&value);
	wire_put_bytes(&value, SPAN("example.org"));
	wire_put_u64(&value, 1);
	wire_put_u8(&value, 1);
	wire_put_u64(&value, 2);
	store(f, &key, &value);
	account = key_of(DIRECTORY_ACCOUNT, "you@example.org");
	begin(&value);
	wire_put_bytes(&value, SPAN("you@example.org"));
	wire_put_u64(&value, 2);
	wire_put_u8(&value, 0);
	wire_put_u64(&value, 5000);
	wire_put_u64(&value, 1600000000);
	directory_password_put(&password, &value);
	store(f, &account, &value);
	id = record_key_id(2);
	begin(&value);
	wire_put_bytes(&value, record_key_span(&account));
	store(f, &id, &value);
	key = key_of(DIRECTORY_ALIAS, "info@example.org");
	begin(&value);
	wire_put_u32(&value, 2);
	wire_put_bytes(&value, SPAN("you@example.org"));
	wire_put_bytes(&value, SPAN("X@y.example"));
	store(f, &key, &value);
	key = record_key_meta("next-id");
	begin(&value);
	wire_put_u64(&value, 3);
	store(f, &key, &value);
	buf_release(&value);
}

static void
check_old(struct fixture *f)
{
	struct directory_account a;

	expect(f, "you+x@example.org", "targets you@example.org/x");
	expect(f, "info@example.org", "targets you@example.org ->X@y.example");
	expect(f, "postmaster@example.org", "targets you@example.org");
	assert_int_equal(
	    directory_account_find(f->d, SPAN("you@example.org"), &a, &f->err),
	    DIRECTORY_DONE);
	assert_int_equal(a.id, 2);
	assert_int_equal(a.created, 1600000000);
	assert_string_equal(a.password.crypt, "$y$x");
	assert_true(a.password.has_scram);
}

static void
test_values_of_version_1_are_read(void **state)
{
	struct fixture *f = *state;

	fill_old(f);
	check_old(f);
	directory_free(&f->d);
	open_it(f);
	check_old(f);
}

static void
test_values_of_version_1_are_written_anew(void **state)
{
	struct fixture *f = *state;
	struct directory_account a;

	fill_old(f);
	assert_int_equal(make_account_quota(f->d, SPAN("you@example.org"), 7, &f->err),
			 DIRECTORY_DONE);
	assert_int_equal(make_domain_enabled(f->d, SPAN("example.org"), true, &f->err),
			 DIRECTORY_DONE);
	add_alias(f, "info@example.org", "z@y.example");
	expect(f, "info@example.org",
	       "targets you@example.org ->X@y.example ->z@y.example");
	assert_int_equal(
	    directory_account_find(f->d, SPAN("you@example.org"), &a, &f->err),
	    DIRECTORY_DONE);
	assert_int_equal(a.quota_bytes, 7);
	assert_string_equal(a.password.crypt, "$y$x");
	assert_int_equal(add_account(f, "new@example.org"), 3);
}

static void
test_a_damaged_value_is_a_fault(void **state)
{
	struct fixture *f = *state;
	struct record_key key = key_of(DIRECTORY_ACCOUNT, "you@example.org");
	struct directory_object o = {.kind = DIRECTORY_ACCOUNT};
	struct buf value = buf_make(4096);

	add_domain(f, "example.org");
	directory_put_number(&o, FIELD_ACCOUNT_ID, 5);
	record_put_object(&o, &value);
	for (size_t i = 0; i < value.n; i++) {
		value.at[i] ^= 0x20;
		assert_false(record_get_object(buf_span(&value), &o));
		value.at[i] ^= 0x20;
		assert_false(record_get_object(span_first(buf_span(&value), i), &o));
	}
	assert_true(record_get_object(buf_span(&value), &o));
	value.n -= 4;
	value.at[1] = DIRECTORY_FIELDS - 1; /* of a later version */
	store(f, &key, &value);
	expect(f, "you@example.org", "fault");
	buf_release(&value);
}

/* ---- requests and rows */

static void
test_requests_cut_anywhere_are_none(void **state)
{
	struct directory_request r = {
	    .verb = DIRECTORY_UPDATE,
	    .object = {.kind = DIRECTORY_ACCOUNT, .name = SPAN("you@example.org")},
	    .after = SPAN("a@b.example"),
	    .limit = 7
        };
	struct directory_request got;
	struct buf bytes = buf_make(DIRECTORY_REQUEST_MAX), items = buf_make(1000);

	(void)state;
	directory_item_put(&items, SPAN("a@b.example"));
	directory_put_number(&r.object, FIELD_ACCOUNT_QUOTA_BYTES, 1 << 30);
	directory_put_text(&r.object, FIELD_ACCOUNT_FORWARD, buf_span(&items));
	r.object.values[FIELD_ACCOUNT_FORWARD].how = DIRECTORY_VALUE_INSERT;
	directory_request_put(&r, &bytes);
	for (size_t cut = 0; cut < bytes.n; cut++)
		assert_false(
		    directory_request_get(span_first(buf_span(&bytes), cut), &got));
	assert_true(directory_request_get(buf_span(&bytes), &got));
	assert_int_equal(got.object.values[FIELD_ACCOUNT_QUOTA_BYTES].number, 1 << 30);
	assert_int_equal(got.object.values[FIELD_ACCOUNT_FORWARD].how,
			 DIRECTORY_VALUE_INSERT);
	assert_true(directory_item_find(got.object.values[FIELD_ACCOUNT_FORWARD].text,
					SPAN("a@b.example")));
	buf_put_char(&bytes, 'x');
	assert_false(directory_request_get(buf_span(&bytes), &got));
	for (int i = 0; i < 256; i++)
		assert_int_equal(directory_result_byte(directory_result_of((uint8_t)i)),
				 i <= DIRECTORY_LIMIT ? i : 255);
	buf_release(&bytes);
	buf_release(&items);
}

/* ---- values as people write them */

static void
test_value_rows(void **state)
{
	static const struct {
		enum directory_kind kind;
		size_t field;
		const char *text, *want; /* null: it cannot be read */
	} rows[] = {
	    {DIRECTORY_ACCOUNT,      FIELD_ACCOUNT_QUOTA_BYTES,      "10G",              "10737418240"                  },
	    {DIRECTORY_ACCOUNT,      FIELD_ACCOUNT_QUOTA_BYTES,      "none",             "0"                            },
	    {DIRECTORY_ACCOUNT,      FIELD_ACCOUNT_QUOTA_BYTES,      "-1",               NULL                           },
	    {DIRECTORY_ACCOUNT,      FIELD_ACCOUNT_DISABLED,         "YES",              "yes"                          },
	    {DIRECTORY_ACCOUNT,      FIELD_ACCOUNT_DISABLED,         "off",              "no"                           },
	    {DIRECTORY_ACCOUNT,      FIELD_ACCOUNT_DISABLED,         "",                 NULL                           },
	    {DIRECTORY_ACCOUNT,      FIELD_ACCOUNT_REPLY_UNTIL,      "2026-02-28",
	     "2026-02-28T00:00:00Z"										     },
	    {DIRECTORY_ACCOUNT,      FIELD_ACCOUNT_REPLY_UNTIL,      "2024-02-29T23:59",
	     "2024-02-29T23:59:00Z"										     },
	    {DIRECTORY_ACCOUNT,      FIELD_ACCOUNT_REPLY_UNTIL,      "2026-02-29",       NULL                           },
	    {DIRECTORY_ACCOUNT,      FIELD_ACCOUNT_REPLY_UNTIL,      "2026-13-01",       NULL                           },
	    {DIRECTORY_ACCOUNT,      FIELD_ACCOUNT_REPLY_UNTIL,      "2026-1-01",        NULL                           },
	    {DIRECTORY_ACCOUNT,      FIELD_ACCOUNT_REPLY_UNTIL,      "2026-01-01T25:00", NULL                           },
	    {DIRECTORY_ACCOUNT,      FIELD_ACCOUNT_REPLY_UNTIL,      "1969-01-01",       NULL                           },
	    {DIRECTORY_ACCOUNT,      FIELD_ACCOUNT_REPLY_UNTIL,      "none",             ""                             },
	    {DIRECTORY_ACCOUNT,      FIELD_ACCOUNT_REPLY_INTERVAL_S, "7d",               "604800"                       },
	    {DIRECTORY_ACCOUNT,      FIELD_ACCOUNT_FORWARD,
	     " a@b.example, \"x,y\"@c.example,,",                                        "a@b.example,\"x,y\"@c.example"},
	    {DIRECTORY_ACCOUNT,      FIELD_ACCOUNT_PASSWORD,         "x",                NULL                           },
	    {DIRECTORY_LIST,         FIELD_LIST_POSTING,             "Members",          "members"                      },
	    {DIRECTORY_LIST,         FIELD_LIST_POSTING,             "some",             NULL                           },
	    {DIRECTORY_APP_PASSWORD, FIELD_APP_PASSWORD_SCOPE,       "pop3, smtp",
	     "smtp,pop3"												},
	    {DIRECTORY_APP_PASSWORD, FIELD_APP_PASSWORD_SCOPE,       "ftp",              NULL                           },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		const struct directory_field *f =
		    directory_field(rows[i].kind, rows[i].field);
		struct buf out = buf_make(1000);
		struct directory_value v;
		struct arena arena;
		struct err err;
		int r;

		print_message("%s=%s\n", f->name, rows[i].text);
		arena_init(&arena, 1 << 16);
		r = directory_value_parse(f, span_str(rows[i].text), &arena, &v, &err);
		assert_int_equal(r, rows[i].want ? 0 : -1);
		if (r == 0)
			directory_value_write(f, &v, &out);
		if (r == 0)
			assert_true(span_equal(buf_span(&out), span_str(rows[i].want)));
		arena_release(&arena);
		buf_release(&out);
	}
}

static void
test_fields_are_named_once_and_fit_a_row(void **state)
{
	(void)state;
	for (int kind = 0; kind < DIRECTORY_KINDS; kind++) {
		uint64_t bytes = 0;

		for (size_t i = 0; i < DIRECTORY_FIELDS; i++) {
			const struct directory_field *f =
			    directory_field((enum directory_kind)kind, i);

			if (!f)
				continue;
			assert_int_equal(
			    directory_field_number((enum directory_kind)kind,
						   span_str(f->name)),
			    i);
			assert_true(f->help && f->help[0]);
			assert_true(directory_field_is_number(f) || f->max > 0);
			bytes += directory_field_is_number(f) ? 10 : f->max + 6;
		}
		/* A row is one ipc packet. */
		assert_true(bytes + DIRECTORY_ADDRESS_MAX + DIRECTORY_LABEL_MAX + 16 <
			    DIRECTORY_REQUEST_MAX);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(test_values_of_version_1_are_read),
	    WITH(test_values_of_version_1_are_written_anew),
	    WITH(test_a_damaged_value_is_a_fault),
	    cmocka_unit_test(test_requests_cut_anywhere_are_none),
	    cmocka_unit_test(test_value_rows),
	    cmocka_unit_test(test_fields_are_named_once_and_fit_a_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

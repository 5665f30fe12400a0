#include "tests/unit/directory_conformance.h"

#include <stdio.h>

#include "tests/unit/directory_script.h"

static const struct conformance *backend;

static int
setup(void **state)
{
	*state = script_new(backend->make());
	return 0;
}

static int
teardown(void **state)
{
	struct script *s = *state;
	struct directory *d = script_free(&s);

	backend->drop(&d);
	return 0;
}

/* ---- rows of operations */

static void
test_rows_give_their_answers(void **state)
{
	int failed = 0;

	(void)state;
	for (size_t i = 0; i < script_scenarios_n; i++) {
		struct script *s = script_new(backend->make());
		struct directory *d;

		print_message("%s: %s\n", backend->name, script_scenarios[i].name);
		for (size_t row = 0; row < script_scenarios[i].n; row++)
			failed += !script_check(s, &script_scenarios[i].rows[row]);
		d = script_free(&s);
		backend->drop(&d);
	}
	assert_int_equal(failed, 0);
}

/* ---- pages */

static void
fill(struct script *s)
{
	char line[160];

	script_do(s, "add domain a.example");
	script_do(s, "add domain aa.example administrators=");
	script_do(s, "add domain b.example alias_of=a.example");
	for (int i = 0; i < 12; i++) {
		snprintf(line, sizeof(line),
			 "add account u%d@a%s.example name=User quota_bytes=%dM", i,
			 i % 3 ? "" : "a", i);
		script_do(s, line);
	}
	script_do(s, "set domain a.example administrators=u1@a.example");
	script_do(s, "add alias @a.example targets=u1@a.example,x@y.example");
	script_do(s, "add alias info@aa.example targets=u0@aa.example");
	script_do(s, "add group g@a.example members=u1@a.example,u0@aa.example");
	script_do(s, "add list l@a.example members=group:g@a.example,info@aa.example "
		     "owner=u2@a.example posting=members");
	script_do(s, "set account u4@a.example forward=u5@a.example forward_keep=yes "
		     "reply_enabled=yes reply_text=Gone reply_until=2030-01-01");
}

/* All names of a kind, asked for `limit` at a time. */
static void
all_names(struct script *s, enum directory_kind kind, const char *in, uint32_t limit,
	  struct buf *out)
{
	struct directory_request r = {
	    .verb = DIRECTORY_LISTING,
	    .object = {.kind = kind, .name = span_str(in)},
	    .limit = limit
        };
	char last[DIRECTORY_ADDRESS_MAX + 1] = "";

	buf_reset(out);
	for (;;) {
		struct directory_object row;
		struct cursor c;
		bool any = false;

		r.after = span_str(last);
		assert_int_equal(script_request(s, &r), DIRECTORY_DONE);
		c = cursor_make(buf_span(&s->rows));
		while (directory_item_next(&c, &row.name)) {
			assert_true(directory_row_get(row.name, &row));
			buf_put(out, row.name);
			buf_put_char(out, ' ');
			any = true;
		}
		if (!any)
			return;
		assert_true(span_copy(row.name, last, sizeof(last)));
	}
}

static void
test_pages_of_any_size_give_the_same(void **state)
{
	struct script *s = *state;
	struct buf want = buf_make(1 << 16), got = buf_make(1 << 16);

	fill(s);
	for (int kind = 0; kind < DIRECTORY_APP_PASSWORD; kind++) {
		all_names(s, (enum directory_kind)kind, "", 0, &want);
		assert_true(want.n > 0);
		for (uint32_t limit = 1; limit < 14; limit++) {
			all_names(s, (enum directory_kind)kind, "", limit, &got);
			assert_true(span_equal(buf_span(&got), buf_span(&want)));
		}
	}
	all_names(s, DIRECTORY_ACCOUNT, "aa.example", 2, &got);
	assert_true(
	    span_equal(buf_span(&got), SPAN("u0@aa.example u3@aa.example u6@aa.example "
					    "u9@aa.example ")));
	all_names(s, DIRECTORY_ACCOUNT, "gone.example", 2, &got);
	assert_int_equal(got.n, 0);
	buf_release(&want);
	buf_release(&got);
}

/* ---- dump and load */

static void
add_app_password(struct script *s, const char *address, const char *label,
		 unsigned scope, char text[DIRECTORY_APP_PASSWORD_MAX],
		 enum directory_result want)
{
	struct directory_request r = {
	    .verb = DIRECTORY_ADD,
	    .object = {.kind = DIRECTORY_APP_PASSWORD,
		       .name = span_str(address),
		       .label = span_str(label)}
        };
	struct buf secret = buf_make(256);
	struct err err;

	assert_int_equal(directory_app_password_make(text, &secret, &err), 0);
	directory_put_text(&r.object, FIELD_APP_PASSWORD_SECRET, buf_span(&secret));
	if (scope)
		directory_put_number(&r.object, FIELD_APP_PASSWORD_SCOPE, scope);
	assert_int_equal(script_request(s, &r), want);
	buf_release(&secret);
}

/* Every row of the directory, in pages of `limit`. */
static void
dump(struct script *s, uint32_t limit, struct buf *out)
{
	buf_reset(out);
	for (int kind = 0; kind < DIRECTORY_KINDS; kind++) {
		struct directory_request r = {
		    .verb = DIRECTORY_DUMP,
		    .object = {.kind = (enum directory_kind)kind},
		    .limit = limit};
		char last[DIRECTORY_ADDRESS_MAX + 1] = "";
		char label[DIRECTORY_LABEL_MAX + 1] = "";
		bool any;

		do {
			struct directory_object row;
			struct span bytes;
			struct cursor c;

			any = false;
			r.after = span_str(last);
			r.after_label = span_str(label);
			assert_int_equal(script_request(s, &r), DIRECTORY_DONE);
			c = cursor_make(buf_span(&s->rows));
			while (directory_item_next(&c, &bytes)) {
				assert_true(directory_row_get(bytes, &row));
				buf_put(out, bytes);
				any = true;
			}
			if (any)
				assert_true(span_copy(row.name, last, sizeof(last)) &&
					    span_copy(row.label, label, sizeof(label)));
		} while (any);
	}
	assert_false(out->full);
}

static enum directory_result
load(struct script *s, struct span rows)
{
	struct directory_request r = {.verb = DIRECTORY_LOAD, .rows = rows};

	return script_request(s, &r);
}

static void
test_dump_loads_into_the_same_again(void **state)
{
	struct script *s = *state, *other;
	struct buf one = buf_make(1 << 20), two = buf_make(1 << 20);
	char text[DIRECTORY_APP_PASSWORD_MAX];
	struct directory *d;

	fill(s);
	add_app_password(s, "u1@a.example", "phone", 0, text, DIRECTORY_DONE);
	add_app_password(s, "u1@a.example", "\xc3\x89t\xc3\xa9", 2, text,
			 DIRECTORY_DONE);
	add_app_password(s, "u2@a.example", "phone", 0, text, DIRECTORY_DONE);
	dump(s, 3, &one);
	dump(s, 0, &two);
	assert_true(span_equal(buf_span(&one), buf_span(&two)));
	other = script_new(backend->make());
	for (int round = 0; round < 2; round++) {
		assert_int_equal(load(other, buf_span(&one)), DIRECTORY_DONE);
		dump(other, 1, &two);
		assert_true(span_equal(buf_span(&one), buf_span(&two)));
	}
	script_do(other, "add account new@a.example");
	script_expect(other,
		      &(struct script_row){"resolve x@b.example",
					   "targets u1@a.example ->x@y.example"});
	d = script_free(&other);
	backend->drop(&d);
	buf_release(&one);
	buf_release(&two);
}

static void
put_account(struct buf *rows, const char *address, uint64_t id)
{
	struct directory_object o = {.kind = DIRECTORY_ACCOUNT,
				     .name = span_str(address)};

	if (id)
		directory_put_number(&o, FIELD_ACCOUNT_ID, id);
	directory_object_put(&o, rows);
}

static void
test_load_is_all_or_nothing(void **state)
{
	static const struct script_row rows[] = {
	    {"find one@example.org", "not found"           },
	    {"find you@example.org", "done you@example.org"},
	};
	struct script *s = *state;
	struct buf bytes = buf_make(1 << 16);
	uint64_t you;

	script_do(s, "add domain example.org");
	script_do(s, "add account you@example.org");
	you = script_id(s, "you@example.org");
	put_account(&bytes, "one@example.org", 500);
	put_account(&bytes, "two@example.org", you);
	assert_int_equal(load(s, buf_span(&bytes)), DIRECTORY_EXISTS);
	for (size_t cut = 1; cut < bytes.n; cut++)
		if (load(s, span_first(buf_span(&bytes), cut)) == DIRECTORY_DONE)
			script_do(s, "remove account one@example.org");
	buf_reset(&bytes);
	put_account(&bytes, "one@example.org", 500);
	put_account(&bytes, "two..@example.org", 0);
	assert_int_equal(load(s, buf_span(&bytes)), DIRECTORY_BAD_NAME);
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		script_expect(s, &rows[i]);
	buf_release(&bytes);
}

static void
test_load_gives_and_keeps_numbers(void **state)
{
	struct script *s = *state;
	struct buf bytes = buf_make(1 << 16);
	uint64_t you, new;

	script_do(s, "add domain example.org");
	script_do(s, "add account you@example.org");
	script_do(s, "add alias info@example.org targets=you@example.org");
	you = script_id(s, "you@example.org");
	put_account(&bytes, "you@example.org", 0);
	put_account(&bytes, "new@example.org", 0);
	put_account(&bytes, "far@example.org", 5000);
	put_account(&bytes, "info@example.org", 0);
	assert_int_equal(load(s, buf_span(&bytes)), DIRECTORY_DONE);
	assert_int_equal(script_id(s, "you@example.org"), you);
	new = script_id(s, "new@example.org");
	assert_true(new > you &&new < 5000);
	assert_int_equal(script_id(s, "far@example.org"), 5000);
	script_expect(s, &(struct script_row){"show alias info@example.org targets",
					      "not found"});
	script_do(s, "add account later@example.org");
	assert_true(script_id(s, "later@example.org") > 5000);
	/* Another number for the same account: the old one leads nowhere. */
	buf_reset(&bytes);
	put_account(&bytes, "far@example.org", 6000);
	assert_int_equal(load(s, buf_span(&bytes)), DIRECTORY_DONE);
	assert_int_equal(script_id(s, "far@example.org"), 6000);
	assert_string_equal(script_of_id(s, 5000), "");
	assert_string_equal(script_of_id(s, 6000), "far@example.org");
	buf_release(&bytes);
}

static void
put_row(struct buf *rows, enum directory_kind kind, const char *name, const char *label,
	uint64_t id)
{
	struct directory_object o = {
	    .kind = kind, .name = span_str(name), .label = span_str(label)};

	if (id)
		directory_put_number(&o, FIELD_ACCOUNT_ID, id);
	directory_object_put(&o, rows);
}

/* Rows of one load see what those before them put. */
static void
test_load_refuses_what_cannot_stand_together(void **state)
{
	static const struct {
		const char *name;
		enum directory_result want;
		struct {
			enum directory_kind kind;
			const char *name;
			uint64_t id;
		} rows[2];
	} cases[] = {
	    {"one number twice",
	     DIRECTORY_EXISTS,    {{DIRECTORY_ACCOUNT, "a@example.org", 700},
	      {DIRECTORY_ACCOUNT, "b@example.org", 700}}      },
	    {"a number that another gives up",
	     DIRECTORY_DONE,      {{DIRECTORY_ACCOUNT, "you@example.org", 800},
	      {DIRECTORY_ACCOUNT, "heir@example.org", 1}}       },
	    {"an alias with the name of an account",
	     DIRECTORY_EXISTS,    {{DIRECTORY_ACCOUNT, "a@example.org", 0},
	      {DIRECTORY_ALIAS, "a@example.org", 0}}          },
	    {"an account with the name of an alias",
	     DIRECTORY_DONE,      {{DIRECTORY_ALIAS, "c@example.org", 0},
	      {DIRECTORY_ACCOUNT, "c@example.org", 0}}          },
	    {"an account in no domain",
	     DIRECTORY_NOT_FOUND, {{DIRECTORY_ACCOUNT, "a@example.org", 0},
	      {DIRECTORY_ACCOUNT, "a@nowhere.example", 0}} },
	    {"an alias in no domain",
	     DIRECTORY_NOT_FOUND, {{DIRECTORY_ALIAS, "a@example.org", 0},
	      {DIRECTORY_ALIAS, "@nowhere.example", 0}}    },
	    {"an account in a new domain",
	     DIRECTORY_DONE,      {{DIRECTORY_DOMAIN, "new.example", 0},
	      {DIRECTORY_ACCOUNT, "a@new.example", 0}}          },
	    {"an app password of nobody",
	     DIRECTORY_NOT_FOUND, {{DIRECTORY_ALIAS, "d@example.org", 0},
	      {DIRECTORY_APP_PASSWORD, "d@example.org", 0}}},
	    {"an app password of a new account",
	     DIRECTORY_DONE,      {{DIRECTORY_ACCOUNT, "e@example.org", 0},
	      {DIRECTORY_APP_PASSWORD, "e@example.org", 0}}     },
	};
	static const struct script_row rows[] = {
	    {"find a@example.org",               "not found"         },
	    {"show alias c@example.org targets", "not found"         },
	    {"find c@example.org",               "done c@example.org"},
	    {"find a@nowhere.example",           "not found"         },
	    {"show alias d@example.org targets", "not found"         },
	};
	struct script *s = *state;
	struct buf bytes = buf_make(1 << 16);

	script_do(s, "add domain example.org");
	put_account(&bytes, "you@example.org", 1);
	assert_int_equal(load(s, buf_span(&bytes)), DIRECTORY_DONE);
	for (size_t i = 0; i < N_ELEMS(cases); i++) {
		enum directory_result r;

		buf_reset(&bytes);
		for (size_t k = 0; k < 2; k++)
			put_row(&bytes, cases[i].rows[k].kind, cases[i].rows[k].name,
				cases[i].rows[k].kind == DIRECTORY_APP_PASSWORD
				    ? "phone"
				    : "",
				cases[i].rows[k].id);
		r = load(s, buf_span(&bytes));
		if (r != cases[i].want)
			fail_msg("%s: %s", cases[i].name, directory_result_name(r));
	}
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		script_expect(s, &rows[i]);
	assert_string_equal(script_of_id(s, 1), "heir@example.org");
	assert_string_equal(script_of_id(s, 800), "you@example.org");
	buf_release(&bytes);
}

/* A group that names itself can come only from a row that was made by hand. */
static void
test_a_group_in_itself_ends(void **state)
{
	struct script *s = *state;
	struct directory_object o = {.kind = DIRECTORY_GROUP,
				     .name = SPAN("g@example.org")};
	struct buf items = buf_make(1000), rows = buf_make(1000);

	script_do(s, "add domain example.org");
	script_do(s, "add account a@example.org");
	directory_item_put(&items, SPAN("group:g@example.org"));
	directory_item_put(&items, SPAN("group:g@example.org"));
	directory_item_put(&items, SPAN("a@example.org"));
	directory_put_text(&o, FIELD_GROUP_MEMBERS, buf_span(&items));
	directory_object_put(&o, &rows);
	assert_int_equal(load(s, buf_span(&rows)), DIRECTORY_DONE);
	script_do(s, "add list l@example.org members=group:g@example.org "
		     "posting=members");
	script_expect(s,
		      &(struct script_row){"resolve l@example.org from=a@example.org",
					   "targets a@example.org"});
	script_expect(s,
		      &(struct script_row){"resolve l@example.org from=b@example.org",
					   "not-allowed skipped=1"});
	buf_release(&items);
	buf_release(&rows);
}

/* ---- app passwords, logins, replies, administrators */

static void
expect_match(struct script *s, const char *address, const char *password,
	     unsigned scope, const char *want)
{
	char label[DIRECTORY_LABEL_MAX + 1] = "";
	int r = script_match(s, address, password, scope, label);

	assert_int_equal(r, want ? 1 : 0);
	if (want)
		assert_string_equal(label, want);
}

static void
test_app_passwords_match_in_their_scope(void **state)
{
	struct script *s = *state;
	char phone[DIRECTORY_APP_PASSWORD_MAX], mail[DIRECTORY_APP_PASSWORD_MAX];
	char typed[DIRECTORY_APP_PASSWORD_MAX];

	script_do(s, "add domain example.org");
	script_do(s, "add domain example.net alias_of=example.org");
	script_do(s, "add account you@example.org");
	script_do(s, "add account her@example.org");
	add_app_password(s, "you@example.org", "phone", DIRECTORY_SCOPE_IMAP, phone,
			 DIRECTORY_DONE);
	add_app_password(s, "you@example.org", "mail", 0, mail, DIRECTORY_DONE);
	add_app_password(s, "you@example.org", "mail", 0, typed, DIRECTORY_EXISTS);
	add_app_password(s, "no@example.org", "mail", 0, typed, DIRECTORY_NOT_FOUND);
	add_app_password(s, "you@example.org", "", 0, typed, DIRECTORY_BAD_NAME);
	add_app_password(s, "you@example.org", "a\nb", 0, typed, DIRECTORY_BAD_NAME);
	expect_match(s, "you@example.org", phone, DIRECTORY_SCOPE_IMAP, "phone");
	expect_match(s, "you@example.net", phone, DIRECTORY_SCOPE_IMAP, "phone");
	expect_match(s, "you@example.org", phone, DIRECTORY_SCOPE_SMTP, NULL);
	expect_match(s, "you@example.org", mail, DIRECTORY_SCOPE_SMTP, "mail");
	expect_match(s, "her@example.org", mail, DIRECTORY_SCOPE_SMTP, NULL);
	for (size_t i = 0; i < sizeof(typed); i++)
		typed[i] = mail[i] == '-' ? ' ' : mail[i];
	expect_match(s, "you@example.org", typed, DIRECTORY_SCOPE_POP3, "mail");
	typed[0] = typed[0] == 'a' ? 'b' : 'a';
	expect_match(s, "you@example.org", typed, DIRECTORY_SCOPE_POP3, NULL);
	expect_match(s, "you@example.org", "secret", DIRECTORY_SCOPE_POP3, NULL);
	script_do(s, "remove account you@example.org");
	script_do(s, "add account you@example.org");
	expect_match(s, "you@example.org", mail, DIRECTORY_SCOPE_SMTP, NULL);
}

static void
test_app_passwords_have_a_limit(void **state)
{
	struct script *s = *state;
	char text[DIRECTORY_APP_PASSWORD_MAX], label[16];

	script_do(s, "add domain example.org");
	script_do(s, "add account you@example.org");
	for (int i = 0; i <= DIRECTORY_APP_PASSWORDS_MAX; i++) {
		snprintf(label, sizeof(label), "n%d", i);
		add_app_password(s, "you@example.org", label, 0, text,
				 i < DIRECTORY_APP_PASSWORDS_MAX ? DIRECTORY_DONE
								 : DIRECTORY_LIMIT);
	}
}

static void
test_logins_are_noted(void **state)
{
	struct script *s = *state;
	char text[DIRECTORY_APP_PASSWORD_MAX];
	struct directory_login logins[3] = {
	    {.at = 1700000000, .service = SPAN("imap"), .client = SPAN("192.0.2.1")},
	    {.account = 99999, .at = 1700000001,        .service = SPAN("pop3")    },
	};

	script_do(s, "add domain example.org");
	script_do(s, "add account you@example.org name=You");
	add_app_password(s, "you@example.org", "phone", 0, text, DIRECTORY_DONE);
	logins[0].account = script_id(s, "you@example.org");
	logins[2] = logins[0];
	logins[0].label = SPAN("phone");
	logins[2].at++;
	assert_int_equal(script_note(s, logins, 3), DIRECTORY_DONE);
	script_expect(s,
		      &(struct script_row){
			  "show account you@example.org name last_login last_service "
			  "last_address",
			  "done name=You last_login=2023-11-14T22:13:21Z "
			  "last_service=imap last_address=192.0.2.1"});
}

struct renewing {
	uint64_t account;
	const char *old, *fresh;
	enum directory_result result;
	struct directory_account then;
};

static void
work_renew(struct directory *d, void *context)
{
	struct renewing *r = context;
	struct directory_password fresh;
	struct err err;

	assert_int_equal(directory_password_import(span_str(r->fresh), &fresh, &err),
			 0);
	r->result = directory_password_renew(d, r->account, r->old, &fresh, &err);
}

static void
work_find(struct directory *d, void *context)
{
	struct renewing *r = context;
	struct err err;

	r->result = directory_account_find_id(d, r->account, &r->then, &err);
}

static void
expect_renewed(struct script *s, struct renewing r, enum directory_result want,
	       const char *kept)
{
	directory_do_now(s->d, DIRECTORY_CHANGES, work_renew, &r);
	assert_int_equal(r.result, want);
	if (!kept)
		return;
	directory_do_now(s->d, DIRECTORY_READS, work_find, &r);
	assert_int_equal(r.result, DIRECTORY_DONE);
	assert_string_equal(r.then.password.crypt, kept);
}

static void
keep_hash(struct script *s, const char *address, const char *crypt_text)
{
	struct directory_request r = {
	    .verb = DIRECTORY_UPDATE,
	    .object = {.kind = DIRECTORY_ACCOUNT, .name = span_str(address)}
        };
	struct buf bytes = buf_make(1024);
	struct directory_password p;
	struct err err;

	assert_int_equal(directory_password_import(span_str(crypt_text), &p, &err), 0);
	directory_password_put(&p, &bytes);
	directory_put_text(&r.object, FIELD_ACCOUNT_PASSWORD, buf_span(&bytes));
	assert_int_equal(script_request(s, &r), DIRECTORY_DONE);
	buf_release(&bytes);
}

static void
test_password_is_renewed_where_it_is_still_the_old_one(void **state)
{
	struct script *s = *state;
	struct renewing r = {.old = "$1$a$hash", .fresh = "$1$b$hash"};

	script_do(s, "add domain example.org");
	script_do(s, "add account you@example.org name=You");
	r.account = script_id(s, "you@example.org");
	expect_renewed(s, r, DIRECTORY_NOT_FOUND, ""); /* it has none */
	keep_hash(s, "you@example.org", "$1$a$hash");
	expect_renewed(s, r, DIRECTORY_DONE, "$1$b$hash");
	expect_renewed(s, r, DIRECTORY_NOT_FOUND, "$1$b$hash");
	script_expect(s, &(struct script_row){"show account you@example.org name",
					      "done name=You"});
	script_do(s, "remove account you@example.org");
	expect_renewed(s, r, DIRECTORY_NOT_FOUND, NULL);
	r.account = 99999;
	expect_renewed(s, r, DIRECTORY_NOT_FOUND, NULL);
}

static void
test_administrators_are_those_named(void **state)
{
	static const struct script_row rows[] = {
	    {"add domain example.org",                                   "done"     },
	    {"add domain other.example",                                 "done"     },
	    {"add account boss@example.org",                             "done"     },
	    {"add account you@example.org",                              "done"     },
	    {"set domain other.example administrators=boss@example.org", "done"     },
	    {"set domain other.example administrators+=x@y.example",     "not found"},
	    {"rules boss@example.org other.example",                     "yes"      },
	    {"rules boss@example.org OTHER.example",                     "yes"      },
	    {"rules boss@example.org example.org",                       "no"       },
	    {"rules you@example.org other.example",                      "no"       },
	    {"rules boss@example.org gone.example",                      "no"       },
	    {"remove account boss@example.org",                          "done"     },
	    {"rules boss@example.org other.example",                     "no"       },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++)
		script_expect(*state, &rows[i]);
}

/* ---- accounts that are removed */

static enum directory_result
ask_whose(struct script *s, const uint64_t *ids, size_t n)
{
	struct directory_request r = {.verb = DIRECTORY_WHOSE,
				      .object = {.kind = DIRECTORY_ACCOUNT}};
	struct buf numbers = buf_make(8 * DIRECTORY_PAGE_MAX);
	enum directory_result result;

	for (size_t i = 0; i < n; i++)
		wire_put_u64(&numbers, ids[i]);
	r.rows = buf_span(&numbers);
	result = script_request(s, &r);
	buf_release(&numbers);
	return result;
}

/* "ID:ADDRESS@WHEN " for each that is nobody's. */
static void
expect_whose(struct script *s, const uint64_t *ids, size_t n, const char *want)
{
	struct buf got = buf_make(1 << 16);
	struct directory_object row;
	struct cursor c;

	assert_int_equal(ask_whose(s, ids, n), DIRECTORY_DONE);
	c = cursor_make(buf_span(&s->rows));
	while (directory_item_next(&c, &row.name)) {
		const struct directory_value *v = row.values;

		assert_true(directory_row_get(row.name, &row));
		buf_putf(&got, "%s%s:%.*s@%llu ",
			 v[FIELD_ACCOUNT_ID].number == ids[0] ? "first" : "",
			 v[FIELD_ACCOUNT_ID].number == 999999 ? "none" : "",
			 SPAN_ARG(row.name),
			 (unsigned long long)v[FIELD_ACCOUNT_REMOVED].number);
	}
	buf_put_char(&got, '\0');
	assert_string_equal(got.at, want);
	buf_release(&got);
}

static enum directory_result
forget(struct script *s, uint64_t id)
{
	struct directory_request r = {.verb = DIRECTORY_FORGET,
				      .object = {.kind = DIRECTORY_ACCOUNT}};

	directory_put_number(&r.object, FIELD_ACCOUNT_ID, id);
	return script_request(s, &r);
}

static void
test_removed_accounts_are_known_by_their_numbers(void **state)
{
	struct script *s = *state;
	struct buf rows = buf_make(1 << 16);
	uint64_t ids[3] = {[2] = 999999};

	script_do(s, "add domain example.org");
	script_do(s, "add account gone@example.org");
	script_do(s, "add account here@example.org");
	ids[0] = script_id(s, "gone@example.org");
	ids[1] = script_id(s, "here@example.org");
	expect_whose(s, ids, 3, "none:@0 ");
	expect_whose(s, ids, 0, "");
	script_do(s, "remove account gone@example.org");
	expect_whose(s, ids, 3, "first:gone@example.org@1700000000 none:@0 ");
	/* Another one of that name is somebody else. */
	script_do(s, "add account gone@example.org");
	expect_whose(s, ids, 3, "first:gone@example.org@1700000000 none:@0 ");
	assert_int_equal(forget(s, ids[1]), DIRECTORY_IN_USE);
	/* It comes back from a backup, and goes again. */
	put_account(&rows, "back@example.org", ids[0]);
	assert_int_equal(load(s, buf_span(&rows)), DIRECTORY_DONE);
	expect_whose(s, ids, 3, "none:@0 ");
	assert_int_equal(forget(s, ids[0]), DIRECTORY_IN_USE);
	script_do(s, "remove account back@example.org");
	assert_int_equal(forget(s, ids[0]), DIRECTORY_DONE);
	expect_whose(s, ids, 3, "first:@0 none:@0 ");
	assert_int_equal(forget(s, ids[0]), DIRECTORY_DONE);
	buf_release(&rows);
}

static void
test_numbers_are_asked_for_whole(void **state)
{
	struct directory_request r = {
	    .verb = DIRECTORY_WHOSE,
	    .object = {.kind = DIRECTORY_ACCOUNT},
	    .rows = SPAN("1234567"),
	};

	assert_int_equal(script_request(*state, &r), DIRECTORY_BAD_VALUE);
}

/* A page of them, of which some are there. */
static void
test_many_numbers_are_asked_for_at_once(void **state)
{
	struct script *s = *state;
	uint64_t ids[DIRECTORY_PAGE_MAX];
	struct directory_object row;
	size_t there = 0, rows = 0;
	struct cursor c;

	script_do(s, "add domain example.org");
	script_do(s, "add account a@example.org");
	script_do(s, "add account b@example.org");
	for (size_t i = 0; i < N_ELEMS(ids); i++) {
		ids[i] = i + 1;
		there += script_of_id(s, ids[i])[0] != '\0';
	}
	assert_int_equal(there, 2);
	assert_int_equal(ask_whose(s, ids, N_ELEMS(ids)), DIRECTORY_DONE);
	c = cursor_make(buf_span(&s->rows));
	while (directory_item_next(&c, &row.name))
		rows++;
	assert_int_equal(rows, N_ELEMS(ids) - 2);
}

/* ---- large values */

static void
test_lists_hold_a_thousand_members(void **state)
{
	struct script *s = *state;
	struct directory_request r = {
	    .verb = DIRECTORY_ADD,
	    .object = {.kind = DIRECTORY_LIST, .name = SPAN("all@example.org")}
        };
	struct buf items = buf_make(1 << 20);
	char address[64];

	script_do(s, "add domain example.org");
	for (int i = 0; i < DIRECTORY_TARGETS_MAX; i++) {
		snprintf(address, sizeof(address), "m%d@far.example", i);
		directory_item_put(&items, span_str(address));
	}
	directory_put_text(&r.object, FIELD_LIST_MEMBERS, buf_span(&items));
	assert_int_equal(script_request(s, &r), DIRECTORY_DONE);
	script_expect(s, &(struct script_row){"set list all@example.org "
					      "members+=one@far.example",
					      "bad value"});
	script_expect(s, &(struct script_row){"set list all@example.org "
					      "members-=m5@far.example",
					      "done"});
	script_expect(s, &(struct script_row){"set list all@example.org "
					      "members+=one@far.example",
					      "done"});
	buf_release(&items);
}

int
conformance_run(const struct conformance *of)
{
#define WITH_ONE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_rows_give_their_answers),
	    WITH_ONE(test_pages_of_any_size_give_the_same),
	    WITH_ONE(test_dump_loads_into_the_same_again),
	    WITH_ONE(test_load_is_all_or_nothing),
	    WITH_ONE(test_load_gives_and_keeps_numbers),
	    WITH_ONE(test_load_refuses_what_cannot_stand_together),
	    WITH_ONE(test_a_group_in_itself_ends),
	    WITH_ONE(test_app_passwords_match_in_their_scope),
	    WITH_ONE(test_app_passwords_have_a_limit),
	    WITH_ONE(test_logins_are_noted),
	    WITH_ONE(test_password_is_renewed_where_it_is_still_the_old_one),
	    WITH_ONE(test_administrators_are_those_named),
	    WITH_ONE(test_removed_accounts_are_known_by_their_numbers),
	    WITH_ONE(test_numbers_are_asked_for_whole),
	    WITH_ONE(test_many_numbers_are_asked_for_at_once),
	    WITH_ONE(test_lists_hold_a_thousand_members),
	};

	backend = of;
	return cmocka_run_group_tests_name(of->name, tests, NULL, NULL);
}

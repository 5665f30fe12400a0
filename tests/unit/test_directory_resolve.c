/* tests/unit/test_directory_resolve.c - where mail goes: aliases, catch-all,
 * postmaster, senders */
#include "tests/unit/directory_fixture.h"

/* ---- where mail goes */

static void
test_resolve_rows(void **state)
{
	struct fixture *f = *state;

	add_domain(f, "example.org");
	add_domain(f, "other.example");
	add_account(f, "first@example.org");
	add_account(f, "you@example.org");
	add_account(f, "odd+name@example.org");
	add_account(f, "off@example.org");
	add_account(f, "one@other.example");
	add_alias(f, "info@example.org", "you@example.org friend@elsewhere.example");
	add_alias(f, "all@example.org",
		  "info@example.org first@example.org you@example.org off@example.org "
		  "FRIEND@elsewhere.example friend@elsewhere.example");
	add_alias(f, "box@example.org", "you+lists@example.org");
	add_alias(f, "@other.example", "first@example.org");
	assert_int_equal(
	    make_account_disabled(f->d, SPAN("off@example.org"), true, &f->err),
	    DIRECTORY_DONE);
	expect(f, "you@example.org", "targets you@example.org");
	expect(f, "YOU@EXAMPLE.ORG", "targets you@example.org");
	expect(f, "\"you\"@example.org", "targets you@example.org");
	expect(f, "you+shop@example.org", "targets you@example.org/shop");
	expect(f, "you+@example.org", "targets you@example.org");
	expect(f, "odd+name@example.org", "targets odd+name@example.org");
	expect(f, "odd+name+x@example.org", "unknown");
	expect(f, "+you@example.org", "unknown");
	expect(f, "info@example.org",
	       "targets you@example.org ->friend@elsewhere.example");
	expect(f, "info+x@example.org",
	       "targets you@example.org ->friend@elsewhere.example");
	expect(f, "all@example.org",
	       "targets you@example.org ->friend@elsewhere.example first@example.org "
	       "->FRIEND@elsewhere.example skipped=1");
	expect(f, "box@example.org", "targets you@example.org/lists");
	expect(f, "nobody@example.org", "unknown");
	expect(f, "off@example.org", "disabled skipped=1");
	expect(f, "one@other.example", "targets one@other.example");
	expect(f, "any@other.example", "targets first@example.org");
	expect(f, "you@elsewhere.example", "not-local");
	expect(f, "you@[192.0.2.1]", "not-local");
	expect(f, "you", "bad");
	expect(f, "@example.org", "bad");
	expect(f, "", "bad");
}

static void
test_resolve_postmaster_always_leads_somewhere(void **state)
{
	struct fixture *f = *state;
	struct directory_policy named = {.delimiters = SPAN("+"),
					 .postmaster = SPAN("you@example.org")};
	struct directory_policy odd = {.delimiters = SPAN("+"),
				       .postmaster = SPAN("postmaster@example.org")};
	struct directory_policy bare = {.delimiters = SPAN("+"),
					.postmaster = SPAN("Postmaster")};
	struct directory_policy local = {.delimiters = SPAN("+"),
					 .postmaster = SPAN("you")};
	struct directory_policy gone = {.delimiters = SPAN("+"),
					.postmaster = SPAN("x y@@")};
	struct buf got = buf_make(1024);

	expect(f, "postmaster", "unknown");
	add_domain(f, "example.org");
	add_domain(f, "empty.example");
	add_account(f, "zoe@example.org");
	add_account(f, "you@example.org");
	expect(f, "Postmaster", "targets you@example.org");
	expect(f, "postmaster@example.org", "targets zoe@example.org");
	expect(f, "POSTMASTER@empty.example", "targets you@example.org");
	resolve_text(f, "postmaster@example.org", &named, &got);
	assert_string_equal(got.at, "targets you@example.org");
	resolve_text(f, "postmaster@example.org", &odd, &got);
	assert_string_equal(got.at, "targets zoe@example.org skipped=1");
	resolve_text(f, "postmaster@example.org", &bare, &got);
	assert_string_equal(got.at, "targets zoe@example.org skipped=1");
	resolve_text(f, "postmaster", &bare, &got);
	assert_string_equal(got.at, "targets you@example.org skipped=1");
	resolve_text(f, "postmaster@example.org", &local, &got);
	assert_string_equal(got.at, "targets you@example.org");
	resolve_text(f, "postmaster", &local, &got);
	assert_string_equal(got.at, "targets you@example.org skipped=1");
	resolve_text(f, "postmaster@example.org", &gone, &got);
	assert_string_equal(got.at, "targets zoe@example.org skipped=1");
	assert_int_equal(
	    make_account_disabled(f->d, SPAN("zoe@example.org"), true, &f->err),
	    DIRECTORY_DONE);
	expect(f, "postmaster@example.org", "targets you@example.org");
	assert_int_equal(make_account_gone(f->d, SPAN("zoe@example.org"), &f->err),
			 DIRECTORY_DONE);
	expect(f, "postmaster@example.org", "targets you@example.org");
	add_alias(f, "postmaster@example.org", "root@elsewhere.example");
	expect(f, "postmaster@example.org", "targets ->root@elsewhere.example");
	buf_release(&got);
}

static void
test_resolve_circles_and_depth(void **state)
{
	struct fixture *f = *state;
	char name[64], target[64];

	add_domain(f, "example.org");
	add_account(f, "you@example.org");
	/* A circle of three, which only later gets a way out. */
	add_alias(f, "a@example.org", "you@example.org");
	add_alias(f, "b@example.org", "a@example.org");
	add_alias(f, "c@example.org", "b@example.org");
	add_alias(f, "a@example.org", "c@example.org");
	expect(f, "c@example.org", "targets you@example.org");
	assert_int_equal(make_alias_gone(f->d, SPAN("a@example.org"),
					 &SPAN("you@example.org"), 1, &f->err),
			 DIRECTORY_DONE);
	expect(f, "c@example.org", "loop");
	assert_int_equal(alias(f, "a@example.org", "a@example.org"), DIRECTORY_DONE);
	/* A chain: one alias in each of DIRECTORY_DEPTH_MAX steps, and one more. */
	add_alias(f, "d1@example.org", "you@example.org");
	for (int i = 2; i <= DIRECTORY_DEPTH_MAX + 1; i++) {
		snprintf(name, sizeof(name), "d%d@example.org", i);
		snprintf(target, sizeof(target), "d%d@example.org", i - 1);
		add_alias(f, name, target);
	}
	expect(f, "d9@example.org", "targets you@example.org");
	expect(f, "d10@example.org", "targets you@example.org");
	expect(f, "d11@example.org", "loop");
}

/* n outside targets, in lists of at most 100, behind one alias. */
static void
fill_list(struct fixture *f, int list, int n)
{
	struct span targets[100];
	char texts[100][32], name[32];

	for (int i = 0; i < n; i++) {
		snprintf(texts[i], sizeof(texts[i]), "u%d@e%d.example", i, list);
		targets[i] = span_str(texts[i]);
	}
	snprintf(name, sizeof(name), "list%d@example.org", list);
	assert_int_equal(make_alias(f->d, span_str(name), targets, (size_t)n, &f->err),
			 DIRECTORY_DONE);
	add_alias(f, "all@example.org", name);
}

static void
test_resolve_target_limit(void **state)
{
	struct fixture *f = *state;
	struct directory_route route;

	add_domain(f, "example.org");
	for (int list = 0; list < 9; list++)
		fill_list(f, list, 100);
	fill_list(f, 9, 99);
	for (int n = DIRECTORY_TARGETS_MAX - 1; n <= DIRECTORY_TARGETS_MAX + 1; n++) {
		char extra[32];

		arena_release(&f->arena);
		assert_int_equal(directory_resolve(f->d, SPAN("all@example.org"),
						   &policy, &f->arena, &route, &f->err),
				 n <= DIRECTORY_TARGETS_MAX ? DIRECTORY_ROUTE_TARGETS
							    : DIRECTORY_ROUTE_TOO_MANY);
		if (n <= DIRECTORY_TARGETS_MAX)
			assert_int_equal(route.n, n);
		snprintf(extra, sizeof(extra), "extra%d@more.example", n);
		add_alias(f, "all@example.org", extra);
	}
}

static void
test_alias_rules(void **state)
{
	static const struct {
		const char *name, *address, *targets;
		enum directory_result want;
	} rows[] = {
	    {"new",              "info@example.org", "you@example.org",             DIRECTORY_DONE     },
	    {"again",            "info@example.org", "YOU@example.org",             DIRECTORY_EXISTS   },
	    {"one more",         "info@example.org", "you@example.org x@y.example",
	     DIRECTORY_DONE									    },
	    {"at an account",    "you@example.org",  "x@y.example",                 DIRECTORY_EXISTS   },
	    {"foreign domain",   "info@y.example",   "you@example.org",
	     DIRECTORY_NOT_FOUND								       },
	    {"dead target",      "dead@example.org", "nobody@example.org",
	     DIRECTORY_NOT_FOUND								       },
	    {"itself",           "self@example.org", "self@example.org",            DIRECTORY_NOT_FOUND},
	    {"no target",        "none@example.org", "",                            DIRECTORY_BAD_VALUE},
	    {"bad target",       "bad@example.org",  "x",                           DIRECTORY_BAD_VALUE},
	    {"catch-all target", "bad@example.org",  "@example.org",
	     DIRECTORY_BAD_VALUE								       },
	    {"catch-all",        "@example.org",     "info@example.org",            DIRECTORY_DONE     },
	};
	struct fixture *f = *state;
	struct directory_object page[4];
	size_t n;

	add_domain(f, "example.org");
	add_account(f, "you@example.org");
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		print_message("%s\n", rows[i].name);
		assert_int_equal(alias(f, rows[i].address, rows[i].targets),
				 rows[i].want);
	}
	assert_int_equal(make_account(f->d, SPAN("info@example.org"), &no_password, 0,
				      0, NULL, &f->err),
			 DIRECTORY_EXISTS);
	assert_int_equal(directory_page(f->d, DIRECTORY_ALIAS, SPAN("example.org"),
					SPAN(""), SPAN(""), &f->arena, page, 4, &n,
					&f->err),
			 DIRECTORY_DONE);
	assert_int_equal(n, 2);
	assert_true(span_equal(page[0].name, SPAN("@example.org")));
	assert_int_equal(directory_item_count(page[1].values[FIELD_ALIAS_TARGETS].text),
			 2);
	assert_int_equal(make_alias_gone(f->d, SPAN("info@example.org"),
					 &SPAN("z@y.example"), 1, &f->err),
			 DIRECTORY_NOT_FOUND);
	assert_int_equal(
	    make_alias_gone(f->d, SPAN("info@example.org"), NULL, 0, &f->err),
	    DIRECTORY_DONE);
	assert_int_equal(directory_find(f->d, DIRECTORY_ALIAS, SPAN("info@example.org"),
					SPAN(""), &f->arena, page, &f->err),
			 DIRECTORY_NOT_FOUND);
}

static void
test_may_send_rows(void **state)
{
	static const struct {
		const char *address;
		int want;
	} rows[] = {
	    {"",		      1},
	    {"you@example.org",       1},
	    {"You+x@example.org",     1},
	    {"info@example.org",      1},
	    {"all@example.org",       1},
	    {"her@example.org",       0},
	    {"hers@example.org",      0},
	    {"nobody@example.org",    0},
	    {"you@elsewhere.example", 0},
	    {"you",                   0},
	};
	struct fixture *f = *state;
	uint64_t you;

	add_domain(f, "example.org");
	you = add_account(f, "you@example.org");
	add_account(f, "her@example.org");
	add_alias(f, "info@example.org", "you@example.org");
	add_alias(f, "all@example.org", "her@example.org info@example.org");
	add_alias(f, "hers@example.org", "her@example.org you@elsewhere.example");
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		print_message("%s\n", rows[i].address);
		assert_int_equal(directory_may_send(f->d, you,
						    span_str(rows[i].address), &policy,
						    &f->err),
				 rows[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(test_resolve_rows),
	    WITH(test_resolve_postmaster_always_leads_somewhere),
	    WITH(test_resolve_circles_and_depth),
	    WITH(test_resolve_target_limit),
	    WITH(test_alias_rules),
	    WITH(test_may_send_rows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

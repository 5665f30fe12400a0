/* tests/unit/test_directory.c - accounts, domains, aliases and what they lead to */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <db.h>
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/directory/directory.h"

static const struct directory_policy policy = {.delimiters = SPAN("+")};

/* ---- a directory in a folder of its own */

struct fixture {
	char folder[64];
	struct directory *d;
	struct arena arena;
	struct err err;
};

static void
open_it(struct fixture *f)
{
	struct directory_options options = {.folder = f->folder};

	assert_int_equal(directory_open(&options, &f->d, &f->err), DIRECTORY_DONE);
}

static int
setup(void **state)
{
	struct fixture *f = memory_new(1, sizeof(*f));

	strncpy(f->folder, "/tmp/test_directory.XXXXXX", sizeof(f->folder) - 1);
	assert_non_null(mkdtemp(f->folder));
	arena_init(&f->arena, DIRECTORY_ARENA_BYTES);
	open_it(f);
	*state = f;
	return 0;
}

static void
remove_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir)))
		(void)unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	assert_int_equal(rmdir(folder), 0);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	directory_free(&f->d);
	remove_folder(f->folder);
	arena_release(&f->arena);
	free(f);
	return 0;
}

/* Cheap: tests that ask for no password share one that was never made. */
static const struct directory_password no_password = {.has_scram = false};

static uint64_t
add_account(struct fixture *f, const char *address)
{
	uint64_t id = 0;

	assert_int_equal(directory_account_add(f->d, span_str(address), &no_password,
					       1000, 1700000000, &id, &f->err),
			 DIRECTORY_DONE);
	return id;
}

static void
add_domain(struct fixture *f, const char *name)
{
	assert_int_equal(directory_domain_add(f->d, span_str(name), &f->err),
			 DIRECTORY_DONE);
}

static enum directory_result
alias(struct fixture *f, const char *address, const char *targets)
{
	struct span list[64], rest = span_str(targets);
	size_t n = 0;

	while (rest.n > 0)
		list[n++] = span_cut(&rest, ' ');
	return directory_alias_add(f->d, span_str(address), list, n, &f->err);
}

static void
add_alias(struct fixture *f, const char *address, const char *targets)
{
	assert_int_equal(alias(f, address, targets), DIRECTORY_DONE);
}

/* "kind target target+detail ..." as one text, to compare with a row. */
static void
resolve_text(struct fixture *f, const char *address, const struct directory_policy *p,
	     struct buf *out)
{
	static const char *const kinds[] = {
	    "targets", "not-local", "unknown", "disabled", "loop", "too-many", "bad"};
	struct directory_route route;

	buf_reset(out);
	arena_release(&f->arena);
	if (directory_resolve(f->d, span_str(address), p, &f->arena, &route, &f->err) ==
	    DIRECTORY_ROUTE_FAULT) {
		buf_put_str(out, "fault");
		return;
	}
	buf_put_str(out, kinds[route.kind]);
	for (size_t i = 0; i < route.n; i++) {
		buf_put_char(out, ' ');
		buf_put_str(out, route.targets[i].account ? "" : "->");
		buf_put(out, route.targets[i].address);
		if (route.targets[i].detail.n > 0) {
			buf_put_char(out, '/');
			buf_put(out, route.targets[i].detail);
		}
	}
	if (route.skipped)
		buf_putf(out, " skipped=%u", route.skipped);
	buf_put_char(out, '\0');
}

static void
expect(struct fixture *f, const char *address, const char *want)
{
	struct buf got = buf_make(1 << 20);

	resolve_text(f, address, &policy, &got);
	print_message("%s\n", address);
	assert_string_equal(got.at, want);
	buf_release(&got);
}

/* ---- names */

static void
test_name_canonical_forms(void **state)
{
	static const struct {
		const char *name, *in, *want;
	} rows[] = {
	    {"plain",            "you@example.org",           "you@example.org"          },
	    {"case",             "You@EXAMPLE.Org",           "you@example.org"          },
	    {"quoted",           "\"you\"@example.org",       "you@example.org"          },
	    {"quoted pair",      "\"y\\ou\"@example.org",     "you@example.org"          },
	    {"quoted at",        "\"a@b\"@example.org",       "a@b@example.org"          },
	    {"U-label",
	     "you@B\xc3\xbc"
	     "cher.example",				  "you@xn--bcher-kva.example"},
	    {"A-label",          "you@XN--Bcher-KVA.example", "you@xn--bcher-kva.example"},
	    {"UTF-8 case",
	     "\xc3\x9c"
	     "mit@example.org",			       "\xc3\xbcmit@example.org"  },
	    {"decomposed",       "u\xcc\x88mit@example.org",  "\xc3\xbcmit@example.org"  },
	    {"catch-all",        "@example.org",              "@example.org"             },
	    {"no at",            "you",                       NULL                       },
	    {"no domain",        "you@",                      NULL                       },
	    {"empty label",      "you@example..org",          NULL                       },
	    {"trailing dot",     "you@example.org.",          NULL                       },
	    {"hyphen first",     "you@-example.org",          NULL                       },
	    {"literal",          "you@[192.0.2.1]",           NULL                       },
	    {"space in domain",  "you@exa mple.org",          NULL                       },
	    {"bad UTF-8",        "\xff@example.org",          NULL                       },
	    {"bad UTF-8 domain", "you@\xff.org",              NULL                       },
	    {"control",          "y\x01ou@example.org",       NULL                       },
	    {"open quote",       "\"you@example.org",         NULL                       },
	    {"empty quotes",     "\"\"@example.org",          NULL                       },
	    {"pair at the end",  "\"you\\\"@example.org",     NULL                       },
	};
	struct directory_name name;
	struct err err;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		int r = directory_name_parse(span_str(rows[i].in), &name, &err);

		print_message("%s\n", rows[i].name);
		assert_int_equal(r, rows[i].want ? 0 : -1);
		if (rows[i].want)
			assert_string_equal(name.text, rows[i].want);
	}
}

static void
test_name_length_limits(void **state)
{
	struct fixture *f = *state;
	char local[DIRECTORY_LOCAL_MAX + 16];

	add_domain(f, "example.org");
	for (size_t n = DIRECTORY_LOCAL_OWN - 1; n <= DIRECTORY_LOCAL_OWN + 1; n++) {
		memset(local, 'a', sizeof(local));
		memcpy(local + n, "@example.org", 13);
		assert_int_equal(
		    directory_account_add(f->d, span_str(local), &no_password, 0, 0,
					  NULL, &f->err),
		    n <= DIRECTORY_LOCAL_OWN ? DIRECTORY_DONE : DIRECTORY_BAD_NAME);
	}
}

/* ---- domains and accounts */

static void
test_domain_add_list_remove(void **state)
{
	struct fixture *f = *state;
	struct directory_domain page[2];
	size_t n;

	add_domain(f, "b.example");
	add_domain(f, "A.example");
	add_domain(f, "c.example");
	assert_int_equal(directory_domain_add(f->d, SPAN("a.EXAMPLE"), &f->err),
			 DIRECTORY_EXISTS);
	assert_int_equal(directory_domain_add(f->d, SPAN("a b"), &f->err),
			 DIRECTORY_BAD_NAME);
	assert_int_equal(directory_domain_list(f->d, SPAN(""), page, 2, &n, &f->err),
			 DIRECTORY_DONE);
	assert_int_equal(n, 2);
	assert_string_equal(page[0].name, "a.example");
	assert_string_equal(page[1].name, "b.example");
	assert_int_equal(
	    directory_domain_list(f->d, SPAN("b.example"), page, 2, &n, &f->err),
	    DIRECTORY_DONE);
	assert_int_equal(n, 1);
	assert_string_equal(page[0].name, "c.example");
	add_account(f, "you@c.example");
	assert_int_equal(directory_domain_remove(f->d, SPAN("c.example"), &f->err),
			 DIRECTORY_IN_USE);
	assert_int_equal(directory_domain_remove(f->d, SPAN("b.example"), &f->err),
			 DIRECTORY_DONE);
	assert_int_equal(directory_domain_remove(f->d, SPAN("b.example"), &f->err),
			 DIRECTORY_NOT_FOUND);
}

static void
test_account_life(void **state)
{
	struct fixture *f = *state;
	struct directory_account a;
	uint64_t first, second;

	assert_int_equal(directory_account_add(f->d, SPAN("you@example.org"),
					       &no_password, 0, 0, NULL, &f->err),
			 DIRECTORY_NOT_FOUND);
	add_domain(f, "example.org");
	first = add_account(f, "You@Example.org");
	assert_int_equal(directory_account_add(f->d, SPAN("you@example.org"),
					       &no_password, 0, 0, NULL, &f->err),
			 DIRECTORY_EXISTS);
	assert_int_equal(
	    directory_account_find(f->d, SPAN("YOU@example.org"), &a, &f->err),
	    DIRECTORY_DONE);
	assert_string_equal(a.address, "you@example.org");
	assert_int_equal(a.id, first);
	assert_int_equal(a.quota_bytes, 1000);
	assert_int_equal(a.created, 1700000000);
	assert_int_equal(
	    directory_account_set_quota(f->d, SPAN("you@example.org"), 5, &f->err),
	    DIRECTORY_DONE);
	assert_int_equal(directory_account_set_disabled(f->d, SPAN("you@example.org"),
							true, &f->err),
			 DIRECTORY_DONE);
	assert_int_equal(directory_account_find_id(f->d, first, &a, &f->err),
			 DIRECTORY_DONE);
	assert_int_equal(a.quota_bytes, 5);
	assert_true(a.disabled);
	assert_int_equal(
	    directory_account_remove(f->d, SPAN("you@example.org"), &f->err),
	    DIRECTORY_DONE);
	assert_int_equal(directory_account_find_id(f->d, first, &a, &f->err),
			 DIRECTORY_NOT_FOUND);
	second = add_account(f, "you@example.org");
	assert_true(second > first);
}

static void
test_account_bad_names(void **state)
{
	static const char *const names[] = {".you@example.org", "you.@example.org",
					    "y..u@example.org", "\"y u\"@example.org",
					    "@example.org",     "you",
					    "y\"u@example.org", "a@b@example.org"};
	struct fixture *f = *state;

	add_domain(f, "example.org");
	for (size_t i = 0; i < N_ELEMS(names); i++) {
		print_message("%s\n", names[i]);
		f->err.text[0] = '\0';
		assert_int_equal(directory_account_add(f->d, span_str(names[i]),
						       &no_password, 0, 0, NULL,
						       &f->err),
				 DIRECTORY_BAD_NAME);
		assert_true(f->err.text[0] != '\0');
	}
}

static void
test_account_list_pages_and_domains(void **state)
{
	struct fixture *f = *state;
	struct directory_account page[3];
	char after[DIRECTORY_ADDRESS_MAX + 1] = "", address[64];
	size_t n, total = 0;

	add_domain(f, "a.example");
	add_domain(f, "aa.example");
	add_domain(f, "b.example");
	for (int i = 0; i < 7; i++) {
		snprintf(address, sizeof(address), "user%d@a.example", i);
		add_account(f, address);
	}
	add_account(f, "user0@aa.example");
	add_account(f, "user0@b.example");
	do {
		assert_int_equal(directory_account_list(f->d, SPAN("a.example"),
							span_str(after), page, 3, &n,
							&f->err),
				 DIRECTORY_DONE);
		for (size_t i = 0; i < n; i++) {
			snprintf(address, sizeof(address), "user%zu@a.example",
				 total++);
			assert_string_equal(page[i].address, address);
		}
		if (n > 0)
			memcpy(after, page[n - 1].address, sizeof(after));
	} while (n > 0);
	assert_int_equal(total, 7);
	assert_int_equal(directory_account_list(f->d, SPAN(""), SPAN("user6@a.example"),
						page, 3, &n, &f->err),
			 DIRECTORY_DONE);
	assert_int_equal(n, 2);
}

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
	assert_int_equal(directory_account_set_disabled(f->d, SPAN("off@example.org"),
							true, &f->err),
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
	struct directory_policy named = {SPAN("+"), SPAN("you@example.org")};
	struct directory_policy odd = {SPAN("+"), SPAN("postmaster@example.org")};
	struct directory_policy bare = {SPAN("+"), SPAN("Postmaster")};
	struct directory_policy local = {SPAN("+"), SPAN("you")};
	struct directory_policy gone = {SPAN("+"), SPAN("x y@@")};
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
	assert_int_equal(directory_account_set_disabled(f->d, SPAN("zoe@example.org"),
							true, &f->err),
			 DIRECTORY_DONE);
	expect(f, "postmaster@example.org", "targets you@example.org");
	assert_int_equal(
	    directory_account_remove(f->d, SPAN("zoe@example.org"), &f->err),
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
	assert_int_equal(directory_alias_remove(f->d, SPAN("a@example.org"),
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
	assert_int_equal(
	    directory_alias_add(f->d, span_str(name), targets, (size_t)n, &f->err),
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
	    {"no target",        "none@example.org", "",                            DIRECTORY_BAD_NAME },
	    {"bad target",       "bad@example.org",  "x",                           DIRECTORY_BAD_NAME },
	    {"catch-all target", "bad@example.org",  "@example.org",                DIRECTORY_BAD_NAME },
	    {"catch-all",        "@example.org",     "info@example.org",            DIRECTORY_DONE     },
	};
	struct fixture *f = *state;
	struct directory_alias page[4];
	size_t n;

	add_domain(f, "example.org");
	add_account(f, "you@example.org");
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		print_message("%s\n", rows[i].name);
		assert_int_equal(alias(f, rows[i].address, rows[i].targets),
				 rows[i].want);
	}
	assert_int_equal(directory_account_add(f->d, SPAN("info@example.org"),
					       &no_password, 0, 0, NULL, &f->err),
			 DIRECTORY_EXISTS);
	assert_int_equal(directory_alias_list(f->d, SPAN("example.org"), SPAN(""),
					      &f->arena, page, 4, &n, &f->err),
			 DIRECTORY_DONE);
	assert_int_equal(n, 2);
	assert_true(span_equal(page[0].address, SPAN("@example.org")));
	assert_int_equal(page[1].n_targets, 2);
	assert_int_equal(directory_alias_remove(f->d, SPAN("info@example.org"),
						&SPAN("z@y.example"), 1, &f->err),
			 DIRECTORY_NOT_FOUND);
	assert_int_equal(
	    directory_alias_remove(f->d, SPAN("info@example.org"), NULL, 0, &f->err),
	    DIRECTORY_DONE);
	assert_int_equal(directory_alias_find(f->d, SPAN("info@example.org"), &f->arena,
					      page, &f->err),
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

/* ---- passwords */

static void
test_password_is_kept_and_checked(void **state)
{
	struct fixture *f = *state;
	struct directory_password p;
	struct directory_account a;
	struct scram_keys again;
	struct timespec from, to;

	add_domain(f, "example.org");
	add_account(f, "you@example.org");
	clock_gettime(CLOCK_MONOTONIC, &from);
	assert_int_equal(directory_password_make(SPAN("p\xc3\xa4ssword"), &p, &f->err),
			 0);
	clock_gettime(CLOCK_MONOTONIC, &to);
	print_message("making a password: %ld ms\n",
		      (to.tv_sec - from.tv_sec) * 1000 +
			  (to.tv_nsec - from.tv_nsec) / 1000000);
	assert_int_equal(
	    directory_account_set_password(f->d, SPAN("you@example.org"), &p, &f->err),
	    DIRECTORY_DONE);
	assert_int_equal(
	    directory_account_find(f->d, SPAN("you@example.org"), &a, &f->err),
	    DIRECTORY_DONE);
	assert_string_equal(directory_password_scheme(&a.password), "yescrypt");
	assert_true(
	    directory_password_matches(a.password.crypt, SPAN("p\xc3\xa4ssword")));
	assert_false(directory_password_matches(a.password.crypt, SPAN("password")));
	assert_false(directory_password_matches("", SPAN("password")));
	assert_true(a.password.has_scram);
	scram_keys_make(SPAN("p\xc3\xa4ssword"),
			span_make(a.password.scram.salt, a.password.scram.salt_bytes),
			a.password.scram.iterations, &again);
	assert_memory_equal(again.stored_key, a.password.scram.stored_key,
			    SCRAM_KEY_BYTES);
	assert_int_equal(directory_password_make(SPAN(""), &p, &f->err), -1);
	assert_int_equal(directory_password_make(SPAN("a\nb"), &p, &f->err), -1);
}

static void
test_password_import_schemes(void **state)
{
	static const struct {
		const char *name, *hash, *scheme;
		bool ok;
	} rows[] = {
	    {"sha512",
	     "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnI"
	     "FNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",			     "sha512crypt", true },
	    {"sha256",  "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5",
	     "sha256crypt",									 true },
	    {"empty",   "",							  NULL,          false},
	    {"locked",  "!",							 NULL,          false},
	    {"star",    "*",							 NULL,          false},
	    {"unknown", "$nosuch$x",						 NULL,          false},
	};
	struct directory_password p;
	struct err err;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		print_message("%s\n", rows[i].name);
		assert_int_equal(
		    directory_password_import(span_str(rows[i].hash), &p, &err),
		    rows[i].ok ? 0 : -1);
		if (!rows[i].ok)
			continue;
		assert_string_equal(directory_password_scheme(&p), rows[i].scheme);
		assert_true(directory_password_matches(p.crypt, SPAN("Hello world!")));
		assert_false(directory_password_matches(p.crypt, SPAN("Hello world")));
	}
}

/* ---- the files */

static void
test_second_opener_is_told_who_has_it(void **state)
{
	struct fixture *f = *state;
	struct directory_options options = {.folder = f->folder};
	struct directory *second = NULL;

	assert_int_equal(directory_open(&options, &second, &f->err), DIRECTORY_IN_USE);
	assert_string_equal(f->err.text,
			    "the directory is in use by the running server");
	assert_null(second);
	directory_free(&f->d);
	open_it(f);
}

static void
test_secret_and_records_survive_a_restart(void **state)
{
	struct fixture *f = *state;
	uint8_t secret[DIRECTORY_SECRET_BYTES];

	memcpy(secret, directory_secret(f->d).at, sizeof(secret));
	add_domain(f, "example.org");
	add_account(f, "you@example.org");
	directory_free(&f->d);
	open_it(f);
	assert_memory_equal(secret, directory_secret(f->d).at, sizeof(secret));
	expect(f, "you@example.org", "targets you@example.org");
}

/* A child adds accounts, says so through a pipe after each, and is killed. */
static void
test_what_was_added_survives_a_kill(void **state)
{
	struct fixture *f = *state;
	int fds[2], n = 0;
	char byte;
	pid_t child;

	add_domain(f, "example.org");
	directory_free(&f->d);
	assert_int_equal(pipe(fds), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		char address[32];

		open_it(f);
		for (int i = 0;; i++) {
			snprintf(address, sizeof(address), "u%d@example.org", i);
			add_account(f, address);
			if (write(fds[1], "", 1) != 1)
				_exit(1);
		}
	}
	close(fds[1]);
	for (; n < 40; n++)
		assert_int_equal(read(fds[0], &byte, 1), 1);
	kill(child, SIGKILL);
	while (read(fds[0], &byte, 1) == 1)
		n++;
	assert_int_equal(waitpid(child, NULL, 0), child);
	close(fds[0]);
	open_it(f);
	for (int i = 0; i < n; i++) {
		char address[32];
		struct directory_account a;

		snprintf(address, sizeof(address), "u%d@example.org", i);
		assert_int_equal(
		    directory_account_find(f->d, span_str(address), &a, &f->err),
		    DIRECTORY_DONE);
		assert_int_equal(a.id, (uint64_t)i + 2);
	}
}

/* Overwrites one record behind the room's back. */
static void
damage(struct fixture *f, struct span key, size_t cut, int flip)
{
	char path[128];
	DB_ENV *env;
	DB *db;
	DBT k = {.data = (void *)(uintptr_t)key.at, .size = (uint32_t)key.n}, v = {0};

	directory_free(&f->d);
	snprintf(path, sizeof(path), "%s", f->folder);
	assert_int_equal(db_env_create(&env, 0), 0);
	assert_int_equal(env->open(env, path,
				   DB_CREATE | DB_PRIVATE | DB_RECOVER | DB_INIT_TXN |
				       DB_INIT_LOG | DB_INIT_MPOOL,
				   0600),
			 0);
	assert_int_equal(db_create(&db, env, 0), 0);
	assert_int_equal(
	    db->open(db, NULL, "directory.db", NULL, DB_BTREE, DB_AUTO_COMMIT, 0600),
	    0);
	assert_int_equal(db->get(db, NULL, &k, &v, 0), 0);
	char *bytes = memory_new(v.size, 1);
	memcpy(bytes, v.data, v.size);
	v = (DBT){.data = bytes, .size = v.size - (uint32_t)cut};
	if (flip >= 0)
		bytes[(size_t)flip % v.size] ^= 1;
	assert_int_equal(db->put(db, NULL, &k, &v, 0), 0);
	free(bytes);
	db->close(db, 0);
	env->close(env, 0);
	open_it(f);
}

static void
test_damaged_record_is_a_fault_that_names_it(void **state)
{
	struct fixture *f = *state;
	struct directory_account a;

	add_domain(f, "example.org");
	add_account(f, "you@example.org");
	add_account(f, "her@example.org");
	for (int at = 0; at < 60; at += 7) {
		damage(f, SPAN("aexample.org\0you"), (size_t)at % 3, at);
		assert_int_equal(
		    directory_account_find(f->d, SPAN("you@example.org"), &a, &f->err),
		    DIRECTORY_FAULT);
		assert_non_null(strstr(f->err.text, "you@example.org"));
	}
	expect(f, "her@example.org", "targets her@example.org");
	damage(f, SPAN("dexample.org"), 1, -1);
	assert_int_equal(
	    directory_account_find(f->d, SPAN("her@example.org"), &a, &f->err),
	    DIRECTORY_DONE);
	struct buf got = buf_make(64);
	resolve_text(f, "her@example.org", &policy, &got);
	assert_true(span_equal(buf_span(&got), SPAN("fault")));
	buf_release(&got);
}

/* ---- requests */

static void
count_row(void *context, struct span row)
{
	struct directory_row out;
	struct arena arena;
	int *n = context;

	arena_init(&arena, DIRECTORY_ARENA_BYTES);
	assert_true(directory_row_get(row, &arena, &out));
	for (size_t cut = 0; cut < row.n; cut++)
		assert_false(directory_row_get(span_first(row, cut), &arena, &out));
	arena_release(&arena);
	++*n;
}

static enum directory_result
run_request(struct fixture *f, struct directory_request r, int *rows)
{
	struct buf bytes = buf_make(DIRECTORY_REQUEST_MAX);
	struct directory_request got;
	enum directory_result result;

	*rows = 0;
	arena_release(&f->arena);
	directory_request_put(&r, &bytes);
	for (size_t cut = 0; cut < bytes.n; cut++)
		assert_false(directory_request_get(span_first(buf_span(&bytes), cut),
						   &f->arena, &got));
	assert_true(directory_request_get(buf_span(&bytes), &f->arena, &got));
	result = directory_run(f->d, &got, 1700000000, count_row, rows, &f->err);
	buf_release(&bytes);
	return result;
}

static void
test_requests_do_what_the_calls_do(void **state)
{
	struct span targets[] = {SPAN("you@example.org"), SPAN("x@y.example")};
	const struct {
		struct directory_request r;
		enum directory_result want;
		int rows;
	} rows[] = {
	    {{.verb = DIRECTORY_DOMAIN_ADD, .name = SPAN("example.org")},
	     DIRECTORY_DONE,								       0},
	    {{.verb = DIRECTORY_DOMAIN_ADD, .name = SPAN("example.org")},
	     DIRECTORY_EXISTS,								     0},
	    {{.verb = DIRECTORY_DOMAIN_LIST},                                      DIRECTORY_DONE, 1},
	    {{.verb = DIRECTORY_ACCOUNT_ADD,
	      .name = SPAN("you@example.org"),
	      .quota_bytes = 7},
	     DIRECTORY_DONE,								       0},
	    {{.verb = DIRECTORY_ACCOUNT_SHOW, .name = SPAN("you@example.org")},
	     DIRECTORY_DONE,								       1},
	    {{.verb = DIRECTORY_ACCOUNT_LIST},                                     DIRECTORY_DONE, 1},
	    {{.verb = DIRECTORY_ACCOUNT_LIST, .after = SPAN("you@example.org")},
	     DIRECTORY_DONE,								       0},
	    {{.verb = DIRECTORY_ACCOUNT_QUOTA, .name = SPAN("you@example.org")},
	     DIRECTORY_DONE,								       0},
	    {{.verb = DIRECTORY_ACCOUNT_PASSWORD,
	      .name = SPAN("you@example.org"),
	      .password = {.crypt = "$y$x"}},
	     DIRECTORY_DONE,								       0},
	    {{.verb = DIRECTORY_ACCOUNT_DISABLE, .name = SPAN("you@example.org")},
	     DIRECTORY_DONE,								       0},
	    {{.verb = DIRECTORY_ACCOUNT_ENABLE, .name = SPAN("you@example.org")},
	     DIRECTORY_DONE,								       0},
	    {{.verb = DIRECTORY_ALIAS_ADD,
	      .name = SPAN("info@example.org"),
	      .targets = targets,
	      .n_targets = 2},
	     DIRECTORY_DONE,								       0},
	    {{.verb = DIRECTORY_ALIAS_SHOW, .name = SPAN("info@example.org")},
	     DIRECTORY_DONE,								       1},
	    {{.verb = DIRECTORY_ALIAS_LIST, .name = SPAN("example.org")},
	     DIRECTORY_DONE,								       1},
	    {{.verb = DIRECTORY_DOMAIN_REMOVE, .name = SPAN("example.org")},
	     DIRECTORY_IN_USE,								     0},
	    {{.verb = DIRECTORY_ALIAS_REMOVE, .name = SPAN("info@example.org")},
	     DIRECTORY_DONE,								       0},
	    {{.verb = DIRECTORY_ACCOUNT_REMOVE, .name = SPAN("you@example.org")},
	     DIRECTORY_DONE,								       0},
	    {{.verb = DIRECTORY_DOMAIN_DISABLE, .name = SPAN("example.org")},
	     DIRECTORY_DONE,								       0},
	    {{.verb = DIRECTORY_DOMAIN_REMOVE, .name = SPAN("example.org")},
	     DIRECTORY_DONE,								       0},
	};
	struct fixture *f = *state;
	int n;

	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		print_message("request %zu\n", i);
		assert_int_equal(run_request(f, rows[i].r, &n), rows[i].want);
		assert_int_equal(n, rows[i].rows);
	}
	for (int i = 0; i < 256; i++)
		assert_int_equal(directory_result_byte(directory_result_of((uint8_t)i)),
				 i <= DIRECTORY_BAD_NAME ? i : 255);
}

static void
test_disabled_domain_takes_no_mail(void **state)
{
	struct fixture *f = *state;

	add_domain(f, "example.org");
	add_account(f, "you@example.org");
	assert_int_equal(
	    directory_domain_enable(f->d, SPAN("example.org"), false, &f->err),
	    DIRECTORY_DONE);
	expect(f, "you@example.org", "disabled skipped=1");
	assert_int_equal(
	    directory_domain_enable(f->d, SPAN("example.org"), true, &f->err),
	    DIRECTORY_DONE);
	expect(f, "you@example.org", "targets you@example.org");
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_name_canonical_forms),
	    WITH(test_name_length_limits),
	    WITH(test_domain_add_list_remove),
	    WITH(test_account_life),
	    WITH(test_account_bad_names),
	    WITH(test_account_list_pages_and_domains),
	    WITH(test_resolve_rows),
	    WITH(test_resolve_postmaster_always_leads_somewhere),
	    WITH(test_resolve_circles_and_depth),
	    WITH(test_resolve_target_limit),
	    WITH(test_alias_rules),
	    WITH(test_may_send_rows),
	    WITH(test_password_is_kept_and_checked),
	    cmocka_unit_test(test_password_import_schemes),
	    WITH(test_second_opener_is_told_who_has_it),
	    WITH(test_secret_and_records_survive_a_restart),
	    WITH(test_what_was_added_survives_a_kill),
	    WITH(test_damaged_record_is_a_fault_that_names_it),
	    WITH(test_requests_do_what_the_calls_do),
	    WITH(test_disabled_domain_takes_no_mail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

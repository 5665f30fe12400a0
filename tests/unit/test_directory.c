/* tests/unit/test_directory.c - names, domains, accounts, passwords, requests */
#include "tests/unit/directory_fixture.h"

#include <time.h>

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
		assert_int_equal(make_account(f->d, span_str(local), &no_password, 0, 0,
					      NULL, &f->err),
				 n <= DIRECTORY_LOCAL_OWN ? DIRECTORY_DONE
							  : DIRECTORY_BAD_NAME);
	}
}

/* ---- domains and accounts */

static enum directory_result
list(struct fixture *f, enum directory_kind kind, const char *in, struct span after,
     struct directory_object *page, size_t limit, size_t *n)
{
	arena_release(&f->arena);
	return directory_page(f->d, kind, span_str(in), after, (struct span){0},
			      &f->arena, page, limit, n, &f->err);
}

static void
test_domain_add_list_remove(void **state)
{
	struct fixture *f = *state;
	struct directory_object page[2];
	size_t n;

	add_domain(f, "b.example");
	add_domain(f, "A.example");
	add_domain(f, "c.example");
	assert_int_equal(make_domain(f->d, SPAN("a.EXAMPLE"), &f->err),
			 DIRECTORY_EXISTS);
	assert_int_equal(make_domain(f->d, SPAN("a b"), &f->err), DIRECTORY_BAD_NAME);
	assert_int_equal(list(f, DIRECTORY_DOMAIN, "", SPAN(""), page, 2, &n),
			 DIRECTORY_DONE);
	assert_int_equal(n, 2);
	assert_true(span_equal(page[0].name, SPAN("a.example")));
	assert_true(span_equal(page[1].name, SPAN("b.example")));
	assert_int_equal(list(f, DIRECTORY_DOMAIN, "", SPAN("b.example"), page, 2, &n),
			 DIRECTORY_DONE);
	assert_int_equal(n, 1);
	assert_true(span_equal(page[0].name, SPAN("c.example")));
	add_account(f, "you@c.example");
	assert_int_equal(make_domain_gone(f->d, SPAN("c.example"), &f->err),
			 DIRECTORY_IN_USE);
	assert_int_equal(make_domain_gone(f->d, SPAN("b.example"), &f->err),
			 DIRECTORY_DONE);
	assert_int_equal(make_domain_gone(f->d, SPAN("b.example"), &f->err),
			 DIRECTORY_NOT_FOUND);
}

static void
test_account_life(void **state)
{
	struct fixture *f = *state;
	struct directory_account a;
	uint64_t first, second;

	assert_int_equal(make_account(f->d, SPAN("you@example.org"), &no_password, 0, 0,
				      NULL, &f->err),
			 DIRECTORY_NOT_FOUND);
	add_domain(f, "example.org");
	first = add_account(f, "You@Example.org");
	assert_int_equal(make_account(f->d, SPAN("you@example.org"), &no_password, 0, 0,
				      NULL, &f->err),
			 DIRECTORY_EXISTS);
	assert_int_equal(
	    directory_account_find(f->d, SPAN("YOU@example.org"), &a, &f->err),
	    DIRECTORY_DONE);
	assert_string_equal(a.address, "you@example.org");
	assert_int_equal(a.id, first);
	assert_int_equal(a.quota_bytes, 1000);
	assert_int_equal(a.created, 1700000000);
	assert_int_equal(make_account_quota(f->d, SPAN("you@example.org"), 5, &f->err),
			 DIRECTORY_DONE);
	assert_int_equal(
	    make_account_disabled(f->d, SPAN("you@example.org"), true, &f->err),
	    DIRECTORY_DONE);
	assert_int_equal(directory_account_find_id(f->d, first, &a, &f->err),
			 DIRECTORY_DONE);
	assert_int_equal(a.quota_bytes, 5);
	assert_true(a.disabled);
	assert_int_equal(make_account_gone(f->d, SPAN("you@example.org"), &f->err),
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
		assert_int_equal(make_account(f->d, span_str(names[i]), &no_password, 0,
					      0, NULL, &f->err),
				 DIRECTORY_BAD_NAME);
		assert_true(f->err.text[0] != '\0');
	}
}

static void
test_account_list_pages_and_domains(void **state)
{
	struct fixture *f = *state;
	struct directory_object page[3];
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
		assert_int_equal(list(f, DIRECTORY_ACCOUNT, "a.example",
				      span_str(after), page, 3, &n),
				 DIRECTORY_DONE);
		for (size_t i = 0; i < n; i++) {
			snprintf(address, sizeof(address), "user%zu@a.example",
				 total++);
			assert_true(span_equal(page[i].name, span_str(address)));
		}
		if (n > 0)
			assert_true(span_copy(page[n - 1].name, after, sizeof(after)));
	} while (n > 0);
	assert_int_equal(total, 7);
	assert_int_equal(
	    list(f, DIRECTORY_ACCOUNT, "", SPAN("user6@a.example"), page, 3, &n),
	    DIRECTORY_DONE);
	assert_int_equal(n, 2);
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
	    make_account_password(f->d, SPAN("you@example.org"), &p, &f->err),
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

static void
test_disabled_domain_takes_no_mail(void **state)
{
	struct fixture *f = *state;

	add_domain(f, "example.org");
	add_account(f, "you@example.org");
	assert_int_equal(make_domain_enabled(f->d, SPAN("example.org"), false, &f->err),
			 DIRECTORY_DONE);
	expect(f, "you@example.org", "disabled skipped=1");
	assert_int_equal(make_domain_enabled(f->d, SPAN("example.org"), true, &f->err),
			 DIRECTORY_DONE);
	expect(f, "you@example.org", "targets you@example.org");
}

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
	    WITH(test_password_is_kept_and_checked),
	    cmocka_unit_test(test_password_import_schemes),
	    WITH(test_disabled_domain_takes_no_mail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

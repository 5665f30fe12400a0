/* tests/unit/test_authd_permit.c - what an administrator of domains may do to what */
#include "tests/unit/directory_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "authd/office.h"

static char folder[64];
static struct script *script;
static uint64_t asker; /* 0: the operator, who may do all */

static enum directory_result
as_asker(struct directory *d, const struct directory_request *r, struct err *err)
{
	return asker ? permit(d, asker, r, err) : DIRECTORY_DONE;
}

/* boss administers two domains; deputy is another administrator of one of them, and
 * theirs has one who lives there. */
static const char *const world[] = {
    ("add domain example.org accounts_max=6 aliases_max=3 lists_max=2 "
     "account_quota_bytes=1G message_bytes_max=10M"),
    "add domain second.example",
    "add domain theirs.example",
    "add domain alias.example alias_of=theirs.example",
    "add account boss@example.org",
    "add account deputy@example.org",
    "add account a@example.org",
    "add account x@theirs.example",
    "add alias info@theirs.example targets=x@theirs.example",
    "add list all@theirs.example members=x@theirs.example",
    "add group staff@theirs.example members=x@theirs.example",
    "set domain example.org administrators=boss@example.org,deputy@example.org",
    "set domain second.example administrators=boss@example.org",
    "set domain theirs.example administrators=x@theirs.example",
};

static int
setup(void **state)
{
	struct directory_options options = {.folder = folder};
	struct directory *d;
	struct err err;

	(void)state;
	memcpy(folder, "/tmp/test_permit.XXXXXX", sizeof("/tmp/test_permit.XXXXXX"));
	assert_non_null(mkdtemp(folder));
	assert_int_equal(directory_open(&options, &d, &err), DIRECTORY_DONE);
	script = script_new(d);
	script->permit = as_asker;
	asker = 0;
	for (size_t i = 0; i < N_ELEMS(world); i++)
		script_do(script, world[i]);
	return 0;
}

static int
teardown(void **state)
{
	struct directory *d = script_free(&script);
	DIR *dir = opendir(folder);
	struct dirent *entry;

	(void)state;
	directory_free(&d);
	assert_non_null(dir);
	while ((entry = readdir(dir)))
		(void)unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	return rmdir(folder);
}

static void
run_as(const char *who, const struct script_row *rows, size_t n)
{
	bool good = true;

	asker = 0;
	asker = script_id(script, who);
	for (size_t i = 0; i < n; i++)
		good &= script_check(script, &rows[i]);
	asker = 0;
	assert_true(good);
}

#define RUN_AS(who, rows) run_as((who), (rows), N_ELEMS(rows))

static void
test_administrator_has_the_run_of_the_own_domains(void **state)
{
	static const struct script_row rows[] = {
	    {"show domain example.org lists_max",                                    "done lists_max=2"},
	    {"add account b@example.org quota_bytes=1G",                             "done"            },
	    {"set account b@example.org name=B",                                     "done"            },
	    {"show account b@example.org name",                                      "done name=B"     },
	    {"set account b@example.org disabled=yes",                               "done"            },
	    {"set account b@example.org forward=me@elsewhere.example",               "done"            },
	    {"remove account b@example.org",                                         "done"            },
	    {"list account example.org",
	     "done a@example.org boss@example.org deputy@example.org"                                  },
	    {"add alias info@example.org targets=a@example.org,x@elsewhere.example",
	     "done"										    },
	    {"set alias info@example.org targets-=a@example.org",                    "done"            },
	    {"remove alias info@example.org",                                        "done"            },
	    {"add alias @example.org targets=a@example.org",                         "done"            },
	    {"add list l@example.org members=a@example.org",                         "done"            },
	    {"set list l@example.org posting=members",                               "done"            },
	    {"add group g@example.org members=a@example.org",                        "done"            },
	    {"remove group g@example.org",					   "done"            },
	    {"add account n@second.example",                                         "done"            },
	    {"add account n@EXAMPLE.org",					    "done"            },
	    {"remove account n@example.ORG",                                         "done"            },
	};

	(void)state;
	RUN_AS("boss@example.org", rows);
}

static void
test_administrator_sees_nothing_of_other_domains(void **state)
{
	static const struct script_row rows[] = {
	    {"show domain theirs.example enabled",                                       "not found"},
	    {"show domain gone.example enabled",                                         "not found"},
	    {"show account x@theirs.example name",                                       "not found"},
	    {"show account gone@theirs.example name",                                    "not found"},
	    {"list account theirs.example",					      "not found"},
	    {"list account",							     "not found"},
	    {"list domain",							      "not found"},
	    {"list domain example.org",						  "not found"},
	    {"add account n@theirs.example",					     "not found"},
	    {"set account x@theirs.example name=X",                                      "not found"},
	    {"set account x@theirs.example disabled=yes",                                "not found"},
	    {"remove account x@theirs.example",                                          "not found"},
	    {"add alias n@theirs.example targets=a@example.org",                         "not found"},
	    {"set alias info@theirs.example targets+=a@example.org",                     "not found"},
	    {"remove alias info@theirs.example",                                         "not found"},
	    {"set list all@theirs.example members+=a@example.org",                       "not found"},
	    {"set list all@theirs.example owner=a@example.org",                          "not found"},
	    {"remove list all@theirs.example",                                           "not found"},
	    {"set group staff@theirs.example members+=a@example.org",                    "not found"},
 /* in what is their own */
	    {"add list l@example.org members=group:staff@theirs.example",                "not found"},
	    {"add alias i@example.org targets=group:staff@theirs.example",               "not found"},
	    {"add alias i@example.org targets=a@example.org,group:staff@THEIRS.example",
	     "not found"									    },
	    {"add alias i@example.org targets=group:staff@alias.example",                "not found"},
	    {"add alias i@example.org targets=group:theirs.example",                     "not found"},
 /* by another name */
	    {"set account x@alias.example name=X",                                       "not found"},
	    {"set account a@example.org@theirs.example name=X",                          "not found"},
	    {"set account x@THEIRS.example name=X",                                      "not found"},
	    {"list account alias.example",					       "not found"},
	    {"add account n@alias.example",					      "not found"},
	    {"show account @theirs.example name",                                        "not found"},
	};

	(void)state;
	RUN_AS("boss@example.org", rows);
	/* It is all as it was. */
	script_expect(script, &(struct script_row){"list account theirs.example",
						   "done x@theirs.example"});
	script_expect(
	    script, &(struct script_row){"show account x@theirs.example name disabled",
					 "done name= disabled=no"});
}

/* A group of the own domains, and one that the operator has put in, is as good as an
 * address. */
static void
test_administrator_names_groups_of_the_own_domains(void **state)
{
	static const struct script_row rows[] = {
	    {"add group k@second.example members=a@example.org",           "done"     },
	    {"add list l@example.org members=group:k@second.example",      "done"     },
	    {"set list l@example.org members+=group:no@example.org",       "not found"},
	    {"set list o@example.org members+=a@example.org",              "done"     },
	    {"set list o@example.org members+=group:staff@theirs.example", "not found"},
	    {"set list o@example.org members-=group:staff@theirs.example", "done"     },
	};

	(void)state;
	script_do(script, "add list o@example.org members=group:staff@theirs.example");
	RUN_AS("boss@example.org", rows);
}

static void
test_administrator_changes_no_limit_and_no_administrator(void **state)
{
	static const struct script_row rows[] = {
	    {"set domain example.org quota_bytes=100G",                    "not found"},
	    {"set domain example.org account_quota_bytes=none",            "not found"},
	    {"set domain example.org accounts_max=0",                      "not found"},
	    {"set domain example.org administrators+=a@example.org",       "not found"},
	    {"set domain example.org alias_of=theirs.example",             "not found"},
	    {"set domain second.example enabled=no",                       "not found"},
	    {"set domain theirs.example administrators+=boss@example.org", "not found"},
	    {"set domain alias.example administrators+=boss@example.org",  "not found"},
	    {"add domain third.example",                                   "not found"},
	    {"add domain third.example administrators=boss@example.org",   "not found"},
	    {"remove domain second.example",                               "not found"},
	    {"remove domain theirs.example",                               "not found"},
	    {"set account a@example.org quota_bytes=2G",                   "limit"    },
	    {"set account a@example.org quota_bytes=none",                 "limit"    },
	    {"set account a@example.org quota_bytes=1G",                   "done"     },
	    {"add account b@example.org quota_bytes=2G",                   "limit"    },
	    {"set account a@example.org message_bytes_max=11M",            "limit"    },
	    {"add account b@example.org message_bytes_max=11M",            "limit"    },
	    {"set account a@example.org message_bytes_max=10M",            "done"     },
 /* fields that are nobody's to set */
	    {"set account a@example.org id=1",                             "bad value"},
	    {"add account b@example.org id=1",                             "bad value"},
	    {"set account a@example.org last_login=2023-01-01",            "bad value"},
	    {"add account b@example.org created=2023-01-01",               "bad value"},
 /* as many as there may be */
	    {"add account b@example.org",                                  "done"     },
	    {"add account c@example.org",                                  "done"     },
	    {"add account d@example.org",                                  "done"     },
	    {"add account e@example.org",                                  "limit"    },
	    {"add alias p@example.org targets=a@example.org",              "done"     },
	    {"add alias q@example.org targets=a@example.org",              "done"     },
	    {"add alias r@example.org targets=a@example.org",              "done"     },
	    {"add alias s@example.org targets=a@example.org",              "limit"    },
	    {"add list k@example.org",                                     "done"     },
	    {"add list l@example.org",                                     "done"     },
	    {"add list m@example.org",                                     "limit"    },
	    {"add group k@example.org",                                    "done"     },
	    {"add group l@example.org",                                    "done"     },
	    {"add group m@example.org",                                    "limit"    },
	};

	(void)state;
	RUN_AS("boss@example.org", rows);
	script_expect(script, &(struct script_row){
				  "rules boss@example.org theirs.example", "no"});
	script_expect(script,
		      &(struct script_row){"rules a@example.org example.org", "no"});
}

static void
test_who_is_no_administrator_may_nothing(void **state)
{
	static const struct script_row rows[] = {
	    {"show account a@example.org name",  "not found"},
	    {"set account a@example.org name=A", "not found"},
	    {"list account example.org",         "not found"},
	    {"show domain example.org enabled",  "not found"},
	};
	static const struct script_row deputy[] = {
	    {"set account a@example.org name=A", "done"     },
	    {"list account second.example",      "not found"},
	    {"add account n@second.example",     "not found"},
	};

	(void)state;
	RUN_AS("a@example.org", rows);
	RUN_AS("x@theirs.example", rows);
	RUN_AS("deputy@example.org", deputy);
}

static void
test_who_was_an_administrator_is_none_from_then_on(void **state)
{
	static const struct script_row rows[] = {
	    {"set account a@example.org name=A", "not found"},
	};
	uint64_t boss = script_id(script, "boss@example.org");

	(void)state;
	script_do(script, "set domain example.org administrators-=boss@example.org");
	RUN_AS("boss@example.org", rows);
	script_do(script, "set domain example.org administrators+=boss@example.org");
	script_do(script, "remove account boss@example.org");
	asker = boss;
	script_expect(script, &rows[0]);
	asker = 0;
}

/* ---- requests that no command makes */

static enum directory_result
judge(const struct directory_request *r)
{
	uint64_t boss = script_id(script, "boss@example.org");
	struct err err;

	return permit(script->d, boss, r, &err);
}

static void
test_secrets_and_copies_are_for_the_operator(void **state)
{
	static const enum directory_verb verbs[] = {DIRECTORY_DUMP, DIRECTORY_LOAD,
						    DIRECTORY_WHOSE, DIRECTORY_FORGET};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(verbs); i++)
		for (int kind = 0; kind < DIRECTORY_KINDS; kind++) {
			struct directory_request r = {
			    .verb = verbs[i],
			    .object = {.kind = (enum directory_kind)kind,
				       .name = SPAN("example.org")}
                        };

			assert_int_equal(judge(&r), DIRECTORY_NOT_FOUND);
		}
}

static void
test_app_passwords_are_of_accounts_of_the_domain(void **state)
{
	static const struct {
		enum directory_verb verb;
		const char *name;
		enum directory_result want;
	} rows[] = {
	    {DIRECTORY_ADD,     "a@example.org",    DIRECTORY_DONE     },
	    {DIRECTORY_REMOVE,  "a@example.org",    DIRECTORY_DONE     },
	    {DIRECTORY_LISTING, "a@example.org",    DIRECTORY_DONE     },
	    {DIRECTORY_LISTING, "example.org",      DIRECTORY_DONE     },
	    {DIRECTORY_ADD,     "x@theirs.example", DIRECTORY_NOT_FOUND},
	    {DIRECTORY_REMOVE,  "x@theirs.example", DIRECTORY_NOT_FOUND},
	    {DIRECTORY_LISTING, "x@theirs.example", DIRECTORY_NOT_FOUND},
	    {DIRECTORY_LISTING, "",                 DIRECTORY_NOT_FOUND},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct directory_request r = {
		    .verb = rows[i].verb,
		    .object = {.kind = DIRECTORY_APP_PASSWORD,
			       .name = span_str(rows[i].name),
			       .label = SPAN("phone")}
                };

		assert_int_equal(judge(&r), rows[i].want);
	}
}

/* Where a page begins does not say which domain it is of. */
static void
test_page_behind_another_domain_is_empty(void **state)
{
	struct directory_request r = {
	    .verb = DIRECTORY_LISTING,
	    .object = {.kind = DIRECTORY_ACCOUNT, .name = SPAN("example.org")},
	    .after = SPAN("a@theirs.example")
        };

	(void)state;
	asker = script_id(script, "boss@example.org");
	assert_int_equal(script_request(script, &r), DIRECTORY_DONE);
	assert_int_equal(script->rows.n, 0);
	r.after = SPAN("a@a.example");
	assert_int_equal(script_request(script, &r), DIRECTORY_DONE);
	assert_int_equal(directory_item_count(buf_span(&script->rows)), 3);
	asker = 0;
}

static void
test_password_hashes_of_an_administrator_are_bounded(void **state)
{
	static const struct {
		const char *crypt;
		enum directory_result want;
	} rows[] = {
	    {"$y$j9T$salt$hash",                       DIRECTORY_DONE     },
	    {"$y$jFT$salt$hash",                       DIRECTORY_BAD_VALUE},
	    {"$y$j9T5$salt$hash",                      DIRECTORY_BAD_VALUE},
	    {"$6$salt$hash",                           DIRECTORY_DONE     },
	    {"$6$rounds=100000$salt$hash",             DIRECTORY_DONE     },
	    {"$6$rounds=999999999$salt$hash",          DIRECTORY_BAD_VALUE},
	    {"$5$rounds=x$salt$hash",                  DIRECTORY_BAD_VALUE},
	    {"$2b$12$salthash",                        DIRECTORY_DONE     },
	    {"$2b$31$salthash",                        DIRECTORY_BAD_VALUE},
	    {"$1$salt$hash",                           DIRECTORY_DONE     },
	    {"abJnggxhB/yWI",                          DIRECTORY_DONE     },
	    {"$7$DU..../....salt$hash",                DIRECTORY_BAD_VALUE},
	    {"$gy$jFT$salt$hash",                      DIRECTORY_BAD_VALUE},
	    {"$sha1$4000000000$salt$hash",             DIRECTORY_BAD_VALUE},
	    {"$md5,rounds=4000000000$salt$hash",       DIRECTORY_BAD_VALUE},
	    {"_zzzz....hash",                          DIRECTORY_BAD_VALUE},
	    {"{SSHA}AAAA",			     DIRECTORY_DONE     },
	    {"{PBKDF2}$1$salt$10000000$00",            DIRECTORY_BAD_VALUE},
	    {"{SCRAM-SHA-256}10000000,AAAA,AAAA,AAAA", DIRECTORY_BAD_VALUE},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct directory_password p = {0};
		struct buf bytes = buf_make(1024);
		struct directory_request r = {
		    .verb = DIRECTORY_UPDATE,
		    .object = {.kind = DIRECTORY_ACCOUNT,
			       .name = SPAN("a@example.org")}
                };

		print_message("%s\n", rows[i].crypt);
		assert_true(
		    span_copy(span_str(rows[i].crypt), p.crypt, sizeof(p.crypt)));
		directory_password_put(&p, &bytes);
		directory_put_text(&r.object, FIELD_ACCOUNT_PASSWORD, buf_span(&bytes));
		assert_int_equal(judge(&r), rows[i].want);
		bytes.n--; /* and no half of one */
		directory_put_text(&r.object, FIELD_ACCOUNT_PASSWORD, buf_span(&bytes));
		assert_int_equal(judge(&r), DIRECTORY_BAD_VALUE);
		buf_release(&bytes);
	}
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_administrator_has_the_run_of_the_own_domains),
	    TEST(test_administrator_sees_nothing_of_other_domains),
	    TEST(test_administrator_names_groups_of_the_own_domains),
	    TEST(test_administrator_changes_no_limit_and_no_administrator),
	    TEST(test_who_is_no_administrator_may_nothing),
	    TEST(test_who_was_an_administrator_is_none_from_then_on),
	    TEST(test_secrets_and_copies_are_for_the_operator),
	    TEST(test_app_passwords_are_of_accounts_of_the_domain),
	    TEST(test_page_behind_another_domain_is_empty),
	    TEST(test_password_hashes_of_an_administrator_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

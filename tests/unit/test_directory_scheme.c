#include "common/directory/directory.h"
#include "common/directory/scheme.h"
#include "common/movein/movein.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define PASSWORD                                                                       \
	"s\xc3\xa9"                                                                    \
	"cret pass"

/* Made by Dovecot's "doveadm pw" for that password; the two at the end as hMailServer
 * makes them. */
static const struct {
	const char *stored, *scheme;
} rows[] = {
    {"{SMD5}STXnUQoac3yGri+KlfIeKsr8fis=",					    "smd5"         },
    {"{SSHA}lwjio5N9WLoZx0k/Oie8JU/m1FmbzpaM",                                        "ssha"         },
    {"{SSHA256}1KB+NSPg9JaUyFeZqf3FhyxKMKpg6gfv17IQqkeHAylr3UA/",                     "ssha256"      },
    {"{SSHA512}+/SUiLRSIdpUsFLSLNWf+ldHmbe15nE7M5A2TN3Yn6U9Gr5kOuBOSpcj+6diUbOU06cNYaEd"
     "+4Mg582gwLXHtOKwBck=",						     "ssha512"      },
    {"{PBKDF2}$1$QwHs1VdWZrnaPbeZ$5000$489c5601362fcf2ae20655dc1ad959310eef0886",
     "pbkdf2"											},
    {"{SCRAM-SHA-1}4096,An9iG3BZ23nbzoZFolzpLg==,3xfPy58T04uoibkNEXEWRAj8K/w=,"
     "lqAiGjLWXRAtZaYcfaXhvhY0bHk=",					     "scram-sha-1"  },
    {"{SCRAM-SHA-256}4096,ku3rzXSlH9FEQ8VjOp0IQg==,"
     "Nbgs3vKYbYVQg8p4s+JrcVuniH3mIP/WeOgk5Vv8dbI=,"
     "YJYp5+kMXlhw7RB40qEw6cxKpYs30bA1bNOkHydN4m4=",			     "scram-sha-256"},
    {"{SHA512-CRYPT}$6$xNJa6M6ffcBXUHVD$N54svcleLNpnkURAE.Bq6dO7CiXvAeHby2PIgdhnLxc/"
     "qBSdYw4WbFQpF9u1vv3rdX83grfnbq1FXI991ufUb1",			       "sha512crypt"  },
    {"{BLF-CRYPT}$2y$05$UT8Pm/2nIQ/6dypSkvTt5umlP1B1PoQEh98DSA3juQomLXNPAtt8.",
     "bcrypt"											},
    {"{MD5-CRYPT}$1$3hCm3QjM$L4Ls53Y/PXQFq2kAlzGFK/",                                 "md5crypt"     },
    {"{DES-CRYPT}Ck/Gc6kntn.5E",						      "descrypt"     },
    {"{PLAIN-MD5}1ecd5b799f5df23bb05049a4b88807bb",                                   "smd5"         },
    {"{LDAP-MD5}Hs1beZ9d8juwUEmkuIgHuw==",					    "smd5"         },
    {"{SHA}70QCi8RF0Slo71PshBP5IXr7vAU=",					     "ssha"         },
    {"{SHA256}OPeqtbJGq08eOdqRmPhWOVpoLLmFFmXiVqikiTcDEX4=",                          "ssha256"      },
    {"{SHA512}C7Td6cJ2THBNFQuKsHz9lAC/3xEKfvBtPX6GLPb49bWCcxCQsI6SVnN+pLj1dxb8ubQEb0xMM"
     "dYQbjg51f7I7Q==",							  "ssha512"      },
    {"{SHA256-CRYPT}$5$5uIF72YvfstXFrOo$e07XIJxQgVoXCHwf0rc9FTxIS7BUaQZwMfcvrOKYncC",
     "sha256crypt"										   },
    {"{HMAIL-SHA256}"
     "a1b2c30e624dc17ec579059370e90e594dd9ac213f8d7980277877a349dca438c87c18",   "hmail-sha256" },
    {"$pbkdf2-sha256$i=1000$AAECAwQFBgcICQoLDA0ODw==$"
     "vhedjK2Bp5I8Q3xjfvj0O/CUrCdtlUowQMCI/njtbXI=",			     "pbkdf2-sha256"},
};

static void
import(const char *stored, struct directory_password *out)
{
	struct buf kept = buf_make(DIRECTORY_CRYPT_MAX);
	struct err err = {0};

	if (movein_password(span_str(stored), &kept) != MOVEIN_PASSWORD_HASH ||
	    directory_password_import(buf_span(&kept), out, &err) != 0)
		fail_msg("%s: %s", stored, err.text);
	buf_release(&kept);
}

static void
test_scheme_of_others_lets_its_password_in(void **state)
{
	struct directory_password p;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		import(rows[i].stored, &p);
		assert_string_equal(directory_password_scheme(&p), rows[i].scheme);
		if (!directory_password_matches(p.crypt, SPAN(PASSWORD)))
			fail_msg("%s", rows[i].stored);
		assert_false(directory_password_matches(p.crypt, SPAN("secret pass")));
		assert_false(directory_password_matches(p.crypt, SPAN("")));
	}
}

static void
test_scheme_gives_keys_for_scram(void **state)
{
	struct directory_password p;
	struct scram_keys made;

	(void)state;
	import(rows[6].stored, &p);
	assert_true(p.has_scram);
	assert_int_equal(p.scram.iterations, 4096);
	scram_keys_make(SPAN(PASSWORD), span_make(p.scram.salt, p.scram.salt_bytes),
			p.scram.iterations, &made);
	assert_memory_equal(made.stored_key, p.scram.stored_key, SCRAM_KEY_BYTES);
	assert_memory_equal(made.server_key, p.scram.server_key, SCRAM_KEY_BYTES);
	import(rows[0].stored, &p);
	assert_false(p.has_scram);
}

/* Cut anywhere it is refused, or at least nobody's. */
static void
test_scheme_cut_short_lets_nobody_in(void **state)
{
	struct directory_password p;
	struct err err;

	(void)state;
	for (size_t i = 0; i < 7; i++) {
		import(rows[i].stored, &p);
		for (size_t cut = 1; cut < strlen(p.crypt); cut++) {
			struct span part = span_first(span_str(p.crypt), cut);

			if (scheme_is(part) && scheme_good(part) &&
			    directory_password_import(part, &p, &err) == 0)
				assert_false(scheme_matches(part, SPAN(PASSWORD)));
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_scheme_of_others_lets_its_password_in),
	    cmocka_unit_test(test_scheme_gives_keys_for_scram),
	    cmocka_unit_test(test_scheme_cut_short_lets_nobody_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

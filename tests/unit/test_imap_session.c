/* tests/unit/test_imap_session.c - what a client says, and what it is answered */
#include "tests/unit/imap_script.h"

#define SELECTED                                                                       \
	"= * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\n"                  \
	"= * OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] " \
	"Flags permitted\n"

static const struct imap_script basic[] = {
    {"any state",    "0: a NOOP\n"
		  "= a OK NOOP completed\n"
		  "0: b ID NIL\n"
		  "= * ID (\"name\" \"Postroad\")\n"
		  "= b OK ID completed\n"
		  "0: c NAMESPACE\n"
		  "= * NAMESPACE ((\"\" \"/\")) NIL NIL\n"
		  "= c OK NAMESPACE completed\n"
		  "0: d LOGOUT\n"
		  "= * BYE Logging out\n"
		  "= d OK LOGOUT completed\n"
		  "!closed 0\n"                           },
    {"pipelined",    "0: a NOOP\n"
		  "0: b NOOP\n"
		  "0: c LOGOUT\n"
		  "= a OK NOOP completed\n"
		  "= b OK NOOP completed\n"
		  "= * BYE Logging out\n"
		  "= c OK LOGOUT completed\n"             },
    {"not selected", "0: a CHECK\n"
		     "= a BAD No mailbox is selected\n"
		     "0: b CLOSE\n"
		     "= b BAD No mailbox is selected\n"},
    {"select",       "!seen INBOX\n"
	       "!append INBOX\n"
	       "0: a SELECT INBOX\n" SELECTED "= * 2 EXISTS\n"
	       "= * 2 RECENT\n"
	       "= * OK [UNSEEN 2] First unseen\n"
	       "= * OK [UIDVALIDITY 1800000000] UIDs valid\n"
	       "= * OK [UIDNEXT 3] Predicted next UID\n"
	       "= * OK [HIGHESTMODSEQ ~] Highest\n"
	       "= * OK [MAILBOXID (F1-1800000000)] Ok\n"
	       "= a OK [READ-WRITE] SELECT completed\n"
	       "!deliver INBOX\n"
	       "0: b NOOP\n"
	       "= * 3 EXISTS\n"
	       "= * 3 RECENT\n"
	       "= b OK NOOP completed\n"                     },
};

static void
test_basic_dialogues(void **state)
{
	(void)state;
	imap_scripts_run(basic, N_ELEMS(basic));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_basic_dialogues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

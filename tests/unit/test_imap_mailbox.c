/* tests/unit/test_imap_mailbox.c - mailboxes made, renamed, deleted, listed */
#include "tests/unit/imap_script.h"

static const struct imap_script scripts[] = {
    {"create",			"0: a CREATE a/b/\n"
	       "= a OK [MAILBOXID (F~-~)] CREATE completed\n"
	       "0: b CREATE a/b\n"
	       "= b NO [ALREADYEXISTS] There is such a mailbox already\n"
	       "0: c CREATE inbox\n"
	       "= c NO [ALREADYEXISTS] There is such a mailbox already\n"
	       "0: d CREATE /x\n"
	       "= d NO [CANNOT] A mailbox cannot have that name\n"
	       "0: e CREATE x//y\n"
	       "= e NO [CANNOT] A mailbox cannot have that name\n"
	       "0: f CREATE \"\"\n"
	       "= f NO [CANNOT] A mailbox cannot have that name\n"
	       "0: g CREATE Mine (USE (\\Sent))\n"
	       "= g OK [MAILBOXID (F~-~)] CREATE completed\n"
	       "0: h CREATE All (USE (\\All))\n"
	       "= h NO [USEATTR] That use is not for a mailbox made here\n"
	       "0: i CREATE Two (USE (\\Sent \\Junk))\n"
	       "= i NO [USEATTR] That use is not for a mailbox made here\n"
	       "0: j CREATE Odd (USE (\\Odd))\n"
	       "= j NO [USEATTR] That use is not for a mailbox made here\n"
	       "0: k LIST \"\" (a* M*)\n"
	       "= * LIST (\\HasNoChildren \\Sent) \"/\" Mine\n"
	       "= * LIST (\\HasChildren) \"/\" a\n"
	       "= * LIST (\\HasNoChildren) \"/\" a/b\n"
	       "= k OK LIST completed\n"                               },
    {"patterns",		      "0: a CREATE x/y/z\n"
		 "= a OK [MAILBOXID (F~-~)] CREATE completed\n"
		 "0: b CREATE x-ray\n"
		 "= b OK [MAILBOXID (F~-~)] CREATE completed\n"
		 "0: c LIST \"\" x%\n"
		 "= * LIST (\\HasChildren) \"/\" x\n"
		 "= * LIST (\\HasNoChildren) \"/\" x-ray\n"
		 "= c OK LIST completed\n"
		 "0: d LIST x/ %\n"
		 "= * LIST (\\HasChildren) \"/\" x/y\n"
		 "= d OK LIST completed\n"
		 "0: e LIST x *z\n"
		 "= * LIST (\\HasNoChildren) \"/\" x/y/z\n"
		 "= e OK LIST completed\n"
		 "0: f LIST \"\" inbox\n"
		 "= * LIST (\\HasNoChildren) \"/\" INBOX\n"
		 "= f OK LIST completed\n"
		 "0: g LIST \"\" \"\"\n"
		 "= * LIST (\\Noselect) \"/\" \"\"\n"
		 "= g OK LIST completed\n"
		 "0: h LIST \"\" nothing\n"
		 "= h OK LIST completed\n"                           },
    {"names in UTF-7 and UTF-8",
     "0: a CREATE &AOk-t&AOk-\n"
     "= a OK [MAILBOXID (F~-~)] CREATE completed\n"
     "0: b LIST \"\" &AOk*\n"
     "= b BAD a mailbox name is broken\n"
     "0: c ENABLE UTF8=ACCEPT\n"
     "= * ENABLED UTF8=ACCEPT\n"
     "= c OK ENABLE completed\n"
     "0: d LIST \"\" \"\xc3\xa9*\"\n"
     "= * LIST (\\HasNoChildren) \"/\" \"\xc3\xa9t\xc3\xa9\"\n"
     "= d OK LIST completed\n"						       },
    {"delete",			"0: a CREATE a/b\n"
	       "= a OK [MAILBOXID (F~-~)] CREATE completed\n"
	       "0: b DELETE a\n"
	       "= b OK DELETE completed\n"
	       "0: c LIST \"\" a*\n"
	       "= * LIST (\\Noselect \\HasChildren) \"/\" a\n"
	       "= * LIST (\\HasNoChildren) \"/\" a/b\n"
	       "= c OK LIST completed\n"
	       "0: d LIST \"\" a* RETURN (CHILDREN)\n"
	       "= * LIST (\\NonExistent \\HasChildren) \"/\" a\n"
	       "= * LIST (\\HasNoChildren) \"/\" a/b\n"
	       "= d OK LIST completed\n"
	       "0: e SELECT a\n"
	       "= e NO [NONEXISTENT] There is no such mailbox\n"
	       "0: f DELETE a\n"
	       "= f NO [NONEXISTENT] There is no such mailbox\n"
	       "0: g DELETE a/b\n"
	       "= g OK DELETE completed\n"
	       "0: h LIST \"\" a*\n"
	       "= h OK LIST completed\n"
	       "0: i DELETE INBOX\n"
	       "= i NO [CANNOT] INBOX cannot be deleted\n"             },
    {"rename",			"0: a CREATE a/b\n"
	       "= a OK [MAILBOXID (F~-~)] CREATE completed\n"
	       "0: b SUBSCRIBE a/b\n"
	       "= b OK SUBSCRIBE completed\n"
	       "0: c RENAME a new/c\n"
	       "= c OK RENAME completed\n"
	       "0: d LIST \"\" (a* new*) RETURN (SUBSCRIBED)\n"
	       "= * LIST (\\HasChildren) \"/\" new\n"
	       "= * LIST (\\HasChildren) \"/\" new/c\n"
	       "= * LIST (\\HasNoChildren \\Subscribed) \"/\" new/c/b\n"
	       "= d OK LIST completed\n"
	       "0: e RENAME new/c Sent\n"
	       "= e NO [ALREADYEXISTS] There is such a mailbox already\n"
	       "0: f RENAME none some\n"
	       "= f NO [NONEXISTENT] There is no such mailbox\n"
	       "0: g RENAME new/c new/c/d\n"
	       "= g NO [CANNOT] A mailbox cannot have that name\n"
	       "0: h ENABLE IMAP4rev2\n"
	       "= * ENABLED IMAP4rev2\n"
	       "= h OK ENABLE completed\n"
	       "0: i RENAME new/c/b last\n"
	       "= * LIST (\\HasNoChildren) \"/\" last (\"OLDNAME\" (new/c/b))\n"
	       "= i OK RENAME completed\n"                             },
    {"rename INBOX",                  "!append INBOX\n"
		     "0: a RENAME INBOX old\n"
		     "= a OK RENAME completed\n"
		     "0: b STATUS INBOX (MESSAGES)\n"
		     "= * STATUS INBOX (MESSAGES 0)\n"
		     "= b OK STATUS completed\n"
		     "0: c STATUS old (MESSAGES UIDNEXT)\n"
		     "= * STATUS old (MESSAGES 1 UIDNEXT 2)\n"
		     "= c OK STATUS completed\n"                 },
    {"subscriptions",
     "0: a UNSUBSCRIBE Sent\n"
     "= a OK UNSUBSCRIBE completed\n"
     "0: b SUBSCRIBE lists/dogs\n"
     "= b OK SUBSCRIBE completed\n"
     "0: c LSUB \"\" *\n"
     "= * LSUB () \"/\" Archive\n"
     "= * LSUB () \"/\" Drafts\n"
     "= * LSUB () \"/\" INBOX\n"
     "= * LSUB () \"/\" Junk\n"
     "= * LSUB () \"/\" Trash\n"
     "= * LSUB () \"/\" lists/dogs\n"
     "= c OK LSUB completed\n"
     "0: d LSUB \"\" l%\n"
     "= * LSUB (\\Noselect) \"/\" lists\n"
     "= d OK LSUB completed\n"
     "0: e LIST (SUBSCRIBED) \"\" l*\n"
     "= * LIST (\\NonExistent \\HasNoChildren \\Subscribed) \"/\" lists/dogs\n"
     "= e OK LIST completed\n"
     "0: f LIST (SUBSCRIBED RECURSIVEMATCH) \"\" l%\n"
     "= * LIST (\\NonExistent \\HasNoChildren) \"/\" lists "
     "(\"CHILDINFO\" (\"SUBSCRIBED\"))\n"
     "= f OK LIST completed\n"
     "0: g LIST \"\" l*\n"
     "= g OK LIST completed\n"
     "0: h CREATE lists/dogs\n"
     "= h OK [MAILBOXID (F~-~)] CREATE completed\n"
     "0: i LIST \"\" l* RETURN (SUBSCRIBED)\n"
     "= * LIST (\\HasChildren) \"/\" lists\n"
     "= * LIST (\\HasNoChildren \\Subscribed) \"/\" lists/dogs\n"
     "= i OK LIST completed\n"						       },
    {"CHILDINFO of what is not told",
     "0: a SUBSCRIBE foo2/bar1\n"
     "= a OK SUBSCRIBE completed\n"
     "0: b SUBSCRIBE foo2/bar2\n"
     "= b OK SUBSCRIBE completed\n"
     "0: c SUBSCRIBE baz2/bar2\n"
     "= c OK SUBSCRIBE completed\n"
     "0: d SUBSCRIBE baz2/bar22\n"
     "= d OK SUBSCRIBE completed\n"
     "0: e SUBSCRIBE eps2\n"
     "= e OK SUBSCRIBE completed\n"
     "0: f SUBSCRIBE eps2/mamba\n"
     "= f OK SUBSCRIBE completed\n"
     "0: g SUBSCRIBE qux2/bar2\n"
     "= g OK SUBSCRIBE completed\n"
     "0: h LIST (RECURSIVEMATCH SUBSCRIBED) \"\" *2\n"
     "= * LIST (\\NonExistent \\HasNoChildren \\Subscribed) \"/\" baz2/bar2\n"
     "= * LIST (\\NonExistent \\HasNoChildren \\Subscribed) \"/\" baz2/bar22\n"
     "= * LIST (\\NonExistent \\HasNoChildren \\Subscribed) \"/\" eps2 "
     "(\"CHILDINFO\" (\"SUBSCRIBED\"))\n"
     "= * LIST (\\NonExistent \\HasNoChildren) \"/\" foo2 "
     "(\"CHILDINFO\" (\"SUBSCRIBED\"))\n"
     "= * LIST (\\NonExistent \\HasNoChildren \\Subscribed) \"/\" foo2/bar2\n"
     "= * LIST (\\NonExistent \\HasNoChildren \\Subscribed) \"/\" qux2/bar2\n"
     "= h OK LIST completed\n"
     "0: i LIST (RECURSIVEMATCH SUBSCRIBED) \"\" (q* qux2)\n"
     "= * LIST (\\NonExistent \\HasNoChildren \\Subscribed) \"/\" qux2/bar2\n"
     "= i OK LIST completed\n"
     "0: j LIST (RECURSIVEMATCH SUBSCRIBED SPECIAL-USE) \"\" q*\n"
     "= j OK LIST completed\n"						       },
    {"special use",                   "0: a LIST (SPECIAL-USE) \"\" *\n"
		    "= * LIST (\\HasNoChildren \\Archive) \"/\" Archive\n"
		    "= * LIST (\\HasNoChildren \\Drafts) \"/\" Drafts\n"
		    "= * LIST (\\HasNoChildren \\Junk) \"/\" Junk\n"
		    "= * LIST (\\HasNoChildren \\Sent) \"/\" Sent\n"
		    "= * LIST (\\HasNoChildren \\Trash) \"/\" Trash\n"
		    "= a OK LIST completed\n"                     },
    {"status",			"!append INBOX\n"
	       "!seen INBOX\n"
	       "0: a STATUS INBOX (MESSAGES UIDNEXT UIDVALIDITY UNSEEN DELETED SIZE "
	       "HIGHESTMODSEQ MAILBOXID APPENDLIMIT DELETED-STORAGE RECENT)\n"
	       "= * STATUS INBOX (MESSAGES 2 RECENT 2 UIDNEXT 3 UIDVALIDITY 1800000000 "
	       "UNSEEN 1 DELETED 0 SIZE 90 HIGHESTMODSEQ ~ APPENDLIMIT 52428800 "
	       "DELETED-STORAGE 0 MAILBOXID (F1-1800000000))\n"
	       "= a OK STATUS completed\n"
	       "0: b STATUS none (MESSAGES)\n"
	       "= b NO [NONEXISTENT] There is no such mailbox\n"
	       "0: c LIST \"\" (INBOX Sent) RETURN (STATUS (MESSAGES))\n"
	       "= * LIST (\\HasNoChildren) \"/\" INBOX\n"
	       "= * STATUS INBOX (MESSAGES 2)\n"
	       "= * LIST (\\HasNoChildren \\Sent) \"/\" Sent\n"
	       "= * STATUS Sent (MESSAGES 0)\n"
	       "= c OK LIST completed\n"
	       "0: d EXAMINE INBOX\n"
	       "= * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\n"
	       "= * OK [PERMANENTFLAGS ()] Flags permitted\n"
	       "= * 2 EXISTS\n"
	       "= * 2 RECENT\n"
	       "= * OK [UNSEEN 1] First unseen\n"
	       "= * OK [UIDVALIDITY 1800000000] UIDs valid\n"
	       "= * OK [UIDNEXT 3] Predicted next UID\n"
	       "= * OK [HIGHESTMODSEQ ~] Highest\n"
	       "= * OK [MAILBOXID (F1-1800000000)] Ok\n"
	       "= d OK [READ-ONLY] EXAMINE completed\n"
	       "0: e STATUS INBOX (MESSAGES)\n"
	       "= * STATUS INBOX (MESSAGES 2)\n"
	       "= e OK STATUS completed\n"                             },
    {"deleted under another session",
     "0: a CREATE box\n"
     "= a OK [MAILBOXID (F~-~)] CREATE completed\n"
     "1: b EXAMINE box\n"
     "= * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\n"
     "= * OK [PERMANENTFLAGS ()] Flags permitted\n"
     "= * 0 EXISTS\n"
     "= * 0 RECENT\n"
     "= * OK [UIDVALIDITY ~] UIDs valid\n"
     "= * OK [UIDNEXT 1] Predicted next UID\n"
     "= * OK [HIGHESTMODSEQ ~] Highest\n"
     "= * OK [MAILBOXID (F~-~)] Ok\n"
     "= b OK [READ-ONLY] EXAMINE completed\n"
     "0: c DELETE box\n"
     "= c OK DELETE completed\n"
     "1: d NOOP\n"
     "= * BYE The selected mailbox was deleted\n"
     "!closed 1\n"								   },
    {"deleted while idling",
     "0: a CREATE box\n"
     "= a OK [MAILBOXID (F~-~)] CREATE completed\n"
     "1: b EXAMINE box\n"
     "= * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\n"
     "= * OK [PERMANENTFLAGS ()] Flags permitted\n"
     "= * 0 EXISTS\n"
     "= * 0 RECENT\n"
     "= * OK [UIDVALIDITY ~] UIDs valid\n"
     "= * OK [UIDNEXT 1] Predicted next UID\n"
     "= * OK [HIGHESTMODSEQ ~] Highest\n"
     "= * OK [MAILBOXID (F~-~)] Ok\n"
     "= b OK [READ-ONLY] EXAMINE completed\n"
     "1: c IDLE\n"
     "= + idling\n"
     "0: d DELETE box\n"
     "= d OK DELETE completed\n"
     "!push 1\n"
     "= * BYE The selected mailbox was deleted\n"
     "1: DONE\n"
     "!closed 1\n"								   },
    {"deleted by itself",             "0: a CREATE box\n"
			  "= a OK [MAILBOXID (F~-~)] CREATE completed\n"
			  "0: b EXAMINE box\n"
			  "= * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\n"
			  "= * OK [PERMANENTFLAGS ()] Flags permitted\n"
			  "= * 0 EXISTS\n"
			  "= * 0 RECENT\n"
			  "= * OK [UIDVALIDITY ~] UIDs valid\n"
			  "= * OK [UIDNEXT 1] Predicted next UID\n"
			  "= * OK [HIGHESTMODSEQ ~] Highest\n"
			  "= * OK [MAILBOXID (F~-~)] Ok\n"
			  "= b OK [READ-ONLY] EXAMINE completed\n"
			  "0: c DELETE box\n"
			  "= * OK [CLOSED] The mailbox is deleted\n"
			  "= c OK DELETE completed\n"
			  "0: d CHECK\n"
			  "= d BAD No mailbox is selected\n"},
};

static void
test_mailbox_dialogues(void **state)
{
	(void)state;
	imap_scripts_run(scripts, N_ELEMS(scripts));
}

/* More than fits the output at once, and names above that are none themselves. */
static void
test_list_of_many_is_whole_and_in_order(void **state)
{
	struct harness h;
	struct span got;
	size_t lines = 0;

	(void)state;
	harness_init(&h);
	h.policy.limits.output_high = 500;
	for (unsigned i = 0; i < 300; i++) {
		char text[64];

		snprintf(text, sizeof(text), "a CREATE many/%03u/below\r\n", i);
		got = harness_say(&h, 0, text);
		assert_true(span_starts(got, SPAN("a OK")));
	}
	got = harness_say(&h, 0, "a LIST \"\" many*\r\n");
	while (span_starts(got, SPAN("* LIST "))) {
		(void)span_cut(&got, '\n');
		lines++;
	}
	assert_int_equal(lines, 601);
	assert_true(span_equal(got, SPAN("a OK LIST completed\r\n")));
	harness_release(&h);
}

/* Long names against many long patterns: many short steps, none that holds up others.
 */
static void
test_list_of_many_patterns_takes_many_steps(void **state)
{
	struct buf line = buf_make(1 << 20);
	struct harness h;
	struct span got;

	(void)state;
	harness_init(&h);
	buf_put_str(&line, "a CREATE ");
	for (int i = 0; i < 900; i++)
		buf_put_char(&line, 'a');
	buf_put_str(&line, "\r\nb LIST \"\" (");
	for (int k = 0; k < 50; k++) {
		for (int i = 0; i < 300; i++)
			buf_put_str(&line, "*a");
		buf_put_str(&line, "b ");
	}
	buf_put_str(&line, "a*)\r\n");
	got = harness_send(&h, 0, buf_span(&line));
	assert_true(span_starts(got, SPAN("a OK ")));
	(void)span_cut(&got, '\n');
	assert_true(span_starts(got, SPAN("* LIST (\\HasNoChildren) \"/\" aaa")));
	(void)span_cut(&got, '\n');
	assert_true(span_equal(got, SPAN("b OK LIST completed\r\n")));
	assert_true(h.at[0].steps >= 20);
	harness_release(&h);
	buf_release(&line);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_mailbox_dialogues),
	    cmocka_unit_test(test_list_of_many_is_whole_and_in_order),
	    cmocka_unit_test(test_list_of_many_patterns_takes_many_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

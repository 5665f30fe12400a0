/* tests/unit/test_imap_parse.c - every command into its values, cut anywhere */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/imap_dump.h"

#include <stdio.h>

static const struct row {
	const char *wire, *want; /* without its CRLF; as imap_dump() has it */
} rows[] = {
  /* clang-format off */
	/* without arguments */
	{"a NOOP", "NOOP"},
	{"A0001 noop", "NOOP"},
	{"a.b/c:d-e NOOP ", "NOOP"},
	{"a CAPABILITY", "CAPABILITY"},
	{"a LOGOUT", "LOGOUT"},
	{"a NAMESPACE", "NAMESPACE"},
	{"a IDLE", "IDLE"},
	{"a CHECK", "CHECK"},
	{"a CLOSE", "CLOSE"},
	{"a UNSELECT", "UNSELECT"},
	{"a EXPUNGE", "EXPUNGE"},

	/* gate's */
	{"a STARTTLS", "STARTTLS"},
	{"a LOGIN joe \"pass word\"", "LOGIN"},
	{"a LOGIN {3}\r\njoe {4+}\r\npass", "LOGIN"},
	{"a AUTHENTICATE PLAIN AGEAYg==", "AUTHENTICATE"},

	/* [RFC2971] */
	{"a ID NIL", "ID"},
	{"a ID ()", "ID"},
	{"a ID (\"name\" \"Mail\" \"version\" NIL)",
	 "ID \"name\" \"Mail\" \"version\" NIL"},
	{"a id ( \"name\"  {4}\r\nMail )", "ID \"name\" \"Mail\""},

	/* [RFC5161] */
	{"a ENABLE CONDSTORE", "ENABLE 1"},
	{"a ENABLE qresync UTF8=ACCEPT IMAP4rev2 X-OTHER", "ENABLE e"},

	/* [RFC4978] */
	{"a COMPRESS deflate", "COMPRESS"},

	/* names */
	{"a SELECT INBOX", "SELECT \"INBOX\""},
	{"a SELECT inbox", "SELECT \"INBOX\""},
	{"a SELECT iNbOx/Sub", "SELECT \"INBOX/Sub\""},
	{"a SELECT inboxes", "SELECT \"inboxes\""},
	{"a SELECT \"In\\\\box \\\"1\\\"\"", "SELECT \"In\\\\box \\\"1\\\"\""},
	{"a SELECT {5}\r\na b]c", "SELECT \"a b]c\""},
	{"a SELECT {5+}\r\na b]c", "SELECT \"a b]c\""},
	{"a SELECT {0}\r\n", "SELECT \"\""},
	{"a SELECT \"\"", "SELECT \"\""},
	{"a SELECT Entw&APw-rfe", "SELECT \"Entw\303\274rfe\""},
	{"a SELECT \"R&-D\"", "SELECT \"R&D\""},
	{"a SELECT \"Gel\357\277\275scht\"", "SELECT \"Gel\357\277\275scht\""},
	{"a SELECT \"Gel\303\266scht\"", "SELECT \"Gel\303\266scht\""},
	{"a EXAMINE a]b", "EXAMINE \"a]b\""},
	{"a DELETE foo/bar", "DELETE \"foo/bar\""},
	{"a SUBSCRIBE NIL", "SUBSCRIBE \"NIL\""},
	{"a UNSUBSCRIBE \"x\"", "UNSUBSCRIBE \"x\""},
	{"a RENAME foo \"b a r\"", "RENAME \"foo\" \"b a r\""},

	/* SELECT [RFC7162] */
	{"a SELECT x (CONDSTORE)", "SELECT \"x\" condstore"},
	{"a SELECT x (condstore )", "SELECT \"x\" condstore"},
	{"a SELECT x (QRESYNC (67890007 20050715194045000))",
	 "SELECT \"x\" qresync 67890007 20050715194045000"},
	{"a SELECT x (QRESYNC (1 0 41,43:211,214:541))",
	 "SELECT \"x\" qresync 1 0 41,43:211,214:541"},
	{"a SELECT x (QRESYNC (1 20 41,43:211,214:541 (1:3 7,9,20)))",
	 "SELECT \"x\" qresync 1 20 41,43:211,214:541 match 1:3 7,9,20"},
	{"a SELECT x (QRESYNC (1 20 (1,3:2 7:9)))",
	 "SELECT \"x\" qresync 1 20 match 1,3:2 7:9"},
	{"a SELECT x (QRESYNC (4294967295 9223372036854775807) CONDSTORE)",
	 "SELECT \"x\" condstore qresync 4294967295 9223372036854775807"},

	/* CREATE [RFC6154] */
	{"a CREATE x/", "CREATE \"x/\" use=0"},
	{"a CREATE x (USE (\\Drafts))", "CREATE \"x\" use=8"},
	{"a CREATE x (USE (\\sent \\TRASH \\All \\Archive \\Flagged \\Junk))",
	 "CREATE \"x\" use=f6"},
	{"a CREATE x (USE ())", "CREATE \"x\" use=0"},
	{"a CREATE x (USE (\\Important))", "CREATE \"x\" use=0 bad"},

	/* STATUS */
	{"a STATUS x (MESSAGES)", "STATUS \"x\" 1"},
	{"a STATUS x (messages RECENT UIDNEXT UIDVALIDITY UNSEEN DELETED SIZE "
	 "HIGHESTMODSEQ MAILBOXID APPENDLIMIT DELETED-STORAGE)",
	 "STATUS \"x\" 7ff"},
	{"a STATUS \"x y\" ( UNSEEN )", "STATUS \"x y\" 10"},

	/* LIST [RFC5258] [RFC5819] [RFC6154] */
	{"a LIST \"\" \"\"", "LIST select=0 \"\" \"\" return=0 status=0"},
	{"a LIST \"\" *", "LIST select=0 \"\" \"*\" return=0 status=0"},
	{"a LIST foo/ %", "LIST select=0 \"foo/\" \"%\" return=0 status=0"},
	{"a LIST \"\" \"a b%\"", "LIST select=0 \"\" \"a b%\" return=0 status=0"},
	{"a LIST \"\" a]b", "LIST select=0 \"\" \"a]b\" return=0 status=0"},
	{"a LIST \"\" {3}\r\na*b", "LIST select=0 \"\" \"a*b\" return=0 status=0"},
	{"a LIST \"\" &AOQ-*", "LIST select=0 \"\" \"\303\244*\" return=0 status=0"},
	{"a LIST \"\" inbox", "LIST select=0 \"\" \"INBOX\" return=0 status=0"},
	{"a LIST () \"\" %", "LIST extended select=0 \"\" \"%\" return=0 status=0"},
	{"a LIST (SUBSCRIBED RECURSIVEMATCH REMOTE) \"\" *",
	 "LIST extended select=7 \"\" \"*\" return=0 status=0"},
	{"a LIST (SPECIAL-USE) \"\" \"*\"",
	 "LIST extended select=8 \"\" \"*\" return=0 status=0"},
	{"a LIST \"\" (% \"a b\" {1}\r\nc)",
	 "LIST extended select=0 \"\" \"%\" \"a b\" \"c\" return=0 status=0"},
	{"a LIST \"\" % RETURN ()",
	 "LIST extended select=0 \"\" \"%\" return=0 status=0"},
	{"a LIST \"\" % RETURN (SUBSCRIBED CHILDREN SPECIAL-USE)",
	 "LIST extended select=0 \"\" \"%\" return=7 status=0"},
	{"a LIST \"\" % RETURN (STATUS (MESSAGES UNSEEN) CHILDREN)",
	 "LIST extended select=0 \"\" \"%\" return=a status=11"},
	{"a list (subscribed) \"\" (*) return (status (size))",
	 "LIST extended select=1 \"\" \"*\" return=8 status=40"},
	{"a LSUB \"\" *", "LSUB select=0 \"\" \"*\" return=0 status=0"},
	{"a LSUB #news. \"comp.mail.*\"",
	 "LSUB select=0 \"#news.\" \"comp.mail.*\" return=0 status=0"},

	/* quotas [RFC9208] */
	{"a GETQUOTA \"\"", "GETQUOTA \"\""},
	{"a GETQUOTA !partition/sda4", "GETQUOTA \"!partition/sda4\""},
	{"a GETQUOTAROOT INBOX", "GETQUOTAROOT \"INBOX\""},
	{"a SETQUOTA \"\" (STORAGE 512)", "SETQUOTA \"\""},
	{"a SETQUOTA x (STORAGE 9223372036854775807 MESSAGE 0)", "SETQUOTA \"x\""},
	{"a SETQUOTA x ()", "SETQUOTA \"x\""},

	/* sets */
	{"a FETCH 1 FLAGS", "FETCH 1 FLAGS"},
	{"a FETCH * FLAGS", "FETCH * FLAGS"},
	{"a FETCH 1:* FLAGS", "FETCH 1:* FLAGS"},
	{"a FETCH *:4,2:1,7,4294967295 FLAGS", "FETCH *:4,2:1,7,4294967295 FLAGS"},
	{"a FETCH $ FLAGS", "FETCH $ FLAGS"},
	{"a UID EXPUNGE 3:5,9", "UID EXPUNGE 3:5,9"},
	{"a COPY 2:4 MEETING", "COPY 2:4 \"MEETING\""},
	{"a UID COPY $ \"x\"", "UID COPY $ \"x\""},
	{"a MOVE 1 Trash", "MOVE 1 \"Trash\""},
	{"a UID MOVE 42:69 {3}\r\nfoo", "UID MOVE 42:69 \"foo\""},

	/* FETCH */
	{"a FETCH 1 UID", "FETCH 1 UID"},
	{"a FETCH 1 (uid)", "FETCH 1 UID"},
	{"a FETCH 1 ALL", "FETCH 1 FLAGS INTERNALDATE RFC822.SIZE ENVELOPE"},
	{"a FETCH 1 FAST", "FETCH 1 FLAGS INTERNALDATE RFC822.SIZE"},
	{"a FETCH 1 full", "FETCH 1 FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY"},
	{"a FETCH 1 (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE)",
	 "FETCH 1 UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE"},
	{"a FETCH 1 (FLAGS FLAGS UID FLAGS)", "FETCH 1 FLAGS UID"},
	{"a FETCH 1 (RFC822 RFC822.HEADER RFC822.TEXT)",
	 "FETCH 1 RFC822! RFC822.HEADER RFC822.TEXT!"},
	{"a FETCH 1 (MODSEQ EMAILID THREADID SAVEDATE)",
	 "FETCH 1 MODSEQ EMAILID THREADID SAVEDATE"},
	{"a FETCH 1 PREVIEW", "FETCH 1 PREVIEW"},
	{"a FETCH 1 (PREVIEW UID)", "FETCH 1 PREVIEW UID"},
	{"a FETCH 1 (PREVIEW (LAZY) UID)", "FETCH 1 PREVIEW(LAZY) UID"},
	{"a UID FETCH 1 PREVIEW (CHANGEDSINCE 5)", "UID FETCH 1 PREVIEW changed=5"},
	{"a FETCH 1 PREVIEW (LAZY)", "FETCH 1 PREVIEW(LAZY)"},
	{"a FETCH 1 BODY[]", "FETCH 1 SECTION![|0]"},
	{"a FETCH 1 body.peek[]<0.1>", "FETCH 1 SECTION[|0]<0.1>"},
	{"a FETCH 1 BODY[TEXT]<9223372036854775807.9223372036854775807>",
	 "FETCH 1 SECTION![TEXT|4]<9223372036854775807.9223372036854775807>"},
	{"a FETCH 1 (BODY[HEADER] BODY[header])",
	 "FETCH 1 SECTION![HEADER|1] SECTION![header|1]"},
	{"a FETCH 1 (BODY[1] BODY.PEEK[1.2.3] BODY[4.MIME] BODY[1.2.HEADER] "
	 "BODY[2.TEXT])",
	 "FETCH 1 SECTION![1|0.1] SECTION[1.2.3|0.1.2.3] SECTION![4.MIME|5.4] "
	 "SECTION![1.2.HEADER|1.1.2] SECTION![2.TEXT|4.2]"},
	{"a FETCH 1 BODY.PEEK[HEADER.FIELDS (From To)]",
	 "FETCH 1 SECTION[HEADER.FIELDS (From To)|2 \"From\" \"To\"]"},
	{"a FETCH 1 BODY[HEADER.FIELDS (\"a\\\"b\\\\c\" NIL \"x(y\" z])]",
	 "FETCH 1 SECTION![HEADER.FIELDS (\"a\\\"b\\\\c\" \"NIL\" \"x(y\" z])|2 "
	 "\"a\\\"b\\\\c\" \"NIL\" \"x(y\" \"z]\"]"},
	{"a FETCH 1 BODY[3.header.fields.not (\"DATE\" {2}\r\nTo  ab )]",
	 "FETCH 1 SECTION![3.header.fields.not (DATE To ab)|3.3 \"DATE\" \"To\" "
	 "\"ab\"]"},
	{"a FETCH 1 (BINARY[] BINARY.PEEK[1.2]<3.4> BINARY.SIZE[5] BINARY[1])",
	 "FETCH 1 BINARY![|0] BINARY[1.2|0.1.2]<3.4> BINARY.SIZE[5|0.5] BINARY![1|0.1]"},
	{"a FETCH 1 ( FLAGS  UID )", "FETCH 1 FLAGS UID"},
	{"a UID FETCH 1:* (FLAGS) (CHANGEDSINCE 12345)",
	 "UID FETCH 1:* FLAGS changed=12345"},
	{"a UID FETCH 300:500 (FLAGS) (CHANGEDSINCE 0 VANISHED)",
	 "UID FETCH 300:500 FLAGS changed=0 vanished"},
	{"a FETCH 1 FLAGS (CHANGEDSINCE 9223372036854775807)",
	 "FETCH 1 FLAGS changed=9223372036854775807"},
	{"a UID FETCH 1:* (FLAGS) (PARTIAL 1:100)",
	 "UID FETCH 1:* FLAGS partial=1:100"},
	{"a UID FETCH 1:* FLAGS (PARTIAL -1:-4294967295 CHANGEDSINCE 1)",
	 "UID FETCH 1:* FLAGS changed=1 partial=-1:-4294967295"},

	/* STORE */
	{"a STORE 2:4 +FLAGS (\\Deleted)", "STORE 2:4 + (\\Deleted)"},
	{"a STORE 2 -flags.silent \\Seen", "STORE 2 - silent (\\Seen)"},
	{"a UID STORE 1 FLAGS ()", "UID STORE 1 = ()"},
	{"a STORE 1 FLAGS \\answered \\Flagged \\Draft \\Recent $Forwarded "
	 "NonJunk",
	 "STORE 1 = (\\Answered \\Flagged \\Draft \"$Forwarded\" \"NonJunk\")"},
	{"a STORE 1 +FLAGS.SILENT ( \\Seen  Work )",
	 "STORE 1 + silent (\\Seen \"Work\")"},
	{"a STORE 7,5,9 (UNCHANGEDSINCE 320162338) +FLAGS.SILENT (\\Deleted)",
	 "STORE 7,5,9 unchanged=320162338 + silent (\\Deleted)"},
	{"a UID STORE $ (unchangedsince 0) FLAGS.SILENT x",
	 "UID STORE $ unchanged=0 = silent ( \"x\")"},

	/* SEARCH */
	{"a SEARCH ALL", "SEARCH ALL"},
	{"a UID SEARCH 1:*", "UID SEARCH SET 1:*"},
	{"a SEARCH $", "SEARCH SET $"},
	{"a SEARCH UID 5,7", "SEARCH UID 5,7"},
	{"a SEARCH UID $", "SEARCH UID $"},
	{"a SEARCH SEEN UNSEEN ANSWERED UNANSWERED FLAGGED UNFLAGGED DELETED "
	 "UNDELETED DRAFT UNDRAFT",
	 "SEARCH AND( FLAG \\Seen NOT( FLAG \\Seen) FLAG \\Answered NOT( FLAG "
	 "\\Answered) FLAG \\Flagged NOT( FLAG \\Flagged) FLAG \\Deleted NOT( "
	 "FLAG \\Deleted) FLAG \\Draft NOT( FLAG \\Draft))"},
	{"a SEARCH NEW OLD RECENT", "SEARCH AND( NEW OLD RECENT)"},
	{"a SEARCH KEYWORD $Work UNKEYWORD x",
	 "SEARCH AND( KEYWORD \"$Work\" NOT( KEYWORD \"x\"))"},
	{"a SEARCH BEFORE 1-Feb-1994 ON \"28-feb-2000\" SINCE 29-FEB-2000",
	 "SEARCH AND( BEFORE 8797 ON 11015 SINCE 11016)"},
	{"a SEARCH SENTBEFORE 01-Jan-1970 SENTON 31-Dec-1969 SENTSINCE 2-Jan-1970",
	 "SEARCH AND( SENTBEFORE 0 SENTON -1 SENTSINCE 1)"},
	{"a SEARCH SAVEDBEFORE 1-Jan-2000 SAVEDON 1-Jan-2000 SAVEDSINCE 1-Jan-2000 "
	 "SAVEDATESUPPORTED",
	 "SEARCH AND( SAVEDBEFORE 10957 SAVEDON 10957 SAVEDSINCE 10957 SAVEDATESUPPORTED)"},
	{"a SEARCH OLDER 1 YOUNGER 4294967295",
	 "SEARCH AND( OLDER 1 YOUNGER 4294967295)"},
	{"a SEARCH LARGER 0 SMALLER 9223372036854775807",
	 "SEARCH AND( LARGER 0 SMALLER 9223372036854775807)"},
	{"a SEARCH FROM a TO \"b c\" CC {1}\r\nd BCC \"\" SUBJECT \"\303\274\"",
	 "SEARCH AND( HEADER \"FROM\" \"a\" HEADER \"TO\" \"b c\" HEADER \"CC\" "
	 "\"d\" HEADER \"BCC\" \"\" HEADER \"SUBJECT\" \"\303\274\")"},
	{"a SEARCH HEADER Message-ID \"<a@b>\" HEADER \"X\" \"\"",
	 "SEARCH AND( HEADER \"Message-ID\" \"<a@b>\" HEADER \"X\" \"\")"},
	{"a SEARCH BODY x TEXT {3+}\r\ny z", "SEARCH AND( BODY \"x\" TEXT \"y z\")"},
	{"a SEARCH NOT SEEN NOT (SEEN) NOT NOT SEEN",
	 "SEARCH AND( NOT( FLAG \\Seen) NOT( FLAG \\Seen) NOT( NOT( FLAG \\Seen)))"},
	{"a SEARCH OR SEEN OR FLAGGED (DRAFT ANSWERED)",
	 "SEARCH OR( FLAG \\Seen OR( FLAG \\Flagged AND( FLAG \\Draft FLAG "
	 "\\Answered)))"},
	{"a SEARCH (1:2) ((SEEN)) ( OLD  NEW )",
	 "SEARCH AND( SET 1:2 FLAG \\Seen AND( OLD NEW))"},
	{"a SEARCH MODSEQ 620162338", "SEARCH modseq MODSEQ 620162338"},
	{"a SEARCH MODSEQ \"/flags/\\\\draft\" all 0 NOT MODSEQ 9223372036854775807",
	 "SEARCH modseq AND( MODSEQ 0 NOT( MODSEQ 9223372036854775807))"},
	{"a SEARCH EMAILID M6d99ac3275bb4e THREADID \"T-_9\"",
	 "SEARCH AND( EMAILID \"M6d99ac3275bb4e\" THREADID \"T-_9\")"},
	{"a SEARCH CHARSET UTF-8 TEXT {4+}\r\n\303\274\303\274",
	 "SEARCH \"UTF-8\" TEXT \"\303\274\303\274\""},
	{"a SEARCH CHARSET \"us-ascii\" ALL", "SEARCH \"us-ascii\" ALL"},
	{"a SEARCH RETURN () ALL", "SEARCH return=4 ALL"},
	{"a SEARCH RETURN (MIN MAX ALL COUNT SAVE) CHARSET UTF-8 SEEN",
	 "SEARCH return=1f \"UTF-8\" FLAG \\Seen"},
	{"a UID SEARCH RETURN (SAVE) FLAGGED", "UID SEARCH return=10 FLAG \\Flagged"},
	{"a SEARCH RETURN (PARTIAL 1:500) 1", "SEARCH return=20 partial=1:500 SET 1"},
	{"a SEARCH RETURN (COUNT PARTIAL -1:-500) 1",
	 "SEARCH return=28 partial=-1:-500 SET 1"},
	{"a search return (min) subject foo",
	 "SEARCH return=1 HEADER \"SUBJECT\" \"foo\""},

	/* SORT, THREAD [RFC5256] [RFC5957] [RFC5267] */
	{"a SORT (SUBJECT) UTF-8 SINCE 1-Feb-1994", "SORT +5 \"UTF-8\" SINCE 8797"},
	{"a UID SORT (REVERSE DATE ARRIVAL CC FROM SIZE TO reverse SUBJECT "
	 "DISPLAYFROM DISPLAYTO) \"UTF-8\" ALL",
	 "UID SORT -2 +0 +1 +3 +4 +6 -5 +7 +8 \"UTF-8\" ALL"},
	{"a SORT (SUBJECT DATE REVERSE SUBJECT DATE SUBJECT) UTF-8 ALL",
	 "SORT +5 +2 \"UTF-8\" ALL"},
	{"a SORT RETURN (COUNT) (DATE) UTF-8 ALL", "SORT return=8 +2 \"UTF-8\" ALL"},
	{"a THREAD ORDEREDSUBJECT UTF-8 SINCE 5-MAR-2000",
	 "THREAD algorithm=0 \"UTF-8\" SINCE 11021"},
	{"a UID THREAD references US-ASCII MODSEQ 5",
	 "UID THREAD algorithm=1 \"US-ASCII\" modseq MODSEQ 5"},
  /* clang-format on */
};

static const struct imap_frame_limits limits = {1000, 200, 2000};

/* A copy of its own, so that a look beyond its end is seen. */
static char *
copy_exact(struct span s)
{
	char *at = memory_new(s.n ? s.n : 1, 1);

	if (s.n > 0)
		memcpy(at, s.at, s.n);
	return at;
}

/* All literals go into the frame. */
static enum imap_frame_result
feed(struct imap_frame *f, struct span s)
{
	char *exact = copy_exact(s);
	struct span in = span_make(exact, s.n);
	enum imap_frame_result result;

	while ((result = imap_frame_feed(f, &in)) == IMAP_FRAME_LITERAL)
		assert_true(imap_frame_accept(f));
	assert_int_equal(in.n, 0);
	free(exact);
	return result;
}

static void
expect_parse(struct span frame, bool utf8, const char *want)
{
	const struct imap_parse_options options = {utf8};
	char *exact = copy_exact(frame);
	struct buf dump = buf_make(1u << 16);
	struct imap_command command;
	const char *text = "";
	struct arena arena;

	arena_init(&arena, 1u << 20);
	if (imap_parse(span_make(exact, frame.n), &options, &arena, &command, &text) !=
	    IMAP_PARSE_OK)
		fail_msg("%.*s: %s", SPAN_ARG(frame), text);
	imap_dump(&command, &dump);
	if (!span_equal(span_after(buf_span(&dump), 1), span_str(want)))
		fail_msg("%.*s gives%.*s, not %s", SPAN_ARG(frame),
			 SPAN_ARG(buf_span(&dump)), want);
	buf_release(&dump);
	arena_release(&arena);
	free(exact);
}

static void
parse_cut(const struct row *row, size_t cut)
{
	char wire[1000];
	int n = snprintf(wire, sizeof(wire), "%s\r\n", row->wire);
	struct span all = span_make(wire, (size_t)n);
	struct imap_frame f;

	imap_frame_init(&f, &limits);
	if (cut < all.n)
		assert_int_equal(feed(&f, span_first(all, cut)), IMAP_FRAME_MORE);
	assert_int_equal(feed(&f, span_after(all, cut)), IMAP_FRAME_COMMAND);
	expect_parse(imap_frame(&f), false, row->want);
	imap_frame_next(&f);
	assert_null(f.bytes.at);
	imap_frame_release(&f);
}

static void
test_parse_same_values_at_every_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		for (size_t cut = 0; cut < strlen(rows[i].wire) + 2; cut++)
			parse_cut(&rows[i], cut);
}

static void
test_parse_names_are_utf8_when_enabled(void **state)
{
	(void)state;
	expect_parse(SPAN("a SELECT \"R&D\"\r\n"), true, "SELECT \"R&D\"");
	expect_parse(SPAN("a SELECT &AOQ-\r\n"), true, "SELECT \"&AOQ-\"");
	expect_parse(SPAN("a SELECT \"\303\244\"\r\n"), true, "SELECT \"\303\244\"");
}

/* --- limits --------------------------------------------------------------- */

/* "a <before><unit>...<unit><after>" with n units. */
static enum imap_parse_result
parse_repeated(const char *before, const char *unit, size_t n, const char *after)
{
	const struct imap_parse_options options = {0};
	struct buf wire = buf_make(1u << 20);
	struct imap_command command;
	enum imap_parse_result result;
	const char *text;
	struct arena arena;

	arena_init(&arena, 1u << 20);
	buf_put_str(&wire, before);
	while (n-- > 0)
		buf_put_str(&wire, unit);
	buf_put_str(&wire, after);
	buf_put_str(&wire, "\r\n");
	result = imap_parse(buf_span(&wire), &options, &arena, &command, &text);
	arena_release(&arena);
	buf_release(&wire);
	return result;
}

static const struct limit {
	const char *name, *before, *unit, *after;
	size_t max;
	enum imap_parse_result beyond;
} counts[] = {
    {"tag",         "",			       "t",          " NOOP",       IMAP_TAG_MAX,               IMAP_PARSE_NO_TAG},
    {"parentheses", "a SEARCH ALL ",                  "(",          "",            IMAP_LIST_DEPTH_MAX,        IMAP_PARSE_LIMIT },
    {"keys",        "a SEARCH",                       " NEW",       "",            IMAP_KEYS_MAX - 1,          IMAP_PARSE_LIMIT },
    {"NOTs",        "a SEARCH ",                      "NOT ",       "NEW",         IMAP_KEYS_MAX - 1,          IMAP_PARSE_LIMIT },
    {"ORs",         "a SEARCH ",                      "OR NEW ",    "NEW",         (IMAP_KEYS_MAX - 1) / 2,    IMAP_PARSE_LIMIT },
    {"sort keys",   "a SORT (",                       "DATE ",      ") UTF-8 ALL", 100,                        IMAP_PARSE_LIMIT },
    {"items",       "a FETCH 1 (",                    "BODY[] ",    ")",           1000,                       IMAP_PARSE_LIMIT },
    {"fields",      "a FETCH 1 BODY[HEADER.FIELDS (", "To ",        ")]",          1000,                       IMAP_PARSE_LIMIT },
    {"section",     "a FETCH 1 BODY[1",               ".1",         "]",           IMAP_SECTION_DEPTH_MAX - 1,
     IMAP_PARSE_LIMIT													   },
    {"flags",       "a STORE 1 FLAGS (",              "x ",         ")",           1000,                       IMAP_PARSE_LIMIT },
    {"patterns",    "a LIST \"\" (",                  "% ",         ")",           1000,                       IMAP_PARSE_LIMIT },
    {"ID",          "a ID (",			 "\"a\" NIL ", ")",           30,                         IMAP_PARSE_LIMIT },
    {"a name",      "a SELECT ",                      "n",          "",            1000,                       IMAP_PARSE_BAD   },
    {"the arena",   "a FETCH 1",                      ",1",         " FLAGS",      (1u << 20) / 8 - 1024,      IMAP_PARSE_LIMIT },
};

static void
test_parse_counts_to_its_limits(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(counts); i++) {
		const struct limit *l = &counts[i];
		/* Open parentheses are no command, but within the limit not for that.
		 */
		bool open = *l->unit == '(';
		enum imap_parse_result fine = open ? IMAP_PARSE_BAD : IMAP_PARSE_OK;
		size_t over =
		    span_equal(span_str(l->name), SPAN("the arena")) ? 3000 : 1;

		print_message("%s\n", l->name);
		for (size_t n = l->max - 1; n <= l->max; n++)
			assert_int_equal(
			    parse_repeated(l->before, l->unit, n, l->after), fine);
		assert_int_equal(
		    parse_repeated(l->before, l->unit, l->max + over, l->after),
		    l->beyond);
	}
}

static void
test_parse_refuses_a_nul_in_a_literal(void **state)
{
	static const char wire[] = "a SELECT {3}\r\na\0b\r\n";
	const struct imap_parse_options options = {0};
	struct imap_command command;
	struct arena arena;
	const char *text;

	(void)state;
	arena_init(&arena, 1u << 20);
	assert_int_equal(imap_parse(span_make(wire, sizeof(wire) - 1), &options, &arena,
				    &command, &text),
			 IMAP_PARSE_BAD);
	assert_string_equal(text, "a literal has a NUL in it");
	assert_true(span_equal(command.tag, SPAN("a")));
	arena_release(&arena);
}

/* Anything may be handed to the parser, also what no frame would give. */
static void
test_parse_survives_every_beginning(void **state)
{
	const struct imap_parse_options options = {0};
	struct imap_command command;
	struct arena arena;
	const char *text;

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		for (size_t n = 0; n <= strlen(rows[i].wire); n++) {
			char *exact = copy_exact(span_make(rows[i].wire, n));

			arena_init(&arena, 1u << 20);
			text = NULL;
			if (imap_parse(span_make(exact, n), &options, &arena, &command,
				       &text) != IMAP_PARSE_OK)
				assert_non_null(text);
			arena_release(&arena);
			free(exact);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_parse_same_values_at_every_cut),
	    cmocka_unit_test(test_parse_names_are_utf8_when_enabled),
	    cmocka_unit_test(test_parse_counts_to_its_limits),
	    cmocka_unit_test(test_parse_refuses_a_nul_in_a_literal),
	    cmocka_unit_test(test_parse_survives_every_beginning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

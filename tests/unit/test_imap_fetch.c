/* tests/unit/test_imap_fetch.c - FETCH; tests/e2e/test_imap_oracle.py compares sections
 */
#include "tests/unit/imap_script.h"

#define SELECTED                                                                       \
	"= * FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\n"                  \
	"= * OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] " \
	"Flags permitted\n"                                                            \
	"= * ~ EXISTS\n"                                                               \
	"= * ~ RECENT\n"                                                               \
	"= * OK [UNSEEN 1] First unseen\n"                                             \
	"= * OK [UIDVALIDITY ~] UIDs valid\n"                                          \
	"= * OK [UIDNEXT ~] Predicted next UID\n"                                      \
	"= * OK [HIGHESTMODSEQ ~] Highest\n"                                           \
	"= * OK [MAILBOXID (F1-1800000000)] Ok\n"                                      \
	"= s OK [READ-WRITE] SELECT completed\n"

#define THREE                                                                          \
	"!append INBOX\n!append INBOX\n!append INBOX\n"                                \
	"7: s SELECT INBOX\n" SELECTED "0: s SELECT INBOX\n" SELECTED

#define QRESYNC                                                                        \
	"0: q ENABLE QRESYNC\n"                                                        \
	"= * ENABLED CONDSTORE QRESYNC\n"                                              \
	"= * OK [HIGHESTMODSEQ ~] CONDSTORE is enabled\n"                              \
	"= q OK ENABLE completed\n"

static const struct imap_script scripts[] = {
    {"sets of messages",			 THREE "0: a FETCH 1,3 UID\n"
			       "= * 1 FETCH (UID 1)\n"
			       "= * 3 FETCH (UID 3)\n"
			       "= a OK FETCH completed\n"
			       "0: b FETCH *:2 (RFC822.SIZE)\n"
			       "= * 2 FETCH (RFC822.SIZE 45)\n"
			       "= * 3 FETCH (RFC822.SIZE 45)\n"
			       "= b OK FETCH completed\n"
			       "0: c FETCH 4 UID\n"
			       "= c BAD No such message\n"
			       "0: d UID FETCH 2:99 (FLAGS)\n"
			       "= * 2 FETCH (UID 2 FLAGS ())\n"
			       "= * 3 FETCH (UID 3 FLAGS ())\n"
			       "= d OK UID FETCH completed\n"
			       "0: e UID FETCH 99 (FLAGS UID)\n"
			       "= e OK UID FETCH completed\n"},
    {"seen",				     THREE "0: a FETCH 1 BODY.PEEK[TEXT]\n"
		   "= * 1 FETCH (BODY[TEXT] {6}\n"
		   "= text\n"
		   "= )\n"
		   "= a OK FETCH completed\n"
		   "0: b FETCH 1:2 BODY[TEXT]<1.2>\n"
		   "= * 1 FETCH (BODY[TEXT]<1> {2}\n"
		   "= ex FLAGS (\\Seen))\n"
		   "= * 2 FETCH (BODY[TEXT]<1> {2}\n"
		   "= ex FLAGS (\\Seen))\n"
		   "= b OK FETCH completed\n"
		   "0: c FETCH 2:3 (FLAGS RFC822.TEXT)\n"
		   "= * 2 FETCH (FLAGS (\\Seen) RFC822.TEXT {6}\n"
		   "= text\n"
		   "= )\n"
		   "= * 3 FETCH (FLAGS (\\Seen) RFC822.TEXT {6}\n"
		   "= text\n"
		   "= )\n"
		   "= c OK FETCH completed\n"
		   "7: d NOOP\n"
		   "= * 1 FETCH (FLAGS (\\Seen \\Recent))\n"
		   "= * 2 FETCH (FLAGS (\\Seen \\Recent))\n"
		   "= * 3 FETCH (FLAGS (\\Seen \\Recent))\n"
		   "= d OK NOOP completed\n"                             },
    {"seen, with all that QRESYNC is owed",
     THREE QRESYNC "0: a FETCH 1 BODY[TEXT]<0.1>\n"
		   "= * 1 FETCH (BODY[TEXT]<0> {1}\n"
		   "= t FLAGS (\\Seen) UID 1 MODSEQ (~))\n"
		   "= a OK FETCH completed\n"                                        },
    {"headers",				  THREE "0: a FETCH 1 (BODY.PEEK[HEADER.FIELDS (subject X)] "
		      "RFC822.HEADER)\n"
		      "= * 1 FETCH (BODY[HEADER.FIELDS (subject X)] {18}\n"
		      "= Subject: hello\n"
		      "= \n"
		      "=  RFC822.HEADER {39}\n"
		      "= From: a@example.org\n"
		      "= Subject: hello\n"
		      "= \n"
		      "= )\n"
		      "= a OK FETCH completed\n"
		      "0: b FETCH 1 (BODY.PEEK[9] BODY.PEEK[HEADER.FIELDS "
		      "(X)]<2.9> BINARY.SIZE[1])\n"
		      "= * 1 FETCH (BODY[9] NIL BODY[HEADER.FIELDS (X)]<2> \"\" "
		      "BINARY.SIZE[1] 6)\n"
		      "= b OK FETCH completed\n"                      },
    {"expunged by another",
     THREE "7: a UID MOVE 2 Trash\n"
	   "= * OK [COPYUID ~ 2 1] Moved\n"
	   "= * 2 EXPUNGE\n"
	   "= a OK UID MOVE completed\n"
	   "0: b FETCH 1:3 (UID)\n"
	   "= * 1 FETCH (UID 1)\n"
	   "= * 3 FETCH (UID 3)\n"
	   "= b NO [EXPUNGEISSUED] Some of the messages were expunged meanwhile\n"
	   "0: c UID FETCH 1:3 BODY.PEEK[TEXT]<0.1>\n"
	   "= * 1 FETCH (UID 1 BODY[TEXT]<0> {1}\n"
	   "= t)\n"
	   "= * 3 FETCH (UID 3 BODY[TEXT]<0> {1}\n"
	   "= t)\n"
	   "= * 2 EXPUNGE\n"
	   "= c OK UID FETCH completed\n"					    },
    {"changedsince and vanished",
     THREE QRESYNC "7: a UID MOVE 2 Trash\n"
		   "= * OK [COPYUID ~ 2 1] Moved\n"
		   "= * 2 EXPUNGE\n"
		   "= a OK UID MOVE completed\n"
		   "0: b NOOP\n"
		   "= * VANISHED 2\n"
		   "= b OK NOOP completed\n"
		   "0: c UID FETCH 1:9 (FLAGS) (CHANGEDSINCE 1 VANISHED)\n"
		   "= * VANISHED (EARLIER) 2\n"
		   "= * 1 FETCH (UID 1 FLAGS () MODSEQ (~))\n"
		   "= * 2 FETCH (UID 3 FLAGS () MODSEQ (~))\n"
		   "= c OK UID FETCH completed\n"
		   "0: d UID FETCH 3 (FLAGS) (CHANGEDSINCE 1 VANISHED)\n"
		   "= * 2 FETCH (UID 3 FLAGS () MODSEQ (~))\n"
		   "= d OK UID FETCH completed\n"
		   "0: e UID FETCH 1:9 (FLAGS) (CHANGEDSINCE 999999999 VANISHED)\n"
		   "= e OK UID FETCH completed\n"
		   "0: f FETCH 1 (FLAGS) (CHANGEDSINCE 1 VANISHED)\n"
		   "= f BAD FETCH: VANISHED stands in UID FETCH with "
		   "CHANGEDSINCE\n"						  },
 /* 4 and 6 were told before; 5 and 1 are noted in that order, and told as news. */
    {"vanished beside untold notes in no order",
     THREE "!append INBOX\n!append INBOX\n!append INBOX\n!append INBOX\n"
	   "7: n NOOP\n"
	   "= * 7 EXISTS\n"
	   "= * 7 RECENT\n"
	   "= n OK NOOP completed\n"
	   "0: n NOOP\n"
	   "= * 7 EXISTS\n"
	   "= * 0 RECENT\n"
	   "= n OK NOOP completed\n" QRESYNC "7: a UID MOVE 4 Trash\n"
	   "= * OK [COPYUID ~ 4 1] Moved\n"
	   "= * 4 EXPUNGE\n"
	   "= a OK UID MOVE completed\n"
	   "7: b UID MOVE 6 Trash\n"
	   "= * OK [COPYUID ~ 6 2] Moved\n"
	   "= * 5 EXPUNGE\n"
	   "= b OK UID MOVE completed\n"
	   "0: c NOOP\n"
	   "= * VANISHED 4,6\n"
	   "= c OK NOOP completed\n"
	   "7: d UID MOVE 5 Trash\n"
	   "= * OK [COPYUID ~ 5 3] Moved\n"
	   "= * 4 EXPUNGE\n"
	   "= d OK UID MOVE completed\n"
	   "7: e UID MOVE 1 Trash\n"
	   "= * OK [COPYUID ~ 1 4] Moved\n"
	   "= * 1 EXPUNGE\n"
	   "= e OK UID MOVE completed\n"
	   "0: f UID FETCH 2:9 (UID) (CHANGEDSINCE 1 VANISHED)\n"
	   "= * VANISHED (EARLIER) 4,6\n"
	   "= * 2 FETCH (UID 2 MODSEQ (~))\n"
	   "= * 3 FETCH (UID 3 MODSEQ (~))\n"
	   "= * 5 FETCH (UID 7 MODSEQ (~))\n"
	   "= * VANISHED 1,5\n"
	   "= f OK UID FETCH completed\n"					    },
    {"partial",				  THREE "0: a UID FETCH 1:9 (UID) (PARTIAL 2:3)\n"
		      "= * 2 FETCH (UID 2)\n"
		      "= * 3 FETCH (UID 3)\n"
		      "= a OK UID FETCH completed\n"
		      "0: b UID FETCH 1:9 (UID) (PARTIAL -1:-1)\n"
		      "= * 3 FETCH (UID 3)\n"
		      "= b OK UID FETCH completed\n"
		      "0: c UID FETCH 1:9 (UID) (PARTIAL 4:9)\n"
		      "= c OK UID FETCH completed\n"
		      "0: d UID FETCH 1:9 (UID) (PARTIAL -9:-3)\n"
		      "= * 1 FETCH (UID 1)\n"
		      "= d OK UID FETCH completed\n"
		      "0: e UID FETCH 1,3 (UID) (PARTIAL 2:2)\n"
		      "= * 3 FETCH (UID 3)\n"
		      "= e OK UID FETCH completed\n"                  },
};

static void
test_fetch_dialogues(void **state)
{
	(void)state;
	imap_scripts_run(scripts, N_ELEMS(scripts));
}

/* --- one rich mailbox, asked for everything ------------------------------- */

static uint32_t
add(struct harness *h, const struct buf *text)
{
	struct store_message m = fixture_message(
	    &h->f, buf_span(text), SPAN("Return-Path: <b@example.net>\r\n"));

	return fixture_append(&h->f, &m).uid;
}

/* Parts of every sort, one of them `large` bytes of base64. */
static void
add_mixed(struct harness *h, size_t large)
{
	struct buf text = buf_make(16 << 20);

	buf_put_str(&text, "From: Zo\xc3\xab <z@example.org>\r\nReceived: by x\r\n"
			   "Subject: mixed\r\n\twith a fold\r\n"
			   "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
			   "--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
			   "--b\r\nContent-Type: message/rfc822\r\n\r\n"
			   "Subject: inner\r\n\r\ninner text\r\n"
			   "--b\r\nContent-Transfer-Encoding: x-own\r\n\r\nwhatever\r\n"
			   "--b\r\nContent-Transfer-Encoding: base64\r\n"
			   "Content-Type: image/png\r\n\r\n");
	for (size_t n = 0; n < large; n += 74)
		buf_put_str(&text,
			    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJ"
			    "ygpKissLS4vMDEyMzQ1\r\n");
	buf_put_str(&text, "--b--\r\n");
	add(h, &text);
	buf_release(&text);
}

/* The literal after `label`; empty when there is none. */
static struct span
literal(struct span answer, const char *label)
{
	struct span rest = span_after(answer, span_find_span(answer, span_str(label)));
	uint64_t n = 0;

	rest = span_after(rest, span_find(rest, '{') + 1);
	if (!number_parse(span_first(rest, span_find(rest, '}')), UINT32_MAX, &n))
		return span_make("", 0);
	return span_first(span_after(rest, span_find(rest, '}') + 3), (size_t)n);
}

static const char *const everything =
    "a FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE "
    "MODSEQ EMAILID THREADID SAVEDATE PREVIEW BODY.PEEK[] BODY.PEEK[]<3.70000> "
    "RFC822.HEADER BODY.PEEK[HEADER] BODY.PEEK[HEADER.FIELDS (FROM SUBJECT)] "
    "BODY.PEEK[HEADER.FIELDS (RECEIVED FROM RETURN-PATH)] BODY.PEEK[2.HEADER.FIELDS "
    "(SUBJECT)] BODY.PEEK[HEADER.FIELDS.NOT (FROM)] BODY.PEEK[1.MIME] "
    "BODY.PEEK[2.TEXT] BODY.PEEK[2.HEADER] BODY.PEEK[4] BINARY.PEEK[4] "
    "BINARY.SIZE[4] BINARY.PEEK[4]<10.200000> BINARY.PEEK[1] BODY.PEEK[7] "
    "BINARY.SIZE[7])\r\n";

static void
fill_mixed_into(struct harness *h)
{
	add_mixed(h, 100);
	add_mixed(h, 300000);
	add_mixed(h, 2000000);
	(void)harness_say(h, 0, "s SELECT INBOX\r\n");
	(void)harness_say(h, 0, "e ENABLE CONDSTORE\r\n");
}

static void
fill_mixed(struct harness *h)
{
	harness_init(h);
	fill_mixed_into(h);
}

/* Without summaries, as when their files were deleted, all is made from the bytes. */
static void
test_fetch_is_the_same_without_summaries(void **state)
{
	static const char command[] =
	    "a FETCH 1:* (UID FLAGS RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE PREVIEW "
	    "BODY.PEEK[HEADER.FIELDS (FROM SUBJECT)] BODY.PEEK[HEADER] BODY.PEEK[TEXT] "
	    "BODY.PEEK[2.HEADER] BODY.PEEK[2.1] BINARY.SIZE[4])\r\n";
	const struct session_policy policy = {.limits = session_limits_default};
	struct harness with, without;
	struct span got;

	(void)state;
	fill_mixed(&with);
	harness_init_with(&without, &policy,
			  &(struct store_settings){.summarize = false});
	fill_mixed_into(&without);
	assert_int_equal(
	    store_first(without.account->mail, STORE_INBOX)->summary_number, 0);
	got = harness_say(&without, 0, command);
	assert_true(got.n > 2000000);
	assert_true(span_equal(got, harness_say(&with, 0, command)));
	harness_release(&with);
	harness_release(&without);
}

/* However small the room and the steps, the answer is the same. */
static void
test_fetch_is_the_same_wherever_it_stops(void **state)
{
	static const size_t highs[] = {1, 100, 5000, 70000};
	struct buf whole = buf_make(64 << 20);
	struct harness h;

	(void)state;
	fill_mixed(&h);
	h.policy.limits.output_high = 32 << 20;
	buf_put(&whole, harness_say(&h, 0, everything));
	assert_true(whole.n > 5000000);
	assert_true(
	    span_ends_nocase(buf_span(&whole), SPAN("a OK FETCH completed\r\n")));
	for (size_t i = 0; i < N_ELEMS(highs); i++) {
		h.policy.limits.output_high = highs[i];
		assert_true(
		    span_equal(harness_say(&h, 0, everything), buf_span(&whole)));
	}
	buf_release(&whole);
	harness_release(&h);
}

/* Never more than a piece goes beyond the high mark. */
static void
test_fetch_holds_a_piece_at_most(void **state)
{
	struct span in = span_str(everything);
	enum session_want want;
	struct harness_session *hs;
	struct harness h;
	size_t most = 0;

	(void)state;
	fill_mixed(&h);
	hs = &h.at[0];
	do {
		want = session_step(hs->session, h.f.now_us, &in, &hs->out);
		most = hs->out.n > most ? hs->out.n : most;
		buf_reset(&hs->out);
	} while (want != SESSION_WANT_INPUT);
	assert_in_range(most, h.policy.limits.output_high,
			h.policy.limits.output_high + 3 * SESSION_PIECE_MAX);
	harness_release(&h);
}

static void
test_fetch_binary(void **state)
{
	struct harness h;
	struct span got;

	(void)state;
	fill_mixed(&h);
	got = harness_say(&h, 0, "a FETCH 1 (BINARY.PEEK[4] BINARY.SIZE[4])\r\n");
	assert_true(span_starts(got, SPAN("* 1 FETCH (BINARY[4] ~{108}\r\n")));
	assert_memory_equal(literal(got, "BINARY[4]").at, "\0\1\2\3\4", 5);
	got = harness_say(&h, 0, "a FETCH 1 (BINARY.PEEK[4]<1.3>)\r\n");
	assert_true(span_equal(got, SPAN("* 1 FETCH (BINARY[4]<1> {3}\r\n\1\2\3)\r\n"
					 "a OK FETCH completed\r\n")) ||
		    span_starts(got, SPAN("* 1 FETCH (BINARY[4]<1> ~{3}\r\n\1\2\3)")));
	harness_expect(&h, 0, "a FETCH 1 BINARY.PEEK[3]\r\n",
		       "* 1 FETCH (BINARY[3] NIL)\r\n"
		       "a NO [UNKNOWN-CTE] A part has an unknown encoding\r\n");
	got = harness_say(&h, 0, "a FETCH 1 BINARY.PEEK[]\r\n");
	assert_true(span_starts(literal(got, "BINARY[]"), SPAN("Return-Path: ")));
	harness_release(&h);
}

/* The size is that of BODY[], NULs are not lost, they are something else. */
static void
test_fetch_nul_becomes_0x80(void **state)
{
	struct store_message m;
	struct harness h;

	(void)state;
	harness_init(&h);
	m = fixture_message(&h.f, SPAN("Subject: \0\r\n\r\n\0x\0"), SPAN(""));
	fixture_append(&h.f, &m);
	(void)harness_say(&h, 0, "s SELECT INBOX\r\n");
	harness_expect(
	    &h, 0, "a FETCH 1 (RFC822.SIZE BODY.PEEK[])\r\n",
	    "* 1 FETCH (RFC822.SIZE 17 BODY[] {17}\r\nSubject: \x80\r\n\r\n\x80"
	    "x\x80)\r\na OK FETCH completed\r\n");
	harness_release(&h);
}

/* --- what goes wrong ------------------------------------------------------ */

static void
test_fetch_leaves_out_what_is_damaged(void **state)
{
	struct harness h;
	struct span got;

	(void)state;
	harness_init(&h);
	harness_append(&h, STORE_INBOX, "Subject: one\r\n\r\nfirst\r\n", 0);
	harness_append(&h, STORE_INBOX, "Subject: two\r\n\r\nsecond\r\n", 0);
	harness_append(&h, STORE_INBOX, "Subject: three\r\n\r\nthird\r\n", 0);
	(void)harness_say(&h, 0, "s SELECT INBOX\r\n");
	fixture_poke(&h.f, "data.1",
		     store_find(h.account->mail, STORE_INBOX, 2)->data_offset + 110);
	got = harness_say(&h, 0, "a FETCH 1:3 (UID BODY.PEEK[TEXT])\r\n");
	assert_true(span_equal(
	    got, SPAN("* 1 FETCH (UID 1 BODY[TEXT] {7}\r\nfirst\r\n)\r\n"
		      "* 3 FETCH (UID 3 BODY[TEXT] {7}\r\nthird\r\n)\r\n"
		      "a NO [CORRUPTION] Some messages are damaged and were left "
		      "out\r\n")));
	/* What does not need its bytes is there all the same. */
	got = harness_say(&h, 0, "a FETCH 2 (UID RFC822.SIZE)\r\n");
	assert_true(span_starts(got, SPAN("* 2 FETCH (UID 2 RFC822.SIZE 24)\r\n")));
	harness_release(&h);
}

/* A message of which half is sent is sent to its end, though it is expunged. */
static void
test_fetch_survives_an_expunge_in_the_middle(void **state)
{
	struct harness_session *hs;
	enum session_want want;
	struct harness h;
	struct span in = SPAN("a FETCH 3 (BODY.PEEK[] UID)\r\n");
	uint64_t sent = 0;

	(void)state;
	fill_mixed(&h);
	(void)harness_say(&h, 1, "s SELECT INBOX\r\n");
	hs = &h.at[0];
	want = session_step(hs->session, h.f.now_us, &in, &hs->out);
	assert_int_equal(want, SESSION_WANT_ROOM);
	(void)harness_say(&h, 1, "a UID MOVE 1:3 Trash\r\n");
	do {
		sent += hs->out.n;
		buf_reset(&hs->out);
		want = session_step(hs->session, h.f.now_us, &in, &hs->out);
	} while (want != SESSION_WANT_INPUT);
	assert_true(sent + hs->out.n > 2000000);
	assert_true(span_ends_nocase(buf_span(&hs->out),
				     SPAN(" UID 3)\r\na OK FETCH completed\r\n")));
	buf_reset(&hs->out);
	harness_release(&h);
}

/* \Seen for many at once: few events, and each message told once. */
static void
test_fetch_marks_many_with_few_events(void **state)
{
	struct harness h;
	struct span got;
	uint64_t before;
	size_t n = 0;

	(void)state;
	harness_init(&h);
	harness_fill(&h, STORE_INBOX, 1000);
	(void)harness_say(&h, 0, "s SELECT INBOX\r\n");
	before = store_position(h.account->mail);
	got = harness_say(&h, 0, "a FETCH 1:* BODY[TEXT]\r\n");
	while (got.n > 0) {
		struct span line = span_cut(&got, '\n');

		n += span_find_span(line, SPAN("\\Seen")) < line.n;
	}
	assert_int_equal(n, 1000);
	assert_true(store_position(h.account->mail) - before < 1000);
	harness_expect(&h, 0, "b NOOP\r\n", "b OK NOOP completed\r\n");
	harness_release(&h);
}

/* --- many names ----------------------------------------------------------- */

#define FIELDS 3000

/* "X-0: v", "x-1 : v" and so on; their names are all of one letter. */
static void
append_many_fields(struct harness *h)
{
	struct buf text = buf_make(1u << 20);

	for (int i = 0; i < FIELDS; i++)
		buf_putf(&text, "%c-%d%s: v\r\n", i % 2 ? 'x' : 'X', i,
			 i % 3 ? "" : " ");
	buf_put_str(&text, "\r\nbody\r\n");
	buf_put_char(&text, '\0');
	(void)harness_append(h, STORE_INBOX, text.at, 0);
	buf_release(&text);
}

/* However many are asked for, those are found and no others. */
static void
test_fetch_finds_fields_among_many(void **state)
{
	struct harness h;

	(void)state;
	harness_init(&h);
	append_many_fields(&h);
	(void)harness_say(&h, 0, "s SELECT INBOX\r\n");
	for (int n = 1; n <= 40; n++) {
		struct buf send = buf_make(1u << 16), want = buf_make(1u << 16);
		struct buf fields = buf_make(1u << 16);

		buf_put_str(&send, "a FETCH 1 BODY.PEEK[HEADER.FIELDS (");
		for (int i = 0; i < n; i++) {
			/* In no order; of every second there is only the beginning. */
			int k = (i * 7 + 3) % 40;

			buf_putf(&send, "%sX-%d%s", i > 0 ? " " : "", 13 * k,
				 k % 2 ? "z" : "");
		}
		buf_put_str(&send, ")]\r\n");
		for (int k = 0; k < 40; k += 2) {
			int i = 0, at = 13 * k;

			while (i < n && (i * 7 + 3) % 40 != k)
				i++;
			if (i < n)
				buf_putf(&fields, "%c-%d%s: v\r\n", at % 2 ? 'x' : 'X',
					 at, at % 3 ? "" : " ");
		}
		buf_putf(&want, "* 1 FETCH (BODY[%.*s {%zu}\r\n%.*s\r\n)\r\n",
			 (int)(send.n - strlen("a FETCH 1 BODY.PEEK[\r\n")),
			 send.at + strlen("a FETCH 1 BODY.PEEK["), fields.n + 2,
			 (int)fields.n, fields.n > 0 ? fields.at : "");
		buf_put_str(&want, "a OK FETCH completed\r\n");
		buf_put_char(&send, '\0');
		buf_put_char(&want, '\0');
		harness_expect(&h, 0, send.at, want.at);
		buf_release(&send);
		buf_release(&want);
		buf_release(&fields);
	}
	harness_release(&h);
}

/* A message of which very much is asked is work for many steps. */
static void
test_fetch_of_many_items_takes_many_steps(void **state)
{
	struct buf send = buf_make(1u << 20);
	struct harness h;
	struct span got;
	uint64_t before;

	(void)state;
	harness_init(&h);
	append_many_fields(&h);
	(void)harness_say(&h, 0, "s SELECT INBOX\r\n");
	buf_put_str(&send, "a FETCH 1 (UID");
	for (int i = 0; i < 500; i++)
		buf_putf(&send, " BODY.PEEK[HEADER.FIELDS (y%d X-1)]<0.1>", i);
	buf_put_str(&send, ")\r\n");
	before = h.at[0].steps;
	got = harness_send(&h, 0, buf_span(&send));
	assert_true(span_ends_nocase(got, SPAN(")\r\na OK FETCH completed\r\n")));
	/* 500 times 3,000 lines of FETCH_NS_FIELD, in steps of SESSION_STEP_US. */
	assert_true(h.at[0].steps - before >= 15);
	buf_release(&send);
	harness_release(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_fetch_dialogues),
	    cmocka_unit_test(test_fetch_is_the_same_wherever_it_stops),
	    cmocka_unit_test(test_fetch_holds_a_piece_at_most),
	    cmocka_unit_test(test_fetch_is_the_same_without_summaries),
	    cmocka_unit_test(test_fetch_binary),
	    cmocka_unit_test(test_fetch_nul_becomes_0x80),
	    cmocka_unit_test(test_fetch_leaves_out_what_is_damaged),
	    cmocka_unit_test(test_fetch_survives_an_expunge_in_the_middle),
	    cmocka_unit_test(test_fetch_marks_many_with_few_events),
	    cmocka_unit_test(test_fetch_finds_fields_among_many),
	    cmocka_unit_test(test_fetch_of_many_items_takes_many_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

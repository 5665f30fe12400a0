/* bench/imap_session.c - what a session costs, without its socket
 *
 *   imap_session [MESSAGES [NAME [RUNS]]]     100,000 of 2 KB when not said; only
 *                                             rows whose name begins so
 *
 * Prints milliseconds of CPU of each command, the median of some runs, the longest
 * step, and the bytes of the answer. The output is appended and thrown away.
 */
#include "tests/unit/imap_harness.h"

#include <time.h>

#define RUNS     5
#define RUNS_MAX 1000

static int64_t
ticks_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

#define BATCH 1000

/* A message of 2 KB as lists send them. */
static void
compose(size_t i, struct buf *text)
{
	buf_reset(text);
	buf_putf(text,
		 "Received: from mx%zu.example.org by mail.example.org with ESMTPS id "
		 "%zu;\r\n\tMon, 12 Oct 2026 10:00:00 +0000\r\n"
		 "DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=s1; "
		 "h=from:to:subject;\r\n\tbh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/"
		 "XKdLCPjaYaY=;\r\n\tb=dzdVyOfAKCdLXdJOc9G2q8LoXSlEniSb\r\n"
		 "From: Sender Number %zu <sender%zu@example.org>\r\n"
		 "To: Some Body <somebody@example.net>, Other "
		 "<other%zu@example.net>\r\n"
		 "Cc: third@example.com\r\n"
		 "Subject: Message %zu about something or other\r\n"
		 "Date: Mon, 12 Oct 2026 10:%02zu:00 +0000\r\n"
		 "Message-ID: <%zu.abcdef@example.org>\r\n"
		 "References: <%zu.abcdef@example.org>\r\n"
		 "MIME-Version: 1.0\r\nX-Mailer: Mailer 1.0\r\n"
		 "List-Id: The list <list.example.org>\r\n"
		 "Content-Type: text/plain; charset=utf-8\r\n"
		 "Content-Transfer-Encoding: 8bit\r\n\r\n",
		 i, i, i % 1000, i % 1000, i, i, i % 60, i, i / 3);
	while (text->n < 2048)
		buf_put_str(text, "The quick brown fox jumps over the lazy dog.\r\n");
}

static void
fill(struct harness *h, size_t n)
{
	struct buf *texts = memory_new(BATCH, sizeof(*texts));
	struct store_appended out;

	for (size_t i = 0; i < BATCH; i++)
		texts[i] = buf_make(4096);
	for (size_t i = 0; i < n; i++) {
		struct buf *text = &texts[i % BATCH];
		struct store_message m;

		if (i % BATCH == 0)
			fixture_check(&h->f,
				      store_batch_begin(h->f.account, true, &h->f.err));
		compose(i, text);
		m = fixture_message(&h->f, buf_span(text),
				    SPAN("Return-Path: <sender@example.org>\r\n"
					 "Delivered-To: somebody@example.net\r\n"));
		fixture_check(&h->f, store_append(h->f.account, &m, &out, &h->f.err));
		if (i % BATCH == BATCH - 1 || i + 1 == n)
			fixture_check(&h->f, store_batch_end(h->f.account, &h->f.err));
	}
	for (size_t i = 0; i < BATCH; i++)
		buf_release(&texts[i]);
	free(texts);
	fixture_check(&h->f, store_sync(h->f.account, h->f.now_us, &h->f.err));
	fixture_check(&h->f, store_view_refresh(h->f.account, &h->f.err));
}

struct sample {
	int64_t ns, longest_ns;
	uint64_t bytes;
};

/* What imapd does between commands. */
static void
fill_texts(struct harness *h)
{
	bool done = false;

	while (!done)
		fixture_check(&h->f,
			      store_text_fill(h->f.account, 1 << 20, &done, &h->f.err));
}

/* One command, as imapd would drive it; a sync costs what it costs. */
static struct sample
run(struct harness *h, struct span bytes)
{
	struct session *s = harness_session(h, 0);
	struct harness_session *hs = &h->at[0];
	struct sample figure = {0};

	for (;;) {
		int64_t start = ticks_ns(), took;
		enum session_want want = session_step(s, h->f.now_us, &bytes, &hs->out);

		took = ticks_ns() - start;
		figure.ns += took;
		figure.bytes += hs->out.n;
		if (took > figure.longest_ns)
			figure.longest_ns = took;
		buf_reset(&hs->out);
		if (want == SESSION_WANT_INPUT || want == SESSION_WANT_CLOSE)
			return figure;
		start = ticks_ns();
		if (want == SESSION_WANT_SYNC)
			fixture_check(&h->f,
				      store_sync(h->f.account, h->f.now_us, &h->f.err));
		figure.ns += ticks_ns() - start;
	}
}

static int
compare(const void *a, const void *b)
{
	const struct sample *x = a, *y = b;

	return (x->ns > y->ns) - (x->ns < y->ns);
}

static void
measure(struct harness *h, const char *name, const char *command, int runs)
{
	struct sample figures[RUNS_MAX];

	for (int i = 0; i < runs; i++)
		figures[i] = run(h, span_str(command));
	qsort(figures, (size_t)runs, sizeof(*figures), compare);
	printf("%-28s %9.2f ms  longest step %7.2f ms  %10llu bytes\n", name,
	       (double)figures[runs / 2].ns / 1e6,
	       (double)figures[runs / 2].longest_ns / 1e6,
	       (unsigned long long)figures[runs / 2].bytes);
	fflush(stdout);
}

static const struct {
	const char *name, *command;
	int runs;
} rows[] = {
    {"SELECT",		   "a SELECT INBOX\r\n",					   RUNS},
    {"STORE 1:* +FLAGS.SILENT",  "a STORE 1:* +FLAGS.SILENT (\\Flagged)\r\n",                    1   },
    {"STORE 1:* -FLAGS.SILENT",  "a STORE 1:* -FLAGS.SILENT (\\Flagged)\r\n",                    1   },
    {"STORE 1:* +FLAGS",         "a STORE 1:* +FLAGS (\\Seen)\r\n",                              1   },
    {"UID FLAGS",                "a FETCH 1:* (UID FLAGS)\r\n",                                  RUNS},
    {"UID FLAGS MODSEQ",         "a UID FETCH 1:* (FLAGS MODSEQ)\r\n",                           RUNS},
    {"CHANGEDSINCE",             "a UID FETCH 1:* (FLAGS) (CHANGEDSINCE 99999999999)\r\n",       RUNS},
    {"record items",             "a FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE EMAILID)\r\n",
     RUNS											    },
    {"ENVELOPE",		 "a FETCH 1:* ENVELOPE\r\n",                                     RUNS},
    {"BODYSTRUCTURE",            "a FETCH 1:* BODYSTRUCTURE\r\n",                                RUNS},
    {"header fields",
     "a UID FETCH 1:* (UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (From To Cc Bcc "
     "Subject Date Message-ID Priority X-Priority References Newsgroups In-Reply-To "
     "Content-Type Reply-To)])\r\n",							     RUNS},
    {"header fields, phone",
     "a UID FETCH 1:* (INTERNALDATE UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS "
     "(date "
     "subject from to cc message-id in-reply-to references x-priority "
     "x-uniform-type-identifier x-universally-unique-identifier list-id "
     "list-unsubscribe)])\r\n",								  RUNS},
    {"header fields with trace",
     "a FETCH 1:* BODY.PEEK[HEADER.FIELDS (From Received)]\r\n",                                 3   },
    {"PREVIEW",		  "a FETCH 1:* PREVIEW\r\n",                                      RUNS},
    {"BODY.PEEK[]",              "a FETCH 1:* BODY.PEEK[]\r\n",                                  3   },
    {"BODY.PEEK[TEXT]",          "a FETCH 1:* BODY.PEEK[TEXT]\r\n",                              3   },
    {"SEARCH UNSEEN",            "a UID SEARCH UNSEEN\r\n",                                      RUNS},
    {"SEARCH sweep",
     "a SEARCH RETURN (COUNT) NOT DELETED SINCE 1-Jan-2020 OR FLAGGED LARGER 9\r\n",	     RUNS},
    {"SEARCH SENTSINCE",         "a SEARCH RETURN (COUNT) SENTSINCE 1-Jan-2020\r\n",             RUNS},
    {"SEARCH TEXT none",         "a SEARCH TEXT nowhere-to-be-found\r\n",                        RUNS},
    {"SEARCH BODY one",          "a SEARCH BODY \"lazy dog.\" 77777\r\n",                        RUNS},
    {"SEARCH TEXT some",         "a SEARCH TEXT \"number 777 <\"\r\n",                           RUNS},
    {"SEARCH BODY all",          "a SEARCH BODY \"lazy dog\"\r\n",                               RUNS},
    {"SEARCH SUBJECT some",      "a SEARCH SUBJECT \"message 777\"\r\n",                         RUNS},
    {"SEARCH FROM all",          "a SEARCH FROM sender\r\n",                                     RUNS},
    {"SORT ARRIVAL",             "a SORT (REVERSE ARRIVAL) UTF-8 ALL\r\n",                       RUNS},
    {"SORT DATE",                "a SORT (DATE) UTF-8 ALL\r\n",                                  RUNS},
    {"SORT SUBJECT DATE",        "a SORT (SUBJECT REVERSE DATE) UTF-8 ALL\r\n",                  RUNS},
    {"SORT FROM",                "a SORT (DISPLAYFROM) UTF-8 ALL\r\n",                           RUNS},
    {"THREAD REFERENCES",        "a THREAD REFERENCES UTF-8 ALL\r\n",                            RUNS},
    {"THREAD ORDEREDSUBJECT",    "a THREAD ORDEREDSUBJECT UTF-8 ALL\r\n",                        RUNS},
    {"COPY 1:10000",             "a COPY 1:10000 Archive\r\n",                                   RUNS},
    {"MOVE 1:1000",              "a MOVE 1:1000 Trash\r\n",                                      1   },
    {"STORE half \\Deleted",     "a STORE 1:50000 +FLAGS.SILENT (\\Deleted)\r\n",                1   },
    {"EXPUNGE",		  "a EXPUNGE\r\n",						1   },
};

int
main(int argc, char **argv)
{
	size_t n = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 100000;
	const char *only = argc > 2 ? argv[2] : "";
	int runs = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 0;
	struct harness h;

	harness_init(&h);
	fill(&h, n);
	fill_texts(&h);
	(void)harness_say(&h, 0, "a SELECT INBOX\r\n");
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		if (strncmp(rows[i].name, only, strlen(only)) == 0)
			measure(&h, rows[i].name, rows[i].command,
				runs > 0 && runs < RUNS_MAX ? runs : rows[i].runs);
	harness_release(&h);
	return 0;
}

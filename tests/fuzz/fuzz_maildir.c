/* tests/fuzz/fuzz_maildir.c - lists, names and mailboxes that came from elsewhere
 *
 * The first byte says what the rest is: a dovecot-uidlist, dovecot-keywords, the name
 * of a file or of a folder, the text of a message in an mbox, or Courier's keywords.
 */
#include "common/maildir/maildir.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
uidlist(struct span text)
{
	struct buf out = buf_make(1u << 20);
	struct uidlist_head head;
	struct uidlist_row row, again;

	if (uidlist_head_next(&text, &head)) {
		while (uidlist_row_next(&text, head.version, &row)) {
			struct span rest;

			buf_reset(&out);
			uidlist_row_put(&row, &out);
			rest = buf_span(&out);
			ASSERT(uidlist_row_next(&rest, 3, &again));
			ASSERT(again.uid == row.uid &&
			       span_equal(again.file, row.file));
			ASSERT(again.keywords == row.keywords);
		}
	}
	buf_release(&out);
}

static void
keywords(struct span text)
{
	struct span name;
	unsigned letter;

	while (mail_keyword_next(&text, MAILDIR_KEYWORDS, &letter, &name))
		ASSERT(letter < MAILDIR_KEYWORDS && name.n > 0);
}

static void
file_name(struct span text)
{
	struct buf out = buf_make(100000);
	struct mail_name name, again;

	mail_name_parse(text, text.n, &name);
	ASSERT(name.base.n <= text.n);
	buf_put_str(&out, "x");
	mail_name_put_flags(name.flags, name.keywords, name.passed, &out);
	mail_name_parse(buf_span(&out), 0, &again);
	ASSERT(again.flags == name.flags && again.keywords == name.keywords &&
	       again.passed == name.passed);
	buf_release(&out);
}

static void
folder_name(struct span text)
{
	struct buf name = buf_make(100000), coded = buf_make(100000);

	if (mail_folder_decode(text, '.', &name)) {
		ASSERT(utf8_valid(buf_span(&name)) && name.n > 0);
		mail_folder_encode(buf_span(&name), &coded);
		ASSERT(coded.at[0] == '.' &&
		       span_find(buf_span(&coded), '/') == coded.n);
	}
	buf_release(&name);
	buf_release(&coded);
}

static void
mbox(struct span text)
{
	struct buf out = buf_make(1u << 22), back = buf_make(1u << 22);
	const struct mbox_entry e = {.content = text, .uid = 1, .internal_us = 1000000};
	struct mbox_state s;
	bool mixed = false;
	struct span rest;
	int64_t us;

	(void)!mbox_from_line(text, &us);
	mbox_state_parse(text, &s);
	ASSERT(s.header_bytes <= text.n);
	mbox_content_put(text, true, &out, &mixed);
	(void)!mbox_is_internal(text);
	buf_reset(&out);
	mbox_put(&e, &out);
	rest = buf_span(&out);
	(void)span_cut(&rest, '\n');
	mbox_content_put(rest, true, &back, &mixed);
	ASSERT(span_equal(buf_span(&back), text));
	buf_release(&out);
	buf_release(&back);
}

static void
courier(struct span text)
{
	struct span name, numbers;
	uint64_t file;
	unsigned n;

	if (mail_courier_file(text, &name, &file))
		ASSERT(file > 0 && name.n > 0 && name.n <= text.n);
	while (mail_courier_word(&text, &name))
		ASSERT(name.n > 0);
	while (mail_courier_row(&text, &name, &numbers)) {
		ASSERT(name.n > 0);
		while (mail_courier_number(&numbers, MAIL_KEYWORDS_MAX, &n))
			ASSERT(n < MAIL_KEYWORDS_MAX);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static void (*const kinds[])(struct span) = {uidlist,     keywords, file_name,
						     folder_name, mbox,     courier};
	struct span text = span_make(data, n);

	if (n > 0 && n < 100000)
		kinds[data[0] % N_ELEMS(kinds)](span_after(text, 1));
	return 0;
}

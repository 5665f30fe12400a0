#include "common/mime/subject.h"
#include "common/mime/word.h"

/* subj-refwd without its blob and colon. */
static const char *const marks[] = {"re", "fwd", "fw"};

/* "[" *BLOBCHAR "]" *WSP: bytes of the blob at the front of s, or 0. */
static size_t
blob_size(struct span s)
{
	size_t n = 1;

	if (s.n == 0 || s.at[0] != '[')
		return 0;
	while (n < s.n && s.at[n] != '[' && s.at[n] != ']')
		n++;
	if (n == s.n || s.at[n] != ']')
		return 0;
	n++;
	while (n < s.n && s.at[n] == ' ')
		n++;
	return n;
}

/* ("re" / "fw" / "fwd") *WSP [subj-blob] ":" */
static size_t
mark_size(struct span s)
{
	for (size_t i = 0; i < N_ELEMS(marks); i++) {
		struct span mark = span_str(marks[i]);
		size_t n = mark.n;

		if (!span_starts_nocase(s, mark))
			continue;
		while (n < s.n && s.at[n] == ' ')
			n++;
		n += blob_size(span_after(s, n));
		if (n < s.n && s.at[n] == ':')
			return n + 1;
	}
	return 0;
}

/* subj-leader: blobs that a mark follows, or a space. */
static size_t
leader_size(struct span s, bool *is_reply)
{
	size_t n = 0, blob, mark;

	if (s.n > 0 && s.at[0] == ' ')
		return 1;
	while ((blob = blob_size(span_after(s, n))) > 0)
		n += blob;
	mark = mark_size(span_after(s, n));
	if (mark == 0)
		return 0;
	*is_reply = true;
	return n + mark;
}

static size_t
trailer_size(struct span s, bool *is_reply)
{
	if (s.n > 0 && s.at[s.n - 1] == ' ')
		return 1;
	if (!span_ends_nocase(s, SPAN("(fwd)")))
		return 0;
	*is_reply = true;
	return 5;
}

/* Steps 2 to 5 of [RFC5256 2.1]. */
static struct span
strip_both_ends(struct span s, bool *is_reply)
{
	size_t n;

	while ((n = trailer_size(s, is_reply)) > 0)
		s.n -= n;
	while ((n = leader_size(s, is_reply)) > 0)
		s = span_after(s, n);
	/* No mark follows all the blobs here, so none follows the rest of them: looking
	 * again behind each would take very long for very many. */
	while ((n = blob_size(s)) > 0 && n < s.n)
		s = span_after(s, n);
	return s;
}

static struct span
base_of(struct span s, bool *is_reply)
{
	for (;;) {
		s = strip_both_ends(s, is_reply);
		if (!span_starts_nocase(s, SPAN("[fwd:")) || s.at[s.n - 1] != ']')
			return s;
		*is_reply = true;
		s = span_after(span_first(s, s.n - 1), 5);
	}
}

/* Tabs and runs of white space become one space. */
static size_t
collapse(char *at, size_t n)
{
	size_t made = 0;

	for (size_t i = 0; i < n; i++) {
		bool blank =
		    at[i] == ' ' || at[i] == '\t' || at[i] == '\r' || at[i] == '\n';

		if (blank && made > 0 && at[made - 1] == ' ')
			continue;
		at[made++] = blank ? ' ' : at[i];
	}
	return made;
}

bool
mime_subject_put(const struct mime_charsets *charsets, struct span value,
		 struct buf *out)
{
	size_t before = out->n;
	bool is_reply = false;
	struct span base;

	mime_words_put(charsets, value, out);
	if (out->n == before)
		return false;
	out->n = before + collapse(out->at + before, out->n - before);
	base = base_of(span_after(buf_span(out), before), &is_reply);
	if (base.n > 0)
		memmove(out->at + before, base.at, base.n);
	out->n = before + base.n;
	return is_reply;
}

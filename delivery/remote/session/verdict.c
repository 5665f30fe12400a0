/* What became of whom, and in which words */
#include "delivery/remote/session/inner.h"

/* How texts name what a reply answers. */
static const char *const place_names[] = {
    [P_GREETING] = "connecting",
    [P_HELLO] = "EHLO",
    [P_STARTTLS] = "STARTTLS",
    [P_TLS] = "the TLS handshake",
    [P_AUTH] = "AUTH",
    [P_RSET] = "RSET",
    [P_MAIL] = "MAIL FROM",
    [P_RCPT] = "RCPT TO",
    [P_DATA] = "DATA",
    [P_CHUNK] = "BDAT",
    [P_FINAL] = "the end of the message (which may have arrived)",
    [P_CONTENT] = "the message",
    [P_NONE] = "nothing",
};

/* Bytes of printable ASCII, spaces not counted, at the front of s. */
static size_t
word_bytes(struct span s)
{
	size_t n = 0;

	while (n < s.n && s.at[n] > ' ' && s.at[n] < 0x7f)
		n++;
	return n;
}

/* Bytes of the UTF-8 sequence at the front of s; 0 when there is none. */
static size_t
utf8_bytes(struct span s)
{
	unsigned char c = (unsigned char)s.at[0];
	size_t n = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;

	return n <= s.n && utf8_valid(span_first(s, n)) ? n : 0;
}

static bool
is_control(struct span s)
{
	unsigned char c = (unsigned char)s.at[0];

	return c < 0x20 || c == 0x7f ||
	       (c == 0xc2 && s.n > 1 && (unsigned char)s.at[1] < 0xa0);
}

/* Takes a word or one character off the front of *s, as it is shown. */
static struct span
take_shown(struct span *s)
{
	size_t n = word_bytes(*s);
	struct span one;

	if (n == 0)
		n = utf8_bytes(*s);
	one = span_first(*s, n ? n : 1);
	*s = span_after(*s, one.n);
	if (n == 0)
		return SPAN("?");
	return is_control(one) ? SPAN(" ") : one;
}

/* Appends what of s is printable, from `start` on at most RELAY_TEXT_MAX bytes; a
 * run of spaces and controls is one space. */
static void
put_clean(struct buf *out, size_t start, struct span s)
{
	while (s.n > 0) {
		struct span one = take_shown(&s);
		size_t room = RELAY_TEXT_MAX - (out->n - start);

		if (one.n > room)
			one.n = (unsigned char)one.at[0] < 0x80 ? room : 0;
		if (one.n == 0)
			return;
		if (one.at[0] != ' ' || (out->n > start && out->at[out->n - 1] != ' '))
			buf_put(out, one);
	}
}

/* "5.1.1" with a space or nothing behind: said by its number already. */
static struct span
without_enhanced(struct span line)
{
	struct span rest = line, word = smtp_word(&rest);
	size_t dots = 0;

	for (size_t i = 0; i < word.n; i++) {
		if (word.at[i] == '.')
			dots++;
		else if (!ascii_digit(word.at[i]))
			return line;
	}
	return dots == 2 && word.n >= 5 ? rest : line;
}

static void
text_end(struct session *s, struct verdict *v)
{
	while (s->texts.n > v->text_at && s->texts.at[s->texts.n - 1] == ' ')
		s->texts.n--;
	v->text_bytes = (uint32_t)s->texts.n - v->text_at;
}

/* The codes of the class where the reply names none. */
static void
set_enhanced(struct verdict *v, const unsigned *enhanced, unsigned class)
{
	v->enhanced[0] = (uint16_t) class;
	for (size_t i = 0; enhanced[0] == class && i < 3; i++)
		v->enhanced[i] = (uint16_t)enhanced[i];
}

struct verdict
verdict_reply(struct session *s, enum place place)
{
	struct verdict v = {.text_at = (uint32_t)s->texts.n,
			    .code = (uint16_t)s->reply.code};
	struct span rest = buf_span(&s->reply.text);
	unsigned class = s->reply.code / 100;

	v.outcome = class == 2   ? DELIVERY_DONE
		    : class == 5 ? DELIVERY_FAILED
				 : DELIVERY_DEFERRED;
	/* What is wrong with our login or the connection is no fault of a message. */
	if (place == P_AUTH && class == 5) {
		v.outcome = DELIVERY_DEFERRED;
		s->reply.enhanced[0] = s->reply.enhanced[0] ? 4 : 0;
		class = 4;
	}
	set_enhanced(&v, s->reply.enhanced, class);
	while (rest.n > 0) {
		struct span line = without_enhanced(smtp_reply_line(&rest));

		put_clean(&s->texts, v.text_at, line);
		put_clean(&s->texts, v.text_at, SPAN(" "));
	}
	text_end(s, &v);
	return v;
}

struct verdict
verdict_at(struct session *s, unsigned status, const char *text, enum place place,
	   struct span more)
{
	const unsigned codes[3] = {status >> 20, status >> 10 & 1023, status & 1023};
	struct verdict v = {.text_at = (uint32_t)s->texts.n};

	v.outcome = codes[0] == 5 ? DELIVERY_FAILED : DELIVERY_DEFERRED;
	set_enhanced(&v, codes, codes[0]);
	put_clean(&s->texts, v.text_at, span_str(text));
	if (place != P_NONE) {
		put_clean(&s->texts, v.text_at, SPAN(" "));
		put_clean(&s->texts, v.text_at, span_str(place_names[place]));
	}
	if (more.n > 0) {
		put_clean(&s->texts, v.text_at, SPAN(":"));
		put_clean(&s->texts, v.text_at, SPAN(" "));
		put_clean(&s->texts, v.text_at, more);
	}
	text_end(s, &v);
	return v;
}

struct verdict
verdict_more(struct session *s, unsigned status, const char *text, struct span more)
{
	return verdict_at(s, status, text, P_NONE, more);
}

struct verdict
verdict_own(struct session *s, unsigned status, const char *text)
{
	return verdict_more(s, status, text, SPAN(""));
}

void
decide(struct session *s, size_t i, struct verdict v)
{
	struct fate *f = &s->fates[i];

	if (f->step == STEP_DECIDED)
		return;
	if (f->step == STEP_ACCEPTED)
		s->t.n_accepted--;
	f->step = STEP_DECIDED;
	f->verdict = v;
}

void
decide_accepted(struct session *s, struct verdict v)
{
	for (size_t i = 0; i < s->n_results; i++)
		if (s->fates[i].step == STEP_ACCEPTED)
			decide(s, i, v);
}

void
decide_open(struct session *s, struct verdict v)
{
	for (size_t i = 0; i < s->n_results; i++)
		decide(s, i, v);
}

void
results_reserve(struct session *s, size_t n)
{
	if (n > s->size_results) {
		s->fates = memory_resize(s->fates, n, sizeof(*s->fates));
		s->results = memory_resize(s->results, n, sizeof(*s->results));
		s->size_results = n;
	}
	memset(s->fates, 0, n * sizeof(*s->fates));
	s->n_results = n;
}

static struct span
verdict_text(const struct session *s, const struct verdict *v)
{
	return span_first(span_after(buf_span(&s->texts), v->text_at), v->text_bytes);
}

void
results_move(struct session *s)
{
	for (size_t i = 0; i < s->n_results; i++)
		s->results[i].text = verdict_text(s, &s->fates[i].verdict);
}

struct relay_result
result_make(const struct session *s, const struct verdict *v)
{
	struct relay_result r = {.outcome = (uint8_t)v->outcome, .code = v->code};

	memcpy(r.enhanced, v->enhanced, sizeof(r.enhanced));
	r.text = verdict_text(s, v);
	r.host = span_str(s->host);
	return r;
}

void
results_fill(struct session *s)
{
	for (size_t i = 0; i < s->n_results; i++) {
		const struct fate *f = &s->fates[i];
		struct relay_result *r = &s->results[i];

		ASSERT(f->step == STEP_DECIDED);
		*r = result_make(s, &f->verdict);
		r->ordinal = s->t.given.recipients[i].ordinal;
		if (r->outcome != DELIVERY_DONE)
			continue;
		r->flags = (uint8_t)((f->notifies ? RELAY_NOTIFIES : 0) |
				     (s->lmtp ? RELAY_LMTP : 0));
	}
}

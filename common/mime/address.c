#include "common/mime/address.h"
#include "common/mime/lex.h"

#define KEEP_BYTES_MAX 65536 /* more memory than that is given back */

/* A piece of the list's text that is being written. */
struct text {
	char *at;
	size_t n, size;
};

struct reader {
	struct mime_lex l;
	struct mime_addresses *list;
	unsigned tokens;
	bool failed; /* a limit was met */
	bool in_group;

	struct text phrase;  /* words so far, a space between them */
	struct text run;     /* the last of them that dots join: a local part? */
	size_t before_run;   /* bytes of the phrase before that */
	bool open_end;       /* the last word ended in a dot */
	struct text out;     /* finished texts, one after another */
	struct span comment; /* the last one */
	struct mime_address now;
};

static void
text_put(struct text *t, struct span s)
{
	if (s.n == 0 || s.n > t->size - t->n)
		return;
	memcpy(t->at + t->n, s.at, s.n);
	t->n += s.n;
}

static struct span
text_since(const struct text *t, size_t from)
{
	return span_make(t->at + from, t->n - from);
}

static void
text_put_unescaped(struct text *t, struct span s)
{
	if (s.n <= t->size - t->n)
		t->n += mime_unescape(s, t->at + t->n);
}

/* A copy that lives as long as the list. */
static struct span
keep(struct reader *r, struct span s)
{
	size_t from = r->out.n;

	text_put(&r->out, s);
	return text_since(&r->out, from);
}

static void
count_token(struct reader *r)
{
	if (++r->tokens > MIME_ADDRESS_TOKENS_MAX)
		r->failed = true;
}

/* White space and comments, the last of which may become a name. */
static void
skip(struct reader *r)
{
	for (;;) {
		mime_lex_space(&r->l);
		if (mime_lex_done(&r->l) || *r->l.at != '(')
			return;
		count_token(r);
		if (mime_lex_comment(&r->l, &r->comment) > MIME_COMMENT_DEPTH_MAX)
			r->failed = true;
	}
}

static char
peek(const struct reader *r)
{
	return mime_lex_done(&r->l) ? '\0' : *r->l.at;
}

/* Words of a phrase or local part */

static void
word_start(struct reader *r, bool joined)
{
	if (!joined) {
		r->before_run = r->phrase.n;
		r->run.n = 0;
	}
	if (r->phrase.n > 0)
		text_put(&r->phrase, SPAN(" "));
}

static void
take_atom(struct reader *r)
{
	struct span word = mime_lex_atom(&r->l);

	word_start(r, r->open_end || word.at[0] == '.');
	text_put(&r->phrase, word);
	text_put(&r->run, word);
	r->open_end = word.at[word.n - 1] == '.';
}

static void
take_quoted(struct reader *r)
{
	struct span inside = mime_lex_quoted(&r->l);

	word_start(r, r->open_end);
	text_put_unescaped(&r->phrase, inside);
	text_put_unescaped(&r->run, inside);
	r->open_end = false;
}

static void
phrase_reset(struct reader *r)
{
	r->phrase.n = r->run.n = r->before_run = 0;
	r->open_end = false;
	r->comment = span_make(NULL, 0);
	r->now = (struct mime_address){.kind = MIME_ADDRESS_MAILBOX};
}

/* Finished addresses */

static void
emit(struct reader *r, struct mime_address address)
{
	struct mime_addresses *list = r->list;

	if (list->n == list->size) {
		list->size = list->size ? list->size * 2 : 8;
		list->at = memory_resize(list->at, list->size, sizeof(*list->at));
	}
	list->at[list->n++] = address;
}

static struct span
comment_as_name(struct reader *r)
{
	size_t from = r->out.n;

	if (!r->comment.at)
		return r->comment;
	text_put_unescaped(&r->out, span_trim(r->comment, " \t\r\n"));
	return text_since(&r->out, from);
}

/* What was read up to a comma, semicolon or the end. */
static void
finish(struct reader *r)
{
	struct mime_address *a = &r->now;

	if (r->phrase.n > 0 && !a->mailbox.at && !a->name.at)
		a->mailbox = keep(r, text_since(&r->phrase, 0));
	if (!a->name.at && (a->mailbox.at || a->host.at))
		a->name = comment_as_name(r);
	if (a->name.at || a->mailbox.at || a->host.at)
		emit(r, *a);
	phrase_reset(r);
}

/* Addresses */

/* A domain, its white space and comments left out [RFC5322 3.4.1]. */
static struct span
take_domain(struct reader *r)
{
	size_t from = r->out.n;
	bool more = true;

	while (skip(r), more && peek(r) != '\0') {
		if (peek(r) == '[') {
			struct span rest =
			    span_make(r->l.at, (size_t)(r->l.end - r->l.at));
			size_t n = span_find(rest, ']') + 1;

			rest = span_first(rest, n);
			r->l.at += rest.n;
			text_put(&r->out, rest);
			break;
		}
		struct span atom = mime_lex_atom(&r->l);
		text_put(&r->out, atom);
		skip(r);
		more = atom.n > 0 && (atom.at[atom.n - 1] == '.' || peek(r) == '.');
		count_token(r);
	}
	if (r->out.n == from)
		return span_make(NULL, 0);
	return text_since(&r->out, from);
}

/* "@a,@b:" [RFC5322 4.4] */
static struct span
take_route(struct reader *r)
{
	size_t from = r->out.n;

	while (skip(r), peek(r) == '@' || peek(r) == ',') {
		text_put(&r->out, span_make(r->l.at, 1));
		if (*r->l.at++ == '@')
			(void)take_domain(r);
		count_token(r);
	}
	(void)mime_lex_take(&r->l, ':');
	if (r->out.n == from)
		return span_make(NULL, 0);
	return text_since(&r->out, from);
}

static struct span
take_local_part(struct reader *r)
{
	size_t from = r->out.n;

	for (;;) {
		skip(r);
		if (peek(r) == '"') {
			text_put_unescaped(&r->out, mime_lex_quoted(&r->l));
		} else {
			struct span atom = mime_lex_atom(&r->l);

			if (atom.n == 0)
				break;
			text_put(&r->out, atom);
		}
		count_token(r);
	}
	if (r->out.n == from)
		return span_make(NULL, 0);
	return text_since(&r->out, from);
}

/* Whatever else stands in the brackets; a comma means they were never closed. */
static void
close_angle(struct reader *r)
{
	while (skip(r), peek(r) != '\0' && peek(r) != ',') {
		if (mime_lex_take(&r->l, '>'))
			return;
		if (peek(r) == '"')
			mime_lex_quoted(&r->l);
		else
			r->l.at++;
		count_token(r);
	}
}

/* <route:local@domain>; the words before it are the name, even when they are an
 * address themselves. */
static void
take_angle(struct reader *r)
{
	size_t from = r->out.n;

	if (r->now.mailbox.at && r->now.host.at && !r->now.name.at) {
		text_put(&r->out, r->now.mailbox);
		text_put(&r->out, SPAN("@"));
		text_put(&r->out, r->now.host);
		r->now.name = text_since(&r->out, from);
	} else if (r->phrase.n > 0) {
		r->now.name = keep(r, text_since(&r->phrase, 0));
	}
	r->l.at++;
	r->now.route = take_route(r);
	r->now.mailbox = take_local_part(r);
	r->now.host = span_make(NULL, 0);
	if (mime_lex_take(&r->l, '@'))
		r->now.host = take_domain(r);
	close_angle(r);
}

/* local@domain without brackets. */
static void
take_at(struct reader *r)
{
	r->l.at++;
	if (r->now.host.at || r->now.mailbox.at)
		return;
	if (r->before_run > 0)
		r->now.name = keep(r, span_make(r->phrase.at, r->before_run));
	if (r->run.n > 0)
		r->now.mailbox = keep(r, text_since(&r->run, 0));
	r->now.host = take_domain(r);
}

static void
take_group_start(struct reader *r)
{
	r->l.at++;
	if (r->in_group)
		return;
	emit(r, (struct mime_address){.kind = MIME_ADDRESS_GROUP_START,
				      .name = keep(r, text_since(&r->phrase, 0))});
	r->in_group = true;
	phrase_reset(r);
}

static void
take_end(struct reader *r)
{
	bool semicolon = mime_lex_take(&r->l, ';');

	if (!semicolon)
		(void)mime_lex_take(&r->l, ',');
	finish(r);
	if (semicolon && r->in_group) {
		emit(r, (struct mime_address){.kind = MIME_ADDRESS_GROUP_END});
		r->in_group = false;
	}
}

static void
take_token(struct reader *r)
{
	char c = peek(r);

	count_token(r);
	if (c == '"')
		take_quoted(r);
	else if (c == '<')
		take_angle(r);
	else if (c == '@')
		take_at(r);
	else if (c == ':')
		take_group_start(r);
	else if (c == ',' || c == ';')
		take_end(r);
	else if (strchr(")>[]\\", c))
		r->l.at++;
	else
		take_atom(r);
}

/* Room for the phrase, the run, and all that is kept of both: a text is at most
 * as long as what it was read from, and each byte is kept at most twice. */
static void
reader_init(struct reader *r, struct mime_addresses *list, struct span value)
{
	size_t room = value.n + 16;

	if (list->text_size < room * 5) {
		free(list->text);
		list->text = memory_new(room * 5, 1);
		list->text_size = room * 5;
	}
	*r = (struct reader){.l = mime_lex_make(value), .list = list};
	r->phrase = (struct text){list->text, 0, room};
	r->run = (struct text){list->text + room, 0, room};
	r->out = (struct text){list->text + room * 2, 0, room * 3};
	phrase_reset(r);
}

bool
mime_addresses_parse(struct mime_addresses *list, struct span value)
{
	struct reader r;

	if (list->text_size > KEEP_BYTES_MAX)
		mime_addresses_release(list);
	list->n = 0;
	reader_init(&r, list, value);
	while (skip(&r), !mime_lex_done(&r.l) && !r.failed)
		take_token(&r);
	finish(&r);
	if (r.in_group)
		emit(&r, (struct mime_address){.kind = MIME_ADDRESS_GROUP_END});
	if (r.failed)
		list->n = 0;
	return !r.failed;
}

const struct mime_address *
mime_addresses_first(const struct mime_addresses *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->at[i].kind == MIME_ADDRESS_MAILBOX)
			return &list->at[i];
	return NULL;
}

void
mime_addresses_init(struct mime_addresses *list)
{
	*list = (struct mime_addresses){.n = 0};
}

void
mime_addresses_release(struct mime_addresses *list)
{
	free(list->at);
	free(list->text);
	mime_addresses_init(list);
}

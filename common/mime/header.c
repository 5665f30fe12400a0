#include "common/mime/header.h"

#define NAME_MAX_KNOWN    25
#define NAMES_OF_A_LENGTH 4

/* By the length of the name, so that most names are told apart by that alone. */
static const struct {
	const char *name;
	enum mime_header_id id;
} names[NAME_MAX_KNOWN + 1][NAMES_OF_A_LENGTH] = {
    [2] = {{"to", MIME_HEADER_TO},                     {"cc", MIME_HEADER_CC}},
    [3] = {{"bcc", MIME_HEADER_BCC}					 },
    [4] = {{"from", MIME_HEADER_FROM}, {"date", MIME_HEADER_DATE}},
    [6] = {{"sender", MIME_HEADER_SENDER}               },
    [7] = {{"subject", MIME_HEADER_SUBJECT}            },
    [8] = {{"received", MIME_HEADER_RECEIVED},           {"reply-to", MIME_HEADER_REPLY_TO}},
    [10] = {{"message-id", MIME_HEADER_MESSAGE_ID},
           {"references", MIME_HEADER_REFERENCES},
           {"content-id", MIME_HEADER_CONTENT_ID}},
    [11] = {{"in-reply-to", MIME_HEADER_IN_REPLY_TO},
           {"content-md5", MIME_HEADER_CONTENT_MD5}},
    [12] = {{"content-type", MIME_HEADER_CONTENT_TYPE},
           {"delivered-to", MIME_HEADER_DELIVERED_TO}},
    [16] = {{"content-language", MIME_HEADER_CONTENT_LANGUAGE},
           {"content-location", MIME_HEADER_CONTENT_LOCATION}},
    [19] = {{"content-disposition", MIME_HEADER_CONTENT_DISPOSITION},
           {"content-description", MIME_HEADER_CONTENT_DESCRIPTION}},
    [25] = {{"content-transfer-encoding", MIME_HEADER_CONTENT_TRANSFER_ENCODING}},
};

static bool
is_lower_of(const char *lower, struct span name)
{
	for (size_t i = 0; i < name.n; i++)
		if (ascii_lower(name.at[i]) != lower[i])
			return false;
	return true;
}

enum mime_header_id
mime_header_identify(struct span name)
{
	if (name.n > NAME_MAX_KNOWN)
		return MIME_HEADER_OTHER;
	for (size_t i = 0; i < NAMES_OF_A_LENGTH && names[name.n][i].name; i++)
		if (is_lower_of(names[name.n][i].name, name))
			return names[name.n][i].id;
	return MIME_HEADER_OTHER;
}

bool
mime_lines_are_bare(struct span message)
{
	size_t n = span_find(message, '\n');

	return n < message.n && (n == 0 || message.at[n - 1] != '\r');
}

size_t
mime_line_size(struct span s, bool bare)
{
	const char *at = s.at, *end = s.at + s.n;

	while (at < end) {
		const char *hit = memchr(at, '\n', (size_t)(end - at));

		if (!hit)
			break;
		if (bare || (hit > s.at && hit[-1] == '\r'))
			return (size_t)(hit + 1 - s.at);
		at = hit + 1;
	}
	return s.n;
}

uint32_t
mime_lines_count(struct span s, bool bare)
{
	const char *at = s.at, *end = s.at + s.n;
	uint32_t n = 0;

	while (at < end) {
		const char *hit = memchr(at, '\n', (size_t)(end - at));

		if (!hit)
			break;
		n += bare || (hit > s.at && hit[-1] == '\r');
		at = hit + 1;
	}
	return n;
}

void
mime_headers_init_inside(struct mime_headers *walk, struct span part, bool bare)
{
	*walk = (struct mime_headers){.rest = part, .start = part.at, .bare = bare};
}

void
mime_headers_init(struct mime_headers *walk, struct span message)
{
	mime_headers_init_inside(walk, message, mime_lines_are_bare(message));
}

/* Bytes of the empty line at the front of s; 0 when there is none. */
static size_t
empty_line(struct span s, bool bare)
{
	if (s.n >= 2 && s.at[0] == '\r' && s.at[1] == '\n')
		return 2;
	return bare && s.n >= 1 && s.at[0] == '\n' ? 1 : 0;
}

/* A line and those that continue it. */
static size_t
field_size(struct mime_headers *walk)
{
	struct span rest = walk->rest;
	size_t n = 0;

	do {
		n += mime_line_size(span_after(rest, n), walk->bare);
		walk->lines += rest.at[n - 1] == '\n';
	} while (n < rest.n && (rest.at[n] == ' ' || rest.at[n] == '\t'));
	return n;
}

/* All lines up to the empty one. */
static size_t
remainder_size(struct mime_headers *walk)
{
	size_t n = 0;

	while (n < walk->rest.n && !empty_line(span_after(walk->rest, n), walk->bare)) {
		n += mime_line_size(span_after(walk->rest, n), walk->bare);
		walk->lines += walk->rest.at[n - 1] == '\n';
	}
	return n;
}

static struct span
without_line_end(struct span s)
{
	if (s.n > 0 && s.at[s.n - 1] == '\n')
		s.n--;
	if (s.n > 0 && s.at[s.n - 1] == '\r')
		s.n--;
	return s;
}

static void
field_split(struct span raw, struct mime_header *out)
{
	size_t n = 0, colon;

	*out = (struct mime_header){.id = MIME_HEADER_OPAQUE, .raw = raw};
	while (n < raw.n && raw.at[n] > ' ' && raw.at[n] < 127 && raw.at[n] != ':')
		n++;
	colon = n;
	while (colon < raw.n && (raw.at[colon] == ' ' || raw.at[colon] == '\t'))
		colon++;
	if (n == 0 || colon == raw.n || raw.at[colon] != ':' || raw.n > MIME_HEADER_MAX)
		return;
	out->name = span_first(raw, n);
	out->value = without_line_end(span_after(raw, colon + 1));
	out->id = mime_header_identify(out->name);
}

bool
mime_headers_next(struct mime_headers *walk, struct mime_header *out)
{
	size_t n = walk->ended ? 0 : empty_line(walk->rest, walk->bare);

	if (n > 0) {
		walk->rest = span_after(walk->rest, n);
		walk->lines++;
		walk->ended = true;
	}
	if (walk->ended || walk->rest.n == 0)
		return false;
	if (walk->n >= MIME_HEADERS_MAX ||
	    (size_t)(walk->rest.at - walk->start) >= MIME_HEADER_BLOCK_MAX) {
		n = remainder_size(walk);
		*out = (struct mime_header){.id = MIME_HEADER_OPAQUE,
					    .raw = span_first(walk->rest, n)};
	} else {
		n = field_size(walk);
		field_split(span_first(walk->rest, n), out);
	}
	walk->n++;
	walk->rest = span_after(walk->rest, n);
	return true;
}

size_t
mime_header_block_size(struct span message)
{
	struct mime_headers walk;
	struct mime_header field;

	mime_headers_init(&walk, message);
	while (mime_headers_next(&walk, &field))
		continue;
	return message.n - walk.rest.n;
}

bool
mime_header_find(struct span block, struct span name, struct span *value)
{
	struct mime_headers walk;
	struct mime_header field;

	mime_headers_init(&walk, block);
	while (mime_headers_next(&walk, &field)) {
		if (field.id == MIME_HEADER_OPAQUE ||
		    !span_equal_nocase(field.name, name))
			continue;
		*value = field.value;
		return true;
	}
	return false;
}

/* The line end at the front of s, when it is a fold: white space follows it. */
static size_t
fold_size(struct span s)
{
	size_t n = s.n >= 2 && s.at[0] == '\r' && s.at[1] == '\n' ? 2 : 1;

	if (s.at[n - 1] != '\n')
		return 0;
	return n < s.n && (s.at[n] == ' ' || s.at[n] == '\t') ? n : 0;
}

static size_t
unfold_into(struct span value, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < value.n; i++) {
		char c = value.at[i];

		if (c == '\r' || c == '\n') {
			size_t fold = fold_size(span_after(value, i));

			if (fold > 0) {
				i += fold - 1;
				continue;
			}
			c = ' ';
		}
		out[n++] = c == '\0' ? ' ' : c;
	}
	return n;
}

void
mime_header_unfold(struct span value, struct buf *out)
{
	char *at;
	size_t n;

	value = span_trim(value, " \t\r\n");
	if (value.n == 0)
		return;
	at = buf_extend(out, value.n);
	if (!at)
		return;
	n = unfold_into(value, at);
	out->n -= value.n - n;
}

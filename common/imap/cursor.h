/* common/imap/cursor.h - the one reader of a command; private to this room
 *
 * What    takes what the grammar names off the front of a frame. The first failure
 *         sticks: every later call takes nothing and gives nothing, so that a parser is
 *         written without a branch for each step, and asks imap_at_end() once.
 *         Loops must ask imap_ok() or take through a bool, to come to their end.
 * Memory  what must be put together (unescaped strings, decoded names, lists) lives in
 *         the arena; all else are spans of the frame.
 */
#pragma once

#include "common/base/base.h"
#include "common/imap/chars.h"
#include "common/imap/command.h"
#include "common/imap/parse.h"

#define IMAP_NUMBER64_MAX ((uint64_t)INT64_MAX) /* [RFC9051 9] number64 */

struct imap_cursor {
	const char *at, *end;
	struct arena *arena;
	bool utf8; /* names are UTF-8 on the wire */
	bool keep; /* spans are copied: the frame goes before the command does */
	enum imap_parse_result result;
	const char *text;
};

/* --- failing -------------------------------------------------------------- */

static inline bool
imap_ok(const struct imap_cursor *c)
{
	return c->result == IMAP_PARSE_OK;
}

void imap_fail(struct imap_cursor *c, const char *text);
void imap_fail_limit(struct imap_cursor *c, const char *text);

/* --- single bytes --------------------------------------------------------- */

/* True when the next byte is `byte`, which is left or taken. */
MUST_USE bool imap_next_is(const struct imap_cursor *c, char byte);
bool imap_take(struct imap_cursor *c, char byte);
/* It must be there. */
void imap_expect(struct imap_cursor *c, char byte, const char *text);
/* One space, or several, between arguments. `text`: what they stand before. */
void imap_space(struct imap_cursor *c, const char *text);
/* As imap_space(), when there is another argument; else false, the cursor unmoved. */
bool imap_more(struct imap_cursor *c);
/* The CRLF, perhaps behind spaces, with nothing after it. */
void imap_end(struct imap_cursor *c);
/* '(' [item *(SP item)] ')': true while there is an item to be taken. */
bool imap_list_open(struct imap_cursor *c, const char *text);
bool imap_list_next(struct imap_cursor *c, bool *first);

/* --- words ---------------------------------------------------------------- */

/* The same in any case; most words differ in length or in their first byte. */
static inline bool
imap_same_word(struct span a, struct span b)
{
	return a.n == b.n && a.n > 0 && ((*a.at ^ *b.at) & 0x5f) == 0 &&
	       span_equal_nocase(a, b);
}

/* All bytes of the set there are; may be empty. */
struct span imap_run(struct imap_cursor *c, enum imap_chars set);
struct span imap_atom(struct imap_cursor *c, const char *text);
/* `word` in any case, whole; not taken when it is another. */
bool imap_take_word(struct imap_cursor *c, struct span word);

struct imap_word {
	struct span name;
	unsigned value;
};

/* The value of `name` in any case; false when the table has no such word. */
MUST_USE bool imap_word_find(struct span name, const struct imap_word *table, size_t n,
			     unsigned *value);
/* An atom of the table. */
unsigned imap_word(struct imap_cursor *c, const struct imap_word *table, size_t n,
		   const char *text);

/* --- numbers -------------------------------------------------------------- */

/* At least `min` and at most `max`. */
uint64_t
imap_number(struct imap_cursor *c, uint64_t min, uint64_t max, const char *text);
/* sequence-set, "$" as well. */
void imap_set(struct imap_cursor *c, struct imap_set *out);
/* "1:100" or "-1:-100" [RFC9394 3.3] */
void imap_partial_range(struct imap_cursor *c, int64_t *first, int64_t *last);

/* --- strings -------------------------------------------------------------- */

/* Quoted or literal, its text. */
struct span imap_string(struct imap_cursor *c, const char *text);
struct span imap_astring(struct imap_cursor *c, const char *text);
/* As string; at is null for NIL. */
struct span imap_nstring(struct imap_cursor *c, const char *text);
/* An astring of no byte that could not stand in a line. */
struct span imap_mailbox(struct imap_cursor *c);
/* list-mailbox, decoded as a name is. */
struct span imap_pattern(struct imap_cursor *c);
/* True when the next is the {n}CRLF of a literal whose bytes are not in the frame, and
 * nothing behind it; taken. */
bool imap_literal_head(struct imap_cursor *c, bool *binary, uint64_t *bytes);

/* --- memory --------------------------------------------------------------- */

/* Room in the arena, zeroed; null, and a failure, beyond its limit. */
void *imap_new(struct imap_cursor *c, size_t n, size_t size);
/* Makes room for one more behind n items of an array that began as null; the items
 * may move. False beyond the limit of the arena. */
MUST_USE bool imap_grow(struct imap_cursor *c, void *array, size_t n, size_t size);
/* s itself, or its copy when the frame will go. */
struct span imap_kept(struct imap_cursor *c, struct span s);

/* --- what several commands share ------------------------------------------ */

/* "(\Seen $Label)"; with `bare`, also without the parentheses, up to the end. */
void imap_flags(struct imap_cursor *c, bool bare, struct imap_flags *out);
/* "(MESSAGES UNSEEN)" */
uint32_t imap_status_items(struct imap_cursor *c);

/* --- commands, by the name of their file ---------------------------------- */

void imap_parse_id(struct imap_cursor *c, struct imap_command *out);
void imap_parse_enable(struct imap_cursor *c, struct imap_command *out);
void imap_parse_compress(struct imap_cursor *c, struct imap_command *out);
void imap_parse_quota(struct imap_cursor *c, struct imap_command *out);
void imap_parse_mailbox(struct imap_cursor *c, struct imap_command *out);
void imap_parse_select(struct imap_cursor *c, struct imap_command *out);
void imap_parse_create(struct imap_cursor *c, struct imap_command *out);
void imap_parse_rename(struct imap_cursor *c, struct imap_command *out);
void imap_parse_list(struct imap_cursor *c, struct imap_command *out);
void imap_parse_lsub(struct imap_cursor *c, struct imap_command *out);
void imap_parse_status(struct imap_cursor *c, struct imap_command *out);
void imap_parse_search(struct imap_cursor *c, struct imap_command *out);
void imap_parse_fetch(struct imap_cursor *c, struct imap_command *out);
void imap_parse_store(struct imap_cursor *c, struct imap_command *out);
void imap_parse_copy(struct imap_cursor *c, struct imap_command *out);
void imap_parse_expunge(struct imap_cursor *c, struct imap_command *out);

/* --- the front of every command: parse.c ---------------------------------- */

/* "tag [UID] NAME" into out->tag, uid and id. */
void imap_parse_head(struct imap_cursor *c, struct imap_command *out);

#include "common/directory/internal.h"
#include "common/directory/note.h"

static void
key_put(struct record_key *key, const void *at, size_t n)
{
	ASSERT(n <= sizeof(key->bytes) - key->n);
	if (n > 0)
		memcpy(key->bytes + key->n, at, n);
	key->n += n;
}

/* 'n', the kind, the account's id (big-endian), what it is about. False when that is
 * too long. */
static bool
make_key(enum directory_note_kind kind, uint64_t account, struct span about,
	 struct record_key *key)
{
	const char head[] = {(char)RECORD_NOTE, (char)kind};
	uint64_t id = htobe64(account);

	key->n = 0;
	if (about.n > DIRECTORY_NOTE_ABOUT_MAX)
		return false;
	key_put(key, head, sizeof(head));
	key_put(key, &id, sizeof(id));
	key_put(key, about.at, about.n);
	return true;
}

static void
put_value(const struct directory_note *note, struct buf *out)
{
	struct buf pair = buf_make(16);

	wire_put_u64(&pair, note->value);
	wire_put_u64(&pair, note->ends);
	record_put_bytes(buf_span(&pair), out);
	buf_release(&pair);
}

static bool
get_value(struct span bytes, uint64_t *value, uint64_t *ends)
{
	struct span pair;
	struct cursor c;

	if (!record_get_bytes(bytes, &pair))
		return false;
	c = cursor_make(pair);
	*value = wire_get_u64(&c);
	*ends = wire_get_u64(&c);
	return cursor_done(&c);
}

int
directory_note_find(struct directory *d, enum directory_note_kind kind,
		    uint64_t account, struct span about, uint64_t now, uint64_t *value,
		    struct err *err)
{
	uint64_t found, ends;
	struct record_key key;
	struct span bytes;
	int r;

	if (!make_key(kind, account, about, &key))
		return 0;
	r = directory_get(d, key, &bytes, err);
	if (r <= 0)
		return r;
	if (!get_value(bytes, &found, &ends))
		return directory_damaged(err, SPAN("a note"));
	if (ends && ends <= now)
		return 0;
	*value = found;
	return 1;
}

enum directory_result
directory_note_put(struct directory *d, const struct directory_note *note,
		   struct err *err)
{
	struct buf value = buf_make(RECORD_VALUE_MAX);
	struct record_key key;
	enum directory_result r;

	if (!make_key(note->kind, note->account, note->about, &key))
		return directory_say(DIRECTORY_BAD_VALUE, err, "a note is too long");
	put_value(note, &value);
	r = directory_apply(
	    d, &(struct backend_change){record_key_span(&key), buf_span(&value)}, 1,
	    err);
	buf_release(&value);
	return r;
}

enum directory_result
directory_note_remove(struct directory *d, enum directory_note_kind kind,
		      uint64_t account, struct span about, struct err *err)
{
	struct record_key key;

	if (!make_key(kind, account, about, &key))
		return DIRECTORY_DONE;
	return directory_apply(d, &(struct backend_change){record_key_span(&key), {0}},
			       1, err);
}

void
directory_note_change(struct changes *c, const struct directory_note *note)
{
	struct buf value = buf_make(RECORD_VALUE_MAX);
	struct record_key key;

	if (make_key(note->kind, note->account, note->about, &key)) {
		put_value(note, &value);
		changes_put(c, &key, buf_span(&value));
	}
	buf_release(&value);
}

/* ---- all of a kind about one account */

#define NOTE_HEAD_BYTES (1 + 1 + 8) /* what stands before `about` in a key */

struct latest {
	char *about;
	uint64_t value;
	bool any;
};

static bool
visit_latest(void *context, struct span key, struct span value)
{
	struct span about = span_after(key, NOTE_HEAD_BYTES);
	struct latest *latest = context;
	uint64_t number, ends;

	if (!get_value(value, &number, &ends) ||
	    (latest->any && number <= latest->value))
		return true;
	latest->any = span_copy(about, latest->about, DIRECTORY_NOTE_ABOUT_MAX + 1);
	latest->value = number;
	return true;
}

int
directory_note_latest(struct directory *d, enum directory_note_kind kind,
		      uint64_t account, char about[DIRECTORY_NOTE_ABOUT_MAX + 1],
		      uint64_t *value, struct err *err)
{
	struct latest latest = {.about = about};
	struct record_key prefix;

	if (!make_key(kind, account, (struct span){0}, &prefix) ||
	    directory_walk(d, prefix, (struct span){0}, 0, visit_latest, &latest,
			   err) != 0)
		return -1;
	if (latest.any)
		*value = latest.value;
	return latest.any;
}

static bool
visit_erase(void *context, struct span key, struct span value)
{
	struct record_key copy = {.n = 0};

	(void)value;
	if (key.n <= sizeof(copy.bytes)) {
		key_put(&copy, key.at, key.n);
		changes_erase(context, &copy);
	}
	return true;
}

enum directory_result
directory_notes_remove(struct directory *d, enum directory_note_kind kind,
		       uint64_t account, struct err *err)
{
	enum directory_result r = DIRECTORY_FAULT;
	struct record_key prefix;
	struct changes changes;

	changes_init(&changes);
	if (make_key(kind, account, (struct span){0}, &prefix) &&
	    directory_walk(d, prefix, (struct span){0}, 0, visit_erase, &changes,
			   err) == 0)
		r = changes.n > 0 ? changes_apply(&changes, d->backend, err)
				  : DIRECTORY_DONE;
	changes_release(&changes);
	return r;
}

/* ---- cleaning */

struct cleaning {
	uint64_t now;
	struct directory_cleaning *last;
	size_t n_seen, n_ended;
	struct record_key ended[DIRECTORY_CLEAN_PAGE];
};

static bool
visit(void *context, struct span key, struct span value)
{
	struct cleaning *c = context;
	uint64_t number, ends = 1;

	if (c->n_seen == DIRECTORY_CLEAN_PAGE || key.n > sizeof(c->last->key))
		return false;
	c->n_seen++;
	memcpy(c->last->key, key.at, key.n);
	c->last->n = key.n;
	/* What cannot be read says nothing either. */
	if (get_value(value, &number, &ends) && (ends == 0 || ends > c->now))
		return true;
	c->ended[c->n_ended].n = 0;
	key_put(&c->ended[c->n_ended++], key.at, key.n);
	return true;
}

enum directory_result
directory_notes_clean(struct directory *d, const struct directory_cleaning *from,
		      uint64_t now, struct directory_cleaning *next, size_t *removed,
		      struct err *err)
{
	struct backend_change changes[DIRECTORY_CLEAN_PAGE] = {0};
	struct record_key prefix = {.bytes = {(char)RECORD_NOTE}, .n = 1};
	struct cleaning *c = memory_new(1, sizeof(*c));
	enum directory_result r = DIRECTORY_DONE;

	*next = (struct directory_cleaning){0};
	*c = (struct cleaning){.now = now, .last = next};
	if (directory_walk(d, prefix, span_make(from->key, from->n),
			   DIRECTORY_CLEAN_PAGE, visit, c, err) != 0)
		r = DIRECTORY_FAULT;
	for (size_t i = 0; i < c->n_ended; i++)
		changes[i].key = record_key_span(&c->ended[i]);
	if (r == DIRECTORY_DONE && c->n_ended > 0)
		r = directory_apply(d, changes, c->n_ended, err);
	if (c->n_seen < DIRECTORY_CLEAN_PAGE)
		next->n = 0;
	*removed = c->n_ended;
	free(c);
	return r;
}

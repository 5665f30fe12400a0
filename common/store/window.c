/* records read in order, many with one pread
 *
 * Not a mapping: a page that the disk cannot read, or a file that was cut short, would
 * be a signal that ends the process; so it is an error of one message. A window may
 * hold what stood there before somebody wrote it anew, which its CRC and the guid tell:
 * then it is read again.
 */
#include "common/store/internal.h"

#include <errno.h>

#define WINDOW_FIRST (8u << 10)

void
windows_release(struct store *s)
{
	for (int i = 0; i < FILE_SORTS; i++) {
		free(s->windows[i].at);
		s->windows[i] = (struct window){0};
	}
}

static bool
window_of(const struct window *w, const struct log_file *f)
{
	return w->n > 0 && w->salt == f->id.salt && w->number == f->id.number;
}

/* How much to read: more each time when it goes on where the last one ended. */
static size_t
window_wish(const struct window *w, const struct log_file *f, uint64_t offset,
	    size_t least)
{
	size_t wish = WINDOW_FIRST;

	if (window_of(w, f) && offset > w->base &&
	    offset - w->base <= w->n + (uint64_t)w->n)
		wish = 2 * w->n;
	if (wish < least)
		wish = least;
	return wish < WINDOW_MAX ? wish : WINDOW_MAX;
}

/* False when the disk fails or nothing is there. */
static bool
window_fill(struct window *w, const struct log_file *f, uint64_t offset, size_t least)
{
	size_t n = window_wish(w, f, offset, least), done = 0;

	if (!w->at)
		w->at = memory_resize(NULL, WINDOW_MAX, 1);
	w->n = 0;
	while (done < n) {
		ssize_t got = f->io->pread(f->io->disk, f->fd, w->at + done, n - done,
					   offset + done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return false;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	w->salt = f->id.salt;
	w->number = f->id.number;
	w->base = offset;
	w->n = done;
	return done > 0;
}

static bool
guid_good(const struct log_record *record, const struct window_want *want)
{
	return record->kind == want->kind && record->n >= want->guid_at &&
	       record->n - want->guid_at >= STORE_GUID_BYTES &&
	       memcmp(record->payload.at + want->guid_at, want->guid,
		      STORE_GUID_BYTES) == 0;
}

/* *least: how much is needed when it is SHORT. */
static enum log_frame
window_look(const struct window *w, const struct log_file *f,
	    const struct window_want *want, struct log_record *record, size_t *least)
{
	uint64_t offset = want->offset;
	enum log_frame found;
	struct span bytes;

	if (!window_of(w, f) || offset < w->base || offset - w->base >= w->n)
		return LOG_FRAME_BAD;
	bytes = span_after(span_make(w->at, w->n), (size_t)(offset - w->base));
	found = log_frame_check(&f->id, offset, bytes, record);
	if (found == LOG_FRAME_SHORT)
		*least = (size_t)(record->next - offset);
	if (found == LOG_FRAME_OK && !guid_good(record, want))
		return LOG_FRAME_BAD;
	return found;
}

enum log_read
window_fetch(struct store *s, enum file_sort sort, const struct log_file *f,
	     const struct window_want *want, struct buf *hold,
	     struct log_record *record, struct err *err)
{
	struct window *w = &s->windows[sort];
	enum log_frame found = LOG_FRAME_BAD;
	size_t least = log_frame_bytes(want->hint);
	enum log_read result;

	if (want->offset % 8 != 0 || want->offset < LOG_HEADER_BYTES)
		return LOG_READ_DAMAGE;
	if (least <= WINDOW_MAX)
		found = window_look(w, f, want, record, &least);
	for (int tries = 0; tries < 2 && found != LOG_FRAME_OK && least <= WINDOW_MAX;
	     tries++)
		if (window_fill(w, f, want->offset, least))
			found = window_look(w, f, want, record, &least);
	if (found == LOG_FRAME_OK)
		return LOG_READ_RECORD;
	/* It is large, or bytes near it cannot be read, or it is damaged. */
	result = log_fetch(f, want->offset, want->hint, hold, record, err);
	return result == LOG_READ_RECORD && !guid_good(record, want) ? LOG_READ_DAMAGE
								     : result;
}

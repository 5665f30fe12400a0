#include "common/smtp/smtp.h"

#define UTF8_TAIL_MAX 3u

/* How much of a line that has more than `room` bytes may stand before the break. */
static size_t
cut_of(struct span line, size_t room)
{
	size_t cut = room;

	while (cut > 0 && room - cut < UTF8_TAIL_MAX &&
	       ((unsigned char)line.at[cut] & 0xc0) == 0x80)
		cut--;
	return ((unsigned char)line.at[cut] & 0xc0) == 0x80 ? room : cut;
}

/* All lines that end within the next `room` bytes, or the rest of this one when it ends
 * there by a CR; 0: neither. */
static size_t
ended_lines(struct span rest, size_t room)
{
	struct span near = span_first(rest, room + 1);
	size_t end = span_find_last(near, '\n');

	if (end == near.n)
		end = span_find(near, '\r');
	return end < near.n ? end + 1 : 0;
}

struct span
fold_next(struct fold *f, struct span *body)
{
	struct span all = *body;
	size_t n = 0;

	while (n < all.n) {
		struct span rest = span_after(all, n);
		size_t room = f->line_bytes_max - f->line_bytes;
		size_t ended = ended_lines(rest, room);

		if (ended > 0) {
			n += ended;
			f->line_bytes = 0;
		} else if (rest.n <= room) {
			n = all.n;
			f->line_bytes += rest.n;
		} else {
			n += cut_of(rest, room);
			f->line_bytes = 1; /* the space of the break */
			break;
		}
	}
	*body = span_after(all, n);
	return span_first(all, n);
}

#include "resolver/shelf.h"

#include <unistd.h>

void
shelf_init(struct shelf *s)
{
	*s = (struct shelf){.fd = -1};
}

static off_t
half_start(uint64_t number)
{
	return number % 2 == 0 ? 0 : (off_t)KEPT_HALF_BYTES;
}

/* --- reading -------------------------------------------------------------- */

static int
half_read(const struct shelf *s, unsigned which, struct buf *out, struct err *err)
{
	char *at = buf_extend(out, KEPT_HALF_BYTES);
	size_t got = 0;
	ssize_t n = 1;

	ASSERT(at);
	while (n > 0 && got < KEPT_HALF_BYTES) {
		n = pread(s->fd, at + got, KEPT_HALF_BYTES - got,
			  half_start(which) + (off_t)got);
		got += n > 0 ? (size_t)n : 0;
	}
	out->n = got;
	return n < 0 ? err_sys(err, "cannot read the policies that were kept") : 0;
}

static void
damage_log(unsigned which, struct span bytes, struct span rest)
{
	logline(LOGLINE_WARNING, "sts.damaged", L_U64("half", which),
		L_U64("offset", bytes.n - rest.n));
}

static void
half_take(unsigned which, struct span bytes, struct kept_half half,
	  struct policies *all, const struct policy_moment *now)
{
	struct kept_policy kept;
	enum kept_result result;
	struct span before = half.rest.rest;

	while ((result = kept_next(&half, &kept)) == KEPT_POLICY) {
		policy_restore(policies_get(all, kept.domain), &kept, now);
		before = half.rest.rest;
	}
	if (result == KEPT_DAMAGED)
		damage_log(which, bytes, before);
}

/* The older half first, since the newer one replaces what is in it. */
static void
halves_take(struct shelf *s, struct buf bytes[2], struct policies *all,
	    const struct policy_moment *now)
{
	struct kept_half halves[2];
	bool there[2];

	for (unsigned i = 0; i < 2; i++) {
		enum kept_result result = kept_open(buf_span(&bytes[i]), i, &halves[i]);

		there[i] = result == KEPT_POLICY;
		if (there[i] && halves[i].number > s->number)
			s->number = halves[i].number;
		if (result == KEPT_DAMAGED)
			damage_log(i, buf_span(&bytes[i]), buf_span(&bytes[i]));
	}
	for (unsigned n = 1; n <= 2; n++) {
		unsigned i = (unsigned)((s->number + n) % 2);

		if (there[i])
			half_take(i, buf_span(&bytes[i]), halves[i], all, now);
	}
}

/* --- writing -------------------------------------------------------------- */

static int
write_at(const struct shelf *s, off_t at, struct span bytes, struct err *err)
{
	ssize_t n = pwrite(s->fd, bytes.at, bytes.n, at);

	if (n < 0)
		return err_sys(err, "cannot write down a policy");
	if ((size_t)n < bytes.n)
		return err_set(err, "cannot write down a policy: no space");
	return 0;
}

/* The one from which on all that are good fit, in the order of use. */
static const struct policy *
first_to_keep(const struct policies *all, const struct policy_moment *now)
{
	const struct policy *first = NULL, *p;
	struct kept_policy kept;
	size_t bytes = KEPT_HEAD_BYTES + KEPT_END_BYTES;

	TAILQ_FOREACH_REVERSE(p, &all->order, policy_list, order)
	{
		if (!policy_to_keep(p, now, &kept))
			continue;
		bytes += kept_record_bytes(&kept);
		if (bytes > SHELF_FULL_BYTES)
			break;
		first = p;
	}
	return first;
}

/* All that is good, into the other half; the one that was added to is made safe first,
 * for from then on it alone is whole. */
static int
half_write(struct shelf *s, const struct policies *all, const struct policy_moment *now,
	   struct err *err)
{
	struct buf image = buf_make(KEPT_HALF_BYTES);
	uint64_t number = s->number + 1;
	struct kept_policy kept;
	int result;

	if (fdatasync(s->fd) != 0)
		return err_sys(err, "cannot make safe the policies that were kept");
	kept_head_put(&image, number);
	for (const struct policy *p = first_to_keep(all, now); p;
	     p = TAILQ_NEXT(p, order))
		if (policy_to_keep(p, now, &kept))
			kept_record_put(&image, number, &kept);
	kept_end_put(&image, number);
	result = write_at(s, half_start(number), buf_span(&image), err);
	if (result == 0) {
		s->number = number;
		s->at = image.n - KEPT_END_BYTES;
	}
	buf_release(&image);
	return result;
}

/* Over the end that stands there, with a new one behind it. */
static int
record_write(struct shelf *s, const struct policies *all,
	     const struct kept_policy *kept, const struct policy_moment *now,
	     struct err *err)
{
	size_t bytes = kept_record_bytes(kept);
	struct buf record = buf_make(bytes + KEPT_END_BYTES);
	int result;

	if (s->torn || s->at + bytes + KEPT_END_BYTES > KEPT_HALF_BYTES)
		return half_write(s, all, now, err);
	kept_record_put(&record, s->number, kept);
	kept_end_put(&record, s->number);
	result =
	    write_at(s, half_start(s->number) + (off_t)s->at, buf_span(&record), err);
	if (result == 0)
		s->at += bytes;
	buf_release(&record);
	return result;
}

/* What was written in part is not written to again. */
static void
settle(struct shelf *s, int result, const struct policy_moment *now,
       const struct err *err)
{
	s->torn = result != 0;
	if (!s->torn)
		return;
	s->pause_until_ms = now->ms + SHELF_PAUSE_MS;
	logline(LOGLINE_ERROR, "sts.not_kept", L_ERR(err));
}

static int
halves_read(struct shelf *s, struct policies *all, const struct policy_moment *now,
	    struct err *err)
{
	struct buf bytes[2] = {buf_make(KEPT_HALF_BYTES), buf_make(KEPT_HALF_BYTES)};
	int result = 0;

	for (unsigned i = 0; i < 2 && result == 0; i++)
		result = half_read(s, i, &bytes[i], err);
	if (result == 0)
		halves_take(s, bytes, all, now);
	for (unsigned i = 0; i < 2; i++)
		buf_release(&bytes[i]);
	return result;
}

/* Those whose time was over meanwhile go; how many stay. */
static size_t
old_drop(struct policies *all, const struct policy_moment *now)
{
	struct policy *p, *next;

	for (p = TAILQ_FIRST(&all->order); p; p = next) {
		next = TAILQ_NEXT(p, order);
		policy_let_go(all, p, now->ms);
	}
	return all->n;
}

size_t
shelf_open(struct shelf *s, int fd, struct policies *all,
	   const struct policy_moment *now)
{
	struct err err;
	size_t n;

	if (s->fd >= 0) {
		close(fd);
		return 0;
	}
	s->fd = fd;
	if (halves_read(s, all, now, &err) != 0) {
		logline(LOGLINE_ERROR, "sts.not_kept", L_ERR(&err));
		close(fd);
		shelf_init(s);
		return 0;
	}
	n = old_drop(all, now);
	settle(s, half_write(s, all, now, &err), now, &err);
	return n;
}

void
shelf_add(struct shelf *s, struct policies *all, const struct policy *p,
	  const struct policy_moment *now)
{
	struct kept_policy kept;
	struct err err;

	if (s->fd < 0 || (s->torn && now->ms < s->pause_until_ms) ||
	    !policy_to_keep(p, now, &kept))
		return;
	settle(s, record_write(s, all, &kept, now, &err), now, &err);
}

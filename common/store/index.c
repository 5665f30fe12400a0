/* the file `index`: the records of all messages as of one position
 *
 * In the machine's own byte order, since it is only ever a copy. Nothing is
 * taken from it before every CRC was checked; with anything wrong it is made
 * anew from the journal.
 */
#include "common/store/internal.h"

#include <sys/mman.h>

#define INDEX_MARK    UINT64_C(0x3158444e49525050) /* "PPRINDX1", and the byte order */
#define INDEX_VERSION 1u
#define LARGE_PAGE    ((size_t)2 << 20)
#define STEP_BYTES    (256u << 10)

struct index_head {
	uint64_t mark;
	uint32_t version;
	uint32_t journal; /* number of the file that `position` is in */
	uint64_t account;
	uint64_t position;
	uint64_t n_boxes;
	uint64_t bytes; /* of the whole file */
	uint32_t boxes_crc;
	uint32_t crc; /* of this head before it */
	uint64_t reserved[9];
};

struct index_box {
	uint32_t id;
	uint32_t deleted;
	uint64_t n_records, n_gone;
	uint64_t live, unseen, bytes;
	uint64_t reserved[2];
};

_Static_assert(sizeof(struct store_record) == 128, "a record of the index");
_Static_assert(sizeof(struct index_head) == 128, "records stay aligned");
_Static_assert(sizeof(struct index_box) == 64, "two are as a record");
_Static_assert(sizeof(struct store_gone) == 16, "eight are as a record");

/* Boxes and lists are padded to whole records. */
static uint64_t
padded(uint64_t bytes)
{
	return (bytes + 127) & ~UINT64_C(127);
}

static uint32_t
head_crc(const struct index_head *head)
{
	return crc32c(0, span_make(head, offsetof(struct index_head, crc)));
}

/* --- reading -------------------------------------------------------------- */

/* Memory for the whole file; in large pages where it is large, so that filling it and
 * changing all of it costs no fault a page. */
static void
memory_take(struct view *v, uint64_t size)
{
	size_t rounded = (size + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
	void *at = MAP_FAILED;

	v->bytes = size;
	if (size >= LARGE_PAGE)
		at = mmap(NULL, rounded + LARGE_PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED) {
		v->memory = memory_new(size, 1);
		return;
	}
	v->area = at;
	v->area_bytes = rounded + LARGE_PAGE;
	v->memory = (char *)at + (LARGE_PAGE - (uintptr_t)at % LARGE_PAGE) % LARGE_PAGE;
	(void)madvise(v->memory, rounded, MADV_HUGEPAGE);
}

void
index_release(struct view *v)
{
	if (v->area)
		munmap(v->area, v->area_bytes);
	else
		free(v->memory);
}

/* A file that is being read. Not mapped: were it cut short, or a page of it unreadable,
 * that would be a signal. */
struct index_in {
	const struct log_io *io;
	int fd;
	struct view *view;
	uint64_t done; /* bytes that are in its memory */
};

/* All below `end` is there; a step at a time, so that what is checked next is still in
 * the processor's cache. */
static bool
in_have(struct index_in *in, uint64_t end)
{
	struct view *v = in->view;

	while (in->done < end) {
		uint64_t left = v->bytes - in->done;
		ssize_t n =
		    in->io->pread(in->io->disk, in->fd, (char *)v->memory + in->done,
				  left < STEP_BYTES ? left : STEP_BYTES, in->done);

		if (n <= 0)
			return false;
		in->done += (uint64_t)n;
	}
	return true;
}

static bool
head_good(const struct store_account *a, const struct index_head *head, uint64_t size)
{
	return head->mark == INDEX_MARK && head->version == INDEX_VERSION &&
	       head->crc == head_crc(head) && head->account == a->id &&
	       head->bytes == size && head->position <= a->durable &&
	       head->n_boxes <= STORE_MAILBOXES_MAX &&
	       sizeof(*head) + padded(head->n_boxes * sizeof(struct index_box)) <= size;
}

static bool
record_good(const struct store_record *r, uint32_t mailbox, uint32_t above)
{
	return r->crc == record_crc(r) && r->mailbox == mailbox && r->uid > above &&
	       r->uid < UINT32_MAX;
}

/* n records that stand at offset `at`. */
static bool
records_load(struct index_in *in, uint64_t at, uint64_t n, uint32_t mailbox)
{
	const struct store_record *r = (const void *)((char *)in->view->memory + at);
	uint32_t above = 0;

	for (uint64_t i = 0; i < n; i++) {
		uint64_t end = at + (i + 1) * sizeof(*r);

		if ((end > in->done && !in_have(in, end)) ||
		    !record_good(&r[i], mailbox, above))
			return false;
		above = r[i].uid;
	}
	return true;
}

/* The records and gone uids of one box at *at; false when they are not whole. */
static bool
box_load(struct index_in *in, const struct index_box *from, uint64_t *at)
{
	uint64_t room = in->view->bytes - *at, records, gone;
	struct store_gone *list;
	struct box *b;

	if (from->n_records > room / sizeof(struct store_record) ||
	    from->n_gone > room / sizeof(*list))
		return false;
	records = from->n_records * sizeof(struct store_record);
	gone = padded(from->n_gone * sizeof(*list));
	if (records + gone > room ||
	    !records_load(in, *at, from->n_records, from->id) ||
	    !in_have(in, *at + records + gone))
		return false;
	list = (struct store_gone *)(void *)((char *)in->view->memory + *at + records);
	b = view_box_make(in->view, from->id);
	for (uint64_t i = 0; i < from->n_gone; i++) {
		if (list[i].crc != gone_crc(&list[i]))
			return false;
		box_add_gone(b, list[i].uid, list[i].modseq);
	}
	b->base = (struct store_record *)(void *)((char *)in->view->memory + *at);
	b->n_base = from->n_records;
	b->live = from->live;
	b->unseen = from->unseen;
	b->bytes = from->bytes;
	b->deleted = from->deleted != 0;
	*at += records + gone;
	return true;
}

static bool
index_take(const struct store_account *a, struct index_in *in)
{
	const struct index_head *head = in->view->memory;
	const struct index_box *boxes = (const void *)(head + 1);
	uint64_t at;

	if (!in_have(in, sizeof(*head)) || !head_good(a, head, in->view->bytes))
		return false;
	at = head->n_boxes * sizeof(*boxes);
	if (!in_have(in, sizeof(*head) + padded(at)) ||
	    crc32c(0, span_make(boxes, at)) != head->boxes_crc)
		return false;
	at = sizeof(*head) + padded(at);
	for (uint64_t i = 0; i < head->n_boxes; i++)
		if (!box_load(in, &boxes[i], &at))
			return false;
	return at == in->view->bytes;
}

bool
index_load(struct store_account *a, struct view *v, uint32_t *journal,
	   uint64_t *position)
{
	const struct log_io *io = a->store->io;
	struct index_in in = {.io = io, .view = v};
	const struct index_head *head;
	bool good = false;
	uint64_t size;

	in.fd = io->open(io->disk, a->dir, "index", LOG_READ);
	if (in.fd < 0)
		return false;
	if (io->size(io->disk, in.fd, &size) == 0 &&
	    size >= sizeof(struct index_head) && size < SIZE_MAX / 2) {
		memory_take(v, size);
		good = index_take(a, &in);
	}
	io->close(io->disk, in.fd);
	if (!good)
		return false;
	head = v->memory;
	*journal = head->journal;
	*position = head->position;
	v->saved = head->position;
	return true;
}

/* --- writing -------------------------------------------------------------- */

#define OUT_BYTES (1u << 20)

struct index_out {
	const struct log_io *io;
	int fd;
	uint64_t at;
	struct buf hold;
	bool failed;
};

static void
out_flush(struct index_out *o)
{
	const struct log_file f = {.io = o->io, .fd = o->fd};
	struct iovec v = {o->hold.at, o->hold.n};
	struct err ignored;

	if (o->hold.n > 0 && !o->failed)
		o->failed = file_write(&f, &v, 1, o->at, &ignored) < 0;
	o->at += o->hold.n;
	buf_reset(&o->hold);
}

static void
out_put(struct index_out *o, const void *bytes, size_t n)
{
	if (!buf_room(&o->hold, n))
		out_flush(o);
	buf_put(&o->hold, span_make(bytes, n));
}

static void
out_pad(struct index_out *o, uint64_t bytes)
{
	static const char zeros[128];

	out_put(o, zeros, padded(bytes) - bytes);
}

static void
box_head(const struct box *b, struct index_box *out)
{
	*out = (struct index_box){.id = b->id,
				  .deleted = b->deleted,
				  .n_gone = b->n_gone,
				  .live = b->live,
				  .unseen = b->unseen,
				  .bytes = b->bytes};
	for (size_t i = 0; i < box_n(b); i++)
		out->n_records += !(box_at(b, i)->flags & RECORD_GONE);
}

static void
box_put(struct index_out *o, const struct box *b)
{
	for (size_t i = 0; i < box_n(b); i++) {
		struct store_record r = *box_at(b, i);

		if (r.flags & RECORD_GONE)
			continue;
		r.crc = record_crc(&r);
		out_put(o, &r, sizeof(r));
	}
	for (size_t i = 0; i < b->n_gone; i++) {
		struct store_gone g = b->gone[i];

		g.crc = gone_crc(&g);
		out_put(o, &g, sizeof(g));
	}
	out_pad(o, b->n_gone * sizeof(struct store_gone));
}

static void
index_put(const struct store_account *a, struct index_out *o)
{
	const struct view *v = a->view;
	struct index_box *boxes = memory_new(v->n + 1, sizeof(*boxes));
	uint64_t list = v->n * sizeof(*boxes);
	struct index_head head = {
	    .mark = INDEX_MARK,
	    .version = INDEX_VERSION,
	    .journal = (uint32_t)a->files[FILE_JOURNAL].id.number,
	    .account = a->id,
	    .position = a->state.position,
	    .n_boxes = v->n,
	    .bytes = sizeof(head) + padded(list),
	};

	for (size_t i = 0; i < v->n; i++) {
		box_head(&v->boxes[i], &boxes[i]);
		head.bytes += boxes[i].n_records * sizeof(struct store_record) +
			      padded(boxes[i].n_gone * sizeof(struct store_gone));
	}
	head.boxes_crc = crc32c(0, span_make(boxes, list));
	head.crc = head_crc(&head);
	out_put(o, &head, sizeof(head));
	for (size_t i = 0; i < v->n; i++)
		out_put(o, &boxes[i], sizeof(*boxes));
	out_pad(o, list);
	for (size_t i = 0; i < v->n; i++)
		box_put(o, &v->boxes[i]);
	out_flush(o);
	free(boxes);
}

int
index_save(struct store_account *a, struct err *err)
{
	const struct log_io *io = a->store->io;
	struct index_out o = {.io = io, .hold = buf_make(OUT_BYTES)};

	ASSERT(a->locked && a->view && a->durable >= a->state.position);
	/* What an earlier try may have left. */
	(void)io->unlink(io->disk, a->dir, "index.new");
	o.fd = io->open(io->disk, a->dir, "index.new", LOG_CREATE);
	if (o.fd < 0)
		return err_sys(err, "store: cannot create an index");
	index_put(a, &o);
	io->close(io->disk, o.fd);
	buf_release(&o.hold);
	/* A rename does not replace; without an index for a moment, who looks makes do
	 * with the journal. */
	if (!o.failed)
		(void)io->unlink(io->disk, a->dir, "index");
	if (o.failed || io->rename(io->disk, a->dir, "index.new", "index") < 0) {
		err_sys(err, "store: cannot write an index");
		(void)io->unlink(io->disk, a->dir, "index.new");
		return -1;
	}
	a->view->saved = a->state.position;
	a->view->events = 0;
	return 0;
}

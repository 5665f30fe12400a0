#include "tests/unit/simdisk.h"

#include <errno.h>

uint64_t
rng_next(struct rng *r)
{
	uint64_t x = r->state += 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

size_t
rng_below(struct rng *r, size_t n)
{
	return (size_t)(rng_next(r) % n);
}

bool
rng_once_in(struct rng *r, size_t n)
{
	return rng_below(r, n) == 0;
}

static void
image_resize(struct sim_image *m, size_t n)
{
	if (n > m->size) {
		m->size = n < 4096 ? 4096 : 2 * n;
		m->at = memory_resize(m->at, m->size, 1);
	}
	if (n > m->n)
		memset(m->at + m->n, 0, n - m->n);
	m->n = n;
}

static void
image_put(struct sim_image *m, size_t offset, const char *at, size_t n)
{
	if (n == 0)
		return;
	if (offset + n > m->n)
		image_resize(m, offset + n);
	memcpy(m->at + offset, at, n);
}

static void
image_copy(struct sim_image *to, const struct sim_image *from)
{
	to->n = 0;
	image_put(to, 0, from->at, from->n);
}

static struct sim_op *
op_add(struct sim_file *f)
{
	if (f->n_ops == f->size_ops) {
		f->size_ops = f->size_ops ? 2 * f->size_ops : 16;
		f->ops = memory_resize(f->ops, f->size_ops, sizeof(*f->ops));
	}
	return &f->ops[f->n_ops++];
}

static void
ops_drop(struct sim_file *f)
{
	f->n_ops = 0;
	f->data.n = 0;
}

static void
ops_apply(struct sim_file *f)
{
	for (size_t i = 0; i < f->n_ops; i++) {
		const struct sim_op *op = &f->ops[i];

		if (op->kind == SIM_TRUNCATE)
			image_resize(&f->safe, (size_t)op->offset);
		else
			image_put(&f->safe, (size_t)op->offset, f->data.at + op->data,
				  op->n);
	}
	ops_drop(f);
}

/* The program was killed before this call: it is not made. */
static bool
killed(struct simdisk *d)
{
	if (d->fault != SIM_FAULT_KILL)
		return false;
	if (d->fault_in > 0) {
		d->fault_in--;
		return false;
	}
	errno = EIO;
	return true;
}

/* True when this call is the one to fail. */
static bool
fault_hits(struct simdisk *d, enum sim_fault sort)
{
	if (d->fault != sort)
		return false;
	if (d->fault_in > 0) {
		d->fault_in--;
		return false;
	}
	d->fault = SIM_FAULT_NONE;
	errno = d->fault_code;
	return true;
}

static void
changed(struct simdisk *d)
{
	d->calls++;
	if (d->changed)
		d->changed(d->context);
}

static struct sim_file *
file_of(struct simdisk *d, int fd)
{
	ASSERT(fd > SIMDISK_DIR && fd - SIMDISK_DIR <= d->n_files);
	return &d->files[fd - SIMDISK_DIR - 1];
}

static struct sim_name *
name_find(struct sim_name names[SIMDISK_FILES], const char *name)
{
	for (size_t i = 0; i < SIMDISK_FILES; i++)
		if (strcmp(names[i].name, name) == 0)
			return &names[i];
	return NULL;
}

static void
name_set(char to[24], const char *name)
{
	ASSERT(span_copy(span_str(name), to, 24));
}

/* One step of the directory; nothing when it makes no sense any more. */
static void
dirop_apply(struct sim_name names[SIMDISK_FILES], const struct sim_dirop *op)
{
	struct sim_name *at = name_find(names, op->name.name), *other;

	switch (op->kind) {
	case SIM_LINK:
		other = name_find(names, "");
		if (!at && other)
			*other = op->name;
		break;
	case SIM_UNLINK:
		if (at)
			at->name[0] = '\0';
		break;
	case SIM_RENAME:
		other = name_find(names, op->to);
		if (at && other)
			other->name[0] = '\0';
		if (at)
			name_set(at->name, op->to);
		break;
	}
}

static void
dirop_add(struct simdisk *d, struct sim_dirop op)
{
	ASSERT(d->n_dirops < N_ELEMS(d->dirops));
	d->dirops[d->n_dirops++] = op;
	dirop_apply(d->now, &op);
	changed(d);
}

static int
sim_open(void *disk, int dir, const char *name, enum log_access access)
{
	struct simdisk *d = disk;
	struct sim_name *found = name_find(d->now, name);
	struct sim_dirop op = {.kind = SIM_LINK};

	ASSERT(dir == SIMDISK_DIR);
	if (access != LOG_CREATE) {
		errno = ENOENT;
		return found ? SIMDISK_DIR + 1 + found->file : -1;
	}
	if (killed(d) || fault_hits(d, SIM_FAULT_DIR))
		return -1;
	errno = EEXIST;
	if (found)
		return -1;
	ASSERT(d->n_files < SIMDISK_FILES);
	op.name.file = d->n_files++;
	name_set(op.name.name, name);
	dirop_add(d, op);
	return SIMDISK_DIR + 1 + op.name.file;
}

static void
sim_close(void *disk, int fd)
{
	(void)file_of(disk, fd);
}

/* Is it the file that cannot be read? */
static bool
fault_is_in(struct simdisk *d, const struct sim_file *f)
{
	const struct sim_name *name;

	if (!d->fault_name)
		return true;
	name = name_find(d->now, d->fault_name);
	return name && f == &d->files[name->file];
}

static ssize_t
sim_pread(void *disk, int fd, void *at, size_t n, uint64_t offset)
{
	struct simdisk *d = disk;
	const struct sim_file *f = file_of(d, fd);

	d->reads++;
	if (offset >= f->now.n)
		return 0;
	if (n > f->now.n - offset)
		n = f->now.n - (size_t)offset;
	if (d->fault == SIM_FAULT_READ && fault_is_in(d, f) &&
	    offset / 4096 <= d->fault_offset / 4096 &&
	    d->fault_offset / 4096 <= (offset + n - 1) / 4096) {
		errno = d->fault_code;
		return -1;
	}
	memcpy(at, f->now.at + offset, n);
	return (ssize_t)n;
}

static void
file_write(struct sim_file *f, const char *at, size_t n, uint64_t offset)
{
	struct sim_op *op = op_add(f);

	*op = (struct sim_op){SIM_WRITE, offset, n, f->data.n};
	image_put(&f->data, f->data.n, at, n);
	image_put(&f->now, (size_t)offset, at, n);
}

static ssize_t
sim_pwritev(void *disk, int fd, const struct iovec *v, int n, uint64_t offset)
{
	struct simdisk *d = disk;
	struct sim_file *f = file_of(d, fd);
	static char gathered[1u << 20];
	size_t bytes = 0;

	d->writes++;
	if (killed(d) || fault_hits(d, SIM_FAULT_WRITE))
		return -1;
	for (int i = 0; i < n; i++) {
		ASSERT(bytes + v[i].iov_len <= sizeof(gathered));
		if (v[i].iov_len > 0)
			memcpy(gathered + bytes, v[i].iov_base, v[i].iov_len);
		bytes += v[i].iov_len;
	}
	if (bytes > 1 && fault_hits(d, SIM_FAULT_SHORT)) {
		bytes /= 2;
		d->fault = SIM_FAULT_WRITE; /* for the rest */
	}
	file_write(f, gathered, bytes, offset);
	changed(d);
	return (ssize_t)bytes;
}

static int
sim_fdatasync(void *disk, int fd)
{
	struct simdisk *d = disk;

	d->syncs++;
	if (killed(d))
		return -1;
	if (fault_hits(d, SIM_FAULT_SYNC)) {
		ops_drop(file_of(d, fd)); /* shown, but never to be written */
		return -1;
	}
	ops_apply(file_of(d, fd));
	changed(d);
	return 0;
}

static int
sim_fsync(void *disk, int fd)
{
	struct simdisk *d = disk;

	if (fd != SIMDISK_DIR)
		return sim_fdatasync(disk, fd);
	if (killed(d) || fault_hits(d, SIM_FAULT_SYNC))
		return -1;
	memcpy(d->safe, d->now, sizeof(d->safe));
	d->n_dirops = 0;
	changed(d);
	return 0;
}

static int
sim_ftruncate(void *disk, int fd, uint64_t size)
{
	struct simdisk *d = disk;
	struct sim_file *f = file_of(d, fd);

	if (killed(d) || fault_hits(d, SIM_FAULT_WRITE))
		return -1;
	*op_add(f) = (struct sim_op){SIM_TRUNCATE, size, 0, 0};
	image_resize(&f->now, (size_t)size);
	changed(d);
	return 0;
}

static int
sim_size(void *disk, int fd, uint64_t *size)
{
	*size = file_of(disk, fd)->now.n;
	return 0;
}

static int
sim_rename(void *disk, int dir, const char *from, const char *to)
{
	struct simdisk *d = disk;
	struct sim_dirop op = {.kind = SIM_RENAME};

	ASSERT(dir == SIMDISK_DIR);
	if (killed(d) || fault_hits(d, SIM_FAULT_DIR))
		return -1;
	errno = name_find(d->now, from) ? EEXIST : ENOENT;
	if (!name_find(d->now, from) || name_find(d->now, to))
		return -1;
	name_set(op.name.name, from);
	name_set(op.to, to);
	dirop_add(d, op);
	return 0;
}

static int
sim_unlink(void *disk, int dir, const char *name)
{
	struct simdisk *d = disk;
	struct sim_dirop op = {.kind = SIM_UNLINK};

	ASSERT(dir == SIMDISK_DIR);
	if (killed(d) || fault_hits(d, SIM_FAULT_DIR))
		return -1;
	errno = ENOENT;
	if (!name_find(d->now, name))
		return -1;
	name_set(op.name.name, name);
	dirop_add(d, op);
	return 0;
}

static int
sim_list(void *disk, int dir, log_io_name *each, void *context)
{
	struct simdisk *d = disk;

	ASSERT(dir == SIMDISK_DIR);
	if (killed(d) || fault_hits(d, SIM_FAULT_DIR))
		return -1;
	for (size_t i = 0; i < SIMDISK_FILES; i++)
		if (d->now[i].name[0])
			each(context, d->now[i].name);
	return 0;
}

static int
sim_random(void *disk, void *at, size_t n)
{
	struct simdisk *d = disk;
	uint64_t word = rng_next(&d->rng);

	ASSERT(n == sizeof(word));
	memcpy(at, &word, n);
	return 0;
}

struct log_io
simdisk_io(struct simdisk *d)
{
	return (struct log_io){
	    .disk = d,
	    .open = sim_open,
	    .close = sim_close,
	    .pread = sim_pread,
	    .pwritev = sim_pwritev,
	    .fdatasync = sim_fdatasync,
	    .fsync = sim_fsync,
	    .ftruncate = sim_ftruncate,
	    .size = sim_size,
	    .rename = sim_rename,
	    .unlink = sim_unlink,
	    .list = sim_list,
	    .random = sim_random,
	};
}

void
simdisk_init(struct simdisk *d, uint64_t seed)
{
	*d = (struct simdisk){.rng = {seed}, .sector = 512};
}

void
simdisk_release(struct simdisk *d)
{
	for (size_t i = 0; i < SIMDISK_FILES; i++) {
		struct sim_file *f = &d->files[i];

		free(f->now.at);
		free(f->safe.at);
		free(f->data.at);
		free(f->ops);
	}
	*d = (struct simdisk){.n_files = 0};
}

/* How a power loss treats the pending writes of one file. */
enum fate {
	FATE_NONE,
	FATE_ALL,
	FATE_SOME, /* each write whole or not at all */
	FATE_TORN, /* each sector for itself */
	FATE_SIZE, /* sizes, but hardly any byte */
	FATES,
};

static bool
survives(enum fate fate, struct rng *r)
{
	static const struct {
		size_t of, in;
	} chances[FATES] = {
	    {0, 1},
            {1, 1},
            {1, 2},
            {3, 4},
            {1, 8}
        };

	return rng_below(r, chances[fate].in) < chances[fate].of;
}

/* Sector by sector; a size that was lost takes the bytes beyond it along. */
static void
write_survives(struct sim_image *m, const struct sim_file *from,
	       const struct sim_op *op, enum fate fate, size_t sector, struct rng *r)
{
	size_t at = (size_t)op->offset, end = at + op->n;
	const char *data = from->data.at + op->data;

	if (fate == FATE_SOME && !survives(fate, r))
		return;
	if (end > m->n && (fate == FATE_ALL || fate == FATE_SIZE || rng_below(r, 4)))
		image_resize(m, end);
	while (at < end) {
		size_t next = (at / sector + 1) * sector;
		size_t stop = next < end ? next : end;

		if (stop > m->n)
			stop = m->n > at ? m->n : at;
		if (stop == at)
			return;
		if (fate == FATE_SOME || survives(fate, r))
			memcpy(m->at + at, data + (at - op->offset), stop - at);
		at = stop;
	}
}

static void
file_power_loss(const struct sim_file *from, struct sim_file *to, size_t sector,
		struct rng *r)
{
	enum fate fate = (enum fate)rng_below(r, FATES);

	image_copy(&to->safe, &from->safe);
	for (size_t i = 0; i < from->n_ops; i++) {
		const struct sim_op *op = &from->ops[i];

		if (op->kind == SIM_WRITE)
			write_survives(&to->safe, from, op, fate, sector, r);
		else if (survives(fate == FATE_TORN ? FATE_SOME : fate, r))
			image_resize(&to->safe, (size_t)op->offset);
	}
	image_copy(&to->now, &to->safe);
	ops_drop(to);
}

void
simdisk_power_loss(const struct simdisk *from, struct simdisk *to, struct rng *r)
{
	enum fate fate = (enum fate)rng_below(r, FATES);

	for (int i = 0; i < from->n_files; i++)
		file_power_loss(&from->files[i], &to->files[i], from->sector, r);
	to->n_files = from->n_files;
	memcpy(to->safe, from->safe, sizeof(to->safe));
	for (size_t i = 0; i < from->n_dirops; i++)
		if (survives(fate, r))
			dirop_apply(to->safe, &from->dirops[i]);
	memcpy(to->now, to->safe, sizeof(to->now));
	to->n_dirops = 0;
	to->sector = from->sector;
	to->rng.state = rng_next(r);
	to->fault = SIM_FAULT_NONE;
}

struct sim_file *
simdisk_file(struct simdisk *d, const char *name)
{
	struct sim_name *found = name_find(d->now, name);

	return found ? &d->files[found->file] : NULL;
}

void
simdisk_poke(struct simdisk *d, const char *name, size_t offset, char flip)
{
	struct sim_file *f = simdisk_file(d, name);

	ASSERT(f && offset < f->now.n && offset < f->safe.n);
	f->now.at[offset] ^= flip;
	f->safe.at[offset] = f->now.at[offset];
}

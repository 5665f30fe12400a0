#include "common/maildir/source_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define NAMES_MAX      (64u << 20)
#define STRINGS_MAX    ((size_t)4 << 30)
#define RAW_MAX        (512u << 20)
#define SUBSCRIBED_MAX 10000

static const char *const format_names[MAIL_FORMATS] = {
    [MAIL_GUESS] = "guess",
    [MAIL_MAILDIR] = "maildir",
    [MAIL_MBOX] = "mbox",
    [MAIL_EML] = "eml",
};

enum mail_format
mail_format_of(const char *word)
{
	int i = MAIL_MAILDIR;

	while (i < MAIL_FORMATS && strcmp(word, format_names[i]) != 0)
		i++;
	return (enum mail_format)i;
}

const char *
mail_format_name(enum mail_format format)
{
	return format_names[format];
}

/* --- mailboxes ------------------------------------------------------------ */

static struct source_box *
box_find(const struct mail_source *s, struct span name)
{
	for (size_t i = 0; i < s->n; i++)
		if (span_equal(s->boxes[i].box.name, name))
			return &s->boxes[i];
	return NULL;
}

struct source_box *
source_box_add(struct mail_source *s, struct span name, const char *path)
{
	struct buf unique = buf_make(2048);
	struct source_box b = {0};
	struct span kept;

	buf_put(&unique, name);
	for (unsigned i = 2; box_find(s, buf_span(&unique)); i++) {
		buf_reset(&unique);
		buf_put(&unique, name);
		buf_putf(&unique, "_%u", i);
	}
	arena_init(&b.arena, STRINGS_MAX);
	/* With its NUL. */
	if (s->n == SOURCE_BOXES_MAX ||
	    !arena_copy(&s->arena, buf_span(&unique), &b.box.name) ||
	    !arena_copy(&s->arena, span_make(path, strlen(path) + 1), &kept)) {
		buf_release(&unique);
		return NULL;
	}
	buf_release(&unique);
	b.box.path = kept.at;
	if (s->n == s->size) {
		s->size = s->size ? 2 * s->size : 16;
		s->boxes = memory_resize(s->boxes, s->size, sizeof(*s->boxes));
	}
	s->boxes[s->n] = b;
	return &s->boxes[s->n++];
}

struct mail_message *
source_message_add(struct source_box *b)
{
	if (b->box.n == b->size) {
		b->size = b->size ? 2 * b->size : 64;
		b->box.messages =
		    memory_resize(b->box.messages, b->size, sizeof(*b->box.messages));
	}
	b->box.messages[b->box.n] = (struct mail_message){0};
	return &b->box.messages[b->box.n++];
}

struct span
source_keep(struct source_box *b, struct span bytes)
{
	struct span kept;

	return arena_copy(&b->arena, bytes, &kept) ? kept : SPAN("");
}

void
source_subscribe(struct mail_source *s, struct span name)
{
	struct source_box *b = box_find(s, name);
	struct span kept;

	if (b) {
		b->box.subscribed = true;
		return;
	}
	if (s->n_subscribed == SUBSCRIBED_MAX || !arena_copy(&s->arena, name, &kept))
		return;
	s->subscribed =
	    memory_resize(s->subscribed, s->n_subscribed + 1, sizeof(*s->subscribed));
	s->subscribed[s->n_subscribed++] = kept;
}

/* INBOX first, then as the names go, levels above before those below. */
static int
order_boxes(const void *a, const void *b)
{
	const struct source_box *x = a, *y = b;
	bool x_in = span_equal_nocase(x->box.name, SPAN("INBOX"));
	bool y_in = span_equal_nocase(y->box.name, SPAN("INBOX"));

	return x_in != y_in ? y_in - x_in : span_compare(x->box.name, y->box.name);
}

static int
order_messages(const void *a, const void *b)
{
	const struct mail_message *x = a, *y = b;

	if ((x->uid == 0) != (y->uid == 0))
		return x->uid == 0 ? 1 : -1;
	if (x->uid != y->uid)
		return x->uid < y->uid ? -1 : 1;
	if (x->internal_us != y->internal_us)
		return x->internal_us < y->internal_us ? -1 : 1;
	return span_compare(x->name, y->name);
}

void
source_sort(struct source_box *b)
{
	if (b->box.n > 0)
		qsort(b->box.messages, b->box.n, sizeof(*b->box.messages),
		      order_messages);
}

/* --- opening -------------------------------------------------------------- */

static const struct source_kind *const kinds[MAIL_FORMATS] = {
    [MAIL_MAILDIR] = &source_maildir,
    [MAIL_MBOX] = &source_mbox,
    [MAIL_EML] = &source_eml,
};

/* The directory `path`, or that of the file it is. */
static int
top_open(struct mail_source *s, const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	char folder[SOURCE_PATH_MAX];
	struct span kept;

	s->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir >= 0 || errno != ENOTDIR)
		return s->dir < 0 ? err_sys(err, "%s", path) : 0;
	if (slash)
		snprintf(folder, sizeof(folder), "%.*s",
			 (int)(slash == path ? 1 : slash - path), path);
	else
		snprintf(folder, sizeof(folder), ".");
	s->dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir < 0)
		return err_sys(err, "%s", folder);
	path = slash ? slash + 1 : path;
	if (arena_copy(&s->arena, span_make(path, strlen(path) + 1), &kept))
		s->lone = kept.at;
	return 0;
}

/* A home directory: its Maildir is meant. */
static void
top_descend(struct mail_source *s)
{
	int fd;

	if (s->lone || source_is_folder(s, ".", "cur") ||
	    !source_is_folder(s, "Maildir", "cur"))
		return;
	fd = source_open_file(s, "Maildir", O_DIRECTORY);
	if (fd < 0)
		return;
	close(s->dir);
	s->dir = fd;
}

static int
boxes_find(struct mail_source *s, enum mail_format format, struct err *err)
{
	for (int i = MAIL_MAILDIR; i < MAIL_FORMATS; i++) {
		if (format != MAIL_GUESS && format != (enum mail_format)i)
			continue;
		s->kind = kinds[i];
		if (s->kind->open(s, err) < 0)
			return -1;
		if (s->n > 0)
			break;
	}
	mail_source_order(s);
	return 0;
}

void
source_path_keep(struct mail_source *s, const char *path)
{
	char *real = realpath(path, NULL);
	const char *known = real ? real : path;
	struct span kept;

	if (arena_copy(&s->arena, span_make(known, strlen(known) + 1), &kept))
		s->path = kept.at;
	free(real);
}

struct mail_source *
mail_source_new(void)
{
	struct mail_source *s = memory_new(1, sizeof(*s));

	s->dir = s->control = -1;
	s->path = "";
	s->raw = buf_make(RAW_MAX);
	arena_init(&s->arena, NAMES_MAX);
	return s;
}

void
mail_source_order(struct mail_source *s)
{
	if (s->n > 0)
		qsort(s->boxes, s->n, sizeof(*s->boxes), order_boxes);
}

/* Says what is there instead of mail. */
static void
none_explain(struct mail_source *s, const struct mail_place *place, struct err *err)
{
	if (source_is_dbox(s))
		err_set(err,
			"%.120s: a dbox (sdbox or mdbox), which only Dovecot can read: "
			"'doveadm backup -u USER maildir:DIR' makes a Maildir of it, "
			"with the same UIDs; import DIR then, and do both again at the "
			"switch",
			place->path);
	else
		err_set(err, "%.120s: no %s is there", place->path,
			place->format == MAIL_GUESS ? "Maildir, mbox or .eml"
						    : mail_format_name(place->format));
}

static int
control_open(struct mail_source *s, const char *control, struct err *err)
{
	if (!control)
		return 0;
	s->control = open(control, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return s->control < 0 ? err_sys(err, "%s", control) : 0;
}

struct mail_source *
mail_source_open_place(const struct mail_place *place, struct err *err)
{
	struct mail_source *s = mail_source_new();

	if (top_open(s, place->path, err) == 0 &&
	    control_open(s, place->control, err) == 0) {
		top_descend(s);
		source_path_keep(s, place->path);
		if (boxes_find(s, place->format, err) == 0 && s->n > 0)
			return s;
		if (s->kind && s->n == 0)
			none_explain(s, place, err);
	}
	mail_source_free(&s);
	return NULL;
}

struct mail_source *
mail_source_open(const char *path, enum mail_format format, struct err *err)
{
	const struct mail_place place = {.path = path, .format = format};

	return mail_source_open_place(&place, err);
}

void
mail_source_free(struct mail_source **source)
{
	struct mail_source *s = *source;

	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++)
		mail_source_unload(s, i);
	free(s->boxes);
	free(s->subscribed);
	arena_release(&s->arena);
	buf_release(&s->raw);
	if (s->dir >= 0)
		close(s->dir);
	if (s->control >= 0)
		close(s->control);
	free(s);
	*source = NULL;
}

enum mail_format
mail_source_format(const struct mail_source *s)
{
	return s->kind->format;
}

const char *
mail_source_path(const struct mail_source *s)
{
	return s->path;
}

size_t
mail_source_boxes(const struct mail_source *s)
{
	return s->n;
}

const struct mail_box *
mail_source_box(const struct mail_source *s, size_t i)
{
	return &s->boxes[i].box;
}

bool
mail_source_subscribed(const struct mail_source *s, size_t i, struct span *name)
{
	if (i >= s->n_subscribed)
		return false;
	*name = s->subscribed[i];
	return true;
}

/* --- messages ------------------------------------------------------------- */

int
mail_source_load(struct mail_source *s, size_t i, struct err *err)
{
	mail_source_unload(s, i);
	return s->kind->load(s, &s->boxes[i], err);
}

void
mail_source_unload(struct mail_source *s, size_t i)
{
	struct source_box *b = &s->boxes[i];

	free(b->box.messages);
	b->box.messages = NULL;
	b->box.n = b->size = 0;
	b->box.n_keywords = 0;
	arena_release(&b->arena);
	arena_init(&b->arena, STRINGS_MAX);
}

/* The file, whatever it is called by now. */
static int
file_read(struct mail_source *s, const struct mail_message *m)
{
	char path[SOURCE_PATH_MAX];

	if (source_read_file(s, m->path, &s->raw) == 0)
		return 0;
	for (int tries = 0; tries < 5 && errno == ENOENT && s->kind->moved; tries++) {
		if (!s->kind->moved(s, m, path)) {
			errno = ENOENT;
			return -1;
		}
		buf_reset(&s->raw);
		if (source_read_file(s, path, &s->raw) == 0)
			return 0;
	}
	return -1;
}

/* The file, or the part of it that the message is. */
static int
raw_read(struct mail_source *s, const struct mail_message *m)
{
	int fd, code;
	size_t done = 0;
	char *at;

	if (s->kind->format != MAIL_MBOX)
		return file_read(s, m);
	at = buf_extend(&s->raw, (size_t)m->bytes);
	if (!at) {
		errno = EFBIG;
		return -1;
	}
	fd = source_open_file(s, m->path, 0);
	if (fd < 0)
		return -1;
	while (done < m->bytes) {
		ssize_t got = pread(fd, at + done, (size_t)m->bytes - done,
				    (off_t)(m->offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		done += (size_t)got;
	}
	code = done < m->bytes ? ENOENT : 0;
	close(fd);
	errno = code;
	return code ? -1 : 0;
}

enum mail_read
mail_source_read(struct mail_source *s, const struct mail_message *m, struct buf *out,
		 struct mail_shape *shape, struct err *err)
{
	*shape = (struct mail_shape){0};
	buf_reset(&s->raw);
	if (raw_read(s, m) < 0) {
		err_sys(err, "%s", m->path);
		return err->code == ENOENT  ? MAIL_READ_GONE
		       : err->code == EFBIG ? MAIL_READ_LARGE
					    : MAIL_READ_FAULT;
	}
	s->kind->content(m, buf_span(&s->raw), out, shape);
	if (out->full) {
		err_set(err, "%s: too large", m->path);
		return MAIL_READ_LARGE;
	}
	return MAIL_READ_OK;
}

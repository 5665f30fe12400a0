/* a file a mailbox: mboxrd, what is below "A" in the folder "A.sbd" */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "common/transfer/export_internal.h"

#define FLUSH_BYTES (4u << 20)

/* A file on its way. */
struct writing {
	struct export_box *b;
	int fd;
	EVP_MD_CTX *md; /* of all that was written */
	bool first;
	uint64_t messages;
};

static int
flush(struct writing *w)
{
	struct exporting *ex = w->b->ex;
	struct span rest = buf_span(&ex->text);

	ASSERT(EVP_DigestUpdate(w->md, rest.at, rest.n) == 1);
	while (rest.n > 0) {
		ssize_t got = write(w->fd, rest.at, rest.n);

		if (got > 0)
			rest = span_after(rest, (size_t)got);
		else if (got == 0 || errno != EINTR)
			return err_sys(ex->err, "%.*s", SPAN_ARG(w->b->box.name));
	}
	buf_reset(&ex->text);
	return 0;
}

static size_t
words_of(const struct export_box *b, uint64_t bits,
	 struct span words[MAIL_KEYWORDS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < b->n_keywords; i++)
		if (bits >> i & 1)
			words[n++] = b->keywords[i];
	return n;
}

static void
base_take(const struct export_box *b, struct mbox_entry *e)
{
	e->uidvalidity = b->box.uidvalidity;
	e->uidnext = b->box.uidnext;
	e->base_keywords = b->keywords;
	e->n_base_keywords = b->n_keywords;
}

static int
message_put(void *context, const struct store_record *r)
{
	struct writing *w = context;
	struct exporting *ex = w->b->ex;
	struct span words[MAIL_KEYWORDS_MAX];
	char guid[2 * STORE_GUID_BYTES + 1];
	struct mbox_entry e = {.content = buf_span(&ex->content),
			       .internal_us = r->internal_us,
			       .saved_us = r->saved_us,
			       .flags = r->flags,
			       .uid = r->uid,
			       .keywords = words,
			       .uidl = export_uidl(w->b, r)};

	hex_put(r->guid, sizeof(r->guid), guid);
	e.guid = span_str(guid);
	e.n_keywords = words_of(w->b, export_keywords(w->b, r), words);
	if (w->first)
		base_take(w->b, &e);
	w->first = false;
	mbox_put(&e, &ex->text);
	w->messages++;
	return ex->text.n >= FLUSH_BYTES ? flush(w) : 0;
}

static int
messages_put(struct writing *w)
{
	struct export_box *b = w->b;
	struct exporting *ex = b->ex;

	buf_reset(&ex->text);
	if (export_messages(b, message_put, w) < 0)
		return -1;
	if (w->first) {
		struct mbox_entry e = {.internal_us = ex->options->now_us};

		/* The same each time, so that it is equal. */
		e.internal_us = (int64_t)b->box.uidvalidity * 1000000;
		base_take(b, &e);
		mbox_put_internal(&e, &ex->text);
	}
	return flush(w);
}

/* The digest of a file; false when there is none. */
static bool
file_digest(const struct exporting *ex, const char *path, uint8_t out[32])
{
	int fd = openat(ex->dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	EVP_MD_CTX *md;
	char piece[65536];
	ssize_t got = 1;

	if (fd < 0)
		return false;
	md = EVP_MD_CTX_new();
	ASSERT(md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1);
	while (got > 0 || (got < 0 && errno == EINTR)) {
		got = read(fd, piece, sizeof(piece));
		if (got > 0)
			ASSERT(EVP_DigestUpdate(md, piece, (size_t)got) == 1);
	}
	ASSERT(EVP_DigestFinal_ex(md, out, NULL) == 1);
	EVP_MD_CTX_free(md);
	close(fd);
	return got == 0;
}

/* Takes its place when it is right; goes when one that is equal is there. */
static int
file_finish(struct writing *w, const char *aside, const char *path)
{
	struct exporting *ex = w->b->ex;
	uint8_t written[32], found[32];

	ASSERT(EVP_DigestFinal_ex(w->md, written, NULL) == 1);
	if (!file_digest(ex, aside, found) ||
	    memcmp(written, found, sizeof(found)) != 0)
		return err_set(ex->err,
			       "%.160s: is not what was written when read back", aside);
	ex->counts->messages += w->messages;
	if (file_digest(ex, path, found) &&
	    memcmp(written, found, sizeof(found)) == 0) {
		(void)unlinkat(ex->dir, aside, 0);
		return 0;
	}
	ex->counts->written += w->messages;
	if (renameat(ex->dir, aside, ex->dir, path) < 0)
		return err_sys(ex->err, "%.160s", path);
	return 0;
}

static int
file_run(struct export_box *b, const char *aside, const char *path)
{
	struct exporting *ex = b->ex;
	struct writing w = {.b = b, .md = EVP_MD_CTX_new(), .first = true};
	int result = -1;

	ASSERT(w.md && EVP_DigestInit_ex(w.md, EVP_sha256(), NULL) == 1);
	(void)unlinkat(ex->dir, aside, 0);
	w.fd = openat(ex->dir, aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (w.fd < 0 || (ex->give && fchown(w.fd, ex->uid, ex->gid) < 0))
		err_sys(ex->err, "%.160s", aside);
	else
		result = messages_put(&w);
	if (w.fd >= 0 && close(w.fd) < 0 && result == 0)
		result = err_sys(ex->err, "%.160s", aside);
	if (result == 0 && !ex->stopped)
		result = file_finish(&w, aside, path);
	if (result < 0 || ex->stopped)
		(void)unlinkat(ex->dir, aside, 0);
	EVP_MD_CTX_free(w.md);
	return result;
}

static int
mbox_box(struct export_box *b)
{
	char path[EXPORT_PATH_MAX], aside[EXPORT_PATH_MAX + 8], folder[EXPORT_PATH_MAX];

	if (!export_path(b, ".sbd", path))
		return err_set(b->ex->err, "%.*s: too long a name",
			       (int)(b->box.name.n < 100 ? b->box.name.n : 100),
			       b->box.name.at);
	snprintf(folder, sizeof(folder), "%s", path);
	if (strrchr(folder, '/')) {
		*strrchr(folder, '/') = '\0';
		if (export_folder(b->ex, folder) < 0)
			return -1;
	}
	snprintf(aside, sizeof(aside), "%s.part", path);
	return file_run(b, aside, path);
}

static int
mbox_end(struct exporting *ex)
{
	return export_subscriptions(ex, ".subscriptions", ".subscriptions.part",
				    mail_utf7_put);
}

const struct export_kind export_mbox = {mbox_box, mbox_end};

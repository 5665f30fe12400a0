#include "common/maildir/given.h"
#include "common/maildir/source_internal.h"

#include <fcntl.h>

struct mail_given {
	struct source_box *box;
};

struct given {
	mail_given_load *load;
	void *context;
};

static int
given_load(struct mail_source *s, struct source_box *b, struct err *err)
{
	struct mail_given to = {b};
	const struct given *given = s->given;

	if (given->load(given->context, &b->box, &to, err) != 0)
		return -1;
	source_sort(b);
	return 0;
}

static void
given_content(const struct mail_message *m, struct span bytes, struct buf *out,
	      struct mail_shape *shape)
{
	source_eml.content(m, bytes, out, shape);
}

static const struct source_kind source_given = {
    .format = MAIL_EML, .load = given_load, .content = given_content};

struct mail_source *
mail_given_new(const char *folder, mail_given_load *load, void *context,
	       struct err *err)
{
	struct mail_source *s = mail_source_new();
	struct given *given = arena_new(&s->arena, 1, sizeof(*given));

	s->kind = &source_given;
	s->given = given;
	s->dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!given || s->dir < 0) {
		err_sys(err, "%s", folder);
		mail_source_free(&s);
		return NULL;
	}
	*given = (struct given){load, context};
	source_path_keep(s, folder);
	return s;
}

bool
mail_given_box(struct mail_source *source, const struct mail_box *box)
{
	struct source_box *b = source_box_add(source, box->name, box->path);

	if (!b)
		return false;
	b->box.subscribed = box->subscribed;
	b->box.uidvalidity = box->uidvalidity;
	b->box.uidnext = box->uidnext;
	return true;
}

void
mail_given_done(struct mail_source *source)
{
	mail_source_order(source);
}

void
mail_given_message(struct mail_given *to, const struct mail_message *message)
{
	struct mail_message *m = source_message_add(to->box);

	*m = *message;
	m->name = source_keep(to->box, message->name);
	m->uidl = source_keep(to->box, message->uidl);
	/* With its NUL. */
	m->path =
	    source_keep(to->box, span_make(message->path, strlen(message->path) + 1))
		.at;
}

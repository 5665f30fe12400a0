/* names as a tree, and a line of LIST */
#include "imapd/session/list.h"

int
name_compare(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;

	for (size_t i = 0; i < n; i++) {
		/* '/' is before all else: what is below follows at once. */
		int x = a.at[i] == '/' ? 0 : (unsigned char)a.at[i];
		int y = b.at[i] == '/' ? 0 : (unsigned char)b.at[i];

		if (x != y)
			return x - y;
	}
	return (a.n > b.n) - (a.n < b.n);
}

static int
name_order(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	return name_compare(x->text, y->text);
}

bool
name_within(struct span name, struct span above)
{
	return span_starts(name, above) &&
	       (name.n == above.n || name.at[above.n] == '/');
}

static void
names_add(struct names *names, struct name name)
{
	if (names->n == names->size) {
		names->size = names->size ? 2 * names->size : 16;
		names->at = memory_resize(names->at, names->size, sizeof(*names->at));
	}
	names->at[names->n++] = name;
}

/* What stands above the names and is none itself. In order, a name follows those above
 * it at once, so it is enough to compare with the one before. */
static void
names_add_above(struct names *names)
{
	size_t n = names->n;

	for (size_t i = 0; i < n; i++) {
		struct span text = names->at[i].text;

		for (size_t end = 1; end < text.n; end++) {
			struct span above = span_first(text, end);

			if (text.at[end] != '/' ||
			    (i > 0 && name_within(names->at[i - 1].text, above)))
				continue;
			names_add(names, (struct name){.text = above});
		}
	}
	if (names->n > n)
		qsort(names->at, names->n, sizeof(*names->at), name_order);
}

static void
name_mark_above(struct names *names, const size_t *above, size_t n,
		const struct name *name)
{
	for (size_t i = 0; i < n; i++) {
		names->at[above[i]].children |= name->id != 0;
		names->at[above[i]].subscribed_below |= name->subscribed;
	}
}

static void
names_link(struct names *names)
{
	size_t *above = memory_new(names->n + 1, sizeof(*above)), n = 0;

	for (size_t i = 0; i < names->n; i++) {
		while (n > 0 &&
		       !name_within(names->at[i].text, names->at[above[n - 1]].text))
			n--;
		name_mark_above(names, above, n, &names->at[i]);
		above[n++] = i;
	}
	free(above);
}

void
names_gather(const struct store_account *mail, struct names *out)
{
	struct store_mailbox box = {0};
	struct span name;
	size_t place = 0;

	*out = (struct names){0};
	while (store_mailbox_next(mail, box.id, &box))
		names_add(out, (struct name){.text = box.name,
					     .id = box.id,
					     .special_use = box.special_use,
					     .subscribed = box.subscribed});
	while (store_subscribed_next(mail, &place, &name))
		names_add(out, (struct name){.text = name, .subscribed = true});
	qsort(out->at, out->n, sizeof(*out->at), name_order);
	names_add_above(out);
	names_link(out);
}

void
names_release(struct names *names)
{
	free(names->at);
	*names = (struct names){0};
}

/* --- a line --------------------------------------------------------------- */

static const char *const uses[STORE_USES] = {
    [STORE_USE_ALL] = "\\All",       [STORE_USE_ARCHIVE] = "\\Archive",
    [STORE_USE_DRAFTS] = "\\Drafts", [STORE_USE_FLAGGED] = "\\Flagged",
    [STORE_USE_JUNK] = "\\Junk",     [STORE_USE_SENT] = "\\Sent",
    [STORE_USE_TRASH] = "\\Trash",
};

static void
put_attribute(struct buf *out, const char *attribute)
{
	if (out->at[out->n - 1] != '(')
		buf_put_char(out, ' ');
	buf_put_str(out, attribute);
}

static void
put_attributes(const struct name *name, const struct list_line *line, struct buf *out)
{
	if (name->id == 0)
		put_attribute(out, line->style == LIST_PLAIN ? "\\Noselect"
							     : "\\NonExistent");
	put_attribute(out, name->children ? "\\HasChildren" : "\\HasNoChildren");
	if (line->subscribed && name->subscribed)
		put_attribute(out, "\\Subscribed");
	if (name->special_use < STORE_USES && uses[name->special_use])
		put_attribute(out, uses[name->special_use]);
}

void
put_name_line(const struct name *name, const struct list_line *line, struct buf *out)
{
	buf_put_str(out, line->style == LIST_LSUB ? "* LSUB (" : "* LIST (");
	if (line->style != LIST_LSUB)
		put_attributes(name, line, out);
	else if (!name->subscribed)
		put_attribute(out, "\\Noselect");
	buf_put_str(out, ") \"/\" ");
	imap_put_name(out, name->text, line->utf8);
	if (line->childinfo && name->subscribed_below)
		buf_put_str(out, " (\"CHILDINFO\" (\"SUBSCRIBED\"))");
	if (line->old.n > 0) {
		buf_put_str(out, " (\"OLDNAME\" (");
		imap_put_name(out, line->old, line->utf8);
		buf_put_str(out, "))");
	}
	buf_put_str(out, "\r\n");
}

static void
put_box_line(const struct session *s, const struct store_mailbox *box,
	     const struct list_line *line, struct buf *out)
{
	struct names names;

	names_gather(s->account->mail, &names);
	for (size_t i = 0; i < names.n; i++)
		if (names.at[i].id == box->id)
			put_name_line(&names.at[i], line, out);
	names_release(&names);
}

void
put_list(const struct session *s, const struct store_mailbox *box, struct buf *out)
{
	const struct list_line line = {.style = LIST_EXTENDED, .utf8 = session_utf8(s)};

	put_box_line(s, box, &line, out);
}

void
put_list_renamed(const struct session *s, const struct store_mailbox *box,
		 struct span old, struct buf *out)
{
	const struct list_line line = {
	    .style = LIST_EXTENDED, .old = old, .utf8 = session_utf8(s)};

	put_box_line(s, box, &line, out);
}

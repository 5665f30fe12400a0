/* LIST, LSUB [RFC9051 6.3.9] [RFC3501 6.3.9] [RFC5258] [RFC5819] [RFC6154] */
#include "imapd/session/list.h"

#define COUNTED_A_STEP 50000   /* messages looked at for STATUS */
#define MATCHED_A_STEP 1000000 /* bytes of a name, for each byte of a pattern */

struct list {
	size_t pattern; /* of the name behind `last`: those before it do not match */
	size_t child;   /* it matches, and the names below it before that one are told
			 * themselves, or need not be; 0: it may not match */
	int64_t matches_left; /* of MATCHED_A_STEP */
	bool begun;
	size_t n; /* bytes of `last`, the name that was looked at last */
	char last[IMAP_NAME_MAX];
};

/* Reference and pattern are one string [RFC9051 6.3.9]. False, too, when the step's
 * work is done before all patterns are. */
static bool
name_matches(struct list *w, const struct imap_list *list, struct span name,
	     struct buf *hold)
{
	for (; w->pattern < list->n_patterns && w->matches_left > 0; w->pattern++) {
		buf_reset(hold);
		buf_put(hold, list->reference);
		buf_put(hold, list->patterns[w->pattern]);
		w->matches_left -= (int64_t)(hold->n * name.n);
		if (imap_name_match(buf_span(hold), name))
			return true;
	}
	return false;
}

static bool
name_selected(const struct imap_list *list, const struct name *name)
{
	if ((list->select & IMAP_LIST_SPECIAL_USE) &&
	    name->special_use == STORE_USE_NONE)
		return false;
	if (!(list->select & IMAP_LIST_SUBSCRIBED))
		return name->id != 0 || name->children;
	return name->subscribed ||
	       ((list->select & IMAP_LIST_RECURSIVEMATCH) && name->subscribed_below);
}

static bool
ends_in_percent(const struct imap_list *list)
{
	struct span p = list->n_patterns > 0 ? list->patterns[0] : SPAN("");

	return p.n > 0 && p.at[p.n - 1] == '%';
}

/* LSUB tells of a name above one that is subscribed when the pattern stops at it. */
static bool
lsub_selected(const struct imap_list *list, const struct name *name)
{
	return name->subscribed || (name->subscribed_below && ends_in_percent(list));
}

static struct list_line
line_of(const struct session *s)
{
	const struct imap_list *list = &s->command.list;
	bool extended = list->extended || (s->enabled & IMAP_ENABLE_REV2);
	struct list_line line = {
	    .style = extended ? LIST_EXTENDED : LIST_PLAIN,
	    .subscribed = (list->returns & IMAP_RETURN_SUBSCRIBED) ||
			  (list->select & IMAP_LIST_SUBSCRIBED),
	    .childinfo = list->select & IMAP_LIST_RECURSIVEMATCH,
	    .utf8 = session_utf8(s),
	};

	if (s->command.id == IMAP_LSUB)
		line.style = LIST_LSUB;
	return line;
}

/* How many messages were looked at for the status. */
static uint64_t
put_list_status(struct session *s, const struct name *name, struct buf *out)
{
	const struct imap_list *list = &s->command.list;
	struct store_mailbox box;

	if (!(list->returns & IMAP_RETURN_STATUS) || name->id == 0 ||
	    !store_mailbox_get(s->account->mail, name->id, &box))
		return 0;
	put_status(s, name->id, list->status_items, out);
	return box.messages;
}

static bool
is_wanted(const struct list_line *line, const struct imap_list *list,
	  const struct name *name)
{
	return line->style == LIST_LSUB ? lsub_selected(list, name)
					: name_selected(list, name);
}

/* The next step goes on behind it. */
static void
name_done(struct list *w, const struct name *name)
{
	w->begun = true;
	w->n = name->text.n;
	memcpy(w->last, name->text.at, name->text.n);
	w->pattern = w->child = 0;
}

/* What the look at a name came to. */
enum look {
	LOOK_NO,
	LOOK_YES,
	LOOK_TURN, /* the step's work is done before that is known */
};

/* Is a subscribed name below number i, which is not subscribed itself, not told? If all
 * are, CHILDINFO would tell nothing [RFC5258 3.5]. */
static enum look
child_untold(struct list *w, const struct imap_list *list, const struct names *names,
	     size_t i, struct buf *hold)
{
	if (w->child == 0) {
		w->child = 1;
		w->pattern = 0;
	}
	for (; i + w->child < names->n; w->child++, w->pattern = 0) {
		const struct name *child = &names->at[i + w->child];

		if (!name_within(child->text, names->at[i].text))
			break;
		if (!child->subscribed)
			continue;
		if (!name_selected(list, child))
			return LOOK_YES;
		if (name_matches(w, list, child->text, hold))
			continue;
		return w->pattern < list->n_patterns ? LOOK_TURN : LOOK_YES;
	}
	return LOOK_NO;
}

/* Is number i to be told? */
static enum look
name_look(struct list *w, const struct list_line *line, const struct imap_list *list,
	  const struct names *names, size_t i, struct buf *hold)
{
	const struct name *name = &names->at[i];

	if (!is_wanted(line, list, name))
		return LOOK_NO;
	if (w->child == 0 && !name_matches(w, list, name->text, hold))
		return w->pattern < list->n_patterns ? LOOK_TURN : LOOK_NO;
	if (!line->childinfo || name->subscribed)
		return LOOK_YES;
	return child_untold(w, list, names, i, hold);
}

static enum run
list_names(struct session *s, struct list *w, const struct names *names,
	   struct buf *out)
{
	const struct imap_list *list = &s->command.list;
	struct buf hold = buf_make(4 * IMAP_NAME_MAX);
	struct list_line line = line_of(s);
	enum run run = RUN_DONE;
	uint64_t counted = 0;

	w->matches_left = MATCHED_A_STEP;
	for (size_t i = 0; i < names->n && run == RUN_DONE; i++) {
		const struct name *name = &names->at[i];

		if (w->begun && name_compare(name->text, span_make(w->last, w->n)) <= 0)
			continue;
		switch (name_look(w, &line, list, names, i, &hold)) {
		case LOOK_TURN:
			run = RUN_TURN;
			continue;
		case LOOK_YES:
			put_name_line(name, &line, out);
			counted += put_list_status(s, name, out);
			break;
		case LOOK_NO:
			break;
		}
		name_done(w, name);
		if (session_full(s, out))
			run = RUN_ROOM;
		else if (counted > COUNTED_A_STEP)
			run = RUN_TURN;
	}
	buf_release(&hold);
	return run;
}

/* LIST "" "": what stands between levels. */
static bool
asks_for_root(const struct session *s)
{
	const struct imap_list *list = &s->command.list;

	return s->command.id == IMAP_LIST && !list->extended && list->n_patterns == 1 &&
	       list->patterns[0].n == 0;
}

enum run
run_list(struct session *s, struct step *step)
{
	struct list *w = session_work(s, sizeof(*w));
	struct names names;
	enum run run;

	if (asks_for_root(s)) {
		buf_put_str(step->out, "* LIST (\\Noselect) \"/\" \"\"\r\n");
		return done_ok(s);
	}
	if ((s->command.list.returns & IMAP_RETURN_STATUS) &&
	    (s->command.list.status_items & IMAP_STATUS_HIGHESTMODSEQ))
		session_condstore(s, step->out);
	names_gather(s->account->mail, &names);
	run = list_names(s, w, &names, step->out);
	names_release(&names);
	return run == RUN_DONE ? done_ok(s) : run;
}

#include "common/directory/walk.h"

/* Who sends, in the forms that members may be written in. */
struct author {
	struct directory_name names[3];
	size_t n;
};

static void
add_author(struct author *a, const struct directory_name *n)
{
	if (a->n < N_ELEMS(a->names))
		a->names[a->n++] = *n;
}

/* The reverse-path, the account behind it when its domain is an alias, and the account
 * that is logged in. */
static int
find_author(struct walk *w, struct author *a)
{
	struct directory_domain domain;
	struct directory_name n;
	struct err none;
	int r = 0;

	a->n = 0;
	if (w->policy->sender.n > 0 &&
	    directory_name_parse(w->policy->sender, &n, &none) == 0) {
		add_author(a, &n);
		r = directory_map_domain(w->d, &n, &domain, w->err);
		if (r > 0)
			add_author(a, &n);
	}
	if (r >= 0 && w->policy->login) {
		r = directory_load_id(w->d, w->policy->login, &n, w->err);
		if (r > 0)
			add_author(a, &n);
	}
	return r < 0 ? -1 : 0;
}

static bool
is_author(const struct author *a, struct span item)
{
	struct directory_name n;
	struct err none;

	if (directory_name_parse(item, &n, &none) != 0)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (span_equal(directory_name_span(&a->names[i]),
			       directory_name_span(&n)))
			return true;
	return false;
}

/* 1 when the author is in that group; 0, -1. A group has accounts alone. */
static int
in_group(struct walk *w, const struct author *a, struct span name)
{
	struct directory_object o;
	struct directory_name n;
	struct cursor c;
	struct span item;
	struct err none;
	int r;

	if (directory_name_parse(name, &n, &none) != 0)
		return 0;
	r = directory_load_object(w->d, DIRECTORY_GROUP, &n, (struct span){0}, &o,
				  w->err);
	if (r <= 0)
		return r;
	c = cursor_make(o.values[FIELD_GROUP_MEMBERS].text);
	while (directory_item_next(&c, &item))
		if (is_author(a, item))
			return 1;
	return 0;
}

/* 1 when the author is among the items, or in one of their groups; 0, -1. */
static int
in_items(struct walk *w, const struct author *a, struct span items)
{
	struct cursor c = cursor_make(items);
	struct span item, group;
	int r = 0;

	while (r == 0 && directory_item_next(&c, &item))
		r = directory_group_item(item, &group) ? in_group(w, a, group)
						       : is_author(a, item);
	return r;
}

static int
may_post(struct walk *w, enum directory_posting posting, struct span members,
	 struct span posters)
{
	struct author author;

	if (posting == DIRECTORY_POSTING_ANYONE)
		return 1;
	if (posting == DIRECTORY_POSTING_AUTHENTICATED)
		return w->policy->login != 0;
	if (find_author(w, &author) != 0)
		return -1;
	return in_items(w, &author,
			posting == DIRECTORY_POSTING_SENDER ? posters : members);
}

/* Who may send in the name of a list: its owner and its posters. */
static int
walk_authors(struct walk *w, struct span owner, struct span posters, unsigned depth)
{
	int r = 0;

	if (owner.n > 0)
		r = walk_address(w, owner, depth + 1);
	return r == 0 && !w->over ? walk_items(w, posters, depth + 1) : r;
}

static int
walk_members(struct walk *w, struct span owner, struct span members, unsigned depth)
{
	struct span outer = w->sender;
	bool was_in_list = w->in_list;
	int r;

	w->in_list = true;
	if (owner.n > 0)
		w->sender = owner;
	r = walk_items(w, members, depth + 1);
	w->sender = outer;
	w->in_list = was_in_list;
	return r;
}

int
walk_list(struct walk *w, const struct directory_object *list,
	  const struct directory_name *n, unsigned depth)
{
	const struct directory_value *v = list->values;
	enum directory_posting posting =
	    (enum directory_posting)v[FIELD_LIST_POSTING].number;
	struct span owner, members, posters;
	int may;

	if (!walk_first_time(w, directory_name_span(n)))
		return 0;
	if (depth >= DIRECTORY_DEPTH_MAX)
		return walk_end(w, DIRECTORY_ROUTE_LOOP);
	if (!arena_copy(w->arena, v[FIELD_LIST_OWNER].text, &owner) ||
	    !arena_copy(w->arena, v[FIELD_LIST_MEMBERS].text, &members) ||
	    !arena_copy(w->arena, v[FIELD_LIST_POSTER].text, &posters))
		return walk_end(w, DIRECTORY_ROUTE_TOO_MANY);
	w->out->by_alias = true;
	if (w->authors)
		return walk_authors(w, owner, posters, depth);
	may = may_post(w, posting, members, posters);
	if (may > 0)
		return walk_members(w, owner, members, depth);
	w->not_allowed = true;
	w->out->skipped++;
	return may;
}

/* Records that will surely be asked for, where each question takes a while. */
#include "common/directory/internal.h"

#define KEYS_MAX 4

static size_t
keys_of(const struct directory_name *n, struct record_key keys[KEYS_MAX])
{
	static const enum directory_kind kinds[] = {DIRECTORY_ACCOUNT, DIRECTORY_ALIAS,
						    DIRECTORY_LIST};
	struct directory_name domain;
	size_t count = 0;

	if (directory_name_make((struct span){0}, directory_name_domain(n), &domain))
		keys[count++] =
		    record_key_of(DIRECTORY_DOMAIN, &domain, (struct span){0});
	for (size_t i = 0; i < N_ELEMS(kinds); i++)
		keys[count++] = record_key_of(kinds[i], n, (struct span){0});
	return count;
}

void
directory_expect(struct directory *d, struct span item)
{
	struct backend *b = d->backend;
	struct record_key keys[KEYS_MAX];
	struct span spans[KEYS_MAX], group;
	struct directory_name n;
	struct err none;
	size_t count = 1;

	if (!b->calls->prefetch)
		return;
	if (directory_group_item(item, &group)) {
		if (directory_name_parse(group, &n, &none) != 0)
			return;
		keys[0] = record_key_of(DIRECTORY_GROUP, &n, (struct span){0});
	} else if (directory_name_parse(item, &n, &none) == 0 && n.local_bytes > 0) {
		count = keys_of(&n, keys);
	} else {
		return;
	}
	for (size_t i = 0; i < count; i++)
		spans[i] = record_key_span(&keys[i]);
	b->calls->prefetch(b, spans, count);
}

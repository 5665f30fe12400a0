#include "admin/import_state.h"

#include "admin/directory.h"

#define STATE_BYTES_MAX ((size_t)8 << 30)
#define INDEX_START     1024

struct import_state {
	struct arena arena;
	struct span *objects; /* as bytes */
	size_t n, size;
	uint32_t *index; /* by kind, name and label: a place in objects + 1 */
	size_t index_size;
	struct span *domains; /* that were read */
	size_t n_domains, domains_size;
	struct span account; /* the last one whose app passwords were read */
	bool full;
};

struct import_state *
import_state_new(void)
{
	struct import_state *s = memory_new(1, sizeof(*s));

	arena_init(&s->arena, STATE_BYTES_MAX);
	s->index_size = INDEX_START;
	s->index = memory_new(INDEX_START, sizeof(*s->index));
	return s;
}

void
import_state_free(struct import_state **s)
{
	if (!*s)
		return;
	arena_release(&(*s)->arena);
	free((*s)->objects);
	free((*s)->index);
	free((*s)->domains);
	free(*s);
	*s = NULL;
}

static uint64_t
hash_more(uint64_t hash, struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		hash = (hash ^ (uint8_t)text.at[i]) * 0x100000001b3u;
	return hash * 31;
}

static bool
object_at(const struct import_state *s, size_t i, struct directory_object *out)
{
	struct cursor c = cursor_make(s->objects[i]);

	return directory_object_get(&c, out);
}

static uint32_t *
place_of(const struct import_state *s, enum directory_kind kind, struct span name,
	 struct span label)
{
	uint64_t hash = hash_more(hash_more((uint64_t)kind + 1, name), label);
	size_t at = (size_t)(hash ^ hash >> 29) & (s->index_size - 1);
	struct directory_object o;

	for (; s->index[at] != 0; at = (at + 1) & (s->index_size - 1))
		if (object_at(s, s->index[at] - 1, &o) && o.kind == kind &&
		    span_equal(o.name, name) && span_equal(o.label, label))
			break;
	return &s->index[at];
}

static void
index_grow(struct import_state *s)
{
	struct directory_object o;

	free(s->index);
	s->index_size *= 2;
	s->index = memory_new(s->index_size, sizeof(*s->index));
	for (size_t i = 0; i < s->n; i++)
		if (object_at(s, i, &o))
			*place_of(s, o.kind, o.name, o.label) = (uint32_t)i + 1;
}

bool
import_state_find(const struct import_state *s, enum directory_kind kind,
		  struct span name, struct span label, struct directory_object *out)
{
	uint32_t place = *place_of(s, kind, name, label);

	return place && object_at(s, place - 1, out);
}

static void
take_object(void *context, const struct directory_object *o)
{
	struct import_state *s = context;
	struct buf bytes = buf_make(DIRECTORY_ARENA_BYTES);
	struct span kept;

	directory_object_put(o, &bytes);
	if (bytes.full || !arena_copy(&s->arena, buf_span(&bytes), &kept)) {
		s->full = true;
	} else {
		if (s->n == s->size) {
			s->size = s->size ? s->size * 2 : 256;
			s->objects =
			    memory_resize(s->objects, s->size, sizeof(*s->objects));
		}
		s->objects[s->n++] = kept;
		*place_of(s, o->kind, o->name, o->label) = (uint32_t)s->n;
		if (s->n * 2 > s->index_size)
			index_grow(s);
	}
	explicit_bzero(bytes.at, bytes.n);
	buf_release(&bytes);
}

/* True when it is to be read now. */
static bool
note_domain(struct import_state *s, struct span domain)
{
	struct span kept;

	for (size_t i = 0; i < s->n_domains; i++)
		if (span_equal(s->domains[i], domain))
			return false;
	if (!arena_copy(&s->arena, domain, &kept))
		return true;
	if (s->n_domains == s->domains_size) {
		s->domains_size = s->domains_size ? s->domains_size * 2 : 16;
		s->domains =
		    memory_resize(s->domains, s->domains_size, sizeof(*s->domains));
	}
	s->domains[s->n_domains++] = kept;
	return true;
}

enum exit_status
import_state_read(struct import_state *s, struct admin *admin, struct span domain)
{
	static const enum directory_kind kinds[] = {DIRECTORY_DOMAIN, DIRECTORY_ACCOUNT,
						    DIRECTORY_ALIAS, DIRECTORY_LIST,
						    DIRECTORY_GROUP};
	char name[DIRECTORY_DOMAIN_MAX + 1];
	enum exit_status status = EXIT_DONE;

	if (!span_copy(domain, name, sizeof(name)) || !note_domain(s, domain))
		return EXIT_DONE;
	for (size_t i = 0; i < N_ELEMS(kinds) && status == EXIT_DONE; i++)
		status = directory_list(admin, DIRECTORY_DUMP, kinds[i], name,
					take_object, s);
	if (status == EXIT_DONE && s->full) {
		admin_complain("the directory is too large to hold against");
		status = EXIT_FAILED;
	}
	return status;
}

/* They come account by account: one is remembered. */
enum exit_status
import_state_read_labels(struct import_state *s, struct admin *admin,
			 struct span address)
{
	char name[DIRECTORY_ADDRESS_MAX + 1];

	if (span_equal(s->account, address) ||
	    !span_copy(address, name, sizeof(name)) ||
	    !arena_copy(&s->arena, address, &s->account))
		return EXIT_DONE;
	return directory_list(admin, DIRECTORY_DUMP, DIRECTORY_APP_PASSWORD, name,
			      take_object, s);
}

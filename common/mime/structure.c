#include "common/mime/tree.h"

#define TEXT_BYTES_MAX  ((size_t)16 << 20)
#define KEEP_PARTS_MAX  256 /* more room than that is given back */
#define KEEP_PARAMS_MAX 1024

void
mime_builder_init(struct mime_builder *b)
{
	*b = (struct mime_builder){.depth = 0};
	arena_init(&b->text, TEXT_BYTES_MAX);
}

void
mime_builder_release(struct mime_builder *b)
{
	free(b->places);
	free(b->contents);
	free(b->params);
	free(b->top);
	arena_release(&b->text);
	mime_builder_init(b);
}

struct mime_tree
mime_builder_tree(const struct mime_builder *b)
{
	return (struct mime_tree){b->places, b->contents, b->params, b->n_parts};
}

static void
reset(struct mime_builder *b, struct span message)
{
	if (b->size_parts > KEEP_PARTS_MAX || b->size_params > KEEP_PARAMS_MAX ||
	    b->size_top > KEEP_PARAMS_MAX)
		mime_builder_release(b);
	arena_release(&b->text);
	b->message = message;
	b->bare = mime_lines_are_bare(message);
	b->at = 0;
	b->lines = 0;
	b->depth = 0;
	b->full = false;
	b->n_parts = b->n_params = b->n_top = 0;
	memset(b->first_bytes, 0, sizeof(b->first_bytes));
}

/* The stack and its boundaries */

static void
first_bytes_update(struct mime_builder *b)
{
	memset(b->first_bytes, 0, sizeof(b->first_bytes));
	for (uint32_t i = 0; i < b->depth; i++)
		if (b->stack[i].boundary.n > 0)
			b->first_bytes[(unsigned char)b->stack[i].boundary.at[0]] = 1;
}

static void
push(struct mime_builder *b, uint32_t part, struct span boundary)
{
	b->stack[b->depth++] =
	    (struct mime_open){.part = part, .floor = b->at, .boundary = boundary};
	first_bytes_update(b);
}

/* What stands after the two dashes, the white space at the line's end off. */
static struct span
candidate(struct span line)
{
	while (line.n > 0 &&
	       (line.at[line.n - 1] == '\n' || line.at[line.n - 1] == '\r' ||
		line.at[line.n - 1] == ' ' || line.at[line.n - 1] == '\t'))
		line.n--;
	return span_after(line, 2);
}

/* Which open container the line is a boundary of: the innermost whose boundary is
 * the line, else the one with the longest boundary that begins the line
 * [RFC2046 5.1.1]. depth when none. */
static uint32_t
boundary_owner(const struct mime_builder *b, struct span line, bool *closing)
{
	struct span text = candidate(line);
	uint32_t best = b->depth;
	size_t best_n = 0;

	for (uint32_t i = b->depth; i-- > 0;) {
		struct span boundary = b->stack[i].boundary;
		struct span tail;

		/* The last byte first: a line may be tried against a hundred of them.
		 */
		if (boundary.n <= best_n || boundary.n > text.n ||
		    text.at[boundary.n - 1] != boundary.at[boundary.n - 1] ||
		    memcmp(text.at, boundary.at, boundary.n) != 0)
			continue;
		tail = span_after(text, boundary.n);
		best = i;
		best_n = boundary.n;
		*closing = span_starts(tail, SPAN("--"));
		if (tail.n == 0 || (*closing && tail.n == 2))
			break;
	}
	return best;
}

static uint32_t
owner_of_line(const struct mime_builder *b, struct span line, bool *closing)
{
	if (b->full || line.n < 3 || line.at[0] != '-' || line.at[1] != '-' ||
	    !b->first_bytes[(unsigned char)line.at[2]])
		return b->depth;
	return boundary_owner(b, line, closing);
}

/* Ends of parts */

static size_t
line_end_before(const struct mime_builder *b, size_t at)
{
	if (at >= 2 && b->message.at[at - 1] == '\n' && b->message.at[at - 2] == '\r')
		return 2;
	return b->bare && at >= 1 && b->message.at[at - 1] == '\n' ? 1 : 0;
}

/* Ends the innermost open part where the builder stands. The line end before a
 * boundary belongs to the boundary, unless the part would end before it began. */
static void
end_innermost(struct mime_builder *b, bool at_boundary)
{
	struct mime_open *open = &b->stack[--b->depth];
	struct mime_place *place = &b->places[open->part];
	size_t end = b->at - (at_boundary ? line_end_before(b, b->at) : 0);
	uint32_t lines = b->lines - (end < b->at);

	if (end < open->floor) {
		end = b->at;
		lines = b->lines;
	}
	place->body_end = end;
	place->body_lines = lines - place->body_lines;
	place->next = b->n_parts;
	if (b->depth > 0 && b->stack[b->depth - 1].floor < end)
		b->stack[b->depth - 1].floor = end;
}

static void
end_down_to(struct mime_builder *b, uint32_t depth, bool at_boundary)
{
	while (b->depth > depth)
		end_innermost(b, at_boundary);
	first_bytes_update(b);
}

/* Headers of parts */

static void
parts_reserve(struct mime_builder *b)
{
	if (b->n_parts < b->size_parts)
		return;
	b->size_parts = b->size_parts ? b->size_parts * 2 : 16;
	b->places = memory_resize(b->places, b->size_parts, sizeof(*b->places));
	b->contents = memory_resize(b->contents, b->size_parts, sizeof(*b->contents));
}

static void
top_put(struct mime_builder *b, const struct mime_header *field)
{
	if (b->n_top == b->size_top) {
		b->size_top = b->size_top ? b->size_top * 2 : 64;
		b->top = memory_resize(b->top, b->size_top, sizeof(*b->top));
	}
	b->top[b->n_top++] = *field;
}

static void
header_parse(struct mime_builder *b)
{
	struct span rest = span_after(b->message, b->at);
	struct mime_headers walk;
	struct mime_header field;
	uint32_t lines = 0;
	bool closing;

	mime_headers_init_inside(&walk, rest, b->bare);
	while (mime_headers_next(&walk, &field)) {
		if (owner_of_line(b, field.raw, &closing) < b->depth) {
			walk.rest = span_after(rest, (size_t)(field.raw.at - rest.at));
			walk.lines = lines;
			break;
		}
		lines = walk.lines;
		mime_content_take(b, &field);
		if (b->n_parts == 1)
			top_put(b, &field);
	}
	b->at = b->message.n - walk.rest.n;
	b->lines += walk.lines;
}

static bool
in_digest(const struct mime_builder *b, uint32_t parent)
{
	return parent != MIME_NO_PART && b->places[parent].kind == MIME_MULTIPART &&
	       span_equal_nocase(b->contents[parent].subtype, SPAN("digest"));
}

/* Makes a part whose header begins where the builder stands, and pushes it. */
static void
part_open(struct mime_builder *b)
{
	uint32_t parent = b->depth > 0 ? b->stack[b->depth - 1].part : MIME_NO_PART;
	uint32_t part = b->n_parts, lines = b->lines;
	struct mime_place *place;
	struct span boundary;

	parts_reserve(b);
	b->n_parts++;
	place = &b->places[part];
	*place = (struct mime_place){.header_start = b->at, .parent = parent};
	b->contents[part] = (struct mime_content){
	    .type = {NULL, 0}
        };
	header_parse(b);
	place->body_start = b->at;
	place->header_lines = b->lines - lines;
	place->body_lines = b->lines; /* what to subtract when it ends */
	boundary = mime_content_settle(b, in_digest(b, parent));
	if (b->depth == MIME_DEPTH_MAX && place->kind != MIME_LEAF) {
		mime_content_set_opaque(b, part);
		boundary.n = 0;
	}
	push(b, part, boundary);
}

/* A part, and the messages that begin with its body. */
static void
parts_open(struct mime_builder *b)
{
	part_open(b);
	while (b->places[b->n_parts - 1].kind == MIME_MESSAGE) {
		if (b->n_parts == MIME_PARTS_MAX) {
			mime_content_set_opaque(b, b->n_parts - 1);
			return;
		}
		part_open(b);
	}
}

/* Beyond the limit all that is left stays in the newest part. */
static void
set_full(struct mime_builder *b)
{
	b->full = true;
	if (b->places[b->n_parts - 1].kind == MIME_LEAF)
		mime_content_set_opaque(b, b->n_parts - 1);
}

/* A boundary of `owner` was met: its children before it end, and either it gets a
 * new one, or all that follows in it is epilogue. */
static void
boundary_take(struct mime_builder *b, uint32_t owner, bool closing, size_t line_n)
{
	end_down_to(b, owner + 1, true);
	b->at += line_n;
	b->lines += b->message.at[b->at - 1] == '\n';
	if (closing) {
		b->stack[owner].boundary.n = 0;
		first_bytes_update(b);
	} else {
		parts_open(b);
	}
}

static void
body_scan(struct mime_builder *b)
{
	while (b->at < b->message.n) {
		struct span rest = span_after(b->message, b->at);
		size_t n = mime_line_size(rest, b->bare);
		bool closing = false;
		uint32_t owner = owner_of_line(b, span_first(rest, n), &closing);

		if (owner < b->depth && !closing && b->n_parts == MIME_PARTS_MAX)
			set_full(b);
		if (owner < b->depth && !b->full) {
			boundary_take(b, owner, closing, n);
			continue;
		}
		b->at += n;
		b->lines += rest.at[n - 1] == '\n';
	}
}

void
mime_builder_run(struct mime_builder *b, struct span message)
{
	reset(b, message);
	parts_open(b);
	body_scan(b);
	end_down_to(b, 0, false);
}

bool
mime_param_find(const struct mime_tree *tree, struct mime_params params,
		struct span name, struct span *value)
{
	for (uint32_t i = params.first; i < params.first + params.n; i++) {
		if (!span_equal_nocase(tree->params[i].name, name))
			continue;
		*value = tree->params[i].value;
		return true;
	}
	return false;
}

/* The child of that number; the array may come from a disk, so `next` is not
 * trusted to go forward. */
static uint32_t
child_find(const struct mime_place *places, uint32_t n, uint32_t part, uint32_t number)
{
	uint32_t end = places[part].next < n ? places[part].next : n;
	uint32_t child = part + 1;

	while (child < end && --number > 0) {
		if (places[child].next <= child)
			return MIME_NO_PART;
		child = places[child].next;
	}
	return child < end ? child : MIME_NO_PART;
}

uint32_t
mime_section_find(const struct mime_place *places, uint32_t n, const uint32_t *path,
		  size_t depth)
{
	uint32_t at = 0;
	bool is_message = true; /* a message's only part is part 1 of it */

	for (size_t i = 0; i < depth && at < n; i++) {
		if (!is_message && places[at].kind == MIME_MESSAGE) {
			is_message = true;
			if (++at == n)
				return MIME_NO_PART;
		}
		if (path[i] == 0)
			return MIME_NO_PART;
		if (places[at].kind == MIME_MULTIPART)
			at = child_find(places, n, at, path[i]);
		else if (!is_message || path[i] != 1)
			return MIME_NO_PART;
		is_message = false;
	}
	return at < n ? at : MIME_NO_PART;
}

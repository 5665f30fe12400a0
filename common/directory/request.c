#include "common/directory/request.h"

#define VERSION 2

void
directory_request_put(const struct directory_request *r, struct buf *out)
{
	wire_put_u8(out, VERSION);
	wire_put_u8(out, (uint8_t)r->verb);
	directory_object_put(&r->object, out);
	wire_put_bytes(out, r->after);
	wire_put_bytes(out, r->after_label);
	wire_put_u32(out, r->limit);
	wire_put_bytes(out, r->rows);
}

bool
directory_request_get(struct span bytes, struct directory_request *out)
{
	struct cursor c = cursor_make(bytes);
	struct directory_request r = {0};
	uint8_t version = wire_get_u8(&c), verb = wire_get_u8(&c);

	if (version != VERSION || verb >= DIRECTORY_VERBS ||
	    !directory_object_get(&c, &r.object))
		return false;
	r.after = wire_get_bytes(&c);
	r.after_label = wire_get_bytes(&c);
	r.limit = wire_get_u32(&c);
	r.rows = wire_get_bytes(&c);
	if (!cursor_done(&c))
		return false;
	r.verb = (enum directory_verb)verb;
	*out = r;
	return true;
}

bool
directory_row_get(struct span bytes, struct directory_object *out)
{
	struct cursor c = cursor_make(bytes);
	struct directory_object o;

	if (!directory_object_get(&c, &o) || !cursor_done(&c))
		return false;
	*out = o;
	return true;
}

bool
directory_changes(const struct directory_request *r)
{
	return r->verb == DIRECTORY_ADD || r->verb == DIRECTORY_REMOVE ||
	       r->verb == DIRECTORY_UPDATE || r->verb == DIRECTORY_LOAD ||
	       r->verb == DIRECTORY_FORGET;
}

const char *
directory_verb_name(enum directory_verb verb)
{
	static const char *const names[DIRECTORY_VERBS] = {
	    [DIRECTORY_ADD] = "add",       [DIRECTORY_REMOVE] = "remove",
	    [DIRECTORY_UPDATE] = "set",    [DIRECTORY_SHOW] = "show",
	    [DIRECTORY_LISTING] = "list",  [DIRECTORY_DUMP] = "dump",
	    [DIRECTORY_LOAD] = "load",     [DIRECTORY_WHOSE] = "whose",
	    [DIRECTORY_FORGET] = "forget",
	};

	return names[verb];
}

/* ---- outcomes */

static const char *const result_names[] = {
    [DIRECTORY_DONE] = "done",           [DIRECTORY_EXISTS] = "exists",
    [DIRECTORY_NOT_FOUND] = "not found", [DIRECTORY_IN_USE] = "in use",
    [DIRECTORY_BAD_NAME] = "bad name",   [DIRECTORY_BAD_VALUE] = "bad value",
    [DIRECTORY_LIMIT] = "limit",
};

const char *
directory_result_name(enum directory_result r)
{
	return r == DIRECTORY_FAULT ? "fault" : result_names[r];
}

uint8_t
directory_result_byte(enum directory_result r)
{
	return r == DIRECTORY_FAULT ? UINT8_MAX : (uint8_t)r;
}

enum directory_result
directory_result_of(uint8_t byte)
{
	return byte < N_ELEMS(result_names) ? (enum directory_result)byte
					    : DIRECTORY_FAULT;
}

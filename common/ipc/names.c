#include "common/ipc/ipc.h"

static const char *const kind_names[] = {
#define NAME_ROW(upper, name) [IPC_KIND_##upper] = (name),
    IPC_KINDS(NAME_ROW)
#undef NAME_ROW
};

struct number_row {
	const char *name;
	uint32_t from, to;
	bool fd;
};

static const struct number_row number_rows[] = {
#define TABLE_ROW(number, name, from, to, fd) [number] = {#name, from, to, fd},
    IPC_ROWS(TABLE_ROW)
#undef TABLE_ROW
};

/* The rows as text, so that any change of a field, a direction or a number
 * changes the hash. */
/* clang-format off */
#define TEXT_U8(field)    "1 " #field " "
#define TEXT_U16(field)   "2 " #field " "
#define TEXT_U32(field)   "4 " #field " "
#define TEXT_U64(field)   "8 " #field " "
#define TEXT_BYTES(field) "b " #field " "
#define TEXT_KIND(upper, name) #upper " "
#define TEXT_ROW(number, name, from, to, fd)                                             \
	#number " " #name " " #from " " #to " " #fd " "                                  \
	IPC_##name(TEXT_U8, TEXT_U16, TEXT_U32, TEXT_U64, TEXT_BYTES) "\n"

static const char rows_text[] = IPC_KINDS(TEXT_KIND) IPC_ROWS(TEXT_ROW);
/* clang-format on */

/* FNV-1a: a fingerprint against accidents, not against enemies. */
uint64_t
ipc_rows_hash(void)
{
	static uint64_t hash;

	if (hash != 0)
		return hash;
	hash = 0xcbf29ce484222325u;
	for (size_t i = 0; i < sizeof(rows_text); i++)
		hash = (hash ^ (uint8_t)rows_text[i]) * 0x100000001b3u;
	return hash;
}

static const struct number_row *
row_find(unsigned number)
{
	if (number >= N_ELEMS(number_rows) || !number_rows[number].name)
		return NULL;
	return &number_rows[number];
}

const char *
ipc_number_name(unsigned number)
{
	const struct number_row *row = row_find(number);

	return row ? row->name : "?";
}

const char *
ipc_kind_name(unsigned kind)
{
	return kind < N_ELEMS(kind_names) ? kind_names[kind] : "?";
}

bool
ipc_kind_parse(struct span name, enum ipc_kind *out)
{
	for (unsigned i = 0; i < N_ELEMS(kind_names); i++)
		if (span_equal(name, span_str(kind_names[i]))) {
			*out = (enum ipc_kind)i;
			return true;
		}
	return false;
}

bool
ipc_number_may_leave(enum ipc_number number, enum ipc_kind from)
{
	const struct number_row *row = row_find(number);

	return row && from < IPC_KIND_COUNT && (row->from & 1u << from) != 0;
}

bool
ipc_number_allowed(enum ipc_number number, enum ipc_kind from, enum ipc_kind to)
{
	const struct number_row *row = row_find(number);

	return ipc_number_may_leave(number, from) && to < IPC_KIND_COUNT &&
	       (row->to & 1u << to) != 0;
}

bool
ipc_number_has_fd(enum ipc_number number)
{
	const struct number_row *row = row_find(number);

	return row && row->fd;
}

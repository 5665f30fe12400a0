#include "common/ipc/ipc.h"

/* clang-format off */

/* How long a body is. */
#define SIZE_U8(field)    + 1
#define SIZE_U16(field)   + 2
#define SIZE_U32(field)   + 4
#define SIZE_U64(field)   + 8
#define SIZE_BYTES(field) + 4 + m->field.n
#define SIZE_ROW(number, name, from, to, fd)                                             \
	static size_t size_##name(const struct ipc_##name *m)                            \
	{                                                                                \
		(void)m;                                                                 \
		return (size_t)0 IPC_##name(SIZE_U8, SIZE_U16, SIZE_U32, SIZE_U64,       \
		                            SIZE_BYTES);                                 \
	}
IPC_ROWS(SIZE_ROW)

/* Room for the head and body of one message was made before, so that the puts
 * of a message cannot fail half-way. */
static bool
start(struct buf *packet, enum ipc_number number, size_t body)
{
	if (body > IPC_PACKET_MAX - IPC_HEAD_BYTES ||
	    !buf_room(packet, IPC_HEAD_BYTES + body))
		return false;
	wire_put_u16(packet, (uint16_t)number);
	wire_put_u32(packet, (uint32_t)body);
	return true;
}

#define PUT_U8(field)    wire_put_u8(packet, m->field);
#define PUT_U16(field)   wire_put_u16(packet, m->field);
#define PUT_U32(field)   wire_put_u32(packet, m->field);
#define PUT_U64(field)   wire_put_u64(packet, m->field);
#define PUT_BYTES(field) wire_put_bytes(packet, m->field);
#define PUT_ROW(number, name, from, to, fd)                                              \
	bool ipc_encode_##name(struct buf *packet, const struct ipc_##name *m)           \
	{                                                                                \
		if (!start(packet, IPC_NUMBER_##name, size_##name(m)))                   \
			return false;                                                    \
		IPC_##name(PUT_U8, PUT_U16, PUT_U32, PUT_U64, PUT_BYTES)                 \
		return true;                                                             \
	}
IPC_ROWS(PUT_ROW)

bool
ipc_encode(struct buf *packet, const struct ipc_message *m)
{
	switch (m->number) {
#define CASE_PUT_ROW(number, name, from, to, fd)                                         \
	case IPC_NUMBER_##name:                                                          \
		return ipc_encode_##name(packet, &m->name);
	IPC_ROWS(CASE_PUT_ROW)
	}
	return false;
}

#define GET_U8(field)    m->field = wire_get_u8(in);
#define GET_U16(field)   m->field = wire_get_u16(in);
#define GET_U32(field)   m->field = wire_get_u32(in);
#define GET_U64(field)   m->field = wire_get_u64(in);
#define GET_BYTES(field) m->field = wire_get_bytes(in);
#define GET_ROW(number, name, from, to, fd)                                              \
	static void get_##name(struct cursor *in, struct ipc_##name *m)                  \
	{                                                                                \
		(void)in, (void)m;                                                       \
		IPC_##name(GET_U8, GET_U16, GET_U32, GET_U64, GET_BYTES)                 \
	}
IPC_ROWS(GET_ROW)

static bool
get_body(unsigned number, struct cursor *in, struct ipc_message *out)
{
	switch (number) {
#define CASE_GET_ROW(number, name, from, to, fd)                                         \
	case IPC_NUMBER_##name:                                                          \
		get_##name(in, &out->name);                                              \
		break;
	IPC_ROWS(CASE_GET_ROW)
	default:
		return false;
	}
	out->number = (enum ipc_number)number;
	return cursor_done(in);
}

/* clang-format on */

bool
ipc_decode(struct span *packet, struct ipc_message *out)
{
	struct cursor in = cursor_make(*packet);
	unsigned number = wire_get_u16(&in);
	struct cursor body = cursor_make(wire_get_bytes(&in));
	struct ipc_message m;

	if (in.failed || !get_body(number, &body, &m))
		return false;
	*packet = in.rest;
	*out = m;
	return true;
}

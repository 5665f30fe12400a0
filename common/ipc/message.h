/* common/ipc/message.h - what the rows of messages.h become in C
 *
 * What    for each row NAME: struct ipc_NAME, IPC_NUMBER_NAME, a member NAME of
 *         struct ipc_message, ipc_encode_NAME(). Fields are uint8_t to uint64_t
 *         and struct span.
 * Wire    little-endian: u16 number, u32 bytes of the body, the body: the fields
 *         in order, BYTES with a u32 length before them. A packet holds one or
 *         more messages.
 * Trust   decoding believes nothing; a body must be used up exactly.
 * Memory  decoding allocates nothing: spans point into the packet.
 */
#pragma once

#include "common/base/base.h"
#include "common/ipc/messages.h"

#define IPC_PACKET_MAX 65536u /* bytes in one packet */
#define IPC_HEAD_BYTES 6u     /* number and length before each body */

enum ipc_kind {
#define IPC_KIND_ROW(upper, name) IPC_KIND_##upper,
	IPC_KINDS(IPC_KIND_ROW)
#undef IPC_KIND_ROW
	IPC_KIND_COUNT,
};

enum ipc_number {
#define IPC_NUMBER_ROW(number, name, from, to, fd) IPC_NUMBER_##name = (number),
	IPC_ROWS(IPC_NUMBER_ROW)
#undef IPC_NUMBER_ROW
};

/* clang-format off */
#define IPC_FIELD_U8(name)    uint8_t name;
#define IPC_FIELD_U16(name)   uint16_t name;
#define IPC_FIELD_U32(name)   uint32_t name;
#define IPC_FIELD_U64(name)   uint64_t name;
#define IPC_FIELD_BYTES(name) struct span name;
#define IPC_STRUCT_ROW(number, name, from, to, fd)                                       \
	struct ipc_##name {                                                              \
		IPC_##name(IPC_FIELD_U8, IPC_FIELD_U16, IPC_FIELD_U32, IPC_FIELD_U64,    \
		           IPC_FIELD_BYTES)                                              \
	};
IPC_ROWS(IPC_STRUCT_ROW)
#undef IPC_STRUCT_ROW
/* clang-format on */

/* One message of any kind: `switch (m->number) { case IPC_NUMBER_resolve: m->resolve...
 */
struct ipc_message {
	enum ipc_number number;
	union {
#define IPC_MEMBER_ROW(number, name, from, to, fd) struct ipc_##name name;
		IPC_ROWS(IPC_MEMBER_ROW)
#undef IPC_MEMBER_ROW
	};
};

/* Appends one message to a packet. False, and nothing appended, when it does not
 * fit under the limit of `packet` or is longer than IPC_PACKET_MAX on its own. */
#define IPC_ENCODE_ROW(number, name, from, to, fd)                                     \
	MUST_USE bool ipc_encode_##name(struct buf *packet, const struct ipc_##name *m);
IPC_ROWS(IPC_ENCODE_ROW)
#undef IPC_ENCODE_ROW

/* The same for a message of any kind. */
MUST_USE bool ipc_encode(struct buf *packet, const struct ipc_message *m);

/* Takes one message off the front of a packet. False when it is not one: short,
 * unknown number, bytes left over in its body; *out is then untouched. */
MUST_USE bool ipc_decode(struct span *packet, struct ipc_message *out);

/* Over every row and kind: two programs with another value cannot talk. */
MUST_USE uint64_t ipc_rows_hash(void);

/* "resolve", "smtpd"; "?" for what is in no table. */
MUST_USE const char *ipc_number_name(unsigned number);
MUST_USE const char *ipc_kind_name(unsigned kind);
/* False when no kind has that name. */
MUST_USE bool ipc_kind_parse(struct span name, enum ipc_kind *out);

/* May a program of kind `from` send this message to one of kind `to`? */
MUST_USE bool
ipc_number_allowed(enum ipc_number number, enum ipc_kind from, enum ipc_kind to);
MUST_USE bool ipc_number_may_leave(enum ipc_number number, enum ipc_kind from);
/* Does it carry a descriptor? */
MUST_USE bool ipc_number_has_fd(enum ipc_number number);

/* pickup/drop/send.h - one drop file by SMTP to the local submission socket
 *
 * Blocking, for a thread, with a time limit on each wait.
 */
#pragma once

#include "common/base/base.h"

#define SEND_WAIT_S 120 /* for one reply, or for room in the socket */

enum send_result {
	SEND_DONE,    /* the file may go */
	SEND_LATER,   /* nothing was sent; try again */
	SEND_REFUSED, /* by the server, all of it or some recipients */
	SEND_BAD,     /* it is no drop file */
};

struct send_request {
	int dir_fd;         /* spool/drop */
	const char *name;   /* of the file in it */
	const char *socket; /* path of the "submit" listener */
	uint64_t bytes_max; /* of the file */
};

/* *reason says why unless SEND_DONE. */
MUST_USE enum send_result
send_file(const struct send_request *request, struct buf *reason);

/* admin/submit.h - handing a message to the running server, or to its drop folder */
#pragma once

#include "admin/compose.h"
#include "common/base/base.h"
#include "common/conf/conf.h"

enum submit_result {
	SUBMIT_FAULT = -1, /* *err says why */
	SUBMIT_DONE,
	SUBMIT_REFUSED, /* some or all recipients, told on standard error */
	SUBMIT_DOWN, /* nobody listens, or a temporary failure: use the drop folder */
};

struct submission {
	struct span sender; /* empty for the null sender */
	const struct recipients *recipients;
	struct span message; /* CRLF lines */
};

/* A connected socket, or -1 with *err. */
MUST_USE int submit_connect(const struct settings *settings, struct err *err);

/* By SMTP over the local socket. */
MUST_USE enum submit_result submit_message(const struct settings *settings,
					   const struct submission *s, struct err *err);

/* Into the drop folder, where the server takes it from when it runs again. */
MUST_USE int submit_drop(const struct settings *settings, const struct submission *s,
			 struct err *err);

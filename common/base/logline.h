/* common/base/logline.h - one structured line per event
 *
 *   logline(LOGLINE_INFO, "smtp.rcpt", L_U64("sid", sid), L_SPAN("rcpt", rcpt));
 *   -> smtp.rcpt sid=17 rcpt="a b@example.org"
 *
 * Programs log, libraries return. Values are escaped here and nowhere else:
 * bytes outside printable ASCII become \xNN, a value with a space or a quote is
 * put in quotes, and each is cut at LOGLINE_VALUE_MAX. Never log a secret or a
 * message body. Event names are listed in docs/logging.md.
 *
 * The line goes to the sink that the program installed (common/proc does);
 * without one it is dropped, which is what unit tests want.
 */
#pragma once

#include "common/base/buf.h"

#define LOGLINE_VALUE_MAX 512
#define LOGLINE_MAX       4096

enum logline_level {
	LOGLINE_ERROR,   /* an operator must act */
	LOGLINE_WARNING, /* something is wrong and was survived */
	LOGLINE_INFO,    /* the history of mail */
	LOGLINE_DEBUG,
};

struct logfield {
	const char *key;
	enum {
		LOGFIELD_SPAN,
		LOGFIELD_U64,
		LOGFIELD_I64,
		LOGFIELD_HEX
	} kind;
	struct span text;
	uint64_t number;
};

/* clang-format off */
#define L_SPAN(key, s) ((struct logfield){(key), LOGFIELD_SPAN, (s), 0})
#define L_STR(key, s)  ((struct logfield){(key), LOGFIELD_SPAN, span_str(s), 0})
#define L_U64(key, u)  ((struct logfield){(key), LOGFIELD_U64, {NULL, 0}, (uint64_t)(u)})
#define L_I64(key, i)                                                                    \
	((struct logfield){(key), LOGFIELD_I64, {NULL, 0}, (uint64_t)(int64_t)(i)})
#define L_HEX(key, u) ((struct logfield){(key), LOGFIELD_HEX, {NULL, 0}, (uint64_t)(u)})
#define L_ERR(err)    L_STR("error", (err)->text)

#define logline(level, event, ...)                                                       \
	logline_fields((level), (event), (const struct logfield[]){__VA_ARGS__},         \
	               sizeof((const struct logfield[]){__VA_ARGS__}) /                  \
	                   sizeof(struct logfield))
/* clang-format on */

void logline_fields(enum logline_level level, const char *event,
		    const struct logfield *fields, size_t n);

/* Without level and time; what does not fit LOGLINE_MAX is cut. No newline. */
void logline_format(struct buf *out, const char *event, const struct logfield *fields,
		    size_t n);

typedef void logline_sink(enum logline_level level, struct span line);
void logline_set_sink(logline_sink *sink);
void logline_set_level(enum logline_level most_verbose);

/* common/conf/conf.h - the door of the room that reads the settings file
 *
 * What    text in libconfuse's syntax -> struct settings, checked row by row
 *         against the table in settings.h. Every wrong value and unknown name
 *         is reported in one go, with file and line; only a broken syntax ends
 *         the reading.
 * Trust   the file is the operator's, but nothing asserts on it.
 * Memory  conf_release() gives back what conf_parse() filled.
 * Purity  conf_load() reads one file; all else does no I/O.
 */
#pragma once

#include "common/base/base.h"
#include "common/conf/route.h"
#include "common/conf/settings.h"
#include "common/conf/table.h"
#include "common/conf/database.h"

#define CONF_FILE_BYTES_MAX (2u << 20)
#define CONF_TEXT_BYTES_MAX (8u << 20) /* what conf_text_put() may make of that */
#define CONF_ERRORS_MAX     100        /* further ones are not told */

struct conf_list {
	char **at;
	size_t n;
};

struct conf_network {
	uint8_t address[16]; /* IPv4 mapped */
	uint8_t bits;        /* 0 to 128; for IPv4 96 more than written */
};

struct conf_networks {
	struct conf_network *at;
	size_t n;
};

/* In the order of the words in settings.h. conf_log_level equals enum
 * logline_level. */
enum conf_log_level {
	CONF_LOG_ERROR,
	CONF_LOG_WARNING,
	CONF_LOG_INFO,
	CONF_LOG_DEBUG,
};

enum conf_directory {
	CONF_DIRECTORY_BERKELEY,
	CONF_DIRECTORY_POSTGRESQL,
	CONF_DIRECTORY_SQL,
};

enum conf_bare_newline {
	BARE_NEWLINE_REJECT,
	BARE_NEWLINE_NORMALISE,
};

#define CONF_MEMBER_TEXT(name)     char *name;
#define CONF_MEMBER_DOMAIN(name)   char *name;
#define CONF_MEMBER_PATH(name)     char *name;
#define CONF_MEMBER_NUMBER(name)   uint64_t name;
#define CONF_MEMBER_BYTES(name)    uint64_t name;
#define CONF_MEMBER_SECONDS(name)  uint64_t name;
#define CONF_MEMBER_SWITCH(name)   bool name;
#define CONF_MEMBER_CHOICE(name)   int name;
#define CONF_MEMBER_LIST(name)     struct conf_list name;
#define CONF_MEMBER_DOMAINS(name)  struct conf_list name;
#define CONF_MEMBER_LISTEN(name)   struct conf_list name;
#define CONF_MEMBER_NETWORKS(name) struct conf_networks name;

struct settings {
#define CONF_MEMBER_ROW(type, name, preset, min, max, reload, help)                    \
	CONF_MEMBER_##type(name)
	CONF_SETTINGS(CONF_MEMBER_ROW)
#undef CONF_MEMBER_ROW
	struct conf_routes routes;
	struct conf_tables tables;
};

/* Texts of the form "FILE:LINE: what is wrong" (no line where none is to
 * blame), in the order of the file. */
struct conf_errors {
	struct err *at;
	size_t n;
};

/* `file` is only named in errors; `hostname` is what an empty hostname becomes.
 * -1 when there is any error; *out is then untouched. */
MUST_USE int conf_parse(struct span text, const char *file, const char *hostname,
			struct settings *out, struct conf_errors *errors);

/* Reads the file and parses it. The text it read is left in *text, for handing
 * to others; text->max should be CONF_FILE_BYTES_MAX. */
MUST_USE int conf_load(const char *path, const char *hostname, struct buf *text,
		       struct settings *out, struct conf_errors *errors);

void conf_release(struct settings *settings);
void conf_errors_release(struct conf_errors *errors);

/* Gives `fresh` the values that `running` has where a row is not reloadable and
 * they differ, and calls changed() with each such name. */
void conf_keep_fixed(struct settings *fresh, const struct settings *running,
		     void (*changed)(const char *name, void *context), void *context);

/* Everything as a file that conf_parse() takes: the values as they are, whatever
 * variables or empty names they came from. What master hands to the others: with
 * secrets hidden, routes have no user and password. */
enum conf_secrets {
	CONF_SECRETS_HIDDEN,
	CONF_SECRETS_SHOWN,
};

void conf_text_put(const struct settings *settings, enum conf_secrets secrets,
		   struct buf *out);

/* A value as it would stand in the file: the running one, for `postroad check`
 * and for tests. False when no setting has that name. */
MUST_USE bool
conf_value_put(const struct settings *settings, struct span name, struct buf *out);

/* The table as data: for man page, help and checks. */
enum conf_type {
	CONF_TEXT,
	CONF_DOMAIN,
	CONF_PATH,
	CONF_NUMBER,
	CONF_BYTES,
	CONF_SECONDS,
	CONF_SWITCH,
	CONF_CHOICE,
	CONF_LIST,
	CONF_DOMAINS,
	CONF_LISTEN,
	CONF_NETWORKS,
};

struct conf_row {
	enum conf_type type;
	const char *name;
	const char *preset; /* as in settings.h */
	uint64_t min, max;
	bool reloadable;
	const char *help;
	size_t offset; /* in the struct that has the values */
};

const struct conf_row *conf_rows(size_t *n);
MUST_USE const char *conf_type_name(enum conf_type type);

/* One entry of a LISTEN list. `any` is true for "*", which means all addresses
 * of both families; the address is then zero. IPv4 is mapped. */
struct conf_listen {
	bool any;
	bool v4;
	uint8_t address[16];
	uint16_t port; /* 0 lets the system choose, for tests */
};

MUST_USE bool conf_listen_parse(struct span text, struct conf_listen *out);
MUST_USE bool conf_network_parse(struct span text, struct conf_network *out);
/* Is the address (16 bytes, IPv4 mapped) in one of the networks? */
MUST_USE bool
conf_networks_match(const struct conf_networks *networks, const uint8_t address[16]);

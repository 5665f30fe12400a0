#include "common/lookup/internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* --- files ---------------------------------------------------------------------- */

int
opened_file_read(const char *path, struct buf *out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char piece[65536];
	ssize_t n;

	if (fd < 0)
		return err_sys(err, "%.150s", path);
	while ((n = read(fd, piece, sizeof(piece))) > 0 && !out->full)
		buf_put(out, span_make(piece, (size_t)n));
	if (n < 0)
		err_sys(err, "%.150s", path);
	else if (out->full)
		err_set(err, "%.150s: is larger than %zu bytes", path, out->max);
	close(fd);
	return n < 0 || out->full ? -1 : 0;
}

static struct stamp
stamp_of(const struct stat *info)
{
	return (struct stamp){.device = info->st_dev,
			      .inode = info->st_ino,
			      .bytes = (uint64_t)info->st_size,
			      .changed_s = info->st_mtim.tv_sec,
			      .changed_ns = info->st_mtim.tv_nsec};
}

static bool
stamp_equal(const struct stamp *a, const struct stamp *b)
{
	return a->device == b->device && a->inode == b->inode && a->bytes == b->bytes &&
	       a->changed_s == b->changed_s && a->changed_ns == b->changed_ns;
}

/* --- reading --------------------------------------------------------------------- */

static void
tell(const struct opened *s)
{
	for (size_t i = 0; i < s->problems.n; i++) {
		const struct table_problem *p = &s->problems.at[i];

		logline(p->warning ? LOGLINE_WARNING : LOGLINE_ERROR, "table.problem",
			L_STR("table", s->conf.name), L_STR("file", s->path),
			L_U64("line", p->line), L_STR("error", p->text));
	}
	if (s->fault.text[0])
		logline(LOGLINE_ERROR, "table.problem", L_STR("table", s->conf.name),
			L_STR("file", s->path), L_U64("line", 0), L_ERR(&s->fault));
	else
		logline(LOGLINE_INFO, "table.opened", L_STR("table", s->conf.name),
			L_STR("type", table_kind_name(s->kind)), L_STR("file", s->path),
			L_U64("entries", s->map ? table_map_count(s->map) : 0));
}

static const char *
check(void *context, struct span value)
{
	const struct opened *s = context;

	return s->lookups->check(s->lookups->context, s->conf.name, value);
}

/* The file into memory; what was there before stays when it is broken. */
static int
map_read(struct opened *s)
{
	struct buf text = buf_make(TABLE_FILE_BYTES_MAX);
	struct table_map *map = NULL;
	int result = opened_file_read(s->path, &text, &s->fault);

	if (result == 0) {
		map = table_map_parse(s->kind, buf_span(&text), &s->problems);
		if (map && s->lookups->check &&
		    !table_map_check(map, check, s, &s->problems))
			table_map_free(&map);
		if (!map)
			result = err_set(&s->fault, "%.150s: has errors", s->path);
	}
	if (map) {
		table_map_free(&s->map);
		s->map = map;
	}
	buf_release(&text);
	return result;
}

static int
postmap_read(struct opened *s)
{
	struct postmap *fresh;

	if (postmap_open(s->path, s->kind, &fresh, &s->fault) != 0)
		return -1;
	postmap_free(&s->postmap);
	s->postmap = fresh;
	return 0;
}

static void
read_again(struct opened *s)
{
	table_problems_release(&s->problems);
	s->fault = (struct err){0};
	if (table_kind_in_memory(s->kind))
		(void)map_read(s);
	else if (s->kind != TABLE_POSTGRESQL)
		(void)postmap_read(s);
	tell(s);
}

/* A file that has just been written may not be whole yet: what is there is used a
 * moment longer. */
static bool
settled(const struct opened *s, const struct stat *info)
{
	bool first = !s->map && !s->postmap;

	return first || time(NULL) - info->st_mtim.tv_sec > LOOKUP_SETTLE_S ||
	       info->st_mtim.tv_sec > time(NULL);
}

static void
look(struct opened *s)
{
	struct stat info;
	struct stamp stamp;

	if (stat(s->path, &info) != 0) {
		bool told = s->fault.text[0];

		err_sys(&s->fault, "%.150s", s->path);
		s->stamped = false;
		if (!told)
			tell(s);
		return;
	}
	stamp = stamp_of(&info);
	if ((s->stamped && stamp_equal(&stamp, &s->stamp)) || !settled(s, &info))
		return;
	s->stamp = stamp;
	s->stamped = true;
	read_again(s);
}

void
opened_look(struct opened *s)
{
	uint64_t now_ms = lookup_now_ms();

	if (s->kind == TABLE_POSTGRESQL ||
	    (s->looked_ms > 0 && now_ms - s->looked_ms < LOOKUP_LOOK_MS))
		return;
	s->looked_ms = now_ms;
	look(s);
}

/* --- one table ---------------------------------------------------------------------
 */

static char *
path_of(const struct conf_table *conf, enum table_kind kind)
{
	struct buf path = buf_make(5000);
	char *text;

	buf_put_str(&path, conf->file);
	if (kind == TABLE_HASH || kind == TABLE_BTREE)
		buf_put_str(&path, ".db");
	text = span_dup(buf_span(&path));
	buf_release(&path);
	return text;
}

static void
conf_copy(const struct conf_table *from, struct conf_table *to)
{
	*to = *from;
	to->name = span_dup(span_str(from->name));
	to->file = span_dup(span_str(from->file));
	to->connection = span_dup(span_str(from->connection));
	to->password_file = span_dup(span_str(from->password_file));
	to->query = span_dup(span_str(from->query));
}

static void
conf_release_copy(struct conf_table *conf)
{
	free(conf->name);
	free(conf->file);
	free(conf->connection);
	free(conf->password_file);
	free(conf->query);
}

bool
opened_is(const struct opened *s, const struct conf_table *conf)
{
	const struct conf_table *own = &s->conf;

	return strcmp(own->name, conf->name) == 0 && own->type == conf->type &&
	       strcmp(own->file, conf->file) == 0 &&
	       strcmp(own->connection, conf->connection) == 0 &&
	       strcmp(own->password_file, conf->password_file) == 0 &&
	       strcmp(own->query, conf->query) == 0 &&
	       own->connections == conf->connections &&
	       own->timeout_s == conf->timeout_s;
}

_Static_assert((int)CONF_TABLE_POSTGRESQL == (int)TABLE_POSTGRESQL &&
		   (int)CONF_TABLE_CIDR == (int)TABLE_CIDR &&
		   (int)CONF_TABLE_BTREE == (int)TABLE_BTREE,
	       "types of tables are in the same order");

struct opened *
opened_new(const struct conf_table *conf, uint64_t id, struct lookups *ls)
{
	struct opened *s = memory_new(1, sizeof(*s));

	s->lookups = ls;
	s->id = id;
	conf_copy(conf, &s->conf);
	s->kind = (enum table_kind)conf->type;
	s->path = path_of(conf, s->kind);
	if (s->kind != TABLE_POSTGRESQL) {
		opened_look(s);
		return s;
	}
	if (database_new(&s->conf, ls->base, &s->problems, &s->database, &s->fault) !=
	    0)
		s->database = NULL;
	tell(s);
	return s;
}

void
opened_free(struct opened **s)
{
	if (!*s)
		return;
	table_map_free(&(*s)->map);
	postmap_free(&(*s)->postmap);
	database_free(&(*s)->database);
	table_problems_release(&(*s)->problems);
	conf_release_copy(&(*s)->conf);
	free((*s)->path);
	free(*s);
	*s = NULL;
}

static enum table_result
postmap_folded(struct opened *s, struct span key, struct buf *value, struct err *err)
{
	struct buf folded = buf_make(4 * TABLE_KEY_MAX);
	enum table_result result = TABLE_NOT_FOUND;

	if (key.n <= TABLE_KEY_MAX && span_find(key, '\0') == key.n &&
	    table_key_fold(key, &folded))
		result = postmap_get(s->postmap, buf_span(&folded), value, err);
	buf_release(&folded);
	return result;
}

enum table_result
opened_get(struct opened *s, struct span key, struct buf *value, struct err *err)
{
	if (s->map)
		return table_map_get(s->map, key, value, err);
	if (s->postmap)
		return postmap_folded(s, key, value, err);
	return (enum table_result)err_set(err, "%.200s", s->fault.text);
}

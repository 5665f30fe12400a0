/* the manifest of a generation, read line by line */
#include "admin/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int
list_open(struct backup_list *l, int dir, const char *name, struct err *err)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	*l = (struct backup_list){.trusted = UINT64_MAX};
	l->file = fd < 0 ? NULL : fdopen(fd, "r");
	return l->file ? 0 : err_sys(err, "cannot open %s", name);
}

void
backup_list_close(struct backup_list *l)
{
	if (l->file)
		(void)fclose(l->file);
	free(l->line);
	*l = (struct backup_list){0};
}

int
backup_list_next(struct backup_list *l, struct backup_row *row)
{
	ssize_t n;

	if (l->reader.ended || l->reader.lines >= l->trusted)
		return 0;
	n = getline(&l->line, &l->size, l->file);
	if (n <= 0 || l->line[n - 1] != '\n')
		return -1;
	switch (backup_read_line(&l->reader, span_make(l->line, (size_t)n - 1), row)) {
	case BACKUP_READ_ROW:
		return 1;
	case BACKUP_READ_END:
		/* Nothing may follow. */
		return getline(&l->line, &l->size, l->file) < 0 && feof(l->file) ? 0
										 : -1;
	case BACKUP_READ_BAD:
		break;
	}
	return -1;
}

int
backup_list_open_part(struct backup_list *l, int dir, const char *name, struct err *err)
{
	struct backup_row row;
	uint64_t trusted = 0;

	if (list_open(l, dir, name, err) < 0)
		return -1;
	while (backup_list_next(l, &row) == 1)
		if (row.kind == BACKUP_ROW_SYNCED)
			trusted = l->reader.lines;
	backup_list_close(l);
	if (list_open(l, dir, name, err) < 0)
		return -1;
	l->trusted = trusted;
	return 0;
}

const struct backup_piece *
backup_piece_find(const struct backup_pieces *pieces, const char *name)
{
	for (size_t i = 0; i < pieces->n; i++)
		if (strcmp(pieces->at[i].name, name) == 0)
			return &pieces->at[i];
	return NULL;
}

void
backup_piece_add(struct backup_pieces *pieces, const struct backup_piece *piece)
{
	pieces->at = memory_resize(pieces->at, pieces->n + 1, sizeof(*pieces->at));
	pieces->at[pieces->n++] = *piece;
}

/* False when it is no name of a store's file. */
static bool
piece_take(const struct backup_row *row, struct backup_pieces *pieces)
{
	struct backup_piece piece = {.bytes = row->bytes, .crc = row->crc};

	if (!span_copy(row->name, piece.name, sizeof(piece.name)) ||
	    !span_copy(row->kept, piece.kept, sizeof(piece.kept)))
		return false;
	backup_piece_add(pieces, &piece);
	return true;
}

/* What is no account. */
static void
row_note(struct backup_walk *w, const struct backup_row *row)
{
	if (row->kind == BACKUP_ROW_TREE)
		(void)!span_copy(row->name, w->tree, sizeof(w->tree));
	else if (row->kind == BACKUP_ROW_BEGAN)
		w->began_us = row->time_us;
	else if (row->kind == BACKUP_ROW_FILE && w->file)
		w->file(w->context, row);
}

/* Reads on to the next account: 1, and it is in w->row. */
static int
walk_to_account(struct backup_walk *w)
{
	int got = 1;

	while (!w->ahead && (got = backup_list_next(&w->list, &w->row)) == 1) {
		w->ahead = w->row.kind == BACKUP_ROW_ACCOUNT;
		if (!w->ahead)
			row_note(w, &w->row);
	}
	return got;
}

int
backup_walk_next(struct backup_walk *w, struct backup_pieces *pieces)
{
	int got = walk_to_account(w);

	pieces->n = 0;
	if (got != 1)
		return got;
	pieces->id = w->row.number;
	pieces->position = w->row.bytes;
	w->ahead = false;
	while ((got = backup_list_next(&w->list, &w->row)) == 1) {
		w->ahead = w->row.kind == BACKUP_ROW_ACCOUNT;
		if (w->ahead)
			break;
		if (w->row.kind == BACKUP_ROW_PIECE && !piece_take(&w->row, pieces))
			return -1;
		row_note(w, &w->row);
	}
	return got < 0 ? -1 : 1;
}

int
backup_walk_open(struct backup_walk *w, const struct backup *b, uint64_t generation,
		 struct err *err)
{
	char name[BACKUP_PATH_MAX];

	w->ahead = false;
	backup_name(generation, BACKUP_MANIFEST, name);
	if (list_open(&w->list, b->fd, name, err) < 0)
		return -1;
	if (walk_to_account(w) < 0)
		return err_set(err, "%s/%s is damaged", b->path, name);
	return 0;
}

void
backup_walk_close(struct backup_walk *w)
{
	backup_list_close(&w->list);
}

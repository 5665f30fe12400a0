/* common/store/text_internal.h - what the files about text.N share
 *
 * A record of text.N (a chunk) holds the texts of some messages:
 *
 *   u32 rules | u32 n | u32 CRC of the table | n times the table's
 *   16 bytes guid, u32 data offset, u32 bytes | n times: that many bytes, a NUL
 *
 * The tables of all chunks are read once and kept as a directory in memory, without
 * the texts. A later chunk counts more than an earlier one.
 */
#pragma once

#include "common/store/internal.h"

#define TEXT_RECORD      1
#define TEXT_HEAD_BYTES  12u
#define TEXT_ROW_BYTES   24u
#define TEXT_ROWS_MAX    1024u
#define TEXT_CHUNK_BYTES (32u << 10) /* of texts; one that is larger is alone */
#define TEXT_CHUNK_MAX   (TEXT_BYTES_MAX + TEXT_HEAD_BYTES + TEXT_ROW_BYTES + 64)

/* Texts that are made and not yet written; one of a message is added in any case. */
#define TEXT_PENDING_BYTES (256u << 10)
#define TEXT_PENDING_MAX   (TEXT_PENDING_BYTES + TEXT_BYTES_MAX + 1)

struct text_row {
	uint8_t guid[STORE_GUID_BYTES];
	uint32_t data_offset;
	uint32_t bytes;
};

/* Where a text is. */
struct text_entry {
	uint32_t data_offset;
	uint32_t chunk; /* of the file's chunks */
	uint32_t at;    /* in its payload */
	uint32_t row;
};

struct text_chunk {
	uint64_t offset;
	uint32_t bytes; /* of the record; 0: it is damaged */
};

/* The directory of one text.N. */
struct text_file {
	uint32_t number;
	bool loaded;   /* chunks and entries are those of the file, up to `end` */
	uint32_t top;  /* the highest data offset that has a text, if `end` is not 0 */
	uint64_t salt; /* of the file it was read from */
	uint64_t end;  /* offset where the next chunk goes; 0: there is no file */
	bool old;      /* has chunks of other rules: to be made anew */
	struct text_chunk *chunks;
	size_t n_chunks, size_chunks;
	struct text_entry *base; /* ascending by data offset */
	size_t n, size;
	struct text_entry *late; /* as above, what came out of order; few */
	size_t n_late;
};

/* What an account knows of its texts. */
struct texts {
	struct text_file *files; /* ascending by number */
	size_t n;
	uint64_t position; /* of the view when all was there; 0: not known */
	struct text_filled {
		uint32_t mailbox;
		uint32_t uid; /* those below have a text, or cannot have one */
	} * filled;           /* ascending by mailbox */
	size_t n_filled, size_filled;
	uint32_t pending_number; /* made and not yet written: texts of data.N */
	struct buf pending;      /* texts, each with its NUL */
	struct text_row *rows;
	size_t n_rows, size_rows;
};

/* Working memory, one a store; made when it is needed. */
struct text_work {
	struct text_renderer *renderer;
	struct buf prefix, content, window, frames;
	struct store_text_item *items;
	size_t size_items;
};

MUST_USE struct texts *texts_of(struct store_account *a);
MUST_USE struct text_work *text_work_of(struct store *s);

/* --- text_chunk.c: the bytes of a chunk ----------------------------------- */

/* Appends the payload of a chunk of rows[0 .. n] whose texts stand at `texts`. */
void text_chunk_put(const struct text_row *rows, size_t n, struct span texts,
		    struct buf *out);

/* Bytes that head and table of a chunk need, by its first bytes; 0: it is none. */
MUST_USE size_t text_table_bytes(struct span payload);

/* *rules and the rows of a table whose payload has `bytes` bytes in all. False when it
 * is damaged. Rows are taken one by one by text_row_get(). */
MUST_USE bool
text_table_check(struct span table, uint64_t bytes, uint32_t *rules, uint32_t *n);
MUST_USE bool text_row_get(struct span table, uint32_t row, struct text_row *out);

/* --- text_file.c: the directory ------------------------------------------- */

/* The directory of text.N, read when that was not yet; empty when there is no file. */
MUST_USE struct text_file *text_file_get(struct store_account *a, uint32_t number);
enum text_presence {
	TEXT_THERE,
	TEXT_MISSING,
	TEXT_LOADED, /* not known; the directory was read, ask again */
};

/* Has the message a text? Without reading the directory, when that was forgotten and
 * the message is newer than all in it. */
MUST_USE enum text_presence
text_file_has(struct store_account *a, const struct store_record *r, size_t *hint);
/* To append to: only `salt` and `end` may be known. */
MUST_USE struct text_file *text_file_tail(struct store_account *a, uint32_t number);
/* What others appended, or all anew when the file is another one. */
void text_file_follow(struct store_account *a, struct text_file *t,
		      const struct log_file *f);
/* A text of the newest chunk. */
void text_file_add(struct text_file *t, const struct text_row *row, uint32_t at,
		   uint32_t index);
void text_file_add_chunk(struct text_file *t, uint64_t offset, uint64_t bytes);
/* Null when it has no text. *hint makes a search in order fast; starts at 0. */
MUST_USE const struct text_entry *
text_file_find(const struct text_file *t, uint32_t data_offset, size_t *hint);
void text_file_reset(struct text_file *t);
/* A chunk cannot be read: its texts are missing. */
void text_chunk_damaged(struct store_account *a, struct text_file *t, uint32_t chunk);

/* text.N for reading; null when it is not the one that the directory is of. */
MUST_USE const struct log_file *
text_file_open(struct store_account *a, const struct text_file *t);

/* --- text.c --------------------------------------------------------------- */

/* Appends the record of a chunk to the window and checks it; its payload in *out. */
MUST_USE bool text_chunk_read(struct store_account *a, struct text_file *t,
			      uint32_t chunk, struct span *out);

/* Makes the text of a message, in the renderer's memory. OK, NONE, DAMAGED, FAULT. */
MUST_USE enum store_result
text_make(struct store_account *a, const struct store_record *r, struct span *out,
	  struct err *err);

/* --- text_fill.c ---------------------------------------------------------- */

/* A text that a search had to make is written with others of its kind, if the lock can
 * be had. `last`: none follows soon. */
void texts_keep(struct store_account *a, const struct store_record *r, struct span text,
		bool last);

/* As store_text_fill(), or waiting for the lock. */
MUST_USE enum store_result texts_fill(struct store_account *a, uint64_t bytes_max,
				      bool wait, bool *done, struct err *err);

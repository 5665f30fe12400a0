/* what a record of the index answers */
#include "imapd/session/fetch.h"
#include "imapd/session/objectid.h"

#define LITERAL_COPY(at, text)                                                         \
	(memcpy((at), "" text, sizeof(text) - 1), (at) + sizeof(text) - 1)

/* "00" .. "99" */
static const char pairs[] = "00010203040506070809"
			    "10111213141516171819"
			    "20212223242526272829"
			    "30313233343536373839"
			    "40414243444546474849"
			    "50515253545556575859"
			    "60616263646566676869"
			    "70717273747576777879"
			    "80818283848586878889"
			    "90919293949596979899";

char *
digits_put(char *at, uint64_t n)
{
	char digits[20];
	size_t i = sizeof(digits);

	while (n >= 100) {
		i -= 2;
		memcpy(digits + i, pairs + 2 * (n % 100), 2);
		n /= 100;
	}
	if (n >= 10) {
		i -= 2;
		memcpy(digits + i, pairs + 2 * n, 2);
	} else {
		digits[--i] = (char)('0' + n);
	}
	memcpy(at, digits + i, sizeof(digits) - i);
	return at + (sizeof(digits) - i);
}

static char *
put_uid(const struct fetch_op *op, const struct store_record *r, char *at)
{
	(void)op;
	return digits_put(at, r->uid);
}

static char *
put_size(const struct fetch_op *op, const struct store_record *r, char *at)
{
	(void)op;
	return digits_put(at, store_record_size(r));
}

static char *
put_modseq(const struct fetch_op *op, const struct store_record *r, char *at)
{
	(void)op;
	*at++ = '(';
	at = digits_put(at, r->modseq);
	*at++ = ')';
	return at;
}

static char *
put_email_id(const struct fetch_op *op, const struct store_record *r, char *at)
{
	(void)op;
	*at++ = '(';
	objectid_put_email(r->guid, at);
	at += OBJECTID_EMAIL_BYTES;
	*at++ = ')';
	return at;
}

static char *
put_thread_id(const struct fetch_op *op, const struct store_record *r, char *at)
{
	(void)op;
	*at++ = '(';
	objectid_put_thread(r->thread_key, at);
	at += OBJECTID_THREAD_BYTES;
	*at++ = ')';
	return at;
}

#define DATE_TIME_BYTES 40

/* Into the room that is there: the buf owns nothing. */
static char *
put_date_time(char *at, int64_t us)
{
	struct buf room = {.at = at, .size = DATE_TIME_BYTES, .max = DATE_TIME_BYTES};
	int64_t seconds = us / 1000000 - (us % 1000000 < 0);

	imap_put_date_time(&room, seconds);
	return at + room.n;
}

static char *
put_internal_date(const struct fetch_op *op, const struct store_record *r, char *at)
{
	(void)op;
	return put_date_time(at, r->internal_us);
}

static char *
put_save_date(const struct fetch_op *op, const struct store_record *r, char *at)
{
	(void)op;
	return put_date_time(at, r->saved_us);
}

const struct fetch_record_kind fetch_record_kinds[IMAP_FETCH_RFC822_TEXT + 1] = {
    [IMAP_FETCH_UID] = {"UID ",          10,                        put_uid          },
    [IMAP_FETCH_INTERNALDATE] = {"INTERNALDATE ", DATE_TIME_BYTES,           put_internal_date},
    [IMAP_FETCH_RFC822_SIZE] = {"RFC822.SIZE ",  20,                        put_size         },
    [IMAP_FETCH_MODSEQ] = {"MODSEQ ",       22,                        put_modseq       },
    [IMAP_FETCH_EMAILID] = {"EMAILID ",      OBJECTID_EMAIL_BYTES + 2,  put_email_id     },
    [IMAP_FETCH_THREADID] = {"THREADID ",     OBJECTID_THREAD_BYTES + 2, put_thread_id    },
    [IMAP_FETCH_SAVEDATE] = {"SAVEDATE ",     DATE_TIME_BYTES,           put_save_date    },
};

/* Renders the flags into the place of others with the same hash. */
static void
flag_text_make(struct fetch *f, const struct store_record *r, bool recent,
	       struct flag_text *t)
{
	if (f->flag_bytes.n + FLAG_TEXTS > f->flag_bytes.max / 2) {
		buf_reset(&f->flag_bytes);
		memset(f->flag_texts, 0, sizeof(f->flag_texts));
	}
	*t = (struct flag_text){.flags = r->flags & STORE_FLAGS,
				.recent = recent,
				.keywords = r->keywords,
				.at = (uint32_t)f->flag_bytes.n};
	put_flags(f->session, r, &f->flag_bytes);
	t->n = (uint32_t)(f->flag_bytes.n - t->at);
}

struct span
flags_text(struct fetch *f, const struct store_record *r)
{
	uint64_t hash =
	    (r->keywords ^ r->keywords >> 32) * UINT64_C(0x9e3779b97f4a7c15);
	uint32_t flags = r->flags & STORE_FLAGS;
	struct flag_text *t = &f->flag_texts[(flags ^ hash >> 58) % FLAG_TEXTS];
	const struct view *v = &f->session->view;
	bool recent = v->recent.n > 0 && view_recent(v, r->uid);

	if (t->n == 0 || t->flags != flags || t->keywords != r->keywords ||
	    t->recent != recent)
		flag_text_make(f, r, recent, t);
	return span_make(f->flag_bytes.at + t->at, t->n);
}

size_t
line_put(struct fetch *f, uint32_t number, const struct store_record *r,
	 struct buf *out)
{
	struct span flags =
	    f->kinds & 1u << IMAP_FETCH_FLAGS ? flags_text(f, r) : SPAN("");
	char *at = buf_extend(out, f->bound + flags.n);
	size_t i;

	if (!at)
		return 0;
	at = LITERAL_COPY(at, "* ");
	at = digits_put(at, number);
	at = LITERAL_COPY(at, " FETCH (");
	for (i = 0; i < f->n_ops && !f->ops[i].put; i++) {
		const struct fetch_op *op = &f->ops[i];

		if (i > 0)
			*at++ = ' ';
		at = mempcpy(at, op->label.at, op->label.n);
		if (op->record)
			at = op->record(op, r, at);
		else
			at = mempcpy(at, flags.at, flags.n);
	}
	if (f->lines)
		at = LITERAL_COPY(at, ")\r\n");
	out->n = (size_t)(at - out->at);
	return i;
}

#include "common/imap/parse.h"

#include "common/imap/cursor.h"

enum form {
	PLAIN = 1 << 0, /* stands without UID */
	UID = 1 << 1,   /* and behind it */
};

static void
no_arguments(struct imap_cursor *c, struct imap_command *out)
{
	(void)c;
	(void)out;
}

/* What gate has answered; its arguments, which may be secrets, are not looked at. */
static void
any_arguments(struct imap_cursor *c, struct imap_command *out)
{
	(void)out;
	c->at = c->end - 2;
}

static void
message_missing(struct imap_cursor *c, struct imap_command *out)
{
	(void)out;
	imap_fail(c, "a literal with a message was expected");
}

static const struct row {
	struct span name;
	enum imap_command_id id;
	unsigned forms;
	void (*arguments)(struct imap_cursor *c, struct imap_command *out);
} rows[] = {
  /* the most frequent first */
    {SPAN("FETCH"),        IMAP_FETCH,        PLAIN | UID, imap_parse_fetch   },
    {SPAN("NOOP"),         IMAP_NOOP,         PLAIN,       no_arguments       },
    {SPAN("IDLE"),         IMAP_IDLE,         PLAIN,       no_arguments       },
    {SPAN("STORE"),        IMAP_STORE,        PLAIN | UID, imap_parse_store   },
    {SPAN("SEARCH"),       IMAP_SEARCH,       PLAIN | UID, imap_parse_search  },
    {SPAN("SELECT"),       IMAP_SELECT,       PLAIN,       imap_parse_select  },
    {SPAN("STATUS"),       IMAP_STATUS,       PLAIN,       imap_parse_status  },
    {SPAN("LIST"),         IMAP_LIST,         PLAIN,       imap_parse_list    },
    {SPAN("APPEND"),       IMAP_APPEND,       PLAIN,       message_missing    },
    {SPAN("CAPABILITY"),   IMAP_CAPABILITY,   PLAIN,       no_arguments       },
    {SPAN("LOGOUT"),       IMAP_LOGOUT,       PLAIN,       no_arguments       },
    {SPAN("ID"),           IMAP_ID,           PLAIN,       imap_parse_id      },
    {SPAN("STARTTLS"),     IMAP_STARTTLS,     PLAIN,       any_arguments      },
    {SPAN("AUTHENTICATE"), IMAP_AUTHENTICATE, PLAIN,       any_arguments      },
    {SPAN("LOGIN"),        IMAP_LOGIN,        PLAIN,       any_arguments      },
    {SPAN("ENABLE"),       IMAP_ENABLE,       PLAIN,       imap_parse_enable  },
    {SPAN("EXAMINE"),      IMAP_EXAMINE,      PLAIN,       imap_parse_select  },
    {SPAN("CREATE"),       IMAP_CREATE,       PLAIN,       imap_parse_create  },
    {SPAN("DELETE"),       IMAP_DELETE,       PLAIN,       imap_parse_mailbox },
    {SPAN("RENAME"),       IMAP_RENAME,       PLAIN,       imap_parse_rename  },
    {SPAN("SUBSCRIBE"),    IMAP_SUBSCRIBE,    PLAIN,       imap_parse_mailbox },
    {SPAN("UNSUBSCRIBE"),  IMAP_UNSUBSCRIBE,  PLAIN,       imap_parse_mailbox },
    {SPAN("LSUB"),         IMAP_LSUB,         PLAIN,       imap_parse_lsub    },
    {SPAN("NAMESPACE"),    IMAP_NAMESPACE,    PLAIN,       no_arguments       },
    {SPAN("GETQUOTA"),     IMAP_GETQUOTA,     PLAIN,       imap_parse_quota   },
    {SPAN("GETQUOTAROOT"), IMAP_GETQUOTAROOT, PLAIN,       imap_parse_mailbox },
    {SPAN("SETQUOTA"),     IMAP_SETQUOTA,     PLAIN,       imap_parse_quota   },
    {SPAN("COMPRESS"),     IMAP_COMPRESS,     PLAIN,       imap_parse_compress},
    {SPAN("CHECK"),        IMAP_CHECK,        PLAIN,       no_arguments       },
    {SPAN("CLOSE"),        IMAP_CLOSE,        PLAIN,       no_arguments       },
    {SPAN("UNSELECT"),     IMAP_UNSELECT,     PLAIN,       no_arguments       },
    {SPAN("EXPUNGE"),      IMAP_EXPUNGE,      PLAIN | UID, imap_parse_expunge },
    {SPAN("SORT"),         IMAP_SORT,         PLAIN | UID, imap_parse_search  },
    {SPAN("THREAD"),       IMAP_THREAD,       PLAIN | UID, imap_parse_search  },
    {SPAN("COPY"),         IMAP_COPY,         PLAIN | UID, imap_parse_copy    },
    {SPAN("MOVE"),         IMAP_MOVE,         PLAIN | UID, imap_parse_copy    },
    {SPAN("REPLACE"),      IMAP_REPLACE,      PLAIN | UID, message_missing    },
};

static const struct row *
row_find(struct span name, unsigned form)
{
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		if ((rows[i].forms & form) && imap_same_word(name, rows[i].name))
			return &rows[i];
	return NULL;
}

static const struct row *
row_of(enum imap_command_id id)
{
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		if (rows[i].id == id)
			return &rows[i];
	return NULL;
}

bool
imap_tag(struct span frame, struct span *tag)
{
	size_t n = 0;

	while (n < frame.n && imap_is(frame.at[n], IMAP_C_TAG))
		n++;
	if (n == 0 || n > IMAP_TAG_MAX || n == frame.n ||
	    (frame.at[n] != ' ' && frame.at[n] != '\r'))
		return false;
	*tag = span_first(frame, n);
	return true;
}

static void
unknown(struct imap_cursor *c, const char *text)
{
	imap_fail(c, text);
	c->result = IMAP_PARSE_UNKNOWN;
}

void
imap_parse_head(struct imap_cursor *c, struct imap_command *out)
{
	struct span frame = span_make(c->at, (size_t)(c->end - c->at));
	const struct row *row;

	if (!imap_tag(frame, &out->tag)) {
		imap_fail(c, "a tag was expected");
		c->result = IMAP_PARSE_NO_TAG;
		return;
	}
	c->at += out->tag.n;
	out->tag = imap_kept(c, out->tag);
	imap_space(c, "a command was expected");
	out->uid = imap_take_word(c, SPAN("UID"));
	if (out->uid)
		imap_space(c, "UID: a command was expected");
	if (!imap_ok(c))
		return;
	row = row_find(imap_run(c, IMAP_C_ATOM), out->uid ? UID : PLAIN);
	if (row)
		out->id = row->id;
	else
		unknown(c, out->uid ? "UID: unknown command" : "unknown command");
}

enum imap_parse_result
imap_parse(struct span frame, const struct imap_parse_options *options,
	   struct arena *arena, struct imap_command *out, const char **text)
{
	struct imap_cursor c = {
	    .at = frame.at,
	    .end = frame.at + frame.n,
	    .arena = arena,
	    .utf8 = options->utf8,
	};

	*out = (struct imap_command){0};
	imap_parse_head(&c, out);
	if (imap_ok(&c))
		row_of(out->id)->arguments(&c, out);
	imap_end(&c);
	*text = c.text;
	return c.result;
}

/* a command is gathered, literals and all, and parsed */
#include "imapd/session/inner.h"

void
bye_lost(struct session *s, struct buf *out)
{
	session_bye(s, out, "The literal is too large to be skipped", "absurd literal");
}

static void
tag_take(struct session *s, struct span tag)
{
	if (!span_copy(tag, s->tag, sizeof(s->tag)))
		s->tag[0] = '\0';
}

/* Of a command that was not, or not wholly, parsed. */
static void
tag_take_early(struct session *s)
{
	struct span tag = s->command.tag;

	if (tag.n == 0 && !imap_tag(imap_frame(&s->frame), &tag))
		tag = span_make(NULL, 0);
	tag_take(s, tag);
}

/* The answer is known before the command ran. */
static void
answer_early(struct session *s)
{
	tag_take_early(s);
	session_enter(s, PHASE_ANNOUNCE);
}

static const struct command *
command_row(enum imap_command_id id)
{
	for (size_t i = 0; i < n_commands; i++)
		if (commands[i].id == id)
			return &commands[i];
	return NULL;
}

/* s->command is whole, or an APPEND of which the message is to come. */
static void
command_begin(struct session *s)
{
	const struct command *row = command_row(s->command.id);

	if (!row) {
		(void)done_bad(s, "Already logged in");
		answer_early(s);
	} else if (!(row->states & s->state)) {
		(void)done_bad(s, "No mailbox is selected");
		answer_early(s);
	} else {
		s->row = row;
		tag_take(s, s->command.tag);
		session_enter(s, PHASE_RUN);
	}
}

static void
command_parse(struct session *s)
{
	const struct imap_parse_options options = {.utf8 = session_utf8(s)};
	const char *text = "Syntax error";

	switch (imap_parse(imap_frame(&s->frame), &options, &s->arena, &s->command,
			   &text)) {
	case IMAP_PARSE_OK:
		command_begin(s);
		return;
	case IMAP_PARSE_BAD:
		(void)done_bad(s, text);
		break;
	case IMAP_PARSE_LIMIT:
		(void)done_no(s, "LIMIT", text);
		break;
	case IMAP_PARSE_UNKNOWN:
		(void)done_bad(s, "Unknown command");
		break;
	case IMAP_PARSE_NO_TAG:
		s->command.tag = span_make(NULL, 0);
		(void)done_bad(s, "A command begins with a tag");
		break;
	}
	answer_early(s);
}

/* A message of APPEND, for which its command is run at once; BAD; or an argument. */
static enum imap_append_result
literal_of_append(struct session *s)
{
	const struct imap_parse_options options = {.utf8 = session_utf8(s)};
	struct imap_append_message message = {0};
	const char *text = "Syntax error";
	enum imap_append_result result = imap_parse_append(
	    imap_frame(&s->frame), &options, &s->arena, &s->command, &message, &text);

	if (result == IMAP_APPEND_BAD)
		(void)done_bad(s, text);
	if (result != IMAP_APPEND_MESSAGE)
		return result;
	s->message = arena_new(&s->arena, 1, sizeof(message));
	if (!s->message) {
		(void)done_no(s, "LIMIT", "Too many arguments");
		return IMAP_APPEND_BAD;
	}
	*s->message = message;
	return result;
}

/* True for an APPEND that a command's run can take on. */
static bool
literal_runs(struct session *s)
{
	const struct command *row = command_row(s->command.id);

	return row && (row->states & s->state);
}

static void
literal_refuse(struct session *s)
{
	tag_take_early(s);
	imap_frame_refuse(&s->frame);
	session_enter(s, PHASE_DROP);
}

static void
literal(struct session *s, struct buf *out)
{
	switch (literal_of_append(s)) {
	case IMAP_APPEND_BAD:
		literal_refuse(s);
		return;
	case IMAP_APPEND_MESSAGE:
		if (literal_runs(s)) {
			command_begin(s);
			return;
		}
		(void)done_bad(s, "No mailbox is selected");
		literal_refuse(s);
		return;
	case IMAP_APPEND_NOT:
		break;
	}
	s->command = (struct imap_command){0};
	arena_release(&s->arena);
	if (!imap_frame_accept(&s->frame)) {
		(void)done_no(s, "TOOBIG", "The literal is too large");
		literal_refuse(s);
	} else if (imap_frame_literal(&s->frame)->sync) {
		buf_put_str(out, "+ OK\r\n");
	}
}

bool
session_read(struct session *s, struct step *step, enum session_want *want)
{
	if (s->view.gone) {
		session_gone(s, step->out);
		return false;
	}
	switch (imap_frame_feed(&s->frame, step->in)) {
	case IMAP_FRAME_MORE:
		*want = SESSION_WANT_INPUT;
		return true;
	case IMAP_FRAME_COMMAND:
		command_parse(s);
		return false;
	case IMAP_FRAME_LITERAL:
		literal(s, step->out);
		return false;
	case IMAP_FRAME_BAD:
		(void)done_bad(s, "A line is too long, or holds a bare CR, LF or NUL");
		answer_early(s);
		return false;
	case IMAP_FRAME_FULL:
		(void)done_no(s, "TOOBIG", "The command is too large");
		answer_early(s);
		return false;
	case IMAP_FRAME_LOST:
		bye_lost(s, step->out);
		return false;
	}
	return false;
}

/* The rest of a command of which a literal was refused. */
bool
session_drop(struct session *s, struct step *step, enum session_want *want)
{
	switch (imap_frame_feed(&s->frame, step->in)) {
	case IMAP_FRAME_MORE:
		*want = SESSION_WANT_INPUT;
		return true;
	case IMAP_FRAME_LOST:
		bye_lost(s, step->out);
		return false;
	default:
		session_enter(s, PHASE_ANNOUNCE);
		return false;
	}
}

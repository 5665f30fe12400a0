#include "tests/unit/directory_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define NOW       1700000000
#define WORDS_MAX 16

struct script *
script_new(struct directory *d)
{
	struct script *s = memory_new(1, sizeof(*s));

	s->d = d;
	s->rows = buf_make(16 << 20);
	s->answer = buf_make(1 << 20);
	return s;
}

struct directory *
script_free(struct script **script)
{
	struct script *s = *script;
	struct directory *d = s->d;

	buf_release(&s->rows);
	buf_release(&s->answer);
	free(s);
	*script = NULL;
	return d;
}

/* ---- requests, as bytes and back */

struct asking {
	struct script *s;
	const struct directory_request *r;
	enum directory_result result;
};

static void
keep_row(void *context, struct span row)
{
	struct script *s = context;

	directory_item_put(&s->rows, row);
}

static void
work_request(struct directory *d, void *context)
{
	struct asking *a = context;

	buf_reset(&a->s->rows);
	a->result = a->s->permit ? a->s->permit(d, a->r, &a->s->err) : DIRECTORY_DONE;
	if (a->result == DIRECTORY_DONE)
		a->result = directory_run(d, a->r, NOW, keep_row, a->s, &a->s->err);
}

enum directory_result
script_request(struct script *s, const struct directory_request *r)
{
	struct buf bytes = buf_make(4 << 20);
	struct directory_request got;
	struct asking a = {.s = s, .r = &got};

	directory_request_put(r, &bytes);
	assert_true(directory_request_get(buf_span(&bytes), &got));
	directory_do_now(s->d,
			 directory_changes(r) ? DIRECTORY_CHANGES : DIRECTORY_READS,
			 work_request, &a);
	buf_release(&bytes);
	return a.result;
}

/* ---- words */

struct words {
	struct span at[WORDS_MAX];
	size_t n;
};

static struct words
words_of(const char *line)
{
	struct span rest = span_str(line);
	struct words w = {.n = 0};

	while (rest.n > 0) {
		assert_true(w.n < WORDS_MAX);
		w.at[w.n++] = span_cut(&rest, ' ');
	}
	return w;
}

static enum directory_kind
kind_of(struct span word)
{
	for (int i = 0; i < DIRECTORY_KINDS; i++)
		if (span_equal(word,
			       span_str(directory_kind_name((enum directory_kind)i))))
			return (enum directory_kind)i;
	fail_msg("no kind %.*s", SPAN_ARG(word));
	return DIRECTORY_DOMAIN;
}

/* ---- add, set, remove, show, list */

/* False when the value cannot be read. */
static bool
take_field(struct directory_object *o, struct span word, struct arena *arena)
{
	struct span name = span_cut(&word, '=');
	enum directory_how how = DIRECTORY_VALUE_SET;
	size_t number;
	struct err err;

	if (name.at[name.n - 1] == '+' || name.at[name.n - 1] == '-')
		how = name.at[--name.n] == '+' ? DIRECTORY_VALUE_INSERT
					       : DIRECTORY_VALUE_DELETE;
	number = directory_field_number(o->kind, name);
	assert_true(number > 0);
	if (directory_value_parse(directory_field(o->kind, number), word, arena,
				  &o->values[number], &err) != 0)
		return false;
	o->values[number].how = how;
	return true;
}

static void
run_change(struct script *s, const struct words *w)
{
	struct directory_request r = {
	    .object = {.kind = kind_of(w->at[1]), .name = w->at[2]}
        };
	struct arena arena;
	bool good = true;

	r.verb = span_equal(w->at[0], SPAN("add"))   ? DIRECTORY_ADD
		 : span_equal(w->at[0], SPAN("set")) ? DIRECTORY_UPDATE
						     : DIRECTORY_REMOVE;
	arena_init(&arena, 1 << 20);
	for (size_t i = 3; i < w->n; i++)
		good = good && take_field(&r.object, w->at[i], &arena);
	s->err.text[0] = '\0';
	buf_put_str(&s->answer,
		    good ? directory_result_name(script_request(s, &r)) : "unreadable");
	arena_release(&arena);
}

static void
run_show(struct script *s, const struct words *w)
{
	struct directory_request r = {
	    .verb = DIRECTORY_SHOW,
	    .object = {.kind = kind_of(w->at[1]), .name = w->at[2]}
        };
	enum directory_result result = script_request(s, &r);
	struct cursor c = cursor_make(buf_span(&s->rows));
	struct directory_object row;
	struct span bytes;

	buf_put_str(&s->answer, directory_result_name(result));
	if (result != DIRECTORY_DONE)
		return;
	assert_true(directory_item_next(&c, &bytes) && directory_row_get(bytes, &row));
	for (size_t i = 3; i < w->n; i++) {
		size_t number = directory_field_number(row.kind, w->at[i]);

		buf_putf(&s->answer, " %.*s=", SPAN_ARG(w->at[i]));
		directory_value_write(directory_field(row.kind, number),
				      &row.values[number], &s->answer);
	}
}

static void
run_list(struct script *s, const struct words *w)
{
	struct directory_request r = {
	    .verb = DIRECTORY_LISTING,
	    .object = {.kind = kind_of(w->at[1]),
		       .name = w->n > 2 ? w->at[2] : (struct span){0}}
        };
	struct directory_object row;
	struct span bytes;
	struct cursor c;

	buf_put_str(&s->answer, directory_result_name(script_request(s, &r)));
	c = cursor_make(buf_span(&s->rows));
	while (directory_item_next(&c, &bytes)) {
		assert_true(directory_row_get(bytes, &row));
		buf_putf(&s->answer, " %.*s", SPAN_ARG(row.name));
	}
}

/* ---- questions of the programs */

enum question {
	QUESTION_RESOLVE,
	QUESTION_FIND,
	QUESTION_ID,
	QUESTION_SEND,
	QUESTION_RULES,
	QUESTION_MATCH,
	QUESTION_NOTE,
};

struct questioning {
	enum question question;
	struct script *s;
	struct span name, other;
	struct directory_policy policy;
	uint64_t id;
	unsigned scope;
	char *label;
	const struct directory_login *logins;
	size_t n;
	/* what came of it */
	struct arena arena;
	struct directory_route route;
	struct directory_account account;
	int r;
};

static uint64_t
id_of(struct directory *d, struct span address, struct err *err)
{
	struct directory_account a;

	return directory_account_find(d, address, &a, err) == DIRECTORY_DONE ? a.id : 0;
}

static void
work(struct directory *d, void *context)
{
	struct questioning *q = context;
	struct err *err = &q->s->err;

	arena_release(&q->arena);
	if (q->other.n > 0)
		q->id = id_of(d, q->other, err);
	q->policy.login = q->id;
	switch (q->question) {
	case QUESTION_RESOLVE:
		(void)!directory_resolve(d, q->name, &q->policy, &q->arena, &q->route,
					 err);
		break;
	case QUESTION_FIND:
		q->r = (int)directory_account_find(d, q->name, &q->account, err);
		break;
	case QUESTION_ID:
		q->r = (int)directory_account_find_id(d, q->id, &q->account, err);
		break;
	case QUESTION_SEND:
		q->r = directory_may_send(d, q->id, q->name, &q->policy, err);
		break;
	case QUESTION_RULES:
		q->r = directory_administers(d, q->id, q->name, err);
		break;
	case QUESTION_MATCH:
		q->r = directory_app_password_find(d, q->name, span_str(q->label),
						   q->scope, q->label, err);
		break;
	case QUESTION_NOTE:
		q->r = (int)directory_note_logins(d, q->logins, q->n, err);
		break;
	}
}

static struct questioning
question_of(struct script *s, enum question question, struct span name)
{
	struct questioning q = {
	    .question = question,
	    .s = s,
	    .name = name,
	    .policy = {.delimiters = SPAN("+"), .now = NOW}
        };

	arena_init(&q.arena, DIRECTORY_ARENA_BYTES);
	return q;
}

static void
ask(struct questioning *q)
{
	directory_do_now(
	    q->s->d, q->question == QUESTION_NOTE ? DIRECTORY_CHANGES : DIRECTORY_READS,
	    work, q);
}

static void
put_target(struct buf *out, const struct directory_target *t)
{
	buf_putf(out, " %s%.*s", t->account ? "" : "->", SPAN_ARG(t->address));
	if (t->detail.n > 0)
		buf_putf(out, "/%.*s", SPAN_ARG(t->detail));
	if (t->sender.n > 0)
		buf_putf(out, "<%.*s", SPAN_ARG(t->sender));
	if (t->reply)
		buf_put_str(out, t->reply_only ? "!only-reply" : "!reply");
}

static void
run_resolve(struct script *s, const struct words *w)
{
	static const char *const kinds[] = {"targets",  "not-local",  "unknown",
					    "disabled", "loop",       "too-many",
					    "bad",      "not-allowed"};
	struct questioning q = question_of(s, QUESTION_RESOLVE, w->at[1]);

	for (size_t i = 2; i < w->n; i++) {
		struct span value = w->at[i];
		struct span key = span_cut(&value, '=');

		if (span_equal(key, SPAN("from")))
			q.policy.sender = value;
		else
			q.other = value;
	}
	ask(&q);
	buf_put_str(&s->answer, q.route.kind == DIRECTORY_ROUTE_FAULT
				    ? "fault"
				    : kinds[q.route.kind]);
	for (size_t i = 0; i < q.route.n; i++)
		put_target(&s->answer, &q.route.targets[i]);
	if (q.route.skipped)
		buf_putf(&s->answer, " skipped=%u", q.route.skipped);
	arena_release(&q.arena);
}

static void
run_find(struct script *s, const struct words *w)
{
	struct questioning q = question_of(s, QUESTION_FIND, w->at[1]);

	ask(&q);
	buf_put_str(&s->answer, directory_result_name((enum directory_result)q.r));
	if (q.r == DIRECTORY_DONE)
		buf_putf(&s->answer, " %s", q.account.address);
}

static void
run_yes_no(struct script *s, const struct words *w, enum question question)
{
	struct questioning q = question_of(s, question, w->at[2]);

	q.other = w->at[1];
	ask(&q);
	assert_true(q.r >= 0);
	buf_put_str(&s->answer, q.r ? "yes" : "no");
}

static void
run_send(struct script *s, const struct words *w)
{
	run_yes_no(s, w, QUESTION_SEND);
}

static void
run_rules(struct script *s, const struct words *w)
{
	run_yes_no(s, w, QUESTION_RULES);
}

uint64_t
script_id(struct script *s, const char *address)
{
	struct questioning q = question_of(s, QUESTION_FIND, span_str(address));

	ask(&q);
	assert_int_equal(q.r, DIRECTORY_DONE);
	return q.account.id;
}

const char *
script_of_id(struct script *s, uint64_t id)
{
	struct questioning q = question_of(s, QUESTION_ID, (struct span){0});

	q.id = id;
	ask(&q);
	buf_reset(&s->answer);
	if (q.r == DIRECTORY_DONE)
		buf_put_str(&s->answer, q.account.address);
	buf_put_char(&s->answer, '\0');
	return s->answer.at;
}

int
script_match(struct script *s, const char *address, const char *password,
	     unsigned scope, char *label)
{
	struct questioning q = question_of(s, QUESTION_MATCH, span_str(address));
	char room[DIRECTORY_LABEL_MAX + 1];

	/* The password stands where the label comes. */
	assert_true(span_copy(span_str(password), room, sizeof(room)));
	q.label = room;
	q.scope = scope;
	ask(&q);
	if (q.r > 0)
		memcpy(label, room, sizeof(room));
	return q.r;
}

enum directory_result
script_note(struct script *s, const struct directory_login *logins, size_t n)
{
	struct questioning q = question_of(s, QUESTION_NOTE, (struct span){0});

	q.logins = logins;
	q.n = n;
	ask(&q);
	return (enum directory_result)q.r;
}

/* ---- lines */

static const struct {
	const char *verb;
	void (*run)(struct script *s, const struct words *w);
} verbs[] = {
    {"add",     run_change },
    {"set",     run_change },
    {"remove",  run_change },
    {"show",    run_show   },
    {"list",    run_list   },
    {"resolve", run_resolve},
    {"find",    run_find   },
    {"send",    run_send   },
    {"rules",   run_rules  },
};

bool
script_check(struct script *s, const struct script_row *row)
{
	struct words w = words_of(row->line);
	bool found = false;

	buf_reset(&s->answer);
	for (size_t i = 0; i < N_ELEMS(verbs); i++)
		if (span_equal(w.at[0], span_str(verbs[i].verb))) {
			verbs[i].run(s, &w);
			found = true;
		}
	assert_true(found);
	buf_put_char(&s->answer, '\0');
	if (strcmp(s->answer.at, row->want) == 0)
		return true;
	print_message("%s\n  wanted %s\n  got    %s (%s)\n", row->line, row->want,
		      s->answer.at, s->err.text);
	return false;
}

void
script_expect(struct script *s, const struct script_row *row)
{
	assert_true(script_check(s, row));
}

void
script_do(struct script *s, const char *line)
{
	script_expect(s, &(struct script_row){line, "done"});
}

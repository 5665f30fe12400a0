/* tests/unit/test_store_model.c - random operations agree with a simple model
 *
 * Two handles on one account, as two processes; closed, opened, rebuilt, compacted
 * and robbed of index and summary in between. SEED= and ROUNDS= from the
 * environment.
 */
#include "tests/unit/store_fixture.h"

#include "tests/unit/simdisk.h"

#define BOXES_MAX 12
#define MAILS_MAX 400

struct mail {
	uint32_t uid;
	unsigned tag; /* what its bytes are made from */
	uint32_t flags;
	uint64_t keywords;
};

struct boxm {
	uint32_t id, uidnext, uidvalidity;
	char name[32];
	bool subscribed;
	struct mail mails[MAILS_MAX];
	size_t n;
	uint64_t modseq;
};

/* What a handle's watcher was told, and what its mailboxes were like. */
struct ear {
	bool all;
	uint32_t told[64]; /* ids of mailboxes */
	size_t n;
	struct print {
		uint32_t id;
		uint64_t hash;
	} prints[BOXES_MAX];
	size_t n_prints;
};

struct model {
	struct ear ears[2];
	struct rng rng;
	struct fixture f, other;
	struct boxm boxes[BOXES_MAX];
	size_t n;
	unsigned tags;
};

static void
content_make(unsigned tag, struct buf *out)
{
	buf_reset(out);
	buf_putf(out, "Subject: tag %u\r\nMessage-ID: <%u@x>\r\n\r\n", tag, tag);
	for (unsigned i = 0; i < tag * 37 % 500; i++)
		buf_put_char(out, (char)('a' + (tag + i) % 26));
}

static void
hear(void *context, const struct store_change *c)
{
	struct ear *e = context;

	if (c->kind == STORE_CHANGE_ALL || e->n == N_ELEMS(e->told))
		e->all = true;
	else
		e->told[e->n++] = c->mailbox;
}

static bool
heard(const struct ear *e, uint32_t id)
{
	bool told = e->all;

	for (size_t i = 0; i < e->n; i++)
		told = told || e->told[i] == id;
	return told;
}

/* All that a client can see of a mailbox. */
static uint64_t
print_of(const struct fixture *f, uint32_t id)
{
	uint64_t hash = 1;

	for (const struct store_record *r = store_first(f->account, id); r;
	     r = store_next(f->account, r))
		hash = (hash ^ (r->uid + ((uint64_t)r->flags << 32) + r->keywords)) *
		       UINT64_C(0x9e3779b97f4a7c15);
	return hash;
}

/* What differs from the last time was told. */
static void
check_heard(struct model *m, struct fixture *f)
{
	struct ear *e = &m->ears[f == &m->other];

	for (size_t i = 0; i < e->n_prints; i++)
		if (!heard(e, e->prints[i].id))
			assert_int_equal(print_of(f, e->prints[i].id),
					 e->prints[i].hash);
	e->n_prints = m->n;
	for (size_t i = 0; i < m->n; i++)
		e->prints[i] =
		    (struct print){m->boxes[i].id, print_of(f, m->boxes[i].id)};
	e->all = false;
	e->n = 0;
}

static void
listen(struct model *m)
{
	memset(m->ears, 0, sizeof(m->ears));
	store_watch(m->f.account, hear, &m->ears[0]);
	store_watch(m->other.account, hear, &m->ears[1]);
}

/* One of the two handles. */
static struct fixture *
one(struct model *m)
{
	struct fixture *f = rng_once_in(&m->rng, 2) ? &m->f : &m->other;

	fixture_check(f, store_view_refresh(f->account, &f->err));
	return f;
}

static struct boxm *
any_box(struct model *m)
{
	return &m->boxes[rng_below(&m->rng, m->n)];
}

static struct store_range
any_range(struct model *m, const struct boxm *b)
{
	uint32_t x = 1 + (uint32_t)rng_below(&m->rng, b->uidnext),
		 y = x + (uint32_t)rng_below(&m->rng, 8);

	if (rng_once_in(&m->rng, 20))
		return (struct store_range){1, UINT32_MAX};
	return (struct store_range){x, y};
}

static void
synced(struct model *m, struct fixture *f)
{
	(void)m;
	fixture_check(f, store_sync(f->account, f->now_us, &f->err));
}

static void
op_append(struct model *m)
{
	struct fixture *f = one(m);
	struct boxm *b = any_box(m);
	size_t n = 1 + rng_below(&m->rng, 4);
	struct buf contents[4];

	if (b->n + n > MAILS_MAX)
		return;
	fixture_check(f, store_batch_begin(f->account, true, &f->err));
	for (size_t i = 0; i < n; i++) {
		struct store_appended got;
		struct store_message message;

		contents[i] = buf_make(4096);
		content_make(++m->tags, &contents[i]);
		message = fixture_message(f, buf_span(&contents[i]), SPAN("X: y\r\n"));
		message.mailbox = b->id;
		message.flags = (uint32_t)rng_below(&m->rng, 2) * STORE_SEEN;
		fixture_check(f, store_append(f->account, &message, &got, &f->err));
		assert_int_equal(got.uid, b->uidnext);
		b->mails[b->n++] = (struct mail){got.uid, m->tags, message.flags, 0};
		b->uidnext++;
	}
	fixture_check(f, store_batch_end(f->account, &f->err));
	for (size_t i = 0; i < n; i++)
		buf_release(&contents[i]);
	synced(m, f);
}

/* Is the message too new for a conditional change? */
static bool
flags_refused(struct fixture *f, const struct boxm *b, const struct mail *mail,
	      const struct store_flag_change *change)
{
	const struct store_record *r = store_find(f->account, b->id, mail->uid);

	assert_non_null(r);
	return change->conditional && r->modseq > change->unchanged_since;
}

/* Does as the store should; true when anything changes. */
static bool
flags_model(struct fixture *f, struct boxm *b, struct store_range r,
	    const struct store_flag_change *c, struct store_uid_list *refused)
{
	bool changed = false;

	for (size_t i = 0; i < b->n; i++) {
		struct mail *mail = &b->mails[i], was = *mail;

		if (mail->uid < r.first || mail->uid > r.last)
			continue;
		if (flags_refused(f, b, mail, c)) {
			store_uid_list_add(refused,
					   (struct store_range){mail->uid, mail->uid});
			continue;
		}
		if (c->verb == STORE_FLAGS_ADD) {
			mail->flags |= c->flags;
			mail->keywords |= c->keywords;
		} else if (c->verb == STORE_FLAGS_REMOVE) {
			mail->flags &= ~c->flags;
			mail->keywords &= ~c->keywords;
		} else {
			mail->flags = c->flags;
			mail->keywords = c->keywords;
		}
		changed = changed || mail->flags != was.flags ||
			  mail->keywords != was.keywords;
	}
	return changed;
}

static void
check_same(const struct store_uid_list *a, const struct store_uid_list *b)
{
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		assert_int_equal(a->at[i].first, b->at[i].first);
		assert_int_equal(a->at[i].last, b->at[i].last);
	}
}

static void
op_flags(struct model *m)
{
	struct fixture *f = one(m);
	struct boxm *b = any_box(m);
	struct store_range r = any_range(m, b);
	struct store_flag_change change = {
	    .verb = (enum store_flag_verb)rng_below(&m->rng, 3),
	    .flags = (uint32_t)rng_below(&m->rng, 32),
	    .keywords = rng_below(&m->rng, 4),
	    .conditional = b->n > 0 && rng_once_in(&m->rng, 2)};
	struct store_uid_list want = {0}, modified = {0};
	uint64_t modseq;
	bool changed;

	if (change.conditional)
		change.unchanged_since =
		    store_find(f->account, b->id,
			       b->mails[rng_below(&m->rng, b->n)].uid)
			->modseq;
	changed = flags_model(f, b, r, &change, &want);
	fixture_check(f, store_flags_change(f->account, b->id,
					    (struct store_uids){&r, 1}, &change,
					    f->now_us, &modseq, &modified, &f->err));
	assert_int_equal(modseq != 0, changed);
	check_same(&modified, &want);
	store_uid_list_release(&want);
	store_uid_list_release(&modified);
	synced(m, f);
}

static int
mail_order(const void *a, const void *b)
{
	uint32_t x = ((const struct mail *)a)->uid, y = ((const struct mail *)b)->uid;

	return x < y ? -1 : x > y;
}

static size_t
mails_take(struct boxm *b, struct store_range r, struct mail *out)
{
	size_t kept = 0, taken = 0;

	for (size_t i = 0; i < b->n; i++)
		if (b->mails[i].uid >= r.first && b->mails[i].uid <= r.last)
			out[taken++] = b->mails[i];
		else
			b->mails[kept++] = b->mails[i];
	b->n = kept;
	return taken;
}

static void
op_expunge(struct model *m)
{
	struct fixture *f = one(m);
	struct boxm *b = any_box(m);
	struct store_range r = any_range(m, b);
	struct mail gone[MAILS_MAX];
	uint64_t n;

	fixture_check(f, store_expunge(f->account, b->id, (struct store_uids){&r, 1},
				       f->now_us, &n, NULL, &f->err));
	assert_int_equal(n, mails_take(b, r, gone));
	synced(m, f);
}

static void
op_copy_or_move(struct model *m)
{
	struct fixture *f = one(m);
	struct boxm *from = any_box(m), *to = any_box(m);
	struct store_range r = any_range(m, from);
	struct mail taken[MAILS_MAX];
	bool move = rng_once_in(&m->rng, 2);
	struct boxm was = *from;
	uint32_t first;
	uint64_t n;
	size_t k = mails_take(from, r, taken);

	if (to->n + k > MAILS_MAX) {
		*from = was;
		return;
	}
	fixture_check(f, (move ? store_move : store_copy)(
			     f->account, from->id, (struct store_uids){&r, 1}, to->id,
			     f->now_us, &first, &n, NULL, &f->err));
	assert_int_equal(n, k);
	if (!move)
		*from = was;
	for (size_t i = 0; i < k; i++) {
		to->mails[to->n] = taken[i];
		to->mails[to->n++].uid = to->uidnext++;
	}
	if (k > 0)
		assert_int_equal(first, to->uidnext - k);
	synced(m, f);
}

/* A message takes the place of some others. */
static void
op_replace(struct model *m)
{
	struct fixture *f = one(m);
	struct boxm *b = any_box(m), *to = any_box(m);
	struct store_range r = any_range(m, b);
	struct store_uid_list done = {0};
	struct mail gone[MAILS_MAX];
	struct buf content = buf_make(4096);
	struct store_appended got;
	struct store_message message;
	size_t n;

	if (to->n == MAILS_MAX)
		return;
	n = mails_take(b, r, gone);
	content_make(++m->tags, &content);
	message = fixture_message(f, buf_span(&content), SPAN("X: y\r\n"));
	message.mailbox = to->id;
	fixture_check(f, store_batch_begin(f->account, true, &f->err));
	fixture_check(f, store_append(f->account, &message, &got, &f->err));
	fixture_check(f,
		      store_batch_expunge(f->account, b->id, (struct store_uids){&r, 1},
					  &done, &f->err));
	if (rng_once_in(&m->rng, 4)) { /* or not */
		store_batch_cancel(f->account);
		memcpy(b->mails + b->n, gone, n * sizeof(*gone));
		b->n += n;
		qsort(b->mails, b->n, sizeof(*b->mails), mail_order);
	} else {
		fixture_check(f, store_batch_end(f->account, &f->err));
		assert_int_equal(store_uid_list_count(&done), n);
		assert_int_equal(got.uid, to->uidnext);
		to->mails[to->n++] = (struct mail){got.uid, m->tags, 0, 0};
		to->uidnext++;
		synced(m, f);
	}
	store_uid_list_release(&done);
	buf_release(&content);
}

static void
rename_inbox(struct model *m, struct fixture *f, const char *name)
{
	struct boxm *inbox = &m->boxes[0], *b = &m->boxes[m->n];

	assert_int_equal(inbox->id, STORE_INBOX);
	if (m->n == BOXES_MAX)
		return;
	fixture_check(f, store_mailbox_rename(f->account, STORE_INBOX, span_str(name),
					      f->now_us, &f->err));
	m->n++;
	memset(b, 0, sizeof(*b));
	b->id = store_mailbox_find(f->account, span_str(name));
	b->uidnext = 1;
	assert_true(span_copy(span_str(name), b->name, sizeof(b->name)));
	for (size_t i = 0; i < inbox->n; i++) {
		b->mails[i] = inbox->mails[i];
		b->mails[i].uid = b->uidnext++;
	}
	b->n = inbox->n;
	inbox->n = 0;
}

static void
op_mailbox(struct model *m)
{
	struct fixture *f = one(m);
	struct boxm *b = any_box(m);
	char name[32];
	uint32_t id;

	snprintf(name, sizeof(name), "Box %u", ++m->tags);
	switch (rng_below(&m->rng, 4)) {
	case 0:
		if (m->n == BOXES_MAX)
			return;
		fixture_check(f, store_mailbox_create(f->account, span_str(name),
						      STORE_USE_NONE, f->now_us, &id,
						      &f->err));
		b = &m->boxes[m->n++];
		memset(b, 0, sizeof(*b));
		b->id = id;
		b->uidnext = 1;
		memcpy(b->name, name, sizeof(name));
		break;
	case 1:
		if (b->id == STORE_INBOX) {
			rename_inbox(m, f, name);
			break;
		}
		fixture_check(f, store_mailbox_rename(f->account, b->id, span_str(name),
						      f->now_us, &f->err));
		memcpy(b->name, name, sizeof(name));
		break;
	case 2:
		if (b->id <= 6 || !rng_once_in(&m->rng, 3))
			return;
		fixture_check(
		    f, store_mailbox_delete(f->account, b->id, f->now_us, &f->err));
		*b = m->boxes[--m->n];
		break;
	default:
		b->subscribed = !b->subscribed;
		fixture_check(f,
			      store_mailbox_subscribe(f->account, b->id, b->subscribed,
						      f->now_us, &f->err));
	}
	synced(m, f);
}

static void
op_reopen(struct model *m)
{
	store_account_close(&m->other.account);
	if (rng_once_in(&m->rng, 2))
		fixture_remove(&m->f, "index");
	if (rng_once_in(&m->rng, 4))
		for (int i = 1; i < 4; i++) {
			char name[32];

			snprintf(name, sizeof(name), "summary.%d", i);
			fixture_remove(&m->f, name);
		}
	fixture_reopen(&m->f);
	m->other.store = m->f.store;
	fixture_open(&m->other);
	listen(m);
}

static void
op_save(struct model *m)
{
	struct fixture *f = one(m);

	fixture_check(f, store_view_save(f->account, &f->err));
}

static void
op_tidy(struct model *m)
{
	struct fixture *f = one(m);
	struct store_compaction done;
	uint64_t n;

	m->f.now_us = m->other.now_us += 60 * INT64_C(1000000);
	if (rng_once_in(&m->rng, 3))
		fixture_check(f, store_rebuild(f->account, f->now_us, &n, &f->err));
	else
		fixture_check(f, store_compact(f->account, rng_below(&m->rng, 2) * 120,
					       f->now_us, NULL, NULL, &done, &f->err));
}

/* As rendered from what it must be, whether text.N has it or not. */
static void
check_text(struct fixture *f, const struct store_record *r, struct span message)
{
	static struct text_renderer *renderer;
	struct text_parts want, got;

	if (!renderer)
		renderer = text_renderer_new(NULL);
	want = text_view(text_render(renderer, SPAN("X: y\r\n"), message));
	fixture_check(f, store_text_of(f->account, r, &got, &f->err));
	assert_true(span_equal(got.headers, want.headers));
	assert_true(span_equal(got.body, want.body));
}

static void
check_mail(struct fixture *f, uint32_t box, const struct mail *mail)
{
	const struct store_record *r = store_find(f->account, box, mail->uid);
	struct buf want = buf_make(4096), got = buf_make(4096);
	struct store_summary s;
	char subject[32];

	assert_non_null(r);
	assert_int_equal(r->flags, mail->flags);
	assert_int_equal(r->keywords, mail->keywords);
	content_make(mail->tag, &want);
	assert_int_equal(r->content_bytes, want.n);
	fixture_check(f, fixture_read(f, box, mail->uid, &got));
	assert_true(span_equal(span_after(buf_span(&got), 6), buf_span(&want)));
	fixture_check(f, store_summary_get(f->account, box, mail->uid, &s, &f->err));
	snprintf(subject, sizeof(subject), "tag %u", mail->tag);
	assert_true(span_equal(s.base_subject, span_str(subject)));
	check_text(f, r, buf_span(&want));
	buf_release(&want);
	buf_release(&got);
}

static void
check_box(struct model *m, struct fixture *f, struct boxm *b)
{
	const struct store_record *r = store_first(f->account, b->id);
	struct store_mailbox box;
	uint64_t unseen = 0;

	assert_true(store_mailbox_get(f->account, b->id, &box));
	for (size_t i = 0; i < b->n; i++) {
		assert_non_null(r);
		assert_int_equal(r->uid, b->mails[i].uid);
		assert_int_equal(r->flags, b->mails[i].flags);
		assert_true(r->modseq <= box.modseq);
		unseen += !(r->flags & STORE_SEEN);
		r = store_next(f->account, r);
	}
	assert_null(r);
	assert_int_equal(box.messages, b->n);
	assert_int_equal(box.unseen, unseen);
	assert_int_equal(box.uidnext, b->uidnext);
	assert_true(span_equal(box.name, span_str(b->name)));
	assert_int_equal(box.subscribed, b->subscribed);
	assert_int_equal(store_mailbox_find(f->account, span_str(b->name)), b->id);
	assert_true(b->uidvalidity == 0 || b->uidvalidity == box.uidvalidity);
	b->uidvalidity = box.uidvalidity;
	assert_true(box.modseq >= b->modseq);
	b->modseq = box.modseq;
	if (b->n > 0)
		check_mail(f, b->id, &b->mails[rng_below(&m->rng, b->n)]);
}

static void
check_model(struct model *m)
{
	struct fixture *f = one(m);
	struct store_mailbox box = {0};
	uint64_t messages = 0;
	size_t n = 0;

	check_heard(m, f);
	for (size_t i = 0; i < m->n; i++) {
		check_box(m, f, &m->boxes[i]);
		messages += m->boxes[i].n;
	}
	while (store_mailbox_next(f->account, box.id, &box))
		n++;
	assert_int_equal(n, m->n);
	assert_int_equal(store_usage(f->account).messages, messages);
}

static void
note(void *context, const struct store_finding *finding)
{
	if (finding->what == STORE_DAMAGE_SUMMARY)
		return;
	print_message("found %d: %s\n", (int)finding->what, finding->text);
	++*(unsigned *)context;
}

static void
op_text(struct model *m)
{
	struct fixture *f = one(m);
	bool done;

	fixture_check(
	    f, store_text_fill(f->account, rng_below(&m->rng, 5000), &done, &f->err));
	if (rng_once_in(&m->rng, 8))
		store_text_forget(f->account);
}

static void (*const ops[])(struct model *) = {
    op_append,  op_append,       op_append,       op_flags, op_flags,
    op_expunge, op_copy_or_move, op_copy_or_move, op_save,  op_tidy,
    op_replace, op_mailbox,      op_reopen,       op_text,  op_text,
};

static void
round_run(uint64_t seed, struct model *m)
{
	const struct store_settings settings = {
	    .data_file_bytes = 20000, .journal_file_bytes = 5000, .summarize = true};
	struct store_mailbox box = {0};
	unsigned findings = 0;
	uint64_t n;

	memset(m, 0, sizeof(*m));
	m->rng = (struct rng){seed};
	fixture_init(&m->f, &settings);
	m->other = m->f;
	fixture_open(&m->other);
	listen(m);
	fixture_check(&m->f, store_view_refresh(m->f.account, &m->f.err));
	while (store_mailbox_next(m->f.account, box.id, &box)) {
		struct boxm *b = &m->boxes[m->n++];

		b->id = box.id;
		b->uidnext = 1;
		b->subscribed = true;
		assert_true(span_copy(box.name, b->name, sizeof(b->name)));
	}
	for (int i = 0; i < 150; i++) {
		ops[rng_below(&m->rng, N_ELEMS(ops))](m);
		check_model(m);
	}
	fixture_check(&m->f,
		      store_verify(m->f.account, note, &findings, &n, &m->f.err));
	assert_int_equal(findings, 0);
	store_account_close(&m->other.account);
	fixture_release(&m->f);
}

static uint64_t
number_from(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);
	uint64_t n;

	return text && number_parse(span_str(text), UINT64_MAX, &n) ? n : otherwise;
}

static uint64_t running;

static void
seed_tell(void)
{
	fprintf(stderr, "last SEED=%llu ROUNDS=1\n", (unsigned long long)running);
}

static void
test_random_operations_agree_with_the_model(void **state)
{
	uint64_t seed = number_from("SEED", 1), rounds = number_from("ROUNDS", 15);
	struct model *m = memory_new(1, sizeof(*m));

	(void)state;
	atexit(seed_tell);
	for (uint64_t i = 0; i < rounds; i++) {
		running = seed + i;
		round_run(running, m);
	}
	free(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_random_operations_agree_with_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

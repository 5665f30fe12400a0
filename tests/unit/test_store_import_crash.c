/* tests/unit/test_store_import_crash.c - power losses in the middle of an import
 *
 * However often the power fails, and whatever of what was not synced the disk then
 * keeps: every message gets the uid that it is to have. SEED= and ROUNDS= come from
 * the environment.
 */
#include "tests/unit/store_power.h"

#include "common/store/internal.h"

#define NOW      INT64_C(1800000000000000)
#define MESSAGES 60

struct world {
	struct power power;
	struct store *store;
	struct store_account *account;
	bool plain; /* no import was begun: as mail is delivered */
	unsigned late;
	struct err err;
};

/* Either went well or the power is gone. */
static bool
went(struct world *w, enum store_result result)
{
	if (result != STORE_OK && !w->power.crashed)
		print_message("result %d: %s\n", (int)result, w->err.text);
	assert_true(result == STORE_OK || w->power.crashed);
	return !w->power.crashed;
}

static bool
world_open(struct world *w)
{
	const struct store_settings settings = {
	    .data_file_bytes = 20000, .journal_file_bytes = 4000, .summarize = true};

	w->store = store_new_on(&w->power.io, SIMDISK_DIR, &settings, &w->err);
	assert_non_null(w->store);
	w->store->boot[0] = (uint8_t)w->power.crashes;
	return went(w, store_account_open(w->store, 1, STORE_MAY_CREATE, NOW,
					  &w->account, &w->err)) &&
	       (w->plain || went(w, store_import_begin(w->account, NOW, &w->err)));
}

static void
world_close(struct world *w)
{
	store_account_close(&w->account);
	store_free(&w->store);
	if (w->power.crashed)
		power_turn(&w->power);
}

/* Uids have gaps, as those of old mailboxes do. */
static uint32_t
uid_of(unsigned i)
{
	return 3 * i + 2;
}

static void
content_put(unsigned i, struct buf *out)
{
	buf_reset(out);
	buf_putf(out, "Subject: %u\r\n\r\n", i);
	for (unsigned k = 0; k < i * 7919u % (i % 9 == 0 ? 3000 : 200); k++)
		buf_put_char(out, (char)('a' + (i + k) % 26));
}

static bool
append(struct world *w, unsigned i, struct buf *content)
{
	struct store_message m = {
	    .mailbox = STORE_INBOX,
	    .internal_us = NOW,
	    .saved_us = NOW,
	    .now_us = NOW,
	    .delivery = {i + 1, 0, 9},
	    .replay = true,
	    .uid = uid_of(i)
        };
	struct store_appended out;
	enum store_result result;

	content_put(i, content);
	m.content = buf_span(content);
	result = store_append(w->account, &m, &out, &w->err);
	if (result == STORE_EXISTS) {
		/* Is it there, then? If not, its uid is lost. */
		m.uid = 0;
		result = store_append(w->account, &m, &out, &w->err);
		w->late += result == STORE_OK && !out.known;
	}
	return went(w, result);
}

/* Some messages in one batch; false when the power is gone. */
static bool
append_some(struct world *w, unsigned from, unsigned to)
{
	struct buf contents[5];
	bool good = went(w, store_batch_begin(w->account, true, &w->err));

	if (!good)
		return false;
	for (unsigned i = from; i < to; i++)
		contents[i - from] = buf_make(1 << 16);
	for (unsigned i = from; i < to && good; i++)
		good = append(w, i, &contents[i - from]);
	if (good)
		good = went(w, store_batch_end(w->account, &w->err));
	else
		store_batch_cancel(w->account);
	for (unsigned i = from; i < to; i++)
		buf_release(&contents[i - from]);
	return good;
}

/* From the first message on, as the command does when it is given again. */
static bool
import(struct world *w)
{
	unsigned i = 0, n;

	for (; i < MESSAGES; i += n) {
		n = 1 + (unsigned)rng_below(&w->power.rng, 5);
		n = i + n > MESSAGES ? MESSAGES - i : n;
		/* What is known can be asked for at the start of a batch only. */
		if (!append_some(w, i, i + 1) ||
		    (n > 1 && !append_some(w, i + 1, i + n)))
			return false;
		if (rng_once_in(&w->power.rng, 9) &&
		    !went(w, store_sync(w->account, NOW, &w->err)))
			return false;
	}
	return went(w, store_sync(w->account, NOW, &w->err));
}

static void
check_content(struct world *w, uint32_t uid, unsigned i)
{
	struct buf want = buf_make(1 << 16);
	struct store_content *c = NULL;
	struct span piece;

	content_put(i, &want);
	assert_int_equal(store_content_open(w->account, STORE_INBOX, uid, &c, &w->err),
			 STORE_OK);
	assert_int_equal(store_content_read(c, 0, want.n + 1, &piece, &w->err),
			 STORE_OK);
	assert_true(span_equal(piece, buf_span(&want)));
	store_content_close(&c);
	buf_release(&want);
}

static void
check_exact(struct world *w)
{
	const struct store_record *r;
	unsigned i = 0;

	assert_int_equal(store_view_refresh(w->account, &w->err), STORE_OK);
	for (r = store_first(w->account, STORE_INBOX); r; i++) {
		uint32_t uid = r->uid;

		assert_int_equal(uid, uid_of(i));
		check_content(w, uid, i);
		r = store_next(w->account, store_find(w->account, STORE_INBOX, uid));
	}
	assert_int_equal(i, MESSAGES);
}

static void
round_run(struct world *w, uint64_t seed)
{
	bool done = false;

	power_init(&w->power, seed);
	while (!done) {
		w->power.crash_in =
		    w->power.crashes < 5
			? 1 + rng_below(&w->power.rng, 40u << w->power.crashes)
			: 0;
		done = world_open(w) && import(w);
		if (done && !w->plain)
			check_exact(w);
		world_close(w);
	}
	power_release(&w->power);
}

static unsigned
run(bool plain)
{
	uint64_t start = power_number("SEED", 1),
		 n = getenv("SEED") ? 1 : power_number("ROUNDS", 60);
	struct world *w = memory_new(1, sizeof(*w));
	unsigned late;

	w->plain = plain;
	for (uint64_t i = 0; i < n; i++) {
		unsigned before = w->late;

		round_run(w, start + i);
		if (!plain && w->late > before)
			print_message("SEED=%llu\n", (unsigned long long)(start + i));
		assert_true(plain || w->late == before);
	}
	late = w->late;
	free(w);
	return late;
}

static void
test_every_message_gets_its_uid(void **state)
{
	(void)state;
	assert_int_equal(run(false), 0);
}

/* Else the test above would say nothing. */
static void
test_without_it_uids_are_lost(void **state)
{
	(void)state;
	if (!getenv("SEED"))
		assert_true(run(true) > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_every_message_gets_its_uid),
	    cmocka_unit_test(test_without_it_uids_are_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

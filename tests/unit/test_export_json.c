#include "admin/export_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

static uint64_t seed;

static uint64_t
random_number(uint64_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (seed >> 20) % below;
}

/* Any bytes but NUL, now and then no UTF-8. */
static struct span
random_text(struct arena *arena, size_t max)
{
	static const char *const pieces[] = {"a",    "\"", "\\", "\xc3\xa9",   "\n",
					     "\xff", "{",  " ",  "x@y.example"};
	struct buf text = buf_make(max);
	struct span kept = SPAN("");

	for (uint64_t n = random_number(12); n > 0; n--)
		buf_put_str(&text, pieces[random_number(N_ELEMS(pieces))]);
	if (text.n > 0)
		assert_true(arena_copy(arena, buf_span(&text), &kept));
	buf_release(&text);
	return kept;
}

static struct span
random_password(struct arena *arena)
{
	struct directory_password p = {.crypt = "$y$j9T$abc$def"};
	struct buf bytes = buf_make(4096);
	struct span kept;

	if (random_number(2)) {
		p.has_scram = true;
		scram_keys_make(SPAN("x"), SPAN("0123456789abcdef"),
				SCRAM_ITERATIONS_MIN, &p.scram);
	}
	directory_password_put(&p, &bytes);
	assert_true(arena_copy(arena, buf_span(&bytes), &kept));
	buf_release(&bytes);
	return kept;
}

static struct span
random_items(struct arena *arena)
{
	struct buf items = buf_make(4096);
	struct span kept = SPAN("");

	for (uint64_t n = random_number(4); n > 0; n--)
		directory_item_put(&items, random_text(arena, 200));
	if (items.n > 0)
		assert_true(arena_copy(arena, buf_span(&items), &kept));
	buf_release(&items);
	return kept;
}

static uint64_t
random_value(const struct directory_field *f)
{
	unsigned words = f->words != NULL;

	for (const char *at = f->words; at && *at; at++)
		words += *at == ' ';
	switch (f->type) {
	case DIRECTORY_FLAG:
		return random_number(2);
	case DIRECTORY_CHOICE:
		return random_number(words);
	case DIRECTORY_SET:
		return 1 + random_number((1u << words) - 1);
	default:
		return random_number(f->max ? f->max : (uint64_t)1 << 40);
	}
}

static void
random_object(struct arena *arena, struct directory_object *o)
{
	*o = (struct directory_object){
	    .kind = (enum directory_kind)random_number(DIRECTORY_KINDS),
	    .name = SPAN("jane@example.org")};
	if (o->kind == DIRECTORY_APP_PASSWORD)
		o->label = SPAN("phone");
	for (size_t i = 1; i < DIRECTORY_FIELDS; i++) {
		const struct directory_field *f = directory_field(o->kind, i);

		if (!f || (f->flags & DIRECTORY_DERIVED) || random_number(3) == 0)
			continue;
		if (directory_field_is_number(f))
			directory_put_number(o, i, random_value(f));
		else if (o->kind == DIRECTORY_ACCOUNT && i == FIELD_ACCOUNT_PASSWORD)
			directory_put_text(o, i, random_password(arena));
		else
			directory_put_text(o, i,
					   f->type == DIRECTORY_ADDRESSES
					       ? random_items(arena)
					       : random_text(arena, 200));
	}
}

static void
assert_same(const struct directory_object *a, const struct directory_object *b)
{
	struct buf x = buf_make(EXPORT_LINE_MAX), y = buf_make(EXPORT_LINE_MAX);

	directory_object_put(a, &x);
	directory_object_put(b, &y);
	assert_true(x.n > 0);
	assert_true(span_equal(buf_span(&x), buf_span(&y)));
	buf_release(&x);
	buf_release(&y);
}

static void
test_line_gives_every_object_back(void **state)
{
	const char *given = getenv("SEED");

	(void)state;
	seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
	print_message("SEED=%llu\n", (unsigned long long)seed);
	for (int i = 0; i < 500; i++) {
		struct directory_object before, after;
		struct buf line = buf_make(EXPORT_LINE_MAX);
		struct arena arena;
		struct err err = {0};

		arena_init(&arena, EXPORT_LINE_MAX);
		random_object(&arena, &before);
		assert_int_equal(export_json_put(&before, &line, &err), 0);
		assert_int_equal(span_find(buf_span(&line), '\n'), line.n - 1);
		if (export_json_get(buf_span(&line), &arena, &after, &err) != 0)
			fail_msg("%s: %.*s", err.text, SPAN_ARG(buf_span(&line)));
		assert_same(&before, &after);
		arena_release(&arena);
		buf_release(&line);
	}
}

static void
test_line_that_is_no_object_is_refused(void **state)
{
	static const char *const rows[] = {
	    "",
	    "{}",
	    "[]",
	    "x",
	    "{\"kind\":\"account\"}",
	    "{\"kind\":\"planet\",\"name\":\"x\"}",
	    "{\"kind\":\"account\",\"name\":\"a@b.c\",\"colour\":1}",
	    "{\"kind\":\"account\",\"name\":\"a@b.c\",\"disabled\":1}",
	    "{\"kind\":\"account\",\"name\":\"a@b.c\",\"id\":\"x\"}",
	    "{\"kind\":\"account\",\"name\":\"a@b.c\",\"forward\":[1]}",
	    "{\"kind\":\"account\",\"name\":\"a@b.c\",\"password\":{\"crypt\":1}}",
	    "{\"kind\":\"list\",\"name\":\"a@b.c\",\"posting\":\"all\"}",
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct directory_object o;
		struct arena arena;
		struct err err = {0};

		arena_init(&arena, EXPORT_LINE_MAX);
		if (export_json_get(span_str(rows[i]), &arena, &o, &err) != -1)
			fail_msg("%s", rows[i]);
		assert_true(err.text[0] != '\0');
		arena_release(&arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_line_gives_every_object_back),
	    cmocka_unit_test(test_line_that_is_no_object_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

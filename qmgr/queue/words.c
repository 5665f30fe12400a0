#include "qmgr/queue/words.h"

void
words_release(struct words *w)
{
	for (uint32_t i = 1; i < w->n; i++)
		free(w->at[i].text);
	free(w->at);
	free(w->buckets);
	*w = (struct words){0};
}

static void
buckets_grow(struct words *w)
{
	w->n_buckets = w->n_buckets ? w->n_buckets * 2 : 64;
	w->buckets = memory_resize(w->buckets, w->n_buckets, sizeof(*w->buckets));
	memset(w->buckets, 0, w->n_buckets * sizeof(*w->buckets));
	for (uint32_t i = 1; i < w->n; i++) {
		uint32_t *bucket = &w->buckets[w->at[i].hash & (w->n_buckets - 1)];

		if (w->at[i].users == 0)
			continue;
		w->at[i].next = *bucket;
		*bucket = i;
	}
}

static uint32_t
word_new(struct words *w)
{
	uint32_t i = w->free;

	if (i != 0) {
		w->free = w->at[i].next;
		return i;
	}
	if (w->n >= w->size) {
		w->size = w->size ? w->size * 2 : 64;
		w->at = memory_resize(w->at, w->size, sizeof(*w->at));
		w->at[0] = (struct word){0};
		w->n = w->n ? w->n : 1;
	}
	return w->n++;
}

static uint32_t
bucket_find(const struct words *w, struct span text, uint32_t hash)
{
	uint32_t i = w->n_buckets ? w->buckets[hash & (w->n_buckets - 1)] : 0;

	while (i != 0 && (w->at[i].hash != hash || !span_equal(word_text(w, i), text)))
		i = w->at[i].next;
	return i;
}

uint32_t
word_find(const struct words *w, struct span text)
{
	text = span_first(text, WORD_BYTES_MAX);
	return text.n > 0 ? bucket_find(w, text, crc32c(0, text)) : 0;
}

uint32_t
word_take(struct words *w, struct span text)
{
	uint32_t hash, *bucket, i;

	text = span_first(text, WORD_BYTES_MAX);
	if (text.n == 0)
		return 0;
	hash = crc32c(0, text);
	i = bucket_find(w, text, hash);
	if (i != 0) {
		w->at[i].users++;
		return i;
	}
	if (w->n_used >= w->n_buckets)
		buckets_grow(w);
	bucket = &w->buckets[hash & (w->n_buckets - 1)];
	i = word_new(w);
	w->at[i] = (struct word){
	    .n = (uint32_t)text.n, .users = 1, .hash = hash, .next = *bucket};
	w->at[i].text = memory_new(text.n, 1);
	memcpy(w->at[i].text, text.at, text.n);
	*bucket = i;
	w->n_used++;
	return i;
}

void
word_drop(struct words *w, uint32_t *word)
{
	uint32_t i = *word, *at;

	*word = 0;
	if (i == 0 || --w->at[i].users > 0)
		return;
	at = &w->buckets[w->at[i].hash & (w->n_buckets - 1)];
	while (*at != i)
		at = &w->at[*at].next;
	*at = w->at[i].next;
	free(w->at[i].text);
	w->at[i] = (struct word){.next = w->free};
	w->free = i;
	w->n_used--;
}

struct span
word_text(const struct words *w, uint32_t word)
{
	return word ? span_make(w->at[word].text, w->at[word].n) : span_make("", 0);
}

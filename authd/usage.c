#include "authd/usage.h"

struct usage {
	uint64_t account; /* 0: the place is free */
	uint64_t bytes;
	uint64_t asked_ms; /* 0: bytes is known */
};

struct usages {
	struct usage *at;
	size_t n, size; /* size is a power of two, at most half of it used */
};

#define SIZE_MIN 256

struct usages *
usages_new(void)
{
	struct usages *u = memory_new(1, sizeof(*u));

	u->size = SIZE_MIN;
	u->at = memory_new(u->size, sizeof(*u->at));
	return u;
}

void
usages_free(struct usages **u)
{
	if (*u)
		free((*u)->at);
	free(*u);
	*u = NULL;
}

void
usages_forget_all(struct usages *u)
{
	free(u->at);
	u->n = 0;
	u->size = SIZE_MIN;
	u->at = memory_new(u->size, sizeof(*u->at));
}

/* The account's place, or the free one where it would stand. */
static struct usage *
place_of(const struct usages *u, uint64_t account)
{
	size_t i = (size_t)((account * 0x9e3779b97f4a7c15u) >> 32) & (u->size - 1);

	while (u->at[i].account && u->at[i].account != account)
		i = (i + 1) & (u->size - 1);
	return &u->at[i];
}

static void
grow(struct usages *u)
{
	struct usages bigger = {.n = u->n, .size = 2 * u->size};

	bigger.at = memory_new(bigger.size, sizeof(*bigger.at));
	for (size_t i = 0; i < u->size; i++)
		if (u->at[i].account)
			*place_of(&bigger, u->at[i].account) = u->at[i];
	free(u->at);
	*u = bigger;
}

static struct usage *
make_place(struct usages *u, uint64_t account)
{
	struct usage *place = place_of(u, account);

	if (place->account)
		return place;
	if (u->n == USAGES_MAX)
		usages_forget_all(u);
	else if (2 * (u->n + 1) > u->size)
		grow(u);
	place = place_of(u, account);
	*place = (struct usage){.account = account};
	u->n++;
	return place;
}

void
usages_set(struct usages *u, uint64_t account, uint64_t bytes)
{
	struct usage *place;

	if (account == 0)
		return;
	place = make_place(u, account);
	place->bytes = bytes;
	place->asked_ms = 0;
}

enum usage_state
usages_get(struct usages *u, uint64_t account, uint64_t now_ms, uint64_t *bytes)
{
	struct usage *place = place_of(u, account);

	if (place->account && !place->asked_ms) {
		*bytes = place->bytes;
		return USAGE_KNOWN;
	}
	if (place->account && now_ms - place->asked_ms < USAGE_AGAIN_MS)
		return USAGE_ASKED;
	make_place(u, account)->asked_ms = now_ms ? now_ms : 1;
	return USAGE_UNKNOWN;
}

size_t
usages_count(const struct usages *u)
{
	return u->n;
}

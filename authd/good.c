#include "authd/good.h"
#include "common/sasl/sasl.h"

struct entry {
	struct good_mark mark;
	uint64_t expires_ms; /* 0: free */
};

struct good {
	uint8_t key[32];
	struct entry sets[GOOD_SETS][GOOD_WAYS];
};

struct good *
good_new(const uint8_t key[32])
{
	struct good *g = memory_new(1, sizeof(*g));

	memcpy(g->key, key, sizeof(g->key));
	return g;
}

void
good_free(struct good **g)
{
	if (*g)
		explicit_bzero(*g, sizeof(**g));
	free(*g);
	*g = NULL;
}

void
good_mark_make(const struct good *g, uint64_t account, struct net_key site,
	       const char *crypt, struct span password, struct good_mark *out)
{
	struct buf text = buf_make(2 * SASL_PASSWORD_MAX);
	uint8_t mac[SCRAM_KEY_BYTES];

	wire_put_u64(&text, account);
	buf_put(&text, span_make(site.ip, sizeof(site.ip)));
	wire_put_bytes(&text, span_str(crypt));
	wire_put_bytes(&text, password);
	ASSERT(!text.full);
	scram_hmac(span_make(g->key, sizeof(g->key)), buf_span(&text), mac);
	memcpy(out->bytes, mac, sizeof(out->bytes));
	explicit_bzero(text.at, text.size);
	buf_release(&text);
}

static size_t
set_of(const struct good_mark *m)
{
	return (size_t)(m->bytes[0] | m->bytes[1] << 8) % GOOD_SETS;
}

bool
good_has(const struct good *g, const struct good_mark *m, uint64_t now_ms)
{
	const struct entry *set = g->sets[set_of(m)];
	bool has = false;

	for (size_t i = 0; i < GOOD_WAYS; i++)
		has |= set[i].expires_ms > now_ms &&
		       scram_equal(&set[i].mark, m, sizeof(*m));
	return has;
}

void
good_add(struct good *g, const struct good_mark *m, uint64_t now_ms)
{
	struct entry *set = g->sets[set_of(m)], *place = &set[0];

	for (size_t i = 0; i < GOOD_WAYS; i++) {
		if (scram_equal(&set[i].mark, m, sizeof(*m))) {
			place = &set[i];
			break;
		}
		if (set[i].expires_ms < place->expires_ms)
			place = &set[i];
	}
	*place = (struct entry){*m, now_ms + GOOD_MS};
}

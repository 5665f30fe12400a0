#include "imapd/session/quota.h"

bool
quota_of_domain(const struct session *s)
{
	return s->account->domain && s->account->domain->quota_bytes > 0;
}

enum run
quota_ask(struct session *s)
{
	if (!quota_of_domain(s) || s->domain_use.state != DOMAIN_USE_UNASKED)
		return RUN_DONE;
	return RUN_ASK;
}

void
quota_ask_again(struct session *s)
{
	s->domain_use.state = DOMAIN_USE_UNASKED;
}

void
session_domain_use(struct session *s, bool known, uint64_t bytes)
{
	s->domain_use.state = known ? DOMAIN_USE_KNOWN : DOMAIN_USE_UNKNOWN;
	s->domain_use.bytes = bytes;
}

static bool
exceeds(uint64_t quota, uint64_t used, uint64_t freed, uint64_t bytes)
{
	return quota > 0 && used - (freed < used ? freed : used) + bytes > quota;
}

enum room
quota_room(const struct session *s, uint64_t freed, uint64_t bytes)
{
	const struct account *a = s->account;

	if (bytes == 0)
		return ROOM_ENOUGH;
	if (exceeds(a->quota_bytes, store_usage(a->mail).bytes, freed, bytes))
		return ROOM_NONE;
	if (!quota_of_domain(s))
		return ROOM_ENOUGH;
	if (s->domain_use.state != DOMAIN_USE_KNOWN)
		return ROOM_UNKNOWN;
	return exceeds(a->domain->quota_bytes, s->domain_use.bytes, freed, bytes)
		   ? ROOM_NONE
		   : ROOM_ENOUGH;
}

const char *
quota_refusal(enum room room, const char **code)
{
	*code = room == ROOM_NONE ? "OVERQUOTA" : "UNAVAILABLE";
	return room == ROOM_NONE ? "The quota would be exceeded"
				 : "Nobody can say how full the domain is";
}

#include "delivery/remote/session/inner.h"

static const struct keyword {
	struct span name;
	enum session_offer offer;
} keywords[] = {
    {SPAN("PIPELINING"), SESSION_PIPELINING},
    {SPAN("CHUNKING"),   SESSION_CHUNKING  },
    {SPAN("8BITMIME"),   SESSION_8BITMIME  },
    {SPAN("BINARYMIME"), SESSION_BINARYMIME},
    {SPAN("SMTPUTF8"),   SESSION_SMTPUTF8  },
    {SPAN("SIZE"),       SESSION_SIZE      },
    {SPAN("DSN"),        SESSION_DSN       },
    {SPAN("STARTTLS"),   SESSION_STARTTLS  },
    {SPAN("REQUIRETLS"), SESSION_REQUIRETLS},
    {SPAN("AUTH"),       SESSION_AUTH      },
    {SPAN("LIMITS"),     SESSION_LIMITS    },
};

/* "RCPTMAX=100 MAILMAX=10" [RFC9422 2]; what is no such number is passed over. */
static void
parse_limits(struct offers *o, struct span args)
{
	while (args.n > 0) {
		struct span value = smtp_word(&args), name = span_cut(&value, '=');
		uint64_t n;

		if (!number_parse(value, UINT32_MAX, &n) || n == 0)
			continue;
		if (span_equal_nocase(name, SPAN("RCPTMAX")))
			o->rcpts_max = n;
		else if (span_equal_nocase(name, SPAN("MAILMAX")))
			o->mails_max = n;
		else if (span_equal_nocase(name, SPAN("RCPTDOMAINMAX")))
			o->domains_max = n;
	}
}

static void
parse_mechanisms(struct offers *o, struct span args)
{
	while (args.n > 0) {
		enum sasl_mechanism m;

		if (sasl_mechanism_find(smtp_word(&args), &m))
			o->mechanisms |= 1u << m;
	}
}

/* One line of the reply, of which the first greets. */
static void
parse_line(struct offers *o, struct span line, unsigned avoid)
{
	struct span name = smtp_word(&line);
	unsigned offer = 0;

	for (size_t i = 0; i < N_ELEMS(keywords); i++)
		if (span_equal_nocase(name, keywords[i].name))
			offer = keywords[i].offer & ~avoid;
	o->set |= offer;
	line = span_trim(line, " ");
	if (offer == SESSION_SIZE && !number_parse(line, UINT64_MAX, &o->size_max))
		o->size_max = 0;
	else if (offer == SESSION_LIMITS)
		parse_limits(o, line);
	else if (offer == SESSION_AUTH)
		parse_mechanisms(o, line);
}

void
offers_parse(struct offers *o, const struct smtp_reply *reply, unsigned avoid)
{
	struct span rest = buf_span(&reply->text);

	*o = (struct offers){0};
	smtp_reply_line(&rest);
	while (rest.n > 0)
		parse_line(o, smtp_reply_line(&rest), avoid);
}

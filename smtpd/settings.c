#include "smtpd/smtpd.h"

#define ANSWER_MS 120000
/* Under load who makes mistakes must go, and who brings nothing too. */
#define LOAD_ERRORS_MAX 1
#define LOAD_IDLE_MAX   10
/* Room for what the spool's form of an envelope adds to ours. */
#define ENVELOPE_MEMORY_MAX (ENVELOPE_BYTES_MAX / 4 * 3)

const struct smtpd_service smtpd_services[SMTPD_SERVICES] = {
    {.listener = "smtp",        .kind = SESSION_MX, .starttls = true},
    {.listener = "submission",
     .kind = SESSION_SUBMISSION,
     .starttls = true,
     .logins = true},
    {.listener = "submissions",
     .kind = SESSION_SUBMISSIONS,
     .implicit_tls = true,
     .logins = true},
    {.listener = "lmtp", .kind = SESSION_LMTP                  },
    {.listener = "submit",            .kind = SESSION_LOCAL                             },
};

const struct smtpd_service *
smtpd_service_find(struct span listener)
{
	for (size_t i = 0; i < SMTPD_SERVICES; i++)
		if (span_equal(listener, span_str(smtpd_services[i].listener)))
			return &smtpd_services[i];
	return NULL;
}

static struct session_limits
limits_of(const struct settings *s)
{
	struct session_limits l = session_limits_default;

	l.message_bytes_max = s->message_bytes_max;
	l.line_bytes_max = s->smtp_line_bytes_max;
	l.text_line_bytes_max = s->smtp_text_line_bytes_max;
	l.header_bytes_max = s->header_bytes_max;
	l.header_field_bytes_max = s->header_field_bytes_max;
	l.header_fields_max = (unsigned)s->header_fields_max;
	l.hops_max = (unsigned)s->hops_max;
	l.rcpts_max = (unsigned)s->recipients_max;
	l.transactions_max = (unsigned)s->smtp_transactions_max;
	l.chunks_max = (unsigned)s->smtp_chunks_max;
	l.errors_delay = (unsigned)s->smtp_errors_delay;
	l.errors_max = (unsigned)s->smtp_errors_max;
	l.idle_commands_max = (unsigned)s->smtp_idle_commands_max;
	l.logins_max = (unsigned)s->auth_failures_max;
	l.envelope_bytes_max = ENVELOPE_MEMORY_MAX;
	l.login_ms = s->login_timeout_s * 1000;
	l.hello_ms = s->smtp_greeting_timeout_s * 1000;
	l.command_ms = s->smtp_idle_timeout_s * 1000;
	l.session_ms = s->smtp_session_timeout_s * 1000;
	l.tls_ms = s->tls_handshake_timeout_s * 1000;
	l.answer_ms = ANSWER_MS;
	l.data_window_ms = s->smtp_data_window_s * 1000;
	l.data_window_bytes = s->smtp_data_window_s * s->smtp_data_bytes_per_s_min;
	return l;
}

static void
under_load(struct session_limits *l, const struct settings *s)
{
	l->errors_delay = l->errors_max = LOAD_ERRORS_MAX;
	l->idle_commands_max = LOAD_IDLE_MAX;
	l->command_ms = l->hello_ms = s->smtp_idle_timeout_load_s * 1000;
}

static struct session_policy
policy_of(const struct smtpd *d, const struct smtpd_service *service)
{
	const struct settings *s = proc_settings(d->proc);
	bool strict = s->bare_newline == BARE_NEWLINE_REJECT;
	bool foreign = service->kind == SESSION_MX || service->kind == SESSION_LMTP;
	struct session_policy p = {
	    .kind = service->kind,
	    .limits = limits_of(s),
	    .host_name = span_str(d->host_name),
	    .starttls = service->starttls && d->certificate.tls,
	    .auth_without_tls = s->auth_without_tls,
	    .login_required = service->logins,
	    .normalise_bare = !foreign || !strict,
	    .xclient = service->kind == SESSION_LOCAL,
	    .mend = service->logins || service->kind == SESSION_LOCAL,
	    .hide_client = service->logins && s->submission_hide_client,
	};

	if (service->logins)
		p.mechanisms = SMTP_AUTH_PLAIN | SMTP_AUTH_LOGIN |
			       SMTP_AUTH_SCRAM_SHA_256 | SMTP_AUTH_SCRAM_SHA_256_PLUS;
	if (service->kind == SESSION_MX)
		p.limits.greet_ms = s->smtp_greet_delay_ms;
	return p;
}

void
settings_apply(struct smtpd *d)
{
	const struct settings *s = proc_settings(d->proc);
	struct net_limits_config limits = limits_of_clients(d->proc, IPC_KIND_SMTPD);

	for (size_t i = 0; i < SMTPD_SERVICES; i++) {
		struct session_policy *policies = d->policies[i];

		policies[0] = policies[1] = policy_of(d, &smtpd_services[i]);
		under_load(&policies[1].limits, s);
	}
	if (d->limits)
		net_limits_configure(d->limits, &limits);
}

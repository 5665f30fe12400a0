/* tests/unit/resolver_pipe.c - a real postroad-resolved, asked from a pipe
 *
 *   resolver_pipe SETTINGS [FILE]  starts it; says "ready". In FILE policies are kept
 *   dns TAG TYPE NAME           asked over ipc, as remote would
 *   sts TAG DOMAIN
 *   status
 *
 * Answers come as they are given, fields between tabs:
 *
 *   dns TAG outcome security ttl name text RECORD...
 *   sts TAG mode id text HOST...
 *   status NAME VALUE...
 *
 * The end of the input is an orderly stop, which must end with exit code 0.
 */
#include "tests/unit/hosted.h"

#include "common/dns/dns.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

struct pipe_state {
	struct hosted h;
	struct ipc_peer *peer;
	struct buf input;
	bool ended;
};

static const char *const outcomes[] = {"OK", "NO_NAME", "NO_DATA", "LATER"};

static void
field(struct span s)
{
	printf("\t%.*s", SPAN_ARG(s));
}

static void
bytes_field(const char *head, struct span bytes)
{
	printf("\t%s ", head);
	for (size_t i = 0; i < bytes.n; i++)
		printf("%02x", (uint8_t)bytes.at[i]);
}

static void
record_field(const struct dns_record *r)
{
	char head[40];

	switch (r->type) {
	case DNS_MX:
		printf("\tMX %u %.*s", r->preference, SPAN_ARG(r->name));
		return;
	case DNS_CNAME:
	case DNS_PTR:
		printf("\t%s %.*s", dns_type_name(r->type), SPAN_ARG(r->name));
		return;
	case DNS_TLSA:
		snprintf(head, sizeof(head), "TLSA %u %u %u", r->usage, r->selector,
			 r->matching);
		bytes_field(head, r->data);
		return;
	case DNS_A:
	case DNS_AAAA:
	case DNS_TXT:
		bytes_field(dns_type_name(r->type), r->data);
		return;
	}
}

static void
print_dns(const struct ipc_dns_answer *m)
{
	struct cursor list = cursor_make(m->records);
	struct dns_record r;

	assert_true(m->outcome < DNS_OUTCOME_COUNT);
	printf("dns\t%llu\t%s\t%s\t%u", (unsigned long long)m->tag,
	       outcomes[m->outcome], dns_security_name((enum dns_security)m->security),
	       m->ttl_s);
	field(m->name);
	field(m->text);
	while (dns_record_next(&list, &r))
		record_field(&r);
	assert_false(list.failed);
}

static void
print_sts(const struct ipc_sts_answer *m)
{
	struct span hosts = m->hosts;

	printf("sts\t%llu\t%s", (unsigned long long)m->tag,
	       sts_mode_name((enum sts_mode)m->mode));
	field(m->id);
	field(m->text);
	while (hosts.n > 0)
		field(span_cut(&hosts, '\n'));
}

static void
print_status(struct span lines)
{
	printf("status");
	while (lines.n > 0)
		field(span_cut(&lines, '\n'));
}

static void
on_message(struct ipc_peer *peer, void *context, const struct ipc_message *m, int fd)
{
	(void)peer, (void)context, (void)fd;
	if (m->number == IPC_NUMBER_dns_answer)
		print_dns(&m->dns_answer);
	else if (m->number == IPC_NUMBER_sts_answer)
		print_sts(&m->sts_answer);
	else
		return;
	printf("\n");
	fflush(stdout);
}

static void
on_down(struct ipc_peer *peer, void *context)
{
	(void)context;
	bool broken;

	printf("down\t%s\n", ipc_peer_fault(peer, &broken));
	fflush(stdout);
}

static void
on_said(struct hosted *h, const struct ipc_message *m)
{
	(void)h;
	if (m->number != IPC_NUMBER_status)
		return;
	print_status(m->status.lines);
	printf("\n");
	fflush(stdout);
}

static unsigned
type_of(struct span name)
{
	for (unsigned type = 1; type < 300; type++)
		if (span_equal(span_str(dns_type_name(type)), name))
			return type;
	return 0;
}

static void
command(struct pipe_state *p, struct span line)
{
	struct span verb = span_cut(&line, ' '), tag_text = span_cut(&line, ' ');
	uint64_t tag = 0;

	if (span_equal(verb, SPAN("status"))) {
		struct ipc_status_ask m = {1};

		ipc_send_status_ask(p->h.master, &m);
		return;
	}
	assert_true(number_parse(tag_text, UINT64_MAX, &tag));
	if (span_equal(verb, SPAN("dns"))) {
		struct span type = span_cut(&line, ' ');
		struct ipc_dns_ask m = {tag, (uint16_t)type_of(type), line};

		ipc_send_dns_ask(p->peer, &m);
	} else {
		struct ipc_sts_ask m = {tag, line};

		ipc_send_sts_ask(p->peer, &m);
	}
}

static void
on_input(int fd, short what, void *context)
{
	struct pipe_state *p = context;
	char bytes[65536];
	ssize_t n = read(fd, bytes, sizeof(bytes));
	size_t end;

	(void)what;
	p->ended = n <= 0;
	buf_put(&p->input, span_make(bytes, (size_t)(n > 0 ? n : 0)));
	while ((end = span_find(buf_span(&p->input), '\n')) < p->input.n) {
		command(p, span_first(buf_span(&p->input), end));
		buf_drop_front(&p->input, end + 1);
	}
}

/* As master would. */
static void
give_file(struct hosted *h, const char *path)
{
	struct ipc_ctl_file m = {SPAN("sts.policies")};
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	ipc_send_ctl_file(h->master, &m, fd);
	close(fd);
}

int
main(int argc, char **argv)
{
	static const struct ipc_callbacks callbacks = {NULL, on_message, on_down};
	struct pipe_state p = {.input = buf_make(16u << 20)};
	struct event *input;

	assert_true(argc == 2 || argc == 3);
	hosted_folder(&p.h);
	p.h.said = on_said;
	hosted_start(&p.h, IPC_KIND_RESOLVED, argv[1]);
	if (argc == 3)
		give_file(&p.h, argv[2]);
	p.peer = hosted_peer(&p.h, IPC_KIND_REMOTE, &callbacks, &p);
	input = event_new(p.h.base, STDIN_FILENO, EV_READ | EV_PERSIST, on_input, &p);
	event_add(input, NULL);
	printf("ready\t%d\n", p.h.pid);
	fflush(stdout);
	while (!p.ended) {
		ipc_flush_all();
		event_base_loop(p.h.base, EVLOOP_ONCE);
	}
	event_free(input);
	hosted_stop(&p.h);
	ipc_peer_free(&p.peer);
	hosted_end(&p.h);
	buf_release(&p.input);
	return 0;
}

/* mailq(1), in the form that scripts know from Postfix */
#include <time.h>

#include "admin/queue.h"
#include "admin/sendmail.h"

struct mailq {
	uint64_t n, bytes;
};

static void
print_recipients(const struct queue_message *m)
{
	for (size_t i = 0; i < m->n_recipients; i++) {
		if (!queue_recipient_listed(m, i))
			continue;
		printf("%41s", "");
		queue_print_text(stdout, m->recipients[i].address);
		putchar('\n');
	}
	putchar('\n');
}

static void
print_message(void *context, const struct queue_message *m)
{
	time_t arrived = (time_t)(m->arrived_us / 1000000);
	char mark = m->status == QUEUE_ACTIVE ? '*'
		    : m->status == QUEUE_HELD ? '!'
					      : ' ';
	struct mailq *q = context;
	char when[32] = "";
	struct tm local;

	if (q->n++ == 0)
		puts("-Queue ID-  --Size-- ----Arrival Time---- "
		     "-Sender/Recipient-------");
	if (localtime_r(&arrived, &local))
		strftime(when, sizeof(when), "%a %b %d %H:%M:%S", &local);
	printf("%s%c %8llu %s  ", m->id, mark, (unsigned long long)m->bytes, when);
	queue_print_text(stdout, m->sender[0] ? m->sender : "MAILER-DAEMON");
	putchar('\n');
	if (m->reason[0]) {
		putchar('(');
		queue_print_text(stdout, m->reason);
		puts(")");
	}
	print_recipients(m);
	q->bytes += m->bytes;
}

enum exit_status
mailq_run(struct admin *admin, int argc, char **argv)
{
	struct ipc_queue_ask ask = {.verb = QUEUE_LIST};
	struct queue_answer answer = {0};
	struct mailq q = {0};
	enum exit_status status;

	(void)argc, (void)argv;
	status = queue_read(admin, &ask, 0, print_message, &q, &answer);
	if (status == EXIT_DONE) {
		queue_answer_tell_paused(&answer, stdout);
		if (q.n == 0)
			puts("Mail queue is empty");
		else
			printf("-- %llu Kbytes in %llu Request%s.\n",
			       (unsigned long long)((q.bytes + 1023) / 1024),
			       (unsigned long long)q.n, q.n == 1 ? "" : "s");
		status = queue_answer_status(&answer);
	}
	queue_answer_release(&answer);
	return status;
}

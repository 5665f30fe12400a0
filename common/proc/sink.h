/* common/proc/sink.h - where log lines go: file descriptor 2, once a turn
 *
 * Lines are gathered in memory and written by sink_flush(); a full buffer, and a
 * program that dies by abort() or a bad memory access, write it before. Each
 * write is one or more whole lines. Who reads too slowly is waited for once, for
 * SINK_WAIT_MS; after that lines are lost, and counted, until he has read again.
 * Worker threads may log.
 */
#pragma once

#include "common/base/base.h"

#define SINK_WAIT_MS 1000

enum log_form {
	LOG_FORM_TIME,    /* 2026-11-22T03:30:00.123456Z smtpd[17] event k=v */
	LOG_FORM_JOURNAL, /* <6>smtpd[17] event k=v */
	LOG_FORM_SYSLOG,  /* <22>postroad-smtpd[17]: event k=v [RFC3164 4.1] */
	LOG_FORM_COUNT,
};

/* Installs the sink for logline(). `name` must live on. */
void sink_start(const char *name);
void sink_set_form(enum log_form form);
void sink_flush(void);

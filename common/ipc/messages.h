/* common/ipc/messages.h - every message that two programs ever exchange
 *
 * One row a message: number, name, who may send it, who may receive it, fields.
 * From the rows come the structs, the writer, the reader, the names and the
 * check of direction. A field is U8, U16, U32, U64 or BYTES; BYTES point into
 * the packet and live until the callback returns. A row with FD carries one
 * file descriptor, which the receiver owns.
 *
 * A hash over all rows is the first thing two programs tell each other, so a
 * half-upgraded installation fails at once and says why. Numbers are never
 * used again for something else.
 */
#pragma once

#include "common/base/base.h"

/* clang-format off */

/* The parties, in the order of the service table. */
#define IPC_KINDS(K)                                                                     \
	K(MASTER, "master")                                                              \
	K(SPOOLD, "spoold")                                                              \
	K(AUTHD, "authd")                                                                \
	K(QMGR, "qmgr")                                                                  \
	K(LOCAL, "local")                                                                \
	K(RESOLVED, "resolved")                                                          \
	K(REMOTE, "remote")                                                              \
	K(BOUNCE, "bounce")                                                              \
	K(SMTPD, "smtpd")                                                                \
	K(POP3D, "pop3d")                                                                \
	K(IMAPD, "imapd")                                                                \
	K(GATE, "gate")                                                                  \
	K(PICKUP, "pickup")                                                              \
	K(ADMIN, "admin")

/* Fields, a macro a message. */
#define IPC_hello(U8, U16, U32, U64, BYTES) U64(rows_hash) U32(kind) U32(instance)

/* --- master and a program it started -------------------------------------- */

/* After ctl_log and all ctl_count. The descriptor holds the settings as text:
 * what master read, with every variable and default already in place. */
#define IPC_ctl_start(U8, U16, U32, U64, BYTES) U32(instances) BYTES(config_path)
/* How many processes of one kind there are; sent before ctl_start. */
#define IPC_ctl_count(U8, U16, U32, U64, BYTES) U32(kind) U32(instances)
/* A file the program cannot open itself, by name: "tls.cert", "tls.key",
 * "sts.policies". */
#define IPC_ctl_file(U8, U16, U32, U64, BYTES) BYTES(name)
/* A listening socket: "smtp", "submission", "submissions", "lmtp", "submit",
 * "pop3", "pop3s", "imap", "imaps", "control", "administrators". */
#define IPC_ctl_listener(U8, U16, U32, U64, BYTES) BYTES(name)
/* A fresh channel to another program, which has been started so often; replaces an
 * earlier one to the same. */
#define IPC_ctl_peer(U8, U16, U32, U64, BYTES)  U32(kind) U32(instance) U64(start)
/* That channel is gone. */
#define IPC_ctl_lost(U8, U16, U32, U64, BYTES)  U32(kind) U32(instance) U64(start)
#define IPC_ctl_ready(U8, U16, U32, U64, BYTES) U8(ok) BYTES(text)
/* enum log_form of common/proc; the descriptor becomes the program's stderr. */
#define IPC_ctl_log(U8, U16, U32, U64, BYTES)   U8(form)
/* The listeners of this name are to be closed; others may follow. */
#define IPC_ctl_unlisten(U8, U16, U32, U64, BYTES) BYTES(name)
#define IPC_ctl_reload(U8, U16, U32, U64, BYTES) BYTES(config_path)
/* Finish what was acknowledged, take nothing new, then exit 0. */
#define IPC_ctl_drain(U8, U16, U32, U64, BYTES) U8(now)
#define IPC_ctl_ping(U8, U16, U32, U64, BYTES)  U64(number)
#define IPC_ctl_pong(U8, U16, U32, U64, BYTES)  U64(number)

/* --- asking a program how it is (from master, or the admin command) ------- */

#define IPC_status_ask(U8, U16, U32, U64, BYTES) U64(tag)
/* Lines "name value\n"; names in docs/. */
#define IPC_status(U8, U16, U32, U64, BYTES) U64(tag) BYTES(lines)

/* --- admin command and master --------------------------------------------- */

/* Answered by admin_done: at once, text has the errors or the names of settings that
 * need a restart, one a line. After admin_stop the end says that all has stopped. */
#define IPC_admin_reload(U8, U16, U32, U64, BYTES) U64(tag)
#define IPC_admin_stop(U8, U16, U32, U64, BYTES)   U64(tag)
#define IPC_admin_done(U8, U16, U32, U64, BYTES)   U64(tag) U8(ok) BYTES(text)
/* A row for master and each process: state is an enum process_state, lines are
 * the program's status. Answers to status_ask, the last followed by admin_done. */
#define IPC_admin_process(U8, U16, U32, U64, BYTES)                                      \
	U64(tag) U32(kind) U32(instance) U32(pid) U8(state) U64(restarts) U64(uptime_ms)  \
	BYTES(lines)

/* --- smtpd, gate, session programs, local, admin and authd ---------------- */

/* outcome: enum resolve_outcome; targets: common/spool's target list. `sender` is
 * the reverse-path, which a forward to another server may have to rewrite. `client`
 * (16 bytes, IPv4 mapped) and `helo` are for access tables; empty where there is none.
 * client_name: verified; empty when nobody asked for it, "unknown" when it has none;
 * name_unsure: the DNS did not say. by_table: an access table has the address, and no
 * access list is asked about it.
 * text: of RESOLVE_REFUSED the reply, else why. demands: of RESOLVE_OK, common/spool's
 * list of what access tables want done with the message. */
#define IPC_resolve(U8, U16, U32, U64, BYTES)                                            \
	U64(tag) U64(size) U64(account) U8(may_relay) BYTES(address) BYTES(sender)         \
	BYTES(client) BYTES(helo) BYTES(client_name) U8(name_unsure) U8(by_table)
#define IPC_resolved(U8, U16, U32, U64, BYTES)                                           \
	U64(tag) U8(outcome) BYTES(targets) BYTES(text) BYTES(demands)
#define IPC_sender_check(U8, U16, U32, U64, BYTES)   U64(tag) U64(account) BYTES(address)
#define IPC_sender_checked(U8, U16, U32, U64, BYTES) U64(tag) U8(outcome)
/* The tag names the exchange until auth_done; `client` is 16 bytes, IPv4 mapped.
 * binding_type: 0 none, 1 tls-exporter, 2 tls-server-end-point. */
#define IPC_auth_start(U8, U16, U32, U64, BYTES)                                         \
	U64(tag) U8(service) U8(tls) U8(has_initial) U8(binding_type) BYTES(binding)      \
	BYTES(client) BYTES(mechanism) BYTES(initial)
#define IPC_auth_step(U8, U16, U32, U64, BYTES)      U64(tag) BYTES(response)
#define IPC_auth_cancel(U8, U16, U32, U64, BYTES)    U64(tag)
#define IPC_auth_challenge(U8, U16, U32, U64, BYTES) U64(tag) BYTES(challenge)
/* outcome: enum auth_outcome; the ticket is for gate, 16 bytes. */
#define IPC_auth_done(U8, U16, U32, U64, BYTES)                                          \
	U64(tag) U8(outcome) U64(account) BYTES(address) BYTES(ticket)
#define IPC_ticket_redeem(U8, U16, U32, U64, BYTES) U64(tag) U8(service) BYTES(ticket)
#define IPC_ticket_redeemed(U8, U16, U32, U64, BYTES)                                    \
	U64(tag) U8(ok) U64(account) U64(quota_bytes) U64(domain) U64(domain_quota_bytes) \
	BYTES(address)
#define IPC_usage_ask(U8, U16, U32, U64, BYTES) U64(account)
/* As of `modseq`: what is known as of a later one is newer, whoever said it. */
#define IPC_usage(U8, U16, U32, U64, BYTES)                                              \
	U64(account) U64(modseq) U64(bytes) U64(messages)
/* The account was disabled, removed, got another password, or its mail was replaced:
 * who is logged in to it must not stay, and who has its mail open closes that. */
#define IPC_account_closed(U8, U16, U32, U64, BYTES) U64(account)
/* All of the account's mail is replaced by what a backup has. Answered by
 * directory_done when everybody has been told. */
#define IPC_account_replaced(U8, U16, U32, U64, BYTES) U64(tag) U64(account)
/* May this sender be told what the account tells who writes to it? With REPLY_SEND,
 * which is noted before it is said, it counts as told. outcome: enum reply_outcome;
 * `address` and `name` are the account's, an empty subject is the message's own. */
#define IPC_reply_ask(U8, U16, U32, U64, BYTES) U64(tag) U64(account) BYTES(sender)
#define IPC_reply_answer(U8, U16, U32, U64, BYTES)                                       \
	U64(tag) U8(outcome) BYTES(subject) BYTES(text) BYTES(address) BYTES(name)
/* Somebody is to be told, once for each tag: kind is an enum notice_kind, `address`
 * who is told, `account` its number or 0, `name` what it is about (an account's
 * address, or a domain). The answer says that the letter is in the queue (ok), or
 * that it can be asked for again. */
#define IPC_notice(U8, U16, U32, U64, BYTES)                                             \
	U64(tag) U8(kind) U64(account) U8(percent) U64(used_bytes) U64(limit_bytes)       \
	BYTES(address) BYTES(name)
#define IPC_noticed(U8, U16, U32, U64, BYTES) U64(tag) U8(ok)
/* Sessions that are open go by this quota from now on; 0 none. */
#define IPC_account_quota(U8, U16, U32, U64, BYTES) U64(account) U64(quota_bytes)
/* The same of a domain: what all accounts of it may hold together. */
#define IPC_domain_quota(U8, U16, U32, U64, BYTES) U64(domain) U64(quota_bytes)
/* What all accounts of the account's domain hold; known 0: nobody can say just now. */
#define IPC_domain_use_ask(U8, U16, U32, U64, BYTES) U64(tag) U64(account)
#define IPC_domain_use(U8, U16, U32, U64, BYTES)                                         \
	U64(tag) U64(account) U8(known) U64(bytes)
/* First on the public socket: an administrator of domains and the password. Answered
 * by directory_done. */
#define IPC_directory_login(U8, U16, U32, U64, BYTES)                                    \
	U64(tag) BYTES(address) BYTES(password)
/* One operation on the directory, in the encoding of common/directory. */
#define IPC_directory_ask(U8, U16, U32, U64, BYTES)  U64(tag) BYTES(request)
#define IPC_directory_row(U8, U16, U32, U64, BYTES)  U64(tag) BYTES(row)
#define IPC_directory_done(U8, U16, U32, U64, BYTES) U64(tag) U8(outcome) BYTES(text)

/* A lookup table is asked for a key; without a table, all are to be told of. Answered by
 * table_done, after a table_row for each. outcome: enum table_result of common/table;
 * text: the value, or what is wrong. kind: enum table_kind; entries: those in memory. */
#define IPC_table_ask(U8, U16, U32, U64, BYTES) U64(tag) BYTES(table) BYTES(key)
#define IPC_table_row(U8, U16, U32, U64, BYTES)                                          \
	U64(tag) BYTES(name) U8(kind) BYTES(file) U8(ready) U64(entries) U64(asked)       \
	U64(found) U64(faults) BYTES(fault)
#define IPC_table_done(U8, U16, U32, U64, BYTES) U64(tag) U8(outcome) BYTES(text)

/* --- gate and a session program ------------------------------------------- */

/* The descriptor is the client's own socket, or one end of a pair that gate
 * pumps TLS through; `pending` is what the client sent behind its login, and `tag`
 * the tag of that, which the session program answers; empty in POP3. */
#define IPC_session_open(U8, U16, U32, U64, BYTES)                                       \
	U64(account) U8(tls) BYTES(client) BYTES(ticket) BYTES(pending) BYTES(tag)

/* --- who writes to an account, and imapd ---------------------------------- */

/* All up to modseq is durable. A lost one is harmless: imapd compares with the
 * journal before it says anything. */
#define IPC_account_changed(U8, U16, U32, U64, BYTES) U64(account) U64(modseq)
/* on: sessions look at the account, so every delivery is to be told at once. */
#define IPC_account_watch(U8, U16, U32, U64, BYTES) U64(account) U8(on)

/* --- smtpd, bounce and spoold --------------------------------------------- */

/* Queue ids the receiver may use next, in this order, each once. */
#define IPC_id_grant(U8, U16, U32, U64, BYTES) U64(first) U32(count)
/* A message is its envelope followed by its content; `bytes` is the start of
 * both, envelope_bytes says where the first ends. spool_put is the whole. */
#define IPC_spool_put(U8, U16, U32, U64, BYTES)                                          \
	U64(id) U32(envelope_bytes) BYTES(bytes)
#define IPC_spool_begin(U8, U16, U32, U64, BYTES)                                        \
	U64(id) U32(envelope_bytes) U64(size_hint) BYTES(bytes)
#define IPC_spool_piece(U8, U16, U32, U64, BYTES) U64(id) BYTES(bytes)
#define IPC_spool_end(U8, U16, U32, U64, BYTES)   U64(id)
#define IPC_spool_abort(U8, U16, U32, U64, BYTES) U64(id)
/* outcome: enum spool_outcome. STORED means synced: the 250 may be said. */
#define IPC_spool_done(U8, U16, U32, U64, BYTES) U64(id) U8(outcome)

/* --- spoold and qmgr ------------------------------------------------------ */

/* First on a fresh channel, and again when spoold goes on to another segment:
 * `segment` is the one being written, of which the bytes before `offset` are
 * synced. Nothing is synced of those in `open`, u32 numbers, nor of any with the number
 * `next` or above. All others are complete. Later messages come as queue_add. */
#define IPC_queue_state(U8, U16, U32, U64, BYTES)                                        \
	U32(segment) U64(offset) U32(next) BYTES(open)
/* One synced message: the record stands at `offset` of the segment. `moved` is 1
 * for the copy that a queue_move asked for; segment 0 then says it failed. */
#define IPC_queue_add(U8, U16, U32, U64, BYTES)                                          \
	U64(id) U32(segment) U64(offset) U32(envelope_bytes) U64(content_bytes) U8(moved)
/* No message of the segment is needed any more. */
#define IPC_segment_free(U8, U16, U32, U64, BYTES) U32(segment)
/* Copy a message out of a segment that only few messages pin; answered by a
 * queue_add with the same id and a new place. */
#define IPC_queue_move(U8, U16, U32, U64, BYTES) U64(id) U32(segment) U64(offset)

/* --- qmgr and those who deliver ------------------------------------------- */

/* A read-only descriptor of a segment, sent before its first job. */
#define IPC_segment_fd(U8, U16, U32, U64, BYTES)   U32(segment)
#define IPC_segment_drop(U8, U16, U32, U64, BYTES) U32(segment)
/* offset: where the content starts in the segment. ordinal: which target of the
 * message. replay: an earlier try may have reached the mailbox. */
#define IPC_deliver(U8, U16, U32, U64, BYTES)                                            \
	U64(job) U64(id) U32(ordinal) U8(replay) U64(account) U32(segment) U64(offset)     \
	U64(content_bytes) U64(arrived_us) BYTES(sender) BYTES(recipient)                  \
	BYTES(original_recipient)
/* outcome: enum delivery_outcome. Sent when the append is synced. */
#define IPC_delivered(U8, U16, U32, U64, BYTES) U64(job) U8(outcome) BYTES(text)

/* One transaction with the next server. The envelope's words are as common/spool has
 * them; recipients: common/spool's relay list. `domain` is one of its recipients',
 * from which remote finds the route; all of them have the same, and the same next hop
 * (as a route's `to`; empty: the route's own). replay: an earlier try may have gone
 * through. */
#define IPC_relay(U8, U16, U32, U64, BYTES)                                              \
	U64(job) U64(id) U8(replay) U32(segment) U64(offset) U64(content_bytes)           \
	U64(arrived_us) U32(flags) U8(ret) BYTES(domain) BYTES(next_hop) BYTES(sender)    \
	BYTES(envid) BYTES(recipients)
/* What became of some of its recipients: common/spool's relay results. With `last`
 * the job has ended, and the recipients that no result named are to be tried again;
 * connection: enum relay_connection, provider: who runs the servers ("google.com"),
 * or empty; text: about the connection. */
#define IPC_relayed(U8, U16, U32, U64, BYTES)                                            \
	U64(job) U8(last) U8(connection) BYTES(provider) BYTES(results) BYTES(text)
/* A report for the sender is to be made: common/dsn's request. The segment is where
 * the message stands that it tells of. */
#define IPC_report(U8, U16, U32, U64, BYTES)                                             \
	U64(job) U64(id) U32(segment) U64(offset) U64(content_bytes) BYTES(request)
/* An answer of an account to the message: `recipient` is the account's address that
 * it came to, `original` what RCPT had. */
#define IPC_reply(U8, U16, U32, U64, BYTES)                                              \
	U64(job) U64(id) U32(segment) U64(offset) U64(content_bytes) U64(account)         \
	BYTES(sender) BYTES(recipient) BYTES(original)
/* Of either. outcome: enum report_outcome; `report` is its queue id, or 0. */
#define IPC_reported(U8, U16, U32, U64, BYTES) U64(job) U8(outcome) U64(report) BYTES(text)

/* --- remote, smtpd and resolved ------------------------------------------- */

/* type: enum dns_type. Names are ASCII (A-labels), without the dot at the end. */
#define IPC_dns_ask(U8, U16, U32, U64, BYTES) U64(tag) U16(type) BYTES(name)
/* outcome: enum dns_outcome; `name` is where the CNAMEs led; records: common/dns's
 * list; text says why there are none. */
#define IPC_dns_answer(U8, U16, U32, U64, BYTES)                                         \
	U64(tag) U8(outcome) U8(security) U32(ttl_s) BYTES(name) BYTES(records) BYTES(text)
/* The MTA-STS policy of a domain, from the cache or fetched. */
#define IPC_sts_ask(U8, U16, U32, U64, BYTES) U64(tag) BYTES(domain)
/* mode: enum sts_mode; hosts: its "mx" patterns, each ended by a line feed. */
#define IPC_sts_answer(U8, U16, U32, U64, BYTES)                                         \
	U64(tag) U8(mode) BYTES(id) BYTES(hosts) BYTES(text)

/* --- admin command and qmgr ----------------------------------------------- */

/* verb: enum queue_verb; id 0 means by filter: those for which all that is given
 * holds: a recipient of domain `to`, sender `from` (an address, or a domain),
 * status: enum queue_status + 1. A list starts behind the id `after` and ends after
 * `limit` rows. */
#define IPC_queue_ask(U8, U16, U32, U64, BYTES)                                          \
	U64(tag) U8(verb) U64(id) U64(after) U32(limit) U8(status) BYTES(to) BYTES(from)
#define IPC_queue_row(U8, U16, U32, U64, BYTES)                                          \
	U64(tag) U64(id) U8(status) U64(arrived_us) U64(next_try_us) U32(tries)            \
	U64(content_bytes) BYTES(envelope) BYTES(reason)
#define IPC_queue_done(U8, U16, U32, U64, BYTES) U64(tag) U8(ok) U64(count) BYTES(text)

#define IPC_ANY_KIND (~0u)
#define IPC_FROM(k)  (1u << IPC_KIND_##k)

/* number, name, from, to, carries a descriptor */
#define IPC_ROWS(R)                                                                      \
	R(1, hello, IPC_ANY_KIND, IPC_ANY_KIND, false)                                   \
	R(2, ctl_start, IPC_FROM(MASTER), IPC_ANY_KIND, true)                            \
	R(3, ctl_count, IPC_FROM(MASTER), IPC_ANY_KIND, false)                           \
	R(4, ctl_file, IPC_FROM(MASTER), IPC_ANY_KIND, true)                             \
	R(5, ctl_listener, IPC_FROM(MASTER), IPC_ANY_KIND, true)                         \
	R(6, ctl_peer, IPC_FROM(MASTER), IPC_ANY_KIND, true)                             \
	R(7, ctl_ready, IPC_ANY_KIND, IPC_FROM(MASTER), false)                           \
	R(8, ctl_log, IPC_FROM(MASTER), IPC_ANY_KIND, true)                              \
	R(9, ctl_reload, IPC_FROM(MASTER), IPC_ANY_KIND, true)                           \
	R(10, ctl_drain, IPC_FROM(MASTER), IPC_ANY_KIND, false)                          \
	R(11, ctl_ping, IPC_FROM(MASTER), IPC_ANY_KIND, false)                           \
	R(12, ctl_pong, IPC_ANY_KIND, IPC_FROM(MASTER), false)                           \
	R(13, status_ask, IPC_FROM(MASTER) | IPC_FROM(ADMIN), IPC_ANY_KIND, false)       \
	R(14, status, IPC_ANY_KIND, IPC_FROM(MASTER) | IPC_FROM(ADMIN), false)           \
	R(15, ctl_unlisten, IPC_FROM(MASTER), IPC_ANY_KIND, false)                       \
	R(16, ctl_lost, IPC_ANY_KIND, IPC_FROM(MASTER), false)                           \
	R(20, admin_reload, IPC_FROM(ADMIN), IPC_FROM(MASTER), false)                    \
	R(21, admin_stop, IPC_FROM(ADMIN), IPC_FROM(MASTER), false)                      \
	R(22, admin_done, IPC_FROM(MASTER), IPC_FROM(ADMIN), false)                      \
	R(23, admin_process, IPC_FROM(MASTER), IPC_FROM(ADMIN), false)                   \
	R(30, resolve, IPC_FROM(SMTPD) | IPC_FROM(BOUNCE), IPC_FROM(AUTHD), false)       \
	R(31, resolved, IPC_FROM(AUTHD), IPC_FROM(SMTPD) | IPC_FROM(BOUNCE), false)      \
	R(32, sender_check, IPC_FROM(SMTPD), IPC_FROM(AUTHD), false)                     \
	R(33, sender_checked, IPC_FROM(AUTHD), IPC_FROM(SMTPD), false)                   \
	R(34, auth_start, IPC_FROM(SMTPD) | IPC_FROM(GATE), IPC_FROM(AUTHD), false)      \
	R(35, auth_step, IPC_FROM(SMTPD) | IPC_FROM(GATE), IPC_FROM(AUTHD), false)       \
	R(36, auth_cancel, IPC_FROM(SMTPD) | IPC_FROM(GATE), IPC_FROM(AUTHD), false)     \
	R(37, auth_challenge, IPC_FROM(AUTHD), IPC_FROM(SMTPD) | IPC_FROM(GATE), false)  \
	R(38, auth_done, IPC_FROM(AUTHD), IPC_FROM(SMTPD) | IPC_FROM(GATE), false)       \
	R(39, ticket_redeem, IPC_FROM(POP3D) | IPC_FROM(IMAPD), IPC_FROM(AUTHD), false)  \
	R(40, ticket_redeemed, IPC_FROM(AUTHD), IPC_FROM(POP3D) | IPC_FROM(IMAPD), false) \
	R(41, usage_ask, IPC_FROM(AUTHD), IPC_FROM(LOCAL), false)                        \
	R(42, usage, IPC_FROM(LOCAL) | IPC_FROM(POP3D) | IPC_FROM(IMAPD),                \
	  IPC_FROM(AUTHD), false)                                                        \
	R(43, directory_ask, IPC_FROM(ADMIN), IPC_FROM(AUTHD), false)                    \
	R(44, directory_row, IPC_FROM(AUTHD), IPC_FROM(ADMIN), false)                    \
	R(45, directory_done, IPC_FROM(AUTHD), IPC_FROM(ADMIN), false)                   \
	R(46, account_closed, IPC_FROM(AUTHD),                                           \
	  IPC_FROM(POP3D) | IPC_FROM(IMAPD) | IPC_FROM(SMTPD) | IPC_FROM(LOCAL), false)  \
	R(54, account_quota, IPC_FROM(AUTHD), IPC_FROM(IMAPD), false)                    \
	R(55, directory_login, IPC_FROM(ADMIN), IPC_FROM(AUTHD), false)                  \
	R(56, table_ask, IPC_FROM(ADMIN), IPC_FROM(AUTHD), false)                        \
	R(57, table_row, IPC_FROM(AUTHD), IPC_FROM(ADMIN), false)                        \
	R(58, table_done, IPC_FROM(AUTHD), IPC_FROM(ADMIN), false)                       \
	R(59, account_replaced, IPC_FROM(ADMIN), IPC_FROM(AUTHD), false)                 \
	R(110, domain_quota, IPC_FROM(AUTHD), IPC_FROM(IMAPD), false)                    \
	R(111, domain_use_ask, IPC_FROM(IMAPD), IPC_FROM(AUTHD), false)                  \
	R(112, domain_use, IPC_FROM(AUTHD), IPC_FROM(IMAPD), false)                      \
	R(47, reply_ask, IPC_FROM(BOUNCE), IPC_FROM(AUTHD), false)                       \
	R(48, reply_answer, IPC_FROM(AUTHD), IPC_FROM(BOUNCE), false)                    \
	R(49, notice, IPC_FROM(AUTHD), IPC_FROM(BOUNCE), false)                          \
	R(53, noticed, IPC_FROM(BOUNCE), IPC_FROM(AUTHD), false)                         \
	R(50, session_open, IPC_FROM(GATE), IPC_FROM(POP3D) | IPC_FROM(IMAPD), true)     \
	R(51, account_changed, IPC_FROM(LOCAL) | IPC_FROM(POP3D), IPC_FROM(IMAPD), false) \
	R(52, account_watch, IPC_FROM(IMAPD), IPC_FROM(LOCAL), false)                    \
	R(60, id_grant, IPC_FROM(SPOOLD), IPC_FROM(SMTPD) | IPC_FROM(BOUNCE), false)     \
	R(61, spool_put, IPC_FROM(SMTPD) | IPC_FROM(BOUNCE), IPC_FROM(SPOOLD), false)    \
	R(62, spool_begin, IPC_FROM(SMTPD) | IPC_FROM(BOUNCE), IPC_FROM(SPOOLD), false)  \
	R(63, spool_piece, IPC_FROM(SMTPD) | IPC_FROM(BOUNCE), IPC_FROM(SPOOLD), false)  \
	R(64, spool_end, IPC_FROM(SMTPD) | IPC_FROM(BOUNCE), IPC_FROM(SPOOLD), false)    \
	R(65, spool_abort, IPC_FROM(SMTPD) | IPC_FROM(BOUNCE), IPC_FROM(SPOOLD), false)  \
	R(66, spool_done, IPC_FROM(SPOOLD), IPC_FROM(SMTPD) | IPC_FROM(BOUNCE), false)   \
	R(70, queue_state, IPC_FROM(SPOOLD), IPC_FROM(QMGR), false)                      \
	R(71, queue_add, IPC_FROM(SPOOLD), IPC_FROM(QMGR), false)                        \
	R(72, segment_free, IPC_FROM(QMGR), IPC_FROM(SPOOLD), false)                     \
	R(73, queue_move, IPC_FROM(QMGR), IPC_FROM(SPOOLD), false)                       \
	R(80, segment_fd, IPC_FROM(QMGR),                                                \
	  IPC_FROM(LOCAL) | IPC_FROM(REMOTE) | IPC_FROM(BOUNCE), true)                   \
	R(81, segment_drop, IPC_FROM(QMGR),                                              \
	  IPC_FROM(LOCAL) | IPC_FROM(REMOTE) | IPC_FROM(BOUNCE), false)                  \
	R(82, deliver, IPC_FROM(QMGR), IPC_FROM(LOCAL), false)                           \
	R(83, delivered, IPC_FROM(LOCAL), IPC_FROM(QMGR), false)                         \
	R(84, relay, IPC_FROM(QMGR), IPC_FROM(REMOTE), false)                            \
	R(85, relayed, IPC_FROM(REMOTE), IPC_FROM(QMGR), false)                          \
	R(86, report, IPC_FROM(QMGR), IPC_FROM(BOUNCE), false)                           \
	R(87, reported, IPC_FROM(BOUNCE), IPC_FROM(QMGR), false)                         \
	R(88, reply, IPC_FROM(QMGR), IPC_FROM(BOUNCE), false)                            \
	R(90, queue_ask, IPC_FROM(ADMIN), IPC_FROM(QMGR), false)                         \
	R(91, queue_row, IPC_FROM(QMGR), IPC_FROM(ADMIN), false)                         \
	R(92, queue_done, IPC_FROM(QMGR), IPC_FROM(ADMIN), false)                        \
	R(100, dns_ask, IPC_FROM(REMOTE) | IPC_FROM(SMTPD), IPC_FROM(RESOLVED), false)   \
	R(101, dns_answer, IPC_FROM(RESOLVED), IPC_FROM(REMOTE) | IPC_FROM(SMTPD), false) \
	R(102, sts_ask, IPC_FROM(REMOTE), IPC_FROM(RESOLVED), false)                     \
	R(103, sts_answer, IPC_FROM(RESOLVED), IPC_FROM(REMOTE), false)

/* clang-format on */

/* admin_process.state */
enum process_state {
	PROCESS_STARTING,
	PROCESS_RUNNING,
	PROCESS_STOPPING, /* told to drain */
	PROCESS_DOWN,     /* waits to be started again */
	PROCESS_STOPPED,  /* ended in an orderly stop */
};

enum resolve_outcome {
	RESOLVE_OK,
	RESOLVE_UNKNOWN,     /* 550 5.1.1 */
	RESOLVE_NO_DOMAIN,   /* not ours and no right to relay: 550 5.7.1 */
	RESOLVE_DISABLED,    /* 550 5.2.1 */
	RESOLVE_FULL,        /* over quota: 552 5.2.2 */
	RESOLVE_LOOP,        /* an alias leads to itself or too far: 550 5.4.6 */
	RESOLVE_LATER,       /* 451 4.3.0 */
	RESOLVE_FORGED,      /* a return address that was not made here: 550 5.7.1 */
	RESOLVE_EXPIRED,     /* one that was, too long ago: 550 5.1.1 */
	RESOLVE_NOT_ALLOWED, /* a list that this sender may not write to: 550 5.7.2 */
	RESOLVE_TOO_BIG,     /* for this mailbox: 552 5.3.4 */
	RESOLVE_REFUSED,     /* by a table: text is the reply, "550 5.7.1 Go away" */
	RESOLVE_DISCARD,     /* by a table: the message is to be taken and forgotten */
};

enum reply_outcome {
	REPLY_SEND,
	REPLY_NOT,   /* none is on, or this sender has had one lately */
	REPLY_LATER, /* the directory does not answer */
};

enum notice_kind {
	NOTICE_QUOTA,        /* of an account: told to it */
	NOTICE_DOMAIN_QUOTA, /* of a domain: told to an administrator, or postmaster */
};

enum sender_outcome {
	SENDER_OK,
	SENDER_NOT_OWNED, /* 553 5.7.1 */
	SENDER_LATER,     /* 451 4.3.0 */
};

enum auth_service {
	AUTH_SERVICE_SMTP,
	AUTH_SERVICE_POP3,
	AUTH_SERVICE_IMAP,
	AUTH_SERVICE_ADMIN, /* authd's own; no program asks for it */
};

enum auth_outcome {
	AUTH_OK,
	AUTH_FAILED,       /* unknown user, wrong password, disabled: told alike */
	AUTH_BAD_EXCHANGE, /* the client broke the mechanism's syntax */
	AUTH_NO_MECHANISM,
	AUTH_LATER, /* the directory is away, or too many at once */
};

enum spool_outcome {
	SPOOL_STORED,   /* synced */
	SPOOL_NO_SPACE, /* 452 4.3.1 */
	SPOOL_FAULT,    /* 451 4.3.0 */
};

enum delivery_outcome {
	DELIVERY_DONE,
	DELIVERY_DEFERRED, /* try again later; text says why */
	DELIVERY_FAILED,   /* never; text says why */
};

/* How a transaction with another server went, whatever became of its recipients. */
enum relay_connection {
	RELAY_TALKED,      /* a server took the transaction and answered all of it */
	RELAY_UNREACHABLE, /* no server could be reached, or none was ready */
	RELAY_BUSY,        /* it asked for less: 421, or a limit of its own */
	RELAY_UNTRIED,     /* no server was asked: no answer from DNS, or policy */
};

enum report_outcome {
	REPORT_MADE,   /* in the queue, durably */
	REPORT_NOBODY, /* the sender's address is no good: postmaster was told */
	REPORT_LATER,  /* try again; text says why */
};

enum queue_verb {
	QUEUE_LIST,
	QUEUE_SHOW,
	QUEUE_STATS,
	QUEUE_HOLD,
	QUEUE_RELEASE,
	QUEUE_FLUSH,
	QUEUE_REQUEUE,
	QUEUE_REMOVE,
	QUEUE_BOUNCE, /* given up now, and reported to the sender */
	QUEUE_PAUSE,  /* nothing goes out to other servers (of domain `to`) */
	QUEUE_RESUME,
};

enum queue_status {
	QUEUE_ACTIVE,
	QUEUE_DEFERRED,
	QUEUE_HELD,
};

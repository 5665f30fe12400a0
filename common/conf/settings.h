/* common/conf/settings.h - every setting, one row each
 *
 * type, name, default, min, max, reloadable, help
 *
 * Types, and what the member of struct settings is:
 *   TEXT      char *, never null; min and max are its length in bytes
 *   DOMAIN    char *, one domain name, lower case
 *   PATH      char *, absolute or empty (empty only where min is 0)
 *   NUMBER    uint64_t
 *   BYTES     uint64_t, written "50M"
 *   SECONDS   uint64_t, written "5m"; a bare number is seconds
 *   SWITCH    bool, written "yes" or "no" (also true, false, on, off)
 *   CHOICE    int, one of the words in the default, counted from 0; the default
 *             is the word with the star. Its enum stands in conf.h.
 *   LIST      struct conf_list of words; min and max are how many
 *   DOMAINS   struct conf_list of domain names, lower case
 *   LISTEN    struct conf_list of "ADDRESS:PORT", "[ADDRESS]:PORT" or "*:PORT";
 *             conf_listen_parse() takes one apart
 *   NETWORKS  struct conf_networks, written "192.0.2.0/24" or "2001:db8::/32"
 * Defaults of lists are words separated by commas. Units come last in a name.
 * Reloadable: 1 when `postroad reload` is enough, 0 when it takes a restart.
 */
#pragma once

/* clang-format off */
#define CONF_SETTINGS(S) \
	/* who we are */ \
	S(DOMAIN,   hostname,                     "", 0, 253, 0, "name this server greets with; the machine's own when empty") \
	S(DOMAINS,  domains,                      "", 0, 10000, 1, "domains to be there: made at a start or a reload; none goes that is named no more") \
	S(TEXT,     postmaster,                   "postmaster", 1, 254, 1, "account that gets mail for postmaster") \
	/* where clients connect */ \
	S(LISTEN,   smtp_listen,                  "*:25", 0, 64, 1, "addresses for mail from other servers") \
	S(LISTEN,   submission_listen,            "*:587", 0, 64, 1, "addresses for mail from users, STARTTLS") \
	S(LISTEN,   submissions_listen,           "*:465", 0, 64, 1, "addresses for mail from users, TLS from the first byte") \
	S(TEXT,     lmtp_socket,                  "", 0, 100, 1, "Unix socket for LMTP, relative to run_directory; none when empty") \
	S(LISTEN,   pop3_listen,                  "*:110", 0, 64, 1, "addresses for POP3") \
	S(LISTEN,   pop3s_listen,                 "*:995", 0, 64, 1, "addresses for POP3, TLS from the first byte") \
	S(LISTEN,   imap_listen,                  "*:143", 0, 64, 1, "addresses for IMAP") \
	S(LISTEN,   imaps_listen,                 "*:993", 0, 64, 1, "addresses for IMAP, TLS from the first byte") \
	S(PATH,     tls_certificate,              "", 0, 4000, 1, "PEM file with the certificate and its chain; no TLS when empty") \
	S(PATH,     tls_key,                      "", 0, 4000, 1, "PEM file with the key of tls_certificate") \
	/* where things are kept */ \
	S(PATH,     spool_directory,              "/var/spool/postroad", 1, 4000, 0, "the queue") \
	S(PATH,     mail_directory,               "/var/lib/postroad/mail", 1, 4000, 0, "the mailboxes") \
	S(PATH,     directory_directory,          "/var/lib/postroad/directory", 1, 4000, 0, "accounts, domains and aliases") \
	S(CHOICE,   directory,                    "*berkeley|postgresql|sql", 0, 2, 0, "where accounts, domains and aliases are: files in directory_directory, a PostgreSQL database, or an operator's own tables in one") \
	S(TEXT,     postgresql_connection,        "", 0, 2000, 0, "database of the directory as libpq's connection string, without a password") \
	S(PATH,     postgresql_password_file,     "", 0, 4000, 0, "file whose first line is its password; none when empty") \
	S(NUMBER,   postgresql_connections,       "4", 1, 64, 0, "connections to it at most") \
	S(SECONDS,  postgresql_timeout_s,         "5", 1, 600, 0, "how long an answer of it is waited for before clients hear to try later") \
	S(TEXT,     sql_domain_query,             "", 0, 8000, 0, "for directory = sql: the domain $1, one row if it is ours") \
	S(TEXT,     sql_account_query,            "", 0, 8000, 0, "for directory = sql: the account $1, with local part $2 and domain $3") \
	S(TEXT,     sql_alias_query,              "", 0, 8000, 0, "for directory = sql: where mail for the alias $1 goes, with local part $2 and domain $3") \
	S(PATH,     run_directory,                "/run/postroad", 1, 80, 0, "sockets and the process id file") \
	S(TEXT,     user_net,                     "postroad-net", 1, 32, 0, "user of the programs that face the network") \
	S(TEXT,     user_queue,                   "postroad-queue", 1, 32, 0, "user that owns the queue") \
	S(TEXT,     user_auth,                    "postroad-auth", 1, 32, 0, "user that owns the directory of accounts") \
	S(TEXT,     user_mail,                    "postroad-mail", 1, 32, 0, "user that owns the mailboxes") \
	/* logs */ \
	S(TEXT,     log_to,                       "stderr", 1, 4000, 1, "stderr, journal, syslog, or the path of a file") \
	S(CHOICE,   log_level,                    "error|warning|*info|debug", 0, 3, 1, "least important line that is logged") \
	/* processes; 0 is one for each processor */ \
	S(NUMBER,   smtpd_processes,              "0", 0, 64, 0, "processes that take mail; 0: one for each processor, at most 4") \
	S(NUMBER,   gate_processes,               "0", 0, 64, 0, "processes that do TLS and login for mailboxes; 0 as above") \
	S(NUMBER,   local_processes,              "0", 0, 64, 0, "processes that write to mailboxes; 0 as above") \
	S(NUMBER,   remote_processes,             "0", 0, 64, 0, "processes that send mail to other servers; 0 as above") \
	S(NUMBER,   pop3d_processes,              "0", 0, 64, 0, "processes that serve POP3 sessions; 0 as above") \
	S(NUMBER,   imapd_processes,              "0", 0, 64, 0, "processes that serve IMAP sessions; 0 as above") \
	S(NUMBER,   authd_threads,                "0", 0, 64, 0, "threads that check passwords; 0: one for each processor") \
	S(SECONDS,  stop_timeout_s,               "30", 1, 600, 1, "how long an orderly stop may take before it is forced") \
	S(SECONDS,  ping_timeout_s,               "30", 2, 600, 1, "a program that does not answer for this long is restarted") \
	S(SECONDS,  restart_pause_max_s,          "60", 1, 3600, 1, "longest wait before a program that keeps dying is started again") \
	/* a message */ \
	S(BYTES,    message_bytes_max,            "50M", 1024, 251658240, 1, "largest message") \
	S(NUMBER,   recipients_max,               "1000", 100, 50000, 1, "recipients of one message") \
	S(BYTES,    header_bytes_max,             "1M", 4096, 67108864, 1, "all header fields together") \
	S(BYTES,    header_field_bytes_max,       "100K", 1000, 1048576, 1, "one header field") \
	S(NUMBER,   header_fields_max,            "5000", 50, 100000, 1, "header fields of a message") \
	S(NUMBER,   hops_max,                     "50", 5, 500, 1, "Received fields beyond which a message is in a loop") \
	S(CHOICE,   bare_newline,                 "*reject|normalise", 0, 1, 1, "what a bare CR or LF leads to on port 25") \
	S(TEXT,     recipient_delimiter,          "+", 0, 1, 1, "character between a local part and its extension; none when empty") \
	/* an SMTP session */ \
	S(BYTES,    smtp_line_bytes_max,          "2048", 1000, 65536, 1, "one SMTP command") \
	S(BYTES,    smtp_text_line_bytes_max,     "64K", 1000, 1048576, 1, "one line of a message") \
	S(NUMBER,   smtp_transactions_max,        "100", 1, 1000000, 1, "messages in one SMTP session") \
	S(NUMBER,   smtp_chunks_max,              "10000", 1, 10000000, 1, "BDAT chunks of one message") \
	S(NUMBER,   smtp_errors_delay,            "10", 1, 10000, 1, "errors in a session before each costs a delay") \
	S(NUMBER,   smtp_errors_max,              "20", 1, 10000, 1, "errors in a session before it is closed") \
	S(NUMBER,   smtp_idle_commands_max,       "100", 1, 1000000, 1, "commands in a row that lead to no message") \
	S(SECONDS,  smtp_idle_timeout_s,          "5m", 1, 86400, 1, "how long a client may think between commands") \
	S(SECONDS,  smtp_idle_timeout_load_s,     "10", 1, 86400, 1, "the same when the server is near its limits") \
	S(NUMBER,   smtp_greet_delay_ms,          "100", 0, 60000, 1, "silence that a client owes before the greeting; none for limits_exempt") \
	S(SECONDS,  smtp_greeting_timeout_s,      "60", 1, 86400, 1, "how long a client may take for its first command") \
	S(SECONDS,  smtp_session_timeout_s,       "2h", 1, 604800, 1, "how long a session may take until its last message begins, and then that message") \
	S(NUMBER,   smtp_data_bytes_per_s_min,    "500", 0, 1000000, 1, "slower senders of a message are cut off") \
	S(SECONDS,  smtp_data_window_s,           "30", 1, 3600, 1, "over how long that speed is measured") \
	/* an IMAP session */ \
	S(BYTES,    imap_line_bytes_max,          "64K", 8192, 65536, 1, "one line of an IMAP command after the login") \
	S(BYTES,    imap_literal_bytes_max,       "128K", 4096, 67108864, 1, "one literal that is no message") \
	S(BYTES,    imap_command_bytes_max,       "1M", 65536, 67108864, 1, "one IMAP command with its literals, messages not counted") \
	/* connections */ \
	S(NUMBER,   connections_max,              "10000", 10, 1000000, 1, "connections of one process") \
	S(NUMBER,   client_connections_max,       "20", 1, 100000, 1, "connections of one client address (IPv6: /64)") \
	S(NUMBER,   client_connections_per_minute_max, "120", 1, 1000000, 1, "new connections of one client in a minute") \
	S(NUMBER,   client_messages_per_minute_max,    "300", 1, 1000000, 1, "messages of one client in a minute") \
	S(NUMBER,   client_recipients_per_minute_max,  "3000", 1, 1000000, 1, "recipients of one client in a minute") \
	S(NUMBER,   client_errors_per_minute_max,      "60", 1, 1000000, 1, "errors of one client in a minute") \
	S(NUMBER,   account_connections_max,      "10", 1, 100000, 1, "sessions of one account from one client") \
	S(NUMBER,   login_connections_max,        "1000", 10, 1000000, 1, "connections that have not logged in yet") \
	S(NUMBER,   login_connections_refuse_from, "100", 1, 1000000, 1, "from so many on, new ones are refused at random") \
	S(SECONDS,  login_timeout_s,              "60", 1, 3600, 1, "from the greeting to the login") \
	S(SECONDS,  tls_handshake_timeout_s,      "10", 1, 600, 1, "for a TLS handshake") \
	S(SECONDS,  pop3_idle_timeout_s,          "10m", 1, 86400, 1, "how long a POP3 client may be silent") \
	S(SECONDS,  imap_idle_timeout_s,          "30m", 1, 604800, 1, "how long an IMAP client may be silent") \
	S(NETWORKS, trusted_networks,             "", 0, 1000, 1, "clients that may send mail to anywhere without a login") \
	S(NETWORKS, limits_exempt,                "127.0.0.0/8,::1/128", 0, 1000, 1, "clients whose connections and messages are not counted") \
	/* logins */ \
	S(SWITCH,   auth_without_tls,             "no", 0, 1, 1, "offer passwords in the clear without TLS") \
	S(SECONDS,  auth_delay_s,                 "2", 0, 60, 1, "delay of a failed login; doubles with each further one") \
	S(SECONDS,  auth_delay_max_s,             "15", 0, 600, 1, "longest such delay") \
	S(NUMBER,   auth_failures_max,            "5", 1, 100, 1, "failed logins in one session before it is closed") \
	S(SWITCH,   password_upgrade,             "yes", 0, 1, 1, "what was imported of a password becomes Postroad's own form at a login that gives it") \
	/* lookup tables */ \
	S(LIST,     client_access,                "", 0, 50, 1, "tables that say which clients may send, by their name and address") \
	S(SECONDS,  client_name_timeout_s,        "5", 0, 60, 1, "how long the DNS may take to tell the name of a client for those tables; 0: it is not asked") \
	S(LIST,     helo_access,                  "", 0, 50, 1, "tables that say so by the name a client greets with") \
	S(LIST,     sender_access,                "", 0, 50, 1, "tables that say so by the sender's address") \
	S(LIST,     recipient_access,             "", 0, 50, 1, "tables that say so by the recipient's address") \
	S(LIST,     alias_tables,                 "", 0, 50, 1, "tables of aliases, which come before accounts") \
	S(LIST,     route_tables,                 "", 0, 50, 1, "tables of routes to other servers, which come before route sections") \
	S(LIST,     sender_tables,                "", 0, 50, 1, "tables of the logins that may send as an address; for addresses in none the directory decides") \
	/* quotas */ \
	S(NUMBER,   quota_warning_percent,        "80", 0, 100, 1, "share of a quota at which its owner is told; 0: not told") \
	S(NUMBER,   quota_warning_last_percent,   "95", 0, 100, 1, "a second such share, higher than the first; 0: none") \
	/* mail from users */ \
	S(SWITCH,   submission_hide_client,       "no", 0, 1, 1, "leave address and name of a user's machine out of the Received field") \
	S(NUMBER,   submission_messages_per_hour_max,   "0", 0, 1000000000, 1, "messages of one account in an hour, beyond which they are held; 0: no limit") \
	S(NUMBER,   submission_messages_per_day_max,    "0", 0, 1000000000, 1, "messages of one account in a day, beyond which they are held; 0: no limit") \
	S(NUMBER,   submission_recipients_per_hour_max, "0", 0, 1000000000, 1, "recipients of one account in an hour, beyond which messages are held; 0: no limit") \
	S(NUMBER,   submission_recipients_per_day_max,  "0", 0, 1000000000, 1, "recipients of one account in a day, beyond which messages are held; 0: no limit") \
	/* the queue */ \
	S(SECONDS,  queue_lifetime,               "5d", 1, 5184000, 1, "how long delivery is tried") \
	S(SECONDS,  queue_retry_min,              "5m", 1, 86400, 1, "time to the second try") \
	S(SECONDS,  queue_retry_max,              "4h", 1, 604800, 1, "longest time between two tries") \
	S(SECONDS,  queue_warning_after,          "4h", 0, 5184000, 1, "when the sender is told that a message is late; 0: never") \
	S(NUMBER,   queue_active_max,             "20000", 10, 10000000, 1, "messages in work at once") \
	S(BYTES,    spool_segment_bytes,          "64M", 4194304, 1073741824, 0, "size of a file of the queue; three or more are kept") \
	S(BYTES,    spool_reserve_bytes,          "32M", 0, 1099511627776, 0, "free disk space that new mail leaves alone") \
	/* reports to senders */ \
	S(PATH,     report_templates,             "", 0, 4000, 0, "file with the texts of reports; those built in when empty") \
	S(BYTES,    report_message_bytes_max,     "1M", 0, 4194304, 1, "largest message that a report returns whole, for senders who asked for it; of others the header") \
	S(SWITCH,   report_double,                "yes", 0, 1, 1, "tell postmaster of a failure when the sender cannot be told") \
	S(SWITCH,   report_copy_postmaster,       "no", 0, 1, 1, "send postmaster a copy of each report of a failure, with the header of the message only") \
	/* sending to other servers */ \
	S(CHOICE,   remote_tls,                   "none|may|*dane|encrypt|verify|dane-only", 0, 5, 1, "TLS that the other server must offer; a route can want another") \
	S(CHOICE,   remote_ip,                    "*any|4|6", 0, 2, 1, "IP versions to connect by") \
	S(NUMBER,   remote_port,                  "25", 1, 65535, 1, "port of other servers, where a route names none") \
	S(LIST,     remote_source,                "", 0, 16, 1, "local addresses to connect from; the system's choice when empty") \
	S(DOMAIN,   remote_helo,                  "", 0, 253, 1, "name to greet other servers with; hostname when empty") \
	S(NUMBER,   remote_connections_max,       "20", 1, 10000, 1, "connections at once to one destination") \
	S(NUMBER,   remote_connections_first,     "5", 1, 10000, 1, "the same before it is known how much a destination takes") \
	S(NUMBER,   remote_messages_per_minute_max, "0", 0, 1000000, 1, "messages in a minute to one destination; 0: no limit") \
	S(NUMBER,   remote_transactions_max,      "1000", 1, 1000000, 1, "messages over one connection") \
	S(BYTES,    remote_line_bytes_max,        "998", 998, 1048576, 1, "longer lines of a message are broken on their way out") \
	S(NUMBER,   relay_recipients_max,         "100", 1, 1000, 1, "recipients of one message over one connection at a time") \
	S(SECONDS,  remote_idle_s,                "10", 0, 3600, 1, "how long a connection without work is kept") \
	S(SECONDS,  remote_connect_timeout_s,     "30", 1, 3600, 1, "how long a server may take to accept a connection") \
	S(SECONDS,  remote_greeting_timeout_s,    "5m", 1, 3600, 1, "how long it may take for its greeting") \
	S(SECONDS,  remote_command_timeout_s,     "5m", 1, 3600, 1, "how long it may take to answer a command") \
	S(SECONDS,  remote_data_timeout_s,        "10m", 1, 7200, 1, "how long it may take to answer the end of a message") \
	S(PATH,     tls_ca_file,                  "/etc/ssl/certs/ca-certificates.crt", 0, 4000, 0, "PEM file of the authorities that certificates are verified with") \
	S(SWITCH,   srs,                          "yes", 0, 1, 1, "rewrite the sender of mail that an alias leads to another server") \
	/* asking the DNS */ \
	S(LIST,     dns_servers,                  "", 0, 8, 0, "ADDRESS or ADDRESS@PORT of servers to ask; those of /etc/resolv.conf when empty; root: nobody, but the DNS itself from its root on") \
	S(PATH,     dns_trust_anchor,             "", 0, 4000, 0, "file of DS or DNSKEY records that signed answers are verified with; those of the root when empty") \
	S(SWITCH,   sts,                          "yes", 0, 1, 1, "look for MTA-STS policies and honour them") \
	S(NUMBER,   sts_port,                     "443", 1, 65535, 1, "port that MTA-STS policies are fetched from") \
	/* mailboxes */ \
	S(NUMBER,   deliver_sync_interval_ms,     "200", 0, 10000, 1, "longest time that deliveries wait to share one sync") \
	S(NUMBER,   local_accounts_max,           "2000", 1, 10000, 0, "accounts that each delivering process keeps open") \
	S(NUMBER,   imap_flag_sync_interval_ms,   "1000", 0, 60000, 1, "longest time that changed flags wait to share one sync; 0: synced before the answer") \
	S(NUMBER,   imapd_accounts_max,           "1000", 1, 10000, 1, "accounts that each IMAP process keeps open without a session") \
	S(NUMBER,   expunged_keep_days,           "7", 0, 3650, 1, "days that `postroad mailbox compact` keeps deleted mail")
/* clang-format on */

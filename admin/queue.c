/* admin/queue.c - the table of `postroad queue` */
#include "admin/queue.h"

#define FILTER   "--to= --from= --status="
#define PICK     FILTER " --all"
#define PICKED   "MESSAGES"
#define FOR_EVER PICKED " [--yes]"

/* clang-format off */
const struct command commands_queue[] = {
    {"queue", "list",
     "[--to DOMAIN|ADDRESS] [--from DOMAIN|ADDRESS] [--status STATUS] [--limit N]", 0, 0,
     FILTER " --limit=", queue_list_run, "what waits, and why"},
    {"queue", "show", "ID [--history]", 1, 1, "--history", queue_show_run,
     "all about one message"},
    {"queue", "stats", "", 0, 0, NULL, queue_stats_run,
     "how many wait for which domain, by age"},
    {"queue", "hold", PICKED, 0, -1, PICK, queue_hold_run, "do not try until released"},
    {"queue", "release", PICKED, 0, -1, PICK, queue_release_run, "undo hold"},
    {"queue", "flush", PICKED, 0, -1, PICK, queue_flush_run, "try now"},
    {"queue", "requeue", PICKED, 0, -1, PICK, queue_requeue_run,
     "as if it had just come"},
    {"queue", "remove", FOR_EVER, 0, -1, PICK " --yes", queue_remove_run,
     "for ever, and nobody is told"},
    {"queue", "bounce", FOR_EVER, 0, -1, PICK " --yes", queue_bounce_run,
     "give up, and tell the sender"},
    {"queue", "pause", "[--to DOMAIN]", 0, 0, "--to=", queue_pause_run,
     "nothing goes out"},
    {"queue", "resume", "[--to DOMAIN]", 0, 0, "--to=", queue_resume_run, "undo pause"},
    {0},
};
/* clang-format on */

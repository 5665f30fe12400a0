/* admin/mailbox_restore.h - the row `mailbox restore` of commands_mailbox */
#pragma once

#include "admin/command.h"

command_run mailbox_restore;

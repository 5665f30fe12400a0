/* What an enhanced status code means, in plain words [RFC3463 3]. */
#include "common/dsn/internal.h"

static const struct {
	uint16_t subject, detail;
	const char *words;
} table[] = {
    {1, 1,  "There is no mailbox with this address."                                },
    {1, 2,  "The domain of the address does not exist, or takes no mail."           },
    {1, 3,  "The address is not written as mail addresses are."                     },
    {1, 6,  "The mailbox has moved, and its new address is not known."              },
    {1, 7,  "The address of the sender is not accepted."                            },
    {1, 8,  "The address of the sender is not accepted: its domain cannot be found."},
    {1, 10, "The domain of the address takes no mail at all."                       },
    {2, 0,  "Something is wrong with the mailbox."                                  },
    {2, 1,  "The mailbox does not take mail at the moment."                         },
    {2, 2,  "The mailbox is full."						  },
    {2, 3,  "The message is larger than the mailbox takes."                         },
    {2, 4,  "The mailing list could not be expanded."                               },
    {3, 1,  "The other server has no space left."                                   },
    {3, 2,  "The other server takes no mail at the moment."                         },
    {3, 4,  "The message is larger than the other server takes."                    },
    {4, 1,  "The other server does not answer."                                     },
    {4, 2,  "The connection to the other server broke."                             },
    {4, 3,  "The address of the other server could not be found out at the moment." },
    {4, 4,  "There is no server for the domain of the address."                     },
    {4, 5,  "The other server is too busy."                                         },
    {4, 6,  "The message went round in a circle."                                   },
    {4, 7,  "It could not be delivered in time."                                    },
    {5, 3,  "The message has too many recipients for the other server."             },
    {6, 3,  "The other server does not take the kind of text the message has."      },
    {6, 7,  "The address has letters that the other server does not know."          },
    {7, 1,  "The other server does not accept this message, by its rules."          },
    {7, 2,  "The sender may not write to this mailing list."                        },
    {7, 5,  "No safe connection to the other server could be made."                 },
    {7, 10, "A connection as safe as the message demands could not be made."        },
    {7, 23,
     "The other server finds that ours may not send for the sender's domain (SPF)." },
    {7, 26, "The other server could not verify where the message comes from."       },
    {7, 30, "No connection as safe as the message demands could be made."           },
};

struct span
status_words(const struct status *s)
{
	static const char *const subjects[] = {
	    [1] = "Something is wrong with the address.",
	    [2] = "Something is wrong with the mailbox.",
	    [3] = "Something is wrong with the other server.",
	    [4] = "The other server could not be reached.",
	    [5] = "The servers do not understand each other.",
	    [6] = "The other server does not take this kind of content.",
	    [7] = "The other server does not accept this message, by its rules.",
	};

	for (size_t i = 0; i < N_ELEMS(table); i++)
		if (table[i].subject == s->subject && table[i].detail == s->detail)
			return span_str(table[i].words);
	if (s->subject > 0 && s->subject < N_ELEMS(subjects))
		return span_str(subjects[s->subject]);
	if (s->class == 4)
		return SPAN("It could not be taken at the moment.");
	return SPAN("It was refused.");
}

/* master/logger.h - what master and postroad-logger say to each other
 *
 * On a socket pair of their own, which is descriptor 0 of the logger: a packet is one
 * of these bytes, and what master says has a descriptor with it. Master lets go of its
 * end when this logger is not to be told of any more programs.
 */
#pragma once

enum logger_word {
	LOGGER_READ = 'r',  /* from this socket, too */
	LOGGER_WRITE = 'w', /* to this destination from now on */
	LOGGER_GONE = 'g',  /* the logger: nobody takes what is written; lines wait */
};

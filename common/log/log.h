/* common/log/log.h - records on disk: written by one, read by many, torn by none
 *
 * What    a log file is a header and framed records (length, kind, CRC-32C). Two
 *         shapes: LOG_GROWS (a store's data.N, journal.N) and LOG_PREWRITTEN (a
 *         spool segment of fixed size, recycled, so that a sync touches no
 *         metadata). Split by noun: io.h the calls to the disk as a table,
 *         frame.h the bytes, writer.h, reader.h, recover.h, dir.h.
 * Promise what a sync covered is read back exactly and in order after any crash;
 *         what was not is read back whole or not at all; what follows damage is
 *         never misread; damage in synced bytes is named by offset and length.
 * Trust   every byte of a file is doubted: nothing is read out of bounds, nothing
 *         returned whose CRC is wrong, no file makes a scan run for ever. A mail
 *         cannot forge a record: CRCs start from the file's secret random salt.
 * Memory  a writer is a value and allocates nothing. A reader owns one window of
 *         LOG_WINDOW_BYTES. No shared state: distinct objects, distinct threads.
 *
 *   struct log_dir dir = {&log_io_real, dir_fd, "journal.", 'J'};
 *   struct log_recovery was; struct log_file file; struct log_writer w; uint64_t at;
 *   if (log_dir_open(&dir, 7, LOG_WRITE, &file, &err) != LOG_OPEN_OK) ...
 *   if (log_recover(&file, LOG_GROWS, 0, &was, &err) < 0) ... abandon the file
 *   log_writer_init(&w, &file, was.end, LOG_FILE_MAX);
 *   if (log_append(&w, KIND, spans, n_spans, &at, &err) != LOG_OK) ...
 *   uint64_t covered = log_sync_begin(&w);             on the loop
 *   int result = log_file_sync(&file, &err);           on a worker thread
 *   if (log_sync_end(&w, covered, result, &err) == LOG_OK) ... all before is durable
 *   log_reader_init(&r, &file, LOG_HEADER_BYTES, was.end);
 *   while (log_reader_next(&r, &record, &err) == LOG_READ_RECORD) ...
 */
#pragma once

#include "common/base/base.h"

#include "common/log/io.h"
#include "common/log/frame.h"
#include "common/log/file.h"
#include "common/log/writer.h"
#include "common/log/reader.h"
#include "common/log/recover.h"
#include "common/log/dir.h"

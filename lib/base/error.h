/* Errors are texts: a function that can fail returns NULL, or one line that says what is wrong.
 *
 * The line names no tool and no file: who called adds where it happened (rs_error_at), and cmd/ prints it as
 * "tool: where: what". Texts live in a small ring of buffers of the calling thread: good until the thread has
 * made eight more; copy one that must live longer. */
#ifndef RS_BASE_ERROR_H
#define RS_BASE_ERROR_H

/* Formats as printf; control characters that hostile input may have brought are shown as '?'. Never NULL. */
const char *rs_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "where: error", or NULL where `error` is NULL, so that it may wrap any call. rs_error_closed passes
 * unchanged. */
const char *rs_error_at(const char *where, const char *error);

/* What a writer returns when its reader has gone (EPIPE): not a failure, but a reason to stop; compare by
 * address. */
extern const char rs_error_closed[];

/* The text of a failed write: rs_error_closed for EPIPE, else strerror of `number` (0: "write failed"). */
const char *rs_error_write(int number);

#endif

/* rs-info: what is in a stream of tensors, a file of statistics or a model. */
#ifndef RS_TASK_INFO_H
#define RS_TASK_INFO_H

#include <stdio.h>

/* Reads records from `stream` to its end and prints, a line each, "key: value" (or "key<TAB>value" with
 * `separator` "\t"): kind, metadata, then the arrays of a single record, or the shapes and number of samples
 * of a stream of tensors with the range of its numbers. An error where records differ in shape or metadata,
 * or a stream is torn, and as rs_error_write where `out` failed; what it still buffers is not checked. */
const char *rs_info_print(FILE *stream, FILE *out, const char *separator);

#endif

/* Samples as they come, one behind the other, from files and pipes: rs-tensor(5) read in constant memory. */
#ifndef RS_TASK_STREAM_H
#define RS_TASK_STREAM_H

#include "task/dataset.h"

struct rs_stream {
    FILE **files;           /* owned by the caller, NULL behind the last */
    char **paths;           /* the operands that they are of, for messages */
    struct rs_tensor shape; /* of one sample; set by rs_stream_start */
    struct rs_meta meta;
    struct rs_tensor record; /* of the record at hand */
    unsigned char *data;     /* its arrays */
    size_t room;             /* bytes that `data` has room for */
    int next;                /* sample of it */
    int64_t number;          /* records of this file, so far */
    size_t memory;           /* bytes that one record may take */
};

/* Reads the first record, so that shape and meta are known. */
const char *rs_stream_start(struct rs_stream *stream, FILE **files, char **paths, size_t memory);

/* The next sample, in memory that is good until the next call; `*more` is false behind the last. Errors name
 * the file and the record. */
const char *rs_stream_next(struct rs_stream *stream, struct rs_dataset_sample *sample, bool *more);

size_t rs_stream_sample_bytes(const struct rs_stream *stream); /* image, vessel and fov together */

void rs_stream_free(struct rs_stream *stream);

#endif

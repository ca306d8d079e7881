/* Tensors: normalised samples for training, safetensors records end to end; rs-tensor(5). */
#ifndef RS_FORMAT_TENSOR_H
#define RS_FORMAT_TENSOR_H

#include "format/safetensors.h"

/* The shape of a record's arrays. */
struct rs_tensor {
    int samples, channels, height, width;
    bool has_vessel, has_fov;
};

/* Writes one record: image [n,c,h,w] (F32), and where `shape` has them vessel and fov [n,1,h,w] (U8: 255 x
 * share, and 0 or 255). `meta` says how the numbers came to be. Errors as rs_error_write. */
const char *rs_tensor_write(FILE *stream, const struct rs_tensor *shape, const struct rs_meta *meta,
                            const float *image, const uint8_t *vessel, const uint8_t *fov);

/* A record in memory. Starts as {0} and is reused. */
struct rs_tensor_record {
    struct rs_tensor shape;
    struct rs_meta meta;
    unsigned char *data; /* the arrays; owned */
    size_t room;         /* bytes allocated */
};

/* One sample of a record: image [c][h][w]; vessel and fov [h][w], NULL if absent. */
struct rs_tensor_sample {
    const float *image;
    const uint8_t *vessel, *fov;
};

/* Reads the next record of the stream, of at most `most` pixels over all of its samples. `*more` is false at a
 * clean end of the stream. Memory is taken as data come, not by what the header says. After an error the stream
 * is not to be read on. */
const char *rs_tensor_read(FILE *stream, int64_t most, struct rs_tensor_record *record, bool *more);
struct rs_tensor_sample rs_tensor_sample(const struct rs_tensor_record *record, int n);
void rs_tensor_free(struct rs_tensor_record *record);

/* What a parsed record holds as a tensor; an error if it holds anything else. The data come in the order
 * image, vessel, fov. */
const char *rs_tensor_describe(const struct rs_record *record, struct rs_tensor *shape);

/* NULL if `b` has the planes and sizes of `a` (the number of samples may differ), else a text that names
 * both. */
const char *rs_tensor_differ(const struct rs_tensor *a, const struct rs_tensor *b);

#endif

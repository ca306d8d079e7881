/* The samples that a network is trained or validated on: records of rs-tensor(5), all of one shape and
 * normalisation. */
#ifndef RS_TASK_DATASET_H
#define RS_TASK_DATASET_H

#include <stdio.h>

#include "format/tensor.h"
#include "kernel/map.h"

struct rs_dataset {
    struct rs_tensor shape; /* of one sample */
    struct rs_meta meta;
    uint32_t count;
    struct rs_dataset_sample {
        const unsigned char *image, *vessel, *fov; /* F32 [c][h][w] unaligned; U8 [h][w], NULL if absent */
    } * samples;
    struct rs_dataset_part {
        void *data;
        size_t size;
        bool mapped;
    } * parts; /* what the samples point into */
    int part_count;
    size_t used; /* bytes of memory taken for what came through pipes */
};

/* Adds every record of `stream`: a regular file is mapped, anything else is kept in memory, up to `memory`
 * bytes in all. `data` starts as {0}. Errors say which record, counted from 1. */
const char *rs_dataset_add(struct rs_dataset *data, FILE *stream, size_t memory);

/* NULL if `b` has the shape and normalisation of `a`. */
const char *rs_dataset_differ(const struct rs_dataset *a, const struct rs_dataset *b);

void rs_dataset_free(struct rs_dataset *data);

/* Puts a sample as the n-th of a batch: into x [n][h][w][c], vessel and fov [n][h][w] (fov all 255 where it
 * has none). False if a number of its image is not finite. */
bool rs_dataset_put(const struct rs_dataset_sample *sample, struct rs_map *x, int n, uint8_t *vessel,
                    uint8_t *fov);

/* A batch: samples order[0..x.n) put one behind the other. An error names a sample whose image is not finite.
 */
const char *rs_dataset_batch(const struct rs_dataset *data, const uint32_t *order, struct rs_map x,
                             uint8_t *vessel, uint8_t *fov);

#endif

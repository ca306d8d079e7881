/* What rs-norm -fit learns from many images, as a file; rs-model(5). */
#ifndef RS_PICTURE_STATISTICS_H
#define RS_PICTURE_STATISTICS_H

#include "format/safetensors.h"
#include "picture/prep.h"

/* A safetensors file whose metadata are rs_prep_to_meta's and, with a whitening, the number of `vectors` that it was
 * learnt from; its arrays are the whitening's. The file is replaced whole or not at all. */
const char *rs_statistics_save(const struct rs_prep *prep, int64_t vectors, const char *path);

/* Reads it strictly; on success rs_prep_free is due. prep->statistics becomes the SHA-256 of the file where it has a
 * whitening. */
const char *rs_statistics_load(struct rs_prep *prep, const char *path);

/* The arrays of a whitening, in a file of statistics or a model: adds them behind those of `record`; writes their
 * data. */
void rs_whitening_describe(const struct rs_whitening *whitening, struct rs_record *record);
const char *rs_whitening_write(const struct rs_whitening *whitening, FILE *file);

/* Whether an array is one of a whitening's (false where there is none), in a record that has just the arrays
 * described; then reads its data. */
bool rs_whitening_has(const struct rs_whitening *whitening, const struct rs_array *array);
const char *rs_whitening_read(struct rs_whitening *whitening, FILE *file, const struct rs_array *array);

#endif

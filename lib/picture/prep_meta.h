/* A normalisation in words: the metadata by which records, models and statistics tell of it. */
#ifndef RS_PICTURE_PREP_META_H
#define RS_PICTURE_PREP_META_H

#include "format/safetensors.h"
#include "picture/prep.h"

const char *rs_prep_mode(const struct rs_prep *prep); /* its name, as -mode has it */

/* Sets the metadata that record `prep`, in canonical order. Its whitening is told of, not written. */
void rs_prep_to_meta(const struct rs_prep *prep, struct rs_meta *meta);

/* Reads them back: every number exactly, whatever was told of a whitening, which stays NULL. The error names the
 * metadata that is missing, or is nothing that rs_prep_to_meta sets; prep then owns nothing. */
const char *rs_prep_from_meta(struct rs_prep *prep, const struct rs_meta *meta);

#endif

/* Light that varies: normalised numbers made brighter or darker, and of more or less contrast, by chance. For training
 * alone: it is no part of the normalisation, and a photograph that is to be segmented is never jittered. */
#ifndef RS_PICTURE_JITTER_H
#define RS_PICTURE_JITTER_H

#include <stddef.h>
#include <stdint.h>

/* Every number x of plane p of an image becomes x (1 + g + g[p]) + o + o[p], where g and o are normal with mean 0 and
 * deviation `shared`, g[p] and o[p] with deviation `plane`. {0} changes nothing. */
struct rs_jitter {
    double shared, plane;
    uint64_t seed;
};

/* Jitters x [channels][pixels] of image number `image` where `fov` [pixels] is not 0, or everywhere if it is NULL. */
void rs_jitter_apply(const struct rs_jitter *jitter, uint64_t image, float *x, int channels, size_t pixels,
                     const uint8_t *fov);

#endif

/* Turning, mirroring and scaling an image about its centre, with every plane alike and the size kept.
 *
 * The photograph's and the truth's planes are interpolated bicubically exactly as Pillow's
 * Image.rotate(angle, resample=BICUBIC) does it: the cubic convolution of R. G. Keys ("Cubic convolution
 * interpolation for digital image processing", IEEE Trans. ASSP 29, 1981) with a = -1, pixel centres at
 * halves, taps outside the image taken from its edge, the fraction of the result cut off. The truth thereby
 * becomes a share of vessel. The field of view is taken from the nearest pixel and is 0 or maxval. What comes
 * from outside the image is 0 in every plane. */
#ifndef RS_PICTURE_WARP_H
#define RS_PICTURE_WARP_H

#include "format/image.h"

/* An image made ready for being turned any number of times. Starts as {0} and may be reused for the next
 * image. */
struct rs_warp {
    const struct rs_image *image; /* not owned: must live, unchanged, as long as copies of it are made */
    size_t planes;                /* of photograph and truth: all but the field of view */
    uint16_t (
        *framed)[4]; /* [height + 4][width + 4][4]: photograph and truth in a frame of edge pixels; owned */
    size_t capacity; /* pixels allocated */
};

void rs_warp_prepare(struct rs_warp *warp, const struct rs_image *image);
void rs_warp_free(struct rs_warp *warp);

/* What is done to an image: first it is mirrored, left for right, then scaled about its centre, then turned
 * counter-clockwise. */
struct rs_warp_move {
    bool mirror;
    double zoom;    /* > 0; 2: twice as large */
    int quarters;   /* of a full turn, 0..3 */
    double degrees; /* more */
};

/* `turned` becomes the image, moved, as far as it then lies on a canvas of the old size. It always has a field of
 * view. Where neither zoom nor degrees do anything, samples are copied exactly: in an image whose width and height
 * differ by an odd number, quarter turns are then about a point half a pixel off its centre. Starts as {0}. On the
 * pool's threads. */
void rs_warp_turn(struct rs_image *turned, const struct rs_warp *warp, const struct rs_warp_move *move);

/* What moves are drawn from. */
struct rs_warp_range {
    double angle;         /* degrees are uniform in [0, angle) */
    bool mirror, quarter; /* one copy in two is mirrored; one in four turned by each number of quarters */
    double zoom[2];       /* the least and the greatest; its logarithm is uniform between theirs */
};

/* The move of one copy of one image. Each part of it depends on nothing else of the range. */
struct rs_warp_move rs_warp_draw(const struct rs_warp_range *range, uint64_t seed, uint64_t image,
                                 uint64_t copy);

/* Makes every sample of the truth 0 or maxval: v > maxval / 2. */
void rs_warp_harden(struct rs_image *image);

#endif

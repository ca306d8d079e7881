/* Normalisation: the one place where samples of an image become the network's numbers.
 *
 * Samples are scaled to [0,1]; then, by mode:
 *   none     nothing more;
 *   patch    of each patch and channel: minus its mean, over its standard deviation + 2e-6;
 *   dataset  the same with mean and standard deviation of each channel over all pixels of a set of images;
 *   image    the same with those of each whole photograph, for every part that is cut from it;
 *   zca      each patch, a vector of all its numbers, whitened (picture/whiten.h);
 *   zca-filter  a photograph filtered by the whitening of a small window.
 * Standard deviations are those of a population: over n. With `fov_only` the statistics are of the pixels
 * inside the field of view, and pixels outside it become 0. */
#ifndef RS_PICTURE_PREP_H
#define RS_PICTURE_PREP_H

#include <stdint.h>

#include "base/sha256.h"
#include "format/image.h"
#include "picture/whiten.h"

#define RS_PREP_EPSILON 2e-6
#define RS_PREP_LEAST_EPSILON 1e-6 /* of a whitening, whose products are single floats; the most is 1 */

enum rs_prep_mode {
    RS_PREP_PATCH,
    RS_PREP_DATASET,
    RS_PREP_NONE,
    RS_PREP_IMAGE,
    RS_PREP_ZCA,
    RS_PREP_ZCA_FILTER
};
enum rs_prep_planes { RS_PLANES_ALL, RS_PLANES_GRAY, RS_PLANES_GREEN };

struct rs_prep {
    enum rs_prep_mode mode;
    enum rs_prep_planes planes; /* gray: .299 R + .587 G + .114 B (Rec. 601), as ppmtopgm has it */
    bool fov_only;
    bool subtract_mean, divide_std;
    enum rs_subject source; /* what photographs it takes */
    int width, height;      /* of the patches it was made over; 0: of whole photographs, patch mode never */
    double mean[3], std[3]; /* by channel; dataset alone */

    /* zca and zca-filter alone */
    double epsilon;                  /* in mean eigenvalues */
    int rank;                        /* of the truncated form; 0: full */
    int window;                      /* a filter's side */
    char statistics[RS_SHA256_TEXT]; /* the SHA-256 of the file that has the whitening */
    struct rs_whitening *whitening;  /* owned; NULL where it is only told of */
};

bool rs_prep_whitens(const struct rs_prep *prep); /* zca or zca-filter */
bool rs_prep_learns(const struct rs_prep *prep);  /* those and dataset: many images come before the first */
bool rs_prep_is_by_patch(
    const struct rs_prep *prep); /* patch or zca: a patch is made by itself, of its one size */
bool rs_prep_is_whole(
    const struct rs_prep *prep); /* image or zca-filter: made of whole photographs, then cut */

struct rs_whitening rs_prep_form(const struct rs_prep *prep); /* of its whitening, without arrays */

/* Whether two whitenings tell the same of themselves: planes, source, field of view, epsilon and form. */
bool rs_prep_whitens_alike(const struct rs_prep *a, const struct rs_prep *b);

void rs_prep_reserve(struct rs_prep *prep); /* makes a whitening of that form, all 0 */
void rs_prep_free(struct rs_prep *prep);

int rs_prep_channels(const struct rs_prep *prep); /* of the network's input: 1 or 3 */

/* NULL if `image` can be normalised by `prep`: a photograph of its source's planes, with a field of view if
 * that is asked for, and whole if its own statistics are. The error names both. */
const char *rs_prep_fits(const struct rs_prep *prep, const struct rs_image *image);

/* What the values of each channel are shifted by, then divided by. */
struct rs_prep_constants {
    double shift[3], scale[3];
};

/* The constants for parts of `whole`, which fits: of the patch itself in patch mode, of the whole photograph in
 * image mode. In the other modes they do not depend on it. */
struct rs_prep_constants rs_prep_constants(const struct rs_prep *prep, const struct rs_image *whole);

/* How many pixels around a part its numbers depend on: what is given to rs_prep_apply has a margin so wide. */
int rs_prep_reach(const struct rs_prep *prep);

/* The numbers of an image, or of any part cut from it, without its margin: x [channels][height][width]. In zca mode
 * they are complete after rs_prep_finish, of `count` images one behind the other; in the others that does nothing.
 * Many at once are faster: its matrix is large. RS_PREP_TOGETHER are worth waiting for, where a mode wants any. */
enum { RS_PREP_TOGETHER = 16 };
bool rs_prep_gathers(const struct rs_prep *prep);
void rs_prep_apply(const struct rs_prep *prep, const struct rs_prep_constants *constants,
                   const struct rs_image *image, float *x);
void rs_prep_finish(const struct rs_prep *prep, float *x, int count);

/* The number that stands for what lies beyond the edge of a photograph: black, or 0 where the constants are not
 * known without the photograph. */
float rs_prep_beyond(const struct rs_prep *prep, int channel);

/* Statistics over many images, for the dataset mode: {0}, then one call an image that fits, then the end. */
struct rs_prep_sums {
    double count, mean[3], squares[3]; /* squares: sum of squared deviations from the mean */
};
void rs_prep_sums_add(struct rs_prep_sums *sums, const struct rs_prep *prep, const struct rs_image *image);

/* Sets prep's mean and std. An error where no pixel was counted, or -divide by a standard deviation of 0. */
const char *rs_prep_sums_end(const struct rs_prep_sums *sums, struct rs_prep *prep);

#endif

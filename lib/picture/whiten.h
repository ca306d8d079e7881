/* ZCA whitening: the rotation-free linear map after which the numbers of a patch vary alike and independently
 * (Bell and Sejnowski, "The independent components of natural scenes are edge filters", 1997).
 *
 * With the covariance C = V diag(l) V^T of d numbers, rows of V^T being eigenvectors, y = W (x - mean) where
 * W = V diag(s) V^T and s = 1 / sqrt(l + epsilon * mean of l). It has one of three forms:
 *   full       W itself, [d][d];
 *   truncated  the `rank` largest eigenvalues with their vectors, and one s, `tail`, for all other directions:
 *              y = tail x + V (s - tail) V^T x;
 *   filter     of a small window, the rows of W that make its centre, which filter whole photographs: each plane's
 *              result from all planes, [planes][planes][height][width].
 * Its bits are those of single floats added in one order: of any number of patches at once, of any part of a
 * photograph, on any processor. */
#ifndef RS_PICTURE_WHITEN_H
#define RS_PICTURE_WHITEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RS_WHITENING_MOST = 12288 }; /* numbers: 64 x 64 of three planes */

struct rs_whitening {
    int planes, width, height; /* of a patch, or of the window of a filter, whose sides are odd */
    int rank;                  /* 0: full, or a filter */
    bool filter;
    float *mean;    /* [d]; of a filter [planes] */
    float *matrix;  /* [d][d]; of a filter [planes][d]; NULL if truncated */
    float *vectors; /* [rank][d] */
    float *across;  /* [d][rank]: the same, transposed */
    float *scales;  /* [rank]: s, the largest eigenvalue's first */
    float *tail;    /* [1]: the s of all directions that are left */
};

/* The arrays that a form has in a file, in order; rs-model(5). */
enum { RS_WHITENING_ARRAYS = 4 };
struct rs_whitening_array {
    const char *name;
    int rank;
    int64_t shape[4];
    size_t count;
    float *values; /* the whitening's; NULL before rs_whitening_reserve */
};

/* Lists them from planes, width, height, rank and filter; returns how many. */
int rs_whitening_list(const struct rs_whitening *whitening,
                      struct rs_whitening_array list[RS_WHITENING_ARRAYS]);

/* NULL if those five are such as can be: a patch or window of at most RS_WHITENING_MOST numbers, a rank below that,
 * a filter without rank and of odd sides. */
const char *rs_whitening_check(const struct rs_whitening *whitening);

int rs_whitening_size(const struct rs_whitening *whitening); /* d */

void rs_whitening_reserve(struct rs_whitening *whitening); /* its arrays, zeroed */

/* After the arrays were set: an error if a number is not finite, or a scale not above 0. */
const char *rs_whitening_finish(struct rs_whitening *whitening);
void rs_whitening_free(struct rs_whitening *whitening);

/* Whitens `count` patches, [count][planes][height][width], in place. No filter. */
void rs_whiten(const struct rs_whitening *whitening, float *x, int count);

/* y [planes][height][width] of x [planes][height + window's - 1][width + window's - 1], from which the mean has been
 * taken. A filter alone. */
void rs_whiten_filter(const struct rs_whitening *whitening, float *y, const float *x, int width, int height);

#endif

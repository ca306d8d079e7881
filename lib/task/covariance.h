/* Mean and covariance of vectors that pass by once, for dimensions in the thousands.
 *
 * Vectors are taken in batches. The products of a batch, about its own mean, are floats by OpenBLAS; the sums over
 * batches are doubles, merged as in picture/prep.h (Chan, Golub and LeVeque, 1979). Shards are tiles of the matrix, so
 * that the sums are the same for any number of threads. */
#ifndef RS_TASK_COVARIANCE_H
#define RS_TASK_COVARIANCE_H

#include <stddef.h>
#include <stdint.h>

struct rs_covariance {
    int size; /* d */
    int64_t count;
    double *mean;    /* [d] */
    double *scatter; /* [d][d]: sums of products of deviations; where column >= row */

    float *batch; /* [RS_COVARIANCE_BATCH][d] */
    double *batch_mean, *apart;
    float *tiles; /* [threads][RS_COVARIANCE_TILE][RS_COVARIANCE_TILE] */
    int filled;
};

enum { RS_COVARIANCE_BATCH = 512, RS_COVARIANCE_TILE = 256 };

/* 8 d^2 bytes and some. rs_threads_start and rs_gemm_start are due before. */
void rs_covariance_start(struct rs_covariance *sums, int size);

/* Where the next vector, [d], is to be written, and that it has been. */
float *rs_covariance_next(struct rs_covariance *sums);
void rs_covariance_add(struct rs_covariance *sums);

/* Adds what is left, after which `mean` is what it says, and `scatter` over `count` is the covariance. */
void rs_covariance_end(struct rs_covariance *sums);

void rs_covariance_free(struct rs_covariance *sums);

#endif

/* Matrix products by OpenBLAS, one thread a call: its sums depend on its number of threads, so threads are
 * ours. */
#ifndef RS_BLAS_GEMM_H
#define RS_BLAS_GEMM_H

#include <stdbool.h>

/* Row-major: c [m][n] = a b + beta c, where a is [m][k] (or [k][m], used transposed, with `ta`), b is [k][n]
 * (or [n][k] with `tb`); lda, ldb, ldc are the row strides in floats. Safe from any thread after
 * rs_gemm_start. */
struct rs_gemm {
    int m, n, k;
    bool ta, tb;
    int lda, ldb, ldc;
};
void rs_gemm(const struct rs_gemm *shape, const float *a, const float *b, float beta, float *c);

/* Call once before the first product. An error if this OpenBLAS is the serial build, which returns wrong
 * products when several threads call it, and `threads` > 1, or if there is no memory for its buffers. */
const char *rs_gemm_start(int threads);

#endif

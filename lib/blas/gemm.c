#include "blas/gemm.h"

#include <cblas.h>
#include <stdio.h>

#include "base/error.h"

void rs_gemm(const struct rs_gemm *s, const float *a, const float *b, float beta, float *c)
{
    cblas_sgemm(CblasRowMajor, s->ta ? CblasTrans : CblasNoTrans, s->tb ? CblasTrans : CblasNoTrans, s->m,
                s->n, s->k, 1, a, s->lda, b, s->ldb, beta, c, s->ldc);
}

const char *rs_gemm_start(int threads)
{
    if (threads > 1 && openblas_get_parallel() == OPENBLAS_SEQUENTIAL)
        return rs_error("this OpenBLAS is the serial build, whose products are wrong under threads: install "
                        "libopenblas0-pthread or use -threads=1");
    openblas_set_num_threads(1);
    return NULL;
}

const char *rs_gemm_name(void)
{
    static char name[64];
    snprintf(name, sizeof name, "openblas %s", openblas_get_corename());
    return name;
}

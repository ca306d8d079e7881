#include "blas/gemm.h"

#include <cblas.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>

#include "base/error.h"

void rs_gemm(const struct rs_gemm *s, const float *a, const float *b, float beta, float *c)
{
    cblas_sgemm(CblasRowMajor, s->ta ? CblasTrans : CblasNoTrans, s->tb ? CblasTrans : CblasNoTrans, s->m,
                s->n, s->k, 1, a, s->lda, b, s->ldb, beta, c, s->ldc);
}

/* OpenBLAS takes a buffer for every thread at its first large product, and where there is no memory for it tries
 * for ever: better to find out before. */
static const char *check_memory(int threads)
{
    const size_t buffer = 128 << 20, size = buffer * (size_t)threads;
    void *probe = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (probe == MAP_FAILED)
        return rs_error("out of memory: OpenBLAS wants %zu MiB a thread", buffer >> 20);
    munmap(probe, size);
    return NULL;
}

const char *rs_gemm_start(int threads)
{
    if (threads > 1 && openblas_get_parallel() == OPENBLAS_SEQUENTIAL)
        return rs_error("this OpenBLAS is the serial build, whose products are wrong under threads: install "
                        "libopenblas0-pthread or use -threads=1");
    openblas_set_num_threads(1);
    return check_memory(threads);
}

#include "blas/eigen.h"

#include <lapack.h>
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"

/* What is no vector's or another's at the next run is no eigenvector at all, so one of the two is said. */
static void settle_sign(double *vector, int n)
{
    double most = 0;
    for (int i = 0; i < n; i++)
        most = fabs(vector[i]) > fabs(most) ? vector[i] : most;
    for (int i = 0; i < n && most < 0; i++)
        vector[i] = -vector[i];
}

const char *rs_eigen(double *a, int n, int count, double *values, double *vectors)
{
    /* An upper triangle by rows is a lower one by columns, which LAPACK wants; its columns are our rows. */
    int from = n - count + 1, found = 0, info = 0, asked = -1, integers = 0;
    double none = 0, reals = 0;
    int *support = rs_alloc(2 * (size_t)count, sizeof *support);
    LAPACK_dsyevr("V", "I", "L", &n, a, &n, &none, &none, &from, &n, &none, &found, values, vectors, &n,
                  support, &reals, &asked, &integers, &asked, &info);
    int real_count = (int)reals, integer_count = integers;
    double *work = rs_alloc((size_t)real_count, sizeof *work);
    int *integer_work = rs_alloc((size_t)integer_count, sizeof *integer_work);
    LAPACK_dsyevr("V", "I", "L", &n, a, &n, &none, &none, &from, &n, &none, &found, values, vectors, &n,
                  support, work, &real_count, integer_work, &integer_count, &info);
    free(support);
    free(work);
    free(integer_work);
    if (info || found != count)
        return rs_error("LAPACK finds no eigenvectors (dsyevr: %d)", info);
    for (int k = 0; k < count; k++)
        settle_sign(vectors + (long)k * n, n);
    return NULL;
}

/* Eigenvalues and eigenvectors of symmetric matrices, by LAPACK's dsyevr: for all of them multiple relatively robust
 * representations (Dhillon, Parlett and Voemel, "The design and implementation of the MRRR algorithm", 2006), for the
 * largest alone bisection and inverse iteration. */
#ifndef RS_BLAS_EIGEN_H
#define RS_BLAS_EIGEN_H

/* The `count` largest eigenvalues of a symmetric matrix of size n, in ascending order, and their eigenvectors, row by
 * row: values [n], of which `count` are set; vectors [count][n], each of length 1 and of a sign that the matrix alone
 * decides: its entry of the largest magnitude is positive. Destroys `a` [n][n], of which it reads the upper triangle
 * (column >= row). rs_gemm_start is due before. An error where LAPACK does not come to an end. */
const char *rs_eigen(double *a, int n, int count, double *values, double *vectors);

#endif

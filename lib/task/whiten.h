/* rs-norm -fit: ZCA whitening from the covariance of many patches. */
#ifndef RS_TASK_WHITEN_H
#define RS_TASK_WHITEN_H

#include "picture/whiten.h"
#include "task/covariance.h"

/* Sets the arrays of a whitening of that covariance, whose scatter is destroyed; of `whitening` planes, width, height,
 * rank and filter are given. `epsilon` is in units of the mean eigenvalue. With `progress` a terminal shows how long
 * the eigenvectors will take, as a smaller part of the matrix foretells. Errors: fewer than two vectors, or vectors
 * that are all alike. On success rs_whitening_free is due. */
const char *rs_whitening_fit(struct rs_whitening *whitening, struct rs_covariance *sums, double epsilon,
                             bool progress);

#endif

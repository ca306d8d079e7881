/* How well a network does on samples that it was not trained on. */
#ifndef RS_TASK_VALIDATE_H
#define RS_TASK_VALIDATE_H

#include "network/unet.h"
#include "task/dataset.h"

struct rs_validation {
    double loss;           /* mean log loss */
    double accuracy, dice; /* at threshold .5 */
    double auc;            /* area under the ROC curve */
    double temperature;    /* of the lowest log loss; NaN where the truth is of one kind */
    double threshold;      /* of p at that temperature, of the best Dice; NaN where the truth has no vessel */
    bool one_class;        /* every pixel said to be the same at .5 */
};

/* Runs the network over all samples, `batch` at a time; pixels in the field of view alone with `fov_only`. The figures
 * are those of p as the network says it, not tempered, so that those of two validations can be compared. An error if there is no such pixel, or the loss is not finite. */
const char *rs_validate(struct rs_validation *result, const struct rs_unet *net,
                        const struct rs_dataset *data, int batch, bool fov_only);

#endif

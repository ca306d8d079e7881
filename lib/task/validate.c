#include "task/validate.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "layer/loss.h"
#include "layer/probability.h"
#include "measure/scores.h"
#include "measure/temperature.h"
#include "network/evaluate.h"

static void count_pixels(struct rs_histogram *histogram, struct rs_map logits, const struct rs_truth *truth)
{
    size_t pixel = 0;
    for (int row = 0; row < logits.n * logits.h; row++) {
        const float *at = rs_map_at(&logits, row / logits.h, row % logits.h, 0);
        for (int j = 0; j < logits.w; j++, pixel++)
            if (!truth->fov || truth->fov[pixel] > 127)
                rs_histogram_add(histogram, rs_level(rs_sigmoid((double)at[j])), truth->vessel[pixel] > 127);
    }
}

struct run {
    const struct rs_dataset *data;
    struct rs_evaluator *evaluator;
    struct rs_histogram histogram;
    struct rs_loss loss;
};

static const char *run_batch(struct run *run, uint32_t first, int n, uint8_t *planes, bool fov_only)
{
    uint32_t *order = rs_alloc((size_t)n, sizeof *order);
    for (int i = 0; i < n; i++)
        order[i] = first + (uint32_t)i;
    struct rs_map input = rs_map_images(rs_evaluator_input(run->evaluator), 0, n);
    uint8_t *fov = planes + (size_t)n * (size_t)input.h * (size_t)input.w;
    const char *error = rs_dataset_batch(run->data, order, input, planes, fov);
    free(order);
    if (error)
        return error;
    struct rs_map logits = rs_evaluator_run(run->evaluator, n);
    struct rs_truth truth = {planes, fov_only ? fov : NULL};
    struct rs_loss loss = rs_loss_forward(logits, &truth);
    run->loss.sum += loss.sum;
    run->loss.count += loss.count;
    run->loss.correct += loss.correct;
    run->loss.predicted += loss.predicted;
    count_pixels(&run->histogram, logits, &truth);
    return NULL;
}

const char *rs_validate(struct rs_validation *result, const struct rs_unet *net,
                        const struct rs_dataset *data, int batch, bool fov_only)
{
    const struct rs_tensor *shape = &data->shape;
    size_t pixels = (size_t)batch * (size_t)shape->height * (size_t)shape->width;
    uint8_t *planes = rs_alloc(2 * pixels, 1);
    struct run run = {.data = data, .histogram = rs_histogram_start(RS_LEVELS)};
    run.evaluator = rs_evaluator_new(net, batch, shape->height, shape->width, RS_GROUP);
    const char *error = NULL;
    for (uint32_t first = 0; first < data->count && !error; first += (uint32_t)batch) {
        uint32_t left = data->count - first;
        error = run_batch(&run, first, left < (uint32_t)batch ? (int)left : batch, planes, fov_only);
    }
    struct rs_scores scores = rs_scores_of(&run.histogram, .5);
    double temperature = rs_best_temperature(&run.histogram);
    double threshold = rs_best_dice_threshold(&run.histogram);
    double count = (double)run.loss.count;
    *result = (struct rs_validation){
        .loss = run.loss.sum / count,
        .accuracy = (double)run.loss.correct / count,
        .dice = scores.dice,
        .auc = scores.auc_roc,
        .temperature = temperature,
        .threshold = isnan(temperature) ? threshold : rs_temper_threshold(threshold, temperature),
        .one_class = run.loss.predicted == 0 || run.loss.predicted == run.loss.count};
    rs_evaluator_free(run.evaluator);
    rs_histogram_free(&run.histogram);
    free(planes);
    if (!error && run.loss.count == 0)
        error = rs_error("no pixel in the field of view");
    if (!error && !isfinite(run.loss.sum))
        error = rs_error("the loss is not finite");
    return error;
}

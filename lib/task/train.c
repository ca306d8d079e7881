#include "task/train.h"

#include <errno.h>
#include <gnu/libc-version.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/number.h"
#include "base/progress.h"
#include "base/rng.h"
#include "blas/gemm.h"
#include "layer/loss.h"
#include "network/adam.h"
#include "network/pass.h"
#include "task/validate.h"

const char rs_train_log_header[] = "step\tepoch\tloss\taccuracy\tval_loss\tval_accuracy\tval_dice\tval_auc\t"
                                   "learning_rate\tpatches_per_second\tseconds\n";

const char *rs_train_parse_channels(const char *text, struct rs_train_options *options)
{
    int64_t list[RS_MAX_LEVELS];
    const char *error = rs_parse_list(text, 1, RS_MAX_CHANNELS, RS_MAX_LEVELS, list, &options->levels);
    for (int l = 0; !error && l < options->levels; l++)
        options->channels[l] = (int)list[l];
    if (!error && options->levels < 2)
        error = rs_error("'%s' is one level; a U-Net has 2 to %d", text, RS_MAX_LEVELS);
    return error;
}

/* What is summed up between two rows of the log. */
struct tally {
    double loss;
    int64_t count, correct;
};

struct trainer {
    const struct rs_train_options *options;
    const struct rs_dataset *data;
    const struct rs_train_files *files;
    struct rs_model model;
    struct rs_adam adam;
    struct rs_unet_work *work;
    struct rs_map dlogits;
    float *gradient;
    uint8_t *vessel, *fov;
    uint32_t *order;
    struct rs_progress progress;
    double smoothed; /* loss, by a first-order filter, for the eye alone */
    struct tally tally;
    int64_t seen, predicted; /* pixels of this epoch; of them, said to be vessel */
    int64_t samples, logged; /* trained on; of them, when the last row was written */
    double logged_at, started;
};

static const char *check_data(const struct rs_train_options *options, const struct rs_dataset *data)
{
    struct rs_unet_shape shape = {.levels = options->levels};
    int multiple = rs_unet_multiple(&shape);
    if (!data->shape.has_vessel)
        return rs_error("tensors without truth (no array 'vessel')");
    if (options->fov_only && !data->shape.has_fov)
        return rs_error("tensors without a field of view (no array 'fov'): train with -pixels=image");
    if (data->shape.height % multiple || data->shape.width % multiple)
        return rs_error("patches of %dx%d are no multiple of %d, which %d levels need", data->shape.width,
                        data->shape.height, multiple, options->levels);
    if (data->shape.channels != 1 && data->shape.channels != 3)
        return rs_error("images of %d planes", data->shape.channels);
    return NULL;
}

/* The options that shape the weights, in the order of the manual. */
static void describe_training(const struct rs_train_options *o, char *text, size_t size)
{
    char lr[32], beta1[32], beta2[32], epsilon[32], dropout[32];
    rs_print_real(o->lr, lr);
    rs_print_real(o->beta1, beta1);
    rs_print_real(o->beta2, beta2);
    rs_print_real(o->epsilon, epsilon);
    rs_print_real(o->dropout, dropout);
    snprintf(text, size,
             "-epochs=%jd -batch=%jd -lr=%s -beta1=%s -beta2=%s -eps=%s -pixels=%s -dropout=%s -seed=%jd",
             (intmax_t)o->epochs, (intmax_t)o->batch, lr, beta1, beta2, epsilon,
             o->fov_only ? "fov" : "image", dropout, (intmax_t)o->seed);
}

static const char *start_model(struct trainer *t)
{
    const struct rs_train_options *options = t->options;
    struct rs_unet_shape shape = {.inputs = t->data->shape.channels, .levels = options->levels};
    memcpy(shape.channels, options->channels, sizeof shape.channels);
    const char *error = rs_prep_from_meta(&t->model.prep, &t->data->meta);
    if (!error && rs_prep_channels(&t->model.prep) != shape.inputs)
        error = rs_error("metadata of %d planes, but an image of %d", rs_prep_channels(&t->model.prep),
                         shape.inputs);
    if (error)
        return error;
    t->model.dropout = options->dropout;
    describe_training(options, t->model.training, sizeof t->model.training);
    snprintf(t->model.kernel, sizeof t->model.kernel, "%s, glibc %s", rs_gemm_name(), gnu_get_libc_version());
    rs_unet_build(&t->model.net, &shape);
    rs_unet_draw(&t->model.net, (uint64_t)options->seed);
    return NULL;
}

static void start_memory(struct trainer *t)
{
    const struct rs_train_options *options = t->options;
    const struct rs_tensor *shape = &t->data->shape;
    size_t batch = (size_t)options->batch, pixels = batch * (size_t)shape->height * (size_t)shape->width;
    t->adam =
        (struct rs_adam){options->lr, options->beta1, options->beta2, options->epsilon, 0, 0, NULL, NULL};
    rs_adam_start(&t->adam, t->model.net.parameter_count);
    t->gradient = rs_alloc(t->model.net.parameter_count, sizeof *t->gradient);
    t->work = rs_unet_work_new(&t->model.net, (int)options->batch, shape->height, shape->width, true);
    t->dlogits = (struct rs_map){NULL, (int)options->batch, shape->height, shape->width, 1};
    t->dlogits.data = rs_alloc(batch * rs_map_image(&t->dlogits), sizeof(float));
    t->vessel = rs_alloc(pixels, 1);
    t->fov = rs_alloc(pixels, 1);
    t->order = rs_alloc(t->data->count, sizeof *t->order);
}

static void finish(struct trainer *t)
{
    rs_progress_clear(&t->progress);
    rs_adam_free(&t->adam);
    rs_unet_work_free(t->work);
    rs_model_free(&t->model);
    free(t->dlogits.data);
    free(t->gradient);
    free(t->vessel);
    free(t->fov);
    free(t->order);
}

static const char *check_step(const struct trainer *t, const struct rs_loss *loss)
{
    const char *name = rs_unet_not_finite(&t->model.net, t->gradient);
    intmax_t step = (intmax_t)t->adam.step + 1;
    if (name)
        return rs_error("step %jd: the gradient of %s is not finite", step, name);
    if (!isfinite(loss->sum))
        return rs_error("step %jd: the loss is not finite", step);
    return NULL;
}

static void show(struct trainer *t, double loss)
{
    char note[32];
    t->smoothed = t->adam.step == 1 ? loss : .95 * t->smoothed + .05 * loss;
    snprintf(note, sizeof note, "loss %.4f", t->smoothed);
    rs_progress_show(&t->progress, (uint64_t)t->samples, note);
}

static const char *step(struct trainer *t, const uint32_t *order, int n)
{
    struct rs_unet *net = &t->model.net;
    struct rs_drop drop = {t->options->dropout, (uint64_t)t->options->seed, 0, (uint64_t)t->adam.step};
    rs_unet_work_use(t->work, n);
    t->dlogits.n = n;
    const char *error = rs_dataset_batch(t->data, order, rs_unet_input(t->work), t->vessel, t->fov);
    if (error)
        return error;
    struct rs_truth truth = {t->vessel, t->options->fov_only ? t->fov : NULL};
    struct rs_map logits = rs_unet_forward(net, t->work, &drop);
    struct rs_loss loss = rs_loss_forward(logits, &truth);
    t->samples += n;
    if (loss.count == 0) /* no pixel in the field of view: nothing to learn from */
        return NULL;
    rs_loss_backward(t->dlogits, logits, &truth, loss.count);
    rs_unet_backward(net, t->work, t->dlogits, t->gradient, &drop);
    error = check_step(t, &loss);
    if (error)
        return error;
    rs_adam_step(&t->adam, net->parameters, t->gradient);
    t->tally.loss += loss.sum;
    t->tally.count += loss.count;
    t->tally.correct += loss.correct;
    t->seen += loss.count;
    t->predicted += loss.predicted;
    show(t, loss.sum / (double)loss.count);
    return NULL;
}

static void print_figure(FILE *log, double value)
{
    if (isnan(value))
        fprintf(log, "NA\t");
    else
        fprintf(log, "%.6g\t", value);
}

/* One row: what was trained on since the last, and a validation if there was one. */
static const char *log_row(struct trainer *t, int64_t epoch, const struct rs_validation *validation)
{
    FILE *log = t->files->log;
    const double none = (double)NAN;
    double now = rs_now(), count = (double)t->tally.count;
    if (!log)
        return NULL;
    const double figures[] = {t->tally.loss / count,
                              (double)t->tally.correct / count,
                              validation ? validation->loss : none,
                              validation ? validation->accuracy : none,
                              validation ? validation->dice : none,
                              validation ? validation->auc : none,
                              t->adam.lr,
                              (double)(t->samples - t->logged) / (now - t->logged_at)};
    fprintf(log, "%jd\t%jd\t", (intmax_t)t->adam.step, (intmax_t)epoch);
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        print_figure(log, figures[i]);
    fprintf(log, "%.3f\n", now - t->started);
    t->tally = (struct tally){0};
    t->logged = t->samples;
    t->logged_at = now;
    errno = 0;
    return fflush(log) || ferror(log) ? rs_error_at("log", rs_error_write(errno)) : NULL;
}

static const char *train_epoch(struct trainer *t, int64_t epoch)
{
    uint32_t count = t->data->count, batch = (uint32_t)t->options->batch;
    struct rs_rng rng = rs_rng_at((uint64_t)t->options->seed, "shuffle", 0, (uint64_t)epoch);
    for (uint32_t i = 0; i < count; i++)
        t->order[i] = i;
    rs_rng_shuffle(&rng, t->order, count);
    t->seen = t->predicted = 0;
    for (uint32_t at = 0; at < count; at += batch) {
        uint32_t left = count - at;
        const char *error = step(t, t->order + at, (int)(left < batch ? left : batch));
        bool last = left <= batch;
        if (!error && !last && t->adam.step % t->options->log_every == 0)
            error = log_row(t, epoch, NULL);
        if (error)
            return error;
    }
    return NULL;
}

static const char *keep(struct trainer *t)
{
    return rs_error_at(t->files->model, rs_model_save(&t->model, t->files->model));
}

/* Keeps the model if it is the best so far. */
static const char *validate(struct trainer *t, const struct rs_dataset *data, int64_t epoch,
                            struct rs_train_report *report)
{
    struct rs_validation now;
    rs_progress_clear(&t->progress);
    const char *error = rs_validate(&now, &t->model.net, data, (int)t->options->batch, t->options->fov_only);
    if (error)
        return rs_error_at("validation", error);
    report->one_class = now.one_class;
    error = log_row(t, epoch, &now);
    if (error || !(now.loss < report->best_loss || report->best_epoch == 0))
        return error;
    report->best_loss = now.loss;
    report->best_epoch = epoch;
    report->threshold = now.threshold;
    t->model.has_threshold = !isnan(now.threshold);
    t->model.threshold = now.threshold;
    return keep(t);
}

static const char *train(struct trainer *t, const struct rs_dataset *validation,
                         struct rs_train_report *report)
{
    const char *error = NULL;
    if (t->files->log)
        fputs(rs_train_log_header, t->files->log);
    for (int64_t epoch = 1; epoch <= t->options->epochs && !error; epoch++) {
        error = train_epoch(t, epoch);
        if (!error && validation)
            error = validate(t, validation, epoch, report);
        else if (!error)
            error = log_row(t, epoch, NULL);
        if (!error && !validation)
            error = keep(t);
        if (!validation)
            report->one_class = t->predicted == 0 || t->predicted == t->seen;
    }
    report->steps = t->adam.step;
    return error;
}

const char *rs_train(const struct rs_train_options *options, const struct rs_dataset *data,
                     const struct rs_dataset *validation, const struct rs_train_files *files,
                     struct rs_train_report *report)
{
    struct trainer t = {.options = options, .data = data, .files = files};
    *report = (struct rs_train_report){0};
    const char *error = check_data(options, data);
    if (!error && validation)
        error = rs_error_at("validation", rs_dataset_differ(data, validation));
    if (!error)
        error = start_model(&t);
    if (error)
        return error;
    start_memory(&t);
    t.started = t.logged_at = rs_now();
    t.progress =
        rs_progress_start("patches", (uint64_t)options->epochs * (uint64_t)data->count, options->progress);
    error = train(&t, validation, report);
    finish(&t);
    return error;
}

#include "task/train.h"

#include <gnu/libc-version.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "kernel/kernel.h"
#include "layer/loss.h"
#include "network/average.h"
#include "network/pass.h"
#include "network/schedule.h"
#include "picture/prep_meta.h"
#include "picture/statistics.h"
#include "task/checkpoint.h"

struct trainer {
    const struct rs_train_options *options;
    const struct rs_train_files *files;
    struct rs_feed *feed;
    const struct rs_dataset *validation; /* NULL: none */
    struct rs_model model;
    struct rs_adam adam;
    struct rs_average average;
    struct rs_schedule schedule;
    struct rs_course course;
    int64_t steps, validate_every;
    struct rs_pass *pass;
    struct rs_batch batch;
    float *dlogit_data;
    struct rs_map dlogits;
    float *gradient;
    struct rs_progress progress;
    double smoothed;  /* loss, by a first-order filter, for the eye alone */
    double started;   /* so that now - started is the time spent in all */
    int64_t reviewed; /* the step of the last review */
    bool one_class;
};

static const char *check_data(const struct rs_train_options *options, const struct rs_tensor *shape)
{
    struct rs_unet_shape net = {.levels = options->levels};
    int multiple = rs_unet_multiple(&net);
    if (!shape->has_vessel)
        return rs_error("tensors without truth (no array 'vessel')");
    if (options->fov_only && !shape->has_fov)
        return rs_error("tensors without a field of view (no array 'fov'): train with -pixels=image");
    if (shape->height % multiple || shape->width % multiple)
        return rs_error("patches of %dx%d are no multiple of %d, which %d levels need", shape->width,
                        shape->height, multiple, options->levels);
    if (shape->channels != 1 && shape->channels != 3)
        return rs_error("images of %d planes", shape->channels);
    return NULL;
}

static const char *check_validation(const struct rs_feed *feed, const struct rs_dataset *validation)
{
    const char *error = rs_tensor_differ(rs_feed_shape(feed), &validation->shape);
    if (!error)
        error = rs_meta_differ(rs_feed_meta(feed), &validation->meta);
    return error ? rs_error_at("validation", error) : NULL;
}

/* The whitening that the tensors name comes from its file, and from no other. */
static const char *take_statistics(struct rs_prep *prep, const char *path)
{
    struct rs_prep loaded;
    if (!rs_prep_whitens(prep))
        return path
                   ? rs_error("-stats=%s, but the tensors are normalised by what they carry themselves", path)
                   : NULL;
    if (!path)
        return rs_error("whitened tensors: -stats must name the file of SHA-256 %s", prep->statistics);
    const char *error = rs_statistics_load(&loaded, path);
    if (error)
        return rs_error_at(path, error);
    if (strcmp(loaded.statistics, prep->statistics) != 0)
        error = rs_error("%s: SHA-256 %s, where the tensors were whitened by %s", path, loaded.statistics,
                         prep->statistics);
    else if (!rs_prep_whitens_alike(prep, &loaded))
        error = rs_error("%s: what the tensors say of their whitening is not so", path);
    if (error)
        rs_prep_free(&loaded);
    else
        prep->whitening = loaded.whitening;
    return error;
}

static const char *start_model(struct trainer *t)
{
    const struct rs_train_options *options = t->options;
    struct rs_unet_shape shape = {.inputs = rs_feed_shape(t->feed)->channels,
                                  .levels = options->levels,
                                  .block = options->block,
                                  .up = options->up};
    memcpy(shape.channels, options->channels, sizeof shape.channels);
    const char *error = rs_prep_from_meta(&t->model.prep, rs_feed_meta(t->feed));
    if (!error && rs_prep_channels(&t->model.prep) != shape.inputs)
        error = rs_error("metadata of %d planes, but an image of %d", rs_prep_channels(&t->model.prep),
                         shape.inputs);
    if (!error)
        error = take_statistics(&t->model.prep, t->files->statistics);
    if (error)
        return error;
    t->model.dropout = options->dropout;
    t->model.has_threshold = options->has_threshold;
    t->model.threshold = options->threshold;
    t->model.temperature = options->temperature;
    t->model.diameter = options->diameter;
    snprintf(t->model.about, sizeof t->model.about, "%s", options->about ? options->about : "");
    rs_train_describe(options, t->model.training, sizeof t->model.training);
    snprintf(t->model.kernel, sizeof t->model.kernel, "%s, glibc %s", rs_kernel()->name,
             gnu_get_libc_version());
    rs_unet_build(&t->model.net, &shape);
    rs_unet_draw(&t->model.net, (uint64_t)options->seed);
    rs_average_start(&t->average, options->average, &t->model.net);
    return NULL;
}

static void start_memory(struct trainer *t)
{
    const struct rs_train_options *options = t->options;
    const struct rs_tensor *shape = rs_feed_shape(t->feed);
    size_t batch = (size_t)options->batch, pixels = batch * (size_t)shape->height * (size_t)shape->width;
    t->adam = (struct rs_adam){
        .lr = options->lr, .beta1 = options->beta1, .beta2 = options->beta2, .epsilon = options->epsilon};
    rs_adam_start(&t->adam, t->model.net.parameter_count);
    t->gradient = rs_alloc(t->model.net.parameter_count, sizeof *t->gradient);
    t->pass = rs_pass_new(&t->model.net, (int)options->batch, shape->height, shape->width);
    t->dlogit_data =
        rs_alloc(rs_map_floats((int)options->batch, shape->height, shape->width, 1), sizeof(float));
    t->dlogits = rs_map_over(t->dlogit_data, (int)options->batch, shape->height, shape->width, 1);
    t->batch = (struct rs_batch){rs_pass_input(t->pass), rs_alloc(pixels, 1), rs_alloc(pixels, 1)};
}

static void finish(struct trainer *t)
{
    rs_progress_clear();
    rs_adam_free(&t->adam);
    rs_pass_free(t->pass);
    rs_model_free(&t->model);
    rs_average_free(&t->average);
    free(t->dlogit_data);
    free(t->gradient);
    free(t->batch.vessel);
    free(t->batch.fov);
}

static const char *check_step(const struct trainer *t, const struct rs_loss *loss)
{
    const char *name = rs_unet_not_finite(&t->model.net, t->gradient);
    intmax_t step = (intmax_t)t->course.step + 1;
    if (name)
        return rs_error("step %jd: the gradient of %s is not finite", step, name);
    if (!isfinite(loss->sum))
        return rs_error("step %jd: the loss is not finite", step);
    return NULL;
}

static void add_up(struct rs_course *course, const struct rs_loss *loss)
{
    course->loss += loss->sum;
    course->count += loss->count;
    course->correct += loss->correct;
    course->seen += loss->count;
    course->predicted += loss->predicted;
}

static void show(struct trainer *t, double loss)
{
    char note[32];
    t->smoothed = t->smoothed > 0 ? .95 * t->smoothed + .05 * loss : loss;
    snprintf(note, sizeof note, "loss %.4f", t->smoothed);
    rs_progress_show(&t->progress, (uint64_t)t->course.samples, note);
}

/* Forward, backward and a step of Adam on the batch at hand. */
static const char *fit(struct trainer *t)
{
    struct rs_unet *net = &t->model.net;
    struct rs_drop drop = {t->options->dropout, (uint64_t)t->options->seed, 0, (uint64_t)t->course.step};
    rs_pass_use(t->pass, t->batch.x.n);
    t->dlogits.n = t->batch.x.n;
    struct rs_truth truth = {t->batch.vessel, t->options->fov_only ? t->batch.fov : NULL};
    struct rs_map logits = rs_pass_forward(t->pass, net, &drop);
    struct rs_loss loss = rs_loss_forward(logits, &truth);
    if (loss.count == 0) /* no pixel in the field of view: nothing to learn from */
        return NULL;
    rs_loss_backward(t->dlogits, logits, &truth, loss.count);
    rs_pass_backward(t->pass, net, t->dlogits, t->gradient, &drop);
    const char *error = check_step(t, &loss);
    if (error)
        return error;
    t->adam.lr = rs_schedule_rate(&t->schedule, t->course.step);
    rs_adam_step(&t->adam, net->parameters, t->gradient);
    rs_average_step(&t->average, net, t->adam.step);
    add_up(&t->course, &loss);
    show(t, loss.sum / (double)loss.count);
    return NULL;
}

static const char *log_row(struct trainer *t, const struct rs_validation *validation)
{
    int64_t each = rs_feed_epoch_steps(t->feed);
    struct rs_course_row row = {.epoch = each ? (t->course.step + each - 1) / each : 0,
                                .lr = t->adam.lr,
                                .seconds = rs_now() - t->started,
                                .validation = validation};
    return t->files->log ? rs_error_at("log", rs_course_log(&t->course, t->files->log, &row)) : NULL;
}

/* The network that is shown: validated, and kept. */
static const struct rs_unet *shown(const struct trainer *t)
{
    return t->options->average > 0 ? &t->average.net : &t->model.net;
}

/* What validation chose goes with the network that it saw, and with no other. */
static const char *keep(struct trainer *t, const char *path)
{
    struct rs_model model = t->model;
    model.net = *shown(t);
    if (t->validation && t->course.best_step != t->course.step) {
        model.has_threshold = false;
        model.temperature = 1;
    }
    return rs_error_at(path, rs_model_save(&model, path));
}

/* Keeps the model if it is the best so far. */
static const char *validate(struct trainer *t)
{
    struct rs_validation now;
    struct rs_course *course = &t->course;
    rs_progress_clear();
    const char *error =
        rs_validate(&now, shown(t), t->validation, (int)t->options->batch, t->options->fov_only);
    if (error)
        return rs_error_at("validation", error);
    t->one_class = now.one_class;
    error = log_row(t, &now);
    if (error || (course->best_step && !(now.loss < course->best_loss)))
        return error;
    course->best_loss = now.loss;
    course->best_step = course->step;
    t->model.has_threshold = !isnan(now.threshold);
    t->model.threshold = t->model.has_threshold ? now.threshold : 0;
    t->model.temperature = isnan(now.temperature) ? 1 : now.temperature;
    return keep(t, t->files->model);
}

/* What is due after an epoch, or after validate_every steps of a stream. */
static const char *review(struct trainer *t)
{
    const char *error;
    if (t->validation) {
        error = validate(t);
    } else {
        t->one_class = t->course.predicted == 0 || t->course.predicted == t->course.seen;
        error = log_row(t, NULL);
        if (!error)
            error = keep(t, t->files->model);
    }
    t->course.seen = t->course.predicted = 0;
    t->reviewed = t->course.step;
    return error;
}

static const char *keep_numbered(struct trainer *t)
{
    char name[4096];
    rs_train_name(t->files->keep, t->course.step, name, sizeof name);
    return keep(t, name);
}

static const char *save_checkpoint(struct trainer *t)
{
    struct rs_checkpoint checkpoint = {&t->model, &t->adam, &t->average, &t->course};
    return rs_error_at(t->files->checkpoint, rs_checkpoint_save(&checkpoint, t->files->checkpoint));
}

/* A signal that came is obeyed as far as it goes here: with a checkpoint. */
static const char *heed(struct trainer *t, int *signal)
{
    *signal = t->files->checkpoint ? rs_interrupt_take() : 0;
    return *signal ? save_checkpoint(t) : NULL;
}

static bool due(int64_t step, int64_t every)
{
    return every && step % every == 0;
}

/* What is due after a step. */
static const char *after_step(struct trainer *t)
{
    const struct rs_train_options *options = t->options;
    int64_t step = t->course.step;
    const char *error = NULL;
    if (due(step, t->validate_every) || step == t->steps)
        error = review(t);
    else if (due(step, options->log_every))
        error = log_row(t, NULL);
    if (!error && due(step, options->keep_every))
        error = keep_numbered(t);
    if (!error && t->files->checkpoint && (due(step, options->checkpoint_every) || step == t->steps))
        error = save_checkpoint(t);
    return error;
}

static bool finished(const struct trainer *t)
{
    return t->course.step >= t->steps;
}

/* On to the wanted number of steps, the end of the stream, or a signal. */
static const char *train(struct trainer *t, int *signal)
{
    const char *error = NULL;
    if (finished(t) && !t->validation) /* in a checkpoint: what the model says may be new */
        return keep(t, t->files->model);
    while (!finished(t) && !error && !rs_interrupt_ends(*signal)) {
        const char *unread = rs_feed_next(t->feed, t->course.step, &t->batch);
        error =
            heed(t, signal); /* who made the samples may have got it, too: what came last does not count */
        if (error || rs_interrupt_ends(*signal) || unread)
            return error ? error : rs_interrupt_ends(*signal) ? NULL : unread;
        if (t->batch.x.n == 0)
            return t->reviewed == t->course.step ? NULL : review(t);
        t->course.samples += t->batch.x.n;
        error = fit(t);
        if (error)
            return error;
        t->course.step++;
        error = after_step(t);
        if (!error)
            error = heed(t, signal); /* before samples are waited for, who knows how long */
    }
    return error;
}

/* The model that was kept was the best of its validations: the last would take its place unasked. */
static const char *check_course(const struct trainer *t)
{
    if (t->course.best_step && !t->validation)
        return rs_error_at(t->files->checkpoint, "of a training with -validate");
    return NULL;
}

/* Goes on from the checkpoint, if there is one; the log begins anew, or where the checkpoint left it. */
static const char *resume(struct trainer *t)
{
    struct rs_checkpoint checkpoint = {&t->model, &t->adam, &t->average, &t->course};
    FILE *log = t->files->log;
    bool found = false;
    const char *error = NULL;
    if (t->options->resume)
        error =
            rs_error_at(t->files->checkpoint, rs_checkpoint_load(&checkpoint, t->files->checkpoint, &found));
    if (!error && found)
        error = check_course(t);
    if (!error && found && !finished(t))
        error = rs_feed_skip(t->feed, t->course.step);
    if (error || !log)
        return error;
    return rs_error_at("log", found ? rs_course_cut(log, t->course.step) : rs_course_start_log(log));
}

static void start_clock(struct trainer *t)
{
    uint64_t total = (uint64_t)t->steps * (uint64_t)t->options->batch;
    t->started = rs_now() - t->course.seconds;
    t->progress = rs_progress_start("patches", total, t->options->progress);
    t->progress.first = (uint64_t)t->course.samples;
    t->reviewed = t->course.step;
}

static const char *run(struct trainer *t, struct rs_train_report *report)
{
    int signal = 0;
    const char *error = resume(t);
    if (!error) {
        start_clock(t);
        error = train(t, &signal);
    } else if (t->files->checkpoint && rs_interrupt_ends(signal = rs_interrupt_take())) {
        error = NULL; /* which ended a read */
    }
    *report = (struct rs_train_report){.steps = t->course.step,
                                       .wanted = t->steps,
                                       .samples = t->course.samples,
                                       .best_step = t->course.best_step,
                                       .best_loss = t->course.best_loss,
                                       .threshold = t->model.threshold,
                                       .temperature = t->model.temperature,
                                       .one_class = t->one_class,
                                       .signal = rs_interrupt_ends(signal) ? signal : 0};
    return error;
}

const char *rs_train(const struct rs_train_options *options, struct rs_feed *feed,
                     const struct rs_dataset *validation, const struct rs_train_files *files,
                     struct rs_train_report *report)
{
    struct trainer t = {.options = options, .files = files, .feed = feed, .validation = validation};
    int64_t each = rs_feed_epoch_steps(feed);
    t.steps = each ? options->epochs * each : options->steps;
    t.validate_every = each ? each : options->validate_every;
    t.schedule = (struct rs_schedule){options->schedule, options->lr, options->warmup, t.steps};
    const char *error = check_data(options, rs_feed_shape(feed));
    if (!error && validation)
        error = check_validation(feed, validation);
    if (!error)
        error = start_model(&t);
    if (error)
        return error;
    start_memory(&t);
    error = run(&t, report);
    finish(&t);
    return error;
}

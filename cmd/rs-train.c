#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/outfile.h"
#include "base/thread.h"
#include "cli/tool.h"
#include "kernel/kernel.h"
#include "task/course.h"
#include "task/source.h"

static struct rs_train_options train = {.batch = 32,
                                        .seed = 1,
                                        .shuffle = 4096,
                                        .validate_every = 1000,
                                        .log_every = 50,
                                        .checkpoint_every = 500,
                                        .lr = 1e-3,
                                        .beta1 = .9,
                                        .beta2 = .999,
                                        .epsilon = 1e-8,
                                        .dropout = .2,
                                        .temperature = 1};
static struct rs_train_files files;
static const char *validate, *log_path, *channels = "32,64,128";
static int pixels, schedule, block, up;
static int64_t threads, memory = 4096, expect;

static struct rs_option options[] = {
    {"model", RS_OUTPUT, &files.model, .argument = "OUT", .help = "the model to write; must be given"},
    {"epochs", RS_INT, &train.epochs, 1, 1e6, "N", .help = "passes over the samples; or -steps"},
    {"steps", RS_INT, &train.steps, 1, 1e12, "N", .help = "train on the stream as it comes"},
    {"shuffle", RS_INT, &train.shuffle, 1, 1e6, "N", .help = "samples of the stream to draw from (4096)"},
    {"validate", RS_INPUT, &validate, .argument = "TENSORS", .help = "keep the model that is best on these"},
    {"validate-every", RS_INT, &train.validate_every, 1, 1e12, "N", .help = "on a stream, in steps (1000)"},
    {"stats", RS_INPUT, &files.statistics, .argument = "STATS",
     .help = "that whitened the samples, for the model"},
    {"log", RS_OUTPUT, &log_path, .argument = "TSV", .help = "write the course of the training"},
    {"log-every", RS_INT, &train.log_every, 1, 1e9, "N", .help = "steps between rows of the log (50)"},
    {"checkpoint", RS_OUTPUT, &files.checkpoint, .argument = "FILE", .help = "put the training away here"},
    {"checkpoint-every", RS_INT, &train.checkpoint_every, 1, 1e12, "N", .help = "in steps (500)"},
    {"resume", RS_FLAG, &train.resume, .help = "go on from the checkpoint, if there is one"},
    {"keep", RS_OUTPUT, &files.keep, .argument = "NAME-%06d",
     .help = "leave models of these steps on the way"},
    {"keep-every", RS_INT, &train.keep_every, 1, 1e12, "N", .help = "in steps"},
    {"batch", RS_INT, &train.batch, 1, 4096, "N", .help = "samples a step (32)"},
    {"lr", RS_REAL, &train.lr, 0, 10, "RATE", .help = "Adam's learning rate (1e-3)"},
    {"schedule", RS_CHOICE, &schedule, .argument = "constant|cosine",
     .help = "of the learning rate (constant)"},
    {"warmup", RS_REAL, &train.warmup, 0, 1, "SHARE", .help = "of the steps, up to that rate (0)"},
    {"average", RS_REAL, &train.average, 0, .9999999, "D",
     .help = "keep the moving average of the network, decay D (0: the network itself)"},
    {"beta1", RS_REAL, &train.beta1, 0, .9999999, "B", .help = "decay of Adam's first moment (.9)"},
    {"beta2", RS_REAL, &train.beta2, 0, .9999999, "B", .help = "decay of Adam's second moment (.999)"},
    {"eps", RS_REAL, &train.epsilon, 1e-30, 1, "E", .help = "Adam's epsilon (1e-8)"},
    {"pixels", RS_CHOICE, &pixels, .argument = "fov|image", .help = "where the loss is taken (fov)"},
    {"channels", RS_TEXT, &channels, .argument = "C,C,...",
     .help = "of each level, 2 to 5 levels (32,64,128)"},
    {"block", RS_CHOICE, &block, .argument = "double|residual|attention", .help = "kind of block (double)"},
    {"up", RS_CHOICE, &up, .argument = "nearest|bilinear|transposed",
     .help = "how values become four (nearest)"},
    {"dropout", RS_REAL, &train.dropout, 0, .9, "P", .help = "share dropped behind every convolution (.2)"},
    {"diameter", RS_REAL, &train.diameter, RS_NARROWEST, RS_WIDEST, "PIXELS",
     .help = "of the fields of view, for the model to say"},
    {"threshold", RS_REAL, &train.threshold, 0, 1, "T", .help = "for the model to say, without -validate"},
    {"temperature", RS_REAL, &train.temperature, RS_COLDEST, RS_HOTTEST, "T",
     .help = "for the model to say, without -validate (1)"},
    {"about", RS_TEXT, &train.about, .argument = "TEXT", .help = "for the model to say: data, terms, limits"},
    {"seed", RS_INT, &train.seed, 0, 0x1p53, "N", .help = "key of the random numbers (1)"},
    {"threads", RS_INT, &threads, 1, 1024, "N", .help = "threads (as many as CPUs)"},
    {"memory", RS_INT, &memory, 1, 1 << 24, "MiB", .help = "most that samples from a pipe may take (4096)"},
    {"expect", RS_INT, &expect, 1, 1e9, "N", .help = "fail unless there are exactly N samples"},
    {0},
};

static const struct rs_tool tool = {
    .name = "rs-train",
    .operands = "[file ...]",
    .purpose = "trains a U-Net on tensors",
    .options = options,
    .no_images = true,
    .kernel = rs_kernel_name,
};

static void load(struct rs_dataset *data, const char *path)
{
    rs_tool_check(NULL, rs_source_load(data, path, (size_t)memory << 20));
    if (rs_tool_verbose())
        rs_tool_say("%s: %u samples of %d planes, %dx%d", path, data->count, data->shape.channels,
                    data->shape.width, data->shape.height);
}

static void check_length(void)
{
    const char *stream_only[] = {"shuffle", "validate-every"};
    if (!(train.epochs || train.steps))
        rs_tool_usage("-epochs=N or -steps=N must be given");
    if (train.epochs && train.steps)
        rs_tool_usage("-epochs and -steps are two answers to one question");
    for (size_t i = 0; train.epochs && i < sizeof stream_only / sizeof *stream_only; i++)
        if (rs_tool_given(stream_only[i]))
            rs_tool_usage("-%s goes with -steps", stream_only[i]);
    if (expect && train.steps)
        rs_tool_usage("-expect goes with -epochs: a stream may be endless");
}

static void check_model(void)
{
    train.has_threshold = rs_tool_given("threshold");
    if (validate && (train.has_threshold || rs_tool_given("temperature")))
        rs_tool_usage("-%s goes without -validate, which finds its own",
                      train.has_threshold ? "threshold" : "temperature");
    const char *error = rs_train_parse_channels(channels, &train);
    if (error)
        rs_tool_usage("-channels: %s", error);
    error = train.about ? rs_train_check_about(train.about) : NULL;
    if (error)
        rs_tool_usage("-about: %s", error);
    train.block = (enum rs_block)block;
    train.up = (enum rs_up)up;
}

/* They can be written, too: that is better known now than in an hour. */
static void check_files(void)
{
    const char *written[] = {files.model, files.checkpoint, files.keep};
    if (!files.checkpoint && (train.resume || rs_tool_given("checkpoint-every")))
        rs_tool_usage("-%s needs -checkpoint=FILE", train.resume ? "resume" : "checkpoint-every");
    if (!files.keep != !train.keep_every)
        rs_tool_usage("-keep and -keep-every go together");
    const char *error = files.keep ? rs_train_check_pattern(files.keep) : NULL;
    if (error)
        rs_tool_usage("-keep: %s", error);
    for (size_t i = 0; i < sizeof written / sizeof *written; i++)
        rs_tool_check(written[i], written[i] ? rs_outfile_try(written[i]) : NULL);
}

static void check_options(void)
{
    if (!files.model)
        rs_tool_usage("-model=OUT must be given");
    check_length();
    check_model();
    check_files();
    train.fov_only = pixels == 0;
    train.schedule = (enum rs_schedule_kind)schedule;
    train.progress = !rs_tool_quiet();
    if (files.checkpoint)
        rs_interrupt_watch(SIGUSR1, false);
}

static void report(const struct rs_train_report *done)
{
    if (files.log && fclose(files.log))
        rs_tool_fail(log_path, rs_error_write(errno));
    if (done->signal)
        rs_interrupt_obey(done->signal);
    if (done->steps < done->wanted)
        rs_tool_fail(NULL, rs_error("the input ended after %jd of %jd steps; the model is written",
                                    (intmax_t)done->steps, (intmax_t)done->wanted));
    if (done->one_class)
        rs_tool_warn("the network says one class for every pixel: it has not learnt to tell vessels");
    if (done->best_step)
        rs_tool_say("samples: %jd, steps: %jd; best validation loss %.4f after step %jd, threshold %.4f, "
                    "temperature %.4f",
                    (intmax_t)done->samples, (intmax_t)done->steps, done->best_loss,
                    (intmax_t)done->best_step, done->threshold, done->temperature);
    else
        rs_tool_say("samples: %jd, steps: %jd", (intmax_t)done->samples, (intmax_t)done->steps);
}

static void open_source(struct rs_source *source, char **paths)
{
    if (train.steps) {
        rs_tool_check(NULL, rs_source_stream(source, paths, &train, (size_t)memory << 20));
        return;
    }
    for (; *paths; paths++)
        load(&source->data, *paths);
    if (expect && source->data.count != expect)
        rs_tool_fail(NULL, rs_error("%u samples, where -expect=%jd", source->data.count, (intmax_t)expect));
    rs_source_epochs(source, &train);
}

/* As long as there is nothing to put away they are obeyed. */
static void watch_for_the_end(void)
{
    if (!files.checkpoint)
        return;
    rs_interrupt_watch(SIGTERM, true);
    rs_interrupt_watch(SIGINT, true);
}

int main(int argc, char **argv)
{
    struct rs_source source = {0};
    struct rs_dataset validation = {0};
    struct rs_train_report done;
    rs_tool_begin(&tool, argc, &argv);
    check_options();
    if (validate)
        load(&validation, validate);
    open_source(&source, argv);
    if (log_path)
        rs_tool_check(log_path, rs_course_open_log(&files.log, log_path, train.resume));
    rs_tool_check(NULL, rs_threads_start((int)threads));
    rs_tool_check(NULL, rs_kernel_start());
    watch_for_the_end();
    rs_tool_check(NULL, rs_train(&train, source.feed, validate ? &validation : NULL, &files, &done));
    report(&done);
    rs_source_free(&source);
    rs_dataset_free(&validation);
    return rs_tool_end();
}

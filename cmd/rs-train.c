#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/outfile.h"
#include "base/thread.h"
#include "blas/gemm.h"
#include "cli/tool.h"
#include "task/train.h"

static struct rs_train_options train = {.batch = 32,
                                        .seed = 1,
                                        .log_every = 50,
                                        .lr = 1e-3,
                                        .beta1 = .9,
                                        .beta2 = .999,
                                        .epsilon = 1e-8,
                                        .dropout = .2};
static struct rs_train_files files;
static const char *validate, *log_path, *channels = "32,64,128";
static int pixels;
static int64_t threads, memory = 4096, expect;

static struct rs_option options[] = {
    {"model", RS_TEXT, &files.model, .argument = "OUT", .help = "the model to write; must be given"},
    {"epochs", RS_INT, &train.epochs, 1, 1e6, "N", .help = "passes over the samples; must be given"},
    {"validate", RS_TEXT, &validate, .argument = "TENSORS", .help = "keep the model that is best on these"},
    {"log", RS_TEXT, &log_path, .argument = "TSV", .help = "write the course of the training"},
    {"log-every", RS_INT, &train.log_every, 1, 1e9, "N", .help = "steps between rows of the log (50)"},
    {"batch", RS_INT, &train.batch, 1, 4096, "N", .help = "samples a step (32)"},
    {"lr", RS_REAL, &train.lr, 0, 10, "RATE", .help = "Adam's learning rate (1e-3)"},
    {"beta1", RS_REAL, &train.beta1, 0, .9999999, "B", .help = "decay of Adam's first moment (.9)"},
    {"beta2", RS_REAL, &train.beta2, 0, .9999999, "B", .help = "decay of Adam's second moment (.999)"},
    {"eps", RS_REAL, &train.epsilon, 1e-30, 1, "E", .help = "Adam's epsilon (1e-8)"},
    {"pixels", RS_CHOICE, &pixels, .argument = "fov|image", .help = "where the loss is taken (fov)"},
    {"channels", RS_TEXT, &channels, .argument = "C,C,...",
     .help = "of each level, 2 to 5 levels (32,64,128)"},
    {"dropout", RS_REAL, &train.dropout, 0, .9, "P", .help = "share dropped behind every convolution (.2)"},
    {"seed", RS_INT, &train.seed, 0, 0x1p53, "N", .help = "key of the random numbers (1)"},
    {"threads", RS_INT, &threads, 1, 1024, "N", .help = "threads (as many as CPUs)"},
    {"memory", RS_INT, &memory, 1, 1 << 24, "MiB", .help = "most that samples from a pipe may take (4096)"},
    {"expect", RS_INT, &expect, 1, 1e9, "N", .help = "fail unless there are exactly N samples"},
    {0},
};

static const struct rs_tool tool = {"rs-train", "[file ...]", "trains a U-Net on tensors", options};

static void load(struct rs_dataset *data, const char *path)
{
    FILE *stream = rs_tool_open(path);
    rs_tool_check(strcmp(path, "-") ? path : "stdin", rs_dataset_add(data, stream, (size_t)memory << 20));
    if (stream != stdin)
        fclose(stream);
    if (rs_tool_verbose())
        rs_tool_say("%s: %u samples of %d planes, %dx%d", path, data->count, data->shape.channels,
                    data->shape.width, data->shape.height);
}

static void check_options(void)
{
    if (!files.model || !train.epochs)
        rs_tool_usage("-%s must be given", files.model ? "epochs=N" : "model=OUT");
    const char *error = rs_train_parse_channels(channels, &train);
    if (error)
        rs_tool_usage("-channels: %s", error);
    rs_tool_check(files.model, rs_outfile_try(files.model));
    train.fov_only = pixels == 0;
    train.progress = !rs_tool_quiet();
}

static void open_log(void)
{
    files.log = fopen(log_path, "w");
    if (!files.log)
        rs_tool_fail(log_path, strerror(errno));
}

static void report(const struct rs_dataset *data, const struct rs_train_report *done)
{
    if (done->one_class)
        rs_tool_warn("the network says one class for every pixel: it has not learnt to tell vessels");
    if (done->best_epoch)
        rs_tool_say("%u samples, %jd steps; best validation loss %.4f after epoch %jd, threshold %.4f",
                    data->count, (intmax_t)done->steps, done->best_loss, (intmax_t)done->best_epoch,
                    done->threshold);
    else
        rs_tool_say("%u samples, %jd steps", data->count, (intmax_t)done->steps);
}

int main(int argc, char **argv)
{
    struct rs_dataset data = {0}, validation = {0};
    struct rs_train_report done;
    rs_tool_begin(&tool, argc, &argv);
    check_options();
    for (; *argv; argv++)
        load(&data, *argv);
    if (expect && data.count != expect)
        rs_tool_fail(NULL, rs_error("%u samples, where -expect=%jd", data.count, (intmax_t)expect));
    if (validate)
        load(&validation, validate);
    if (log_path)
        open_log();
    rs_tool_check(NULL, rs_threads_start((int)threads));
    rs_tool_check(NULL, rs_gemm_start(rs_threads()));
    rs_tool_check(NULL, rs_train(&train, &data, validate ? &validation : NULL, &files, &done));
    report(&data, &done);
    if (files.log && fclose(files.log))
        rs_tool_fail(log_path, rs_error_write(errno));
    rs_dataset_free(&data);
    rs_dataset_free(&validation);
    return rs_tool_end();
}

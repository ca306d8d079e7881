#include "task/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/outfile.h"

/* Arrays in the order of the file, each a vector of floats as it stands in memory. */
enum { MOST_ARRAYS = 6 };
struct array {
    const char *name;
    float *values;
    size_t count;
};
struct arrays {
    struct array at[MOST_ARRAYS];
    int count;
};

static struct arrays list_arrays(const struct rs_checkpoint *c)
{
    const struct rs_unet *net = &c->model->net, *mean = &c->average->net;
    return (struct arrays){{{"parameters", net->parameters, net->parameter_count},
                            {"statistics", net->statistics, net->statistic_count},
                            {"adam.mean", c->adam->mean, c->adam->count},
                            {"adam.square", c->adam->square, c->adam->count},
                            {"average.parameters", mean->parameters, mean->parameter_count},
                            {"average.statistics", mean->statistics, mean->statistic_count}},
                           c->average->decay > 0 ? 6 : 4};
}

/* Of the arrays, from a hash of the metadata on: any bit that flips shows. */
static uint64_t sum_up(const struct arrays *arrays, const struct rs_meta *meta)
{
    uint64_t hash = RS_HASH_START;
    for (int i = 0; i < meta->count; i++) {
        if (!strcmp(meta->pairs[i].key, "hash"))
            continue;
        hash = rs_hash(hash, meta->pairs[i].key, strlen(meta->pairs[i].key) + 1);
        hash = rs_hash(hash, meta->pairs[i].value, strlen(meta->pairs[i].value) + 1);
    }
    for (int i = 0; i < arrays->count; i++)
        hash = rs_hash(hash, arrays->at[i].values, arrays->at[i].count * sizeof(float));
    return hash;
}

static void describe(const struct rs_checkpoint *c, struct rs_record *record)
{
    struct arrays arrays = list_arrays(c);
    rs_meta_set(&record->meta, "kind", "rs-checkpoint");
    rs_model_to_meta(c->model, &record->meta);
    rs_course_to_meta(c->course, &record->meta);
    rs_meta_set(&record->meta, "adam_step", "%" PRId64, c->adam->step);
    for (int i = 0; i < arrays.count; i++) {
        int64_t count = (int64_t)arrays.at[i].count;
        rs_record_add(record, arrays.at[i].name, RS_F32, 1, &count);
    }
    rs_meta_set(&record->meta, "hash", "%016" PRIx64, sum_up(&arrays, &record->meta));
}

static const char *write_file(FILE *file, const struct rs_checkpoint *c)
{
    struct rs_record record = {0};
    struct arrays arrays = list_arrays(c);
    describe(c, &record);
    const char *error = rs_record_write(file, &record);
    rs_record_free(&record);
    errno = 0;
    for (int i = 0; i < arrays.count && !error; i++)
        if (fwrite(arrays.at[i].values, sizeof(float), arrays.at[i].count, file) < arrays.at[i].count)
            error = rs_error_write(errno);
    return error;
}

static char *previous_name(const char *path)
{
    size_t size = strlen(path) + sizeof ".previous";
    char *name = rs_alloc(size, 1);
    snprintf(name, size, "%s.previous", path);
    return name;
}

/* The file keeps its name until the new one takes it: at no moment is there none. */
static void keep_previous(const char *path)
{
    char *previous = previous_name(path);
    unlink(previous);
    if (linkat(AT_FDCWD, path, AT_FDCWD, previous, AT_SYMLINK_FOLLOW))
        errno = 0; /* a file system without links keeps no previous one */
    free(previous);
}

const char *rs_checkpoint_save(const struct rs_checkpoint *checkpoint, const char *path)
{
    struct rs_outfile out;
    const char *error = rs_outfile_open(&out, path);
    if (error)
        return error;
    error = write_file(out.file, checkpoint);
    errno = 0;
    if (!error && (fflush(out.file) || fsync(fileno(out.file))))
        error = rs_error_write(errno);
    if (error) {
        rs_outfile_abort(&out);
        return error;
    }
    keep_previous(path); /* now that the new one is on the disk, which was not full */
    return rs_outfile_commit(&out);
}

static const char *check_option(const char *key, const char *now, const char *then)
{
    if (!now && !then)
        return NULL;
    if (now && then && !strcmp(now, then))
        return NULL;
    return rs_error("of another training: %s is '%s', it was '%s'", key, now ? now : "", then ? then : "");
}

/* What of a model its weights depend on; what it says besides may be another when they are there. */
static struct rs_model without_words(const struct rs_model *model)
{
    struct rs_model copy = *model;
    copy.has_threshold = false;
    copy.temperature = 1;
    copy.diameter = 0;
    copy.about[0] = 0;
    return copy;
}

/* The options that shaped a training must be those of now: the first that differs is named. */
static const char *check_options(const struct rs_checkpoint *c, const struct rs_meta *meta)
{
    static const char *const may_be_absent[] = {"block", "up"};
    struct rs_meta now = {0};
    const char *error = NULL, *kind = rs_meta_get(meta, "kind");
    if (!kind || strcmp(kind, "rs-checkpoint"))
        return rs_error("not a checkpoint of rs-train");
    struct rs_model shaped = without_words(c->model);
    rs_model_to_meta(&shaped, &now);
    for (int i = 0; i < now.count && !error; i++)
        error = check_option(now.pairs[i].key, now.pairs[i].value, rs_meta_get(meta, now.pairs[i].key));
    for (size_t i = 0; i < sizeof may_be_absent / sizeof *may_be_absent && !error; i++)
        error = check_option(may_be_absent[i], rs_meta_get(&now, may_be_absent[i]),
                             rs_meta_get(meta, may_be_absent[i]));
    rs_meta_free(&now);
    return error;
}

static const char *read_values(FILE *file, const struct rs_checkpoint *c, const struct rs_record *record)
{
    struct arrays arrays = list_arrays(c);
    char hash[32];
    const char *wanted = rs_meta_get(&record->meta, "hash");
    for (int i = 0; i < arrays.count; i++) {
        size_t bytes = arrays.at[i].count * sizeof(float);
        if (record->count != arrays.count || strcmp(record->arrays[i].name, arrays.at[i].name) ||
            record->arrays[i].bytes != bytes)
            return rs_error("its arrays are not those of this network");
        if (fread(arrays.at[i].values, 1, bytes, file) < bytes)
            return rs_error("ends in the middle of its data");
    }
    snprintf(hash, sizeof hash, "%016" PRIx64, sum_up(&arrays, &record->meta));
    if (!wanted || strcmp(hash, wanted) || getc(file) != EOF)
        return rs_error("its hash is not that of its data");
    return NULL;
}

static const char *read_file(FILE *file, const struct rs_checkpoint *c, struct rs_record *record)
{
    bool more;
    const char *step, *error = rs_record_read(file, record, &more);
    if (!error && !more)
        error = rs_error("empty");
    if (!error)
        error = check_options(c, &record->meta);
    if (!error)
        error = read_values(file, c, record);
    if (!error)
        error = rs_course_from_meta(c->course, &record->meta);
    if (error)
        return error;
    step = rs_meta_get(&record->meta, "adam_step");
    error = rs_parse_int(step ? step : "", 0, RS_MOST_COUNTED, &c->adam->step);
    bool chosen = c->course->best_step && !c->model->has_threshold;
    return error || !chosen ? error : rs_model_choices_from_meta(c->model, &record->meta);
}

const char *rs_checkpoint_load(const struct rs_checkpoint *checkpoint, const char *path, bool *found)
{
    FILE *file = fopen(path, "rb");
    struct rs_record record = {0};
    *found = file != NULL;
    if (!file)
        return errno == ENOENT ? NULL : rs_error("%s", strerror(errno));
    const char *error = read_file(file, checkpoint, &record);
    rs_record_free(&record);
    fclose(file);
    char *previous = previous_name(path);
    if (error && !access(previous, R_OK))
        error = rs_error("%s; the one before it is %s", error, previous);
    free(previous);
    return error;
}

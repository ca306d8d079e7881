#include "task/info.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/control.h"
#include "base/error.h"
#include "base/memory.h"
#include "format/tensor.h"
#include "network/model.h"
#include "network/plan.h"

struct info {
    FILE *out;
    const char *separator;
    struct rs_tensor shape;
    struct rs_meta meta; /* of the first record */
    int64_t records, samples;
    float low, high;       /* of the images */
    const char *unwritten; /* why the first line that was not written was not */
};

/* A text that may be hostile: it must not become another line, another column or a terminal's command. */
static void print_plain(FILE *out, const char *text)
{
    char *plain = rs_strdup(text);
    rs_control_hide(plain);
    fputs(plain, out);
    free(plain);
}

static void end_line(struct info *info)
{
    fputc('\n', info->out);
    if (ferror(info->out) && !info->unwritten)
        info->unwritten = rs_error_write(errno);
}

static void print(struct info *info, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void print(struct info *info, const char *key, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    errno = 0;
    print_plain(info->out, key);
    fputs(info->separator, info->out);
    vfprintf(info->out, format, args);
    va_end(args);
    end_line(info);
}

static void print_meta(struct info *info, const struct rs_meta *meta)
{
    for (int i = 0; i < meta->count; i++) {
        print_plain(info->out, meta->pairs[i].key);
        fputs(info->separator, info->out);
        print_plain(info->out, meta->pairs[i].value);
        end_line(info);
    }
}

static void print_array(struct info *info, const struct rs_array *array)
{
    char shape[96] = "";
    for (int i = 0; i < array->rank; i++) {
        size_t used = strlen(shape);
        snprintf(shape + used, sizeof shape - used, "%s%jd", i ? "," : "", (intmax_t)array->shape[i]);
    }
    print(info, array->name, "[%s]", shape);
}

static void print_arrays(struct info *info, const struct rs_record *record)
{
    size_t parameters = 0;
    for (int i = 0; i < record->count; i++) {
        print_array(info, &record->arrays[i]);
        if (!strstr(record->arrays[i].name, "running_") &&
            strncmp(record->arrays[i].name, "whitening.", 10) != 0)
            parameters += record->arrays[i].bytes / sizeof(float);
    }
    if (parameters)
        print(info, "parameters", "%zu", parameters);
}

/* Of a network that this version knows. */
static void print_products(struct info *info, const struct rs_meta *meta)
{
    struct rs_unet_shape shape;
    const char *kind = rs_meta_get(meta, "kind");
    if (!kind || strcmp(kind, "rs-model") || rs_model_shape(meta, &shape))
        return;
    struct rs_plan plan = rs_plan_of(&shape);
    print(info, "multiply_adds", "%.10g", rs_plan_products(&plan));
}

static const char *skip_data(FILE *stream, size_t bytes, struct info *info, size_t image_bytes)
{
    float chunk[4096];
    for (size_t at = 0; at < bytes;) {
        size_t want = bytes - at < sizeof chunk ? bytes - at : sizeof chunk;
        if (fread(chunk, 1, want, stream) < want)
            return rs_error("ends in the middle of its data");
        size_t numbers =
            at >= image_bytes ? 0 : (image_bytes - at < want ? image_bytes - at : want) / sizeof *chunk;
        for (size_t i = 0; i < numbers; i++) {
            info->low = fminf(info->low, chunk[i]);
            info->high = fmaxf(info->high, chunk[i]);
        }
        at += want;
    }
    return NULL;
}

static bool is_tensor(const struct rs_record *record)
{
    const char *kind = rs_meta_get(&record->meta, "kind");
    return kind && !strcmp(kind, "rs-tensor");
}

static const char *count_tensor(struct info *info, const struct rs_record *record, FILE *stream)
{
    struct rs_tensor shape;
    const char *error = rs_tensor_describe(record, &shape);
    if (!error && info->records)
        error = rs_tensor_differ(&info->shape, &shape);
    if (!error && info->records)
        error = rs_meta_differ(&info->meta, &record->meta);
    if (error)
        return error;
    if (!info->records) {
        info->shape = shape;
        rs_meta_copy(&info->meta, &record->meta);
    }
    error = skip_data(stream, record->bytes, info, record->arrays[0].bytes);
    if (error)
        return error;
    info->records++;
    info->samples += shape.samples;
    return NULL;
}

static void print_tensors(struct info *info)
{
    const struct rs_tensor *shape = &info->shape;
    print_meta(info, &info->meta);
    print(info, "samples", "%jd", (intmax_t)info->samples);
    print(info, "image", "[%d,%d,%d]", shape->channels, shape->height, shape->width);
    print(info, "vessel", "%s", shape->has_vessel ? "yes" : "no");
    print(info, "fov", "%s", shape->has_fov ? "yes" : "no");
    print(info, "lowest", "%.6g", (double)info->low);
    print(info, "highest", "%.6g", (double)info->high);
}

/* A model or a file of statistics: one record, and nothing behind it. */
static const char *print_single(struct info *info, const struct rs_record *record, FILE *stream)
{
    const char *error = skip_data(stream, record->bytes, info, 0);
    if (error)
        return error;
    print_meta(info, &record->meta);
    print_arrays(info, record);
    print_products(info, &record->meta);
    return getc(stream) == EOF ? NULL : rs_error("junk after the last array");
}

static const char *read_records(struct info *info, FILE *stream)
{
    for (;;) {
        struct rs_record record = {0};
        bool more;
        const char *error = rs_record_read(stream, &record, &more);
        if (error)
            return error;
        if (!more)
            return info->records ? NULL : rs_error("no record in input");
        bool tensor = is_tensor(&record);
        if (tensor)
            error = count_tensor(info, &record, stream);
        else if (info->records)
            error = rs_error("another kind of record behind tensors");
        else
            error = print_single(info, &record, stream);
        rs_record_free(&record);
        if (error || !tensor)
            return error;
    }
}

const char *rs_info_print(FILE *stream, FILE *out, const char *separator)
{
    struct info info = {.out = out, .separator = separator, .low = INFINITY, .high = -INFINITY};
    const char *error = read_records(&info, stream);
    if (!error && info.records)
        print_tensors(&info);
    if (error && info.records)
        error = rs_error("record %jd: %s", (intmax_t)info.records + 1, error);
    if (info.unwritten)
        error = info.unwritten;
    rs_meta_free(&info.meta);
    return error;
}

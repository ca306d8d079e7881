#include "task/course.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/number.h"

static const char header_line[] = "step\tepoch\tloss\taccuracy\tval_loss\tval_accuracy\tval_dice\tval_auc\t"
                                  "learning_rate\tpatches_per_second\tseconds\n";

static void print_figure(FILE *log, double value)
{
    if (isfinite(value))
        fprintf(log, "%.6g\t", value);
    else
        fprintf(log, "NA\t");
}

const char *rs_course_log(struct rs_course *course, FILE *log, const struct rs_course_row *row)
{
    const double none = (double)NAN, count = (double)course->count;
    const struct rs_validation *val = row->validation;
    const double figures[] = {course->loss / count,
                              (double)course->correct / count,
                              val ? val->loss : none,
                              val ? val->accuracy : none,
                              val ? val->dice : none,
                              val ? val->auc : none,
                              row->lr,
                              (double)(course->samples - course->logged) / (row->seconds - course->seconds)};
    fprintf(log, "%" PRId64 "\t", course->step);
    if (row->epoch)
        fprintf(log, "%" PRId64 "\t", row->epoch);
    else
        fprintf(log, "NA\t");
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        print_figure(log, figures[i]);
    fprintf(log, "%.3f\n", row->seconds);
    course->loss = 0;
    course->count = course->correct = 0;
    course->logged = course->samples;
    course->seconds = row->seconds;
    errno = 0;
    return fflush(log) || ferror(log) ? rs_error_write(errno) : NULL;
}

/* Not for reading unless it must be: so the end of a pipe's reader is noticed. */
const char *rs_course_open_log(FILE **log, const char *path, bool resume)
{
    *log = fopen(path, resume ? "r+" : "w");
    if (!*log && resume && errno == ENOENT)
        *log = fopen(path, "w");
    return *log ? NULL : rs_error("%s", strerror(errno));
}

const char *rs_course_start_log(FILE *log)
{
    rewind(log);
    errno = 0;
    if (ftruncate(fileno(log), 0) && errno != EINVAL) /* a terminal or a pipe needs no cutting */
        return rs_error_write(errno);
    fputs(header_line, log);
    return fflush(log) || ferror(log) ? rs_error_write(errno) : NULL;
}

const char *rs_course_cut(FILE *log, int64_t step)
{
    char line[512];
    if (fseek(log, 0, SEEK_END) || ftell(log) == 0) /* new, and perhaps not to be read */
        return rs_course_start_log(log);
    rewind(log);
    if (!fgets(line, sizeof line, log) || strcmp(line, header_line))
        return rs_error("not a log of rs-train");
    long end = ftell(log);
    while (fgets(line, sizeof line, log) && strchr(line, '\n') && atoll(line) <= step)
        end = ftell(log);
    if (fseek(log, end, SEEK_SET) || ftruncate(fileno(log), end))
        return rs_error("cannot be cut: %s", strerror(errno));
    return NULL;
}

/* One table for both directions. */
struct field {
    const char *key;
    int64_t *whole;
    double *real;
};
enum { FIELDS = 11 };

static void list_fields(struct rs_course *c, struct field fields[FIELDS])
{
    const struct field all[FIELDS] = {{"step", &c->step, NULL},
                                      {"samples", &c->samples, NULL},
                                      {"best_step", &c->best_step, NULL},
                                      {"count", &c->count, NULL},
                                      {"correct", &c->correct, NULL},
                                      {"logged", &c->logged, NULL},
                                      {"seen", &c->seen, NULL},
                                      {"predicted", &c->predicted, NULL},
                                      {"best_loss", NULL, &c->best_loss},
                                      {"seconds", NULL, &c->seconds},
                                      {"loss", NULL, &c->loss}};
    memcpy(fields, all, sizeof all);
}

void rs_course_to_meta(const struct rs_course *course, struct rs_meta *meta)
{
    struct rs_course copy = *course;
    struct field fields[FIELDS];
    list_fields(&copy, fields);
    for (int i = 0; i < FIELDS; i++) {
        char text[32];
        if (fields[i].whole)
            snprintf(text, sizeof text, "%" PRId64, *fields[i].whole);
        else
            rs_print_real(*fields[i].real, text);
        rs_meta_set(meta, fields[i].key, "%s", text);
    }
}

const char *rs_course_from_meta(struct rs_course *course, const struct rs_meta *meta)
{
    struct field fields[FIELDS];
    list_fields(course, fields);
    for (int i = 0; i < FIELDS; i++) {
        const char *text = rs_meta_get(meta, fields[i].key);
        const char *error = !text             ? rs_error("missing")
                            : fields[i].whole ? rs_parse_int(text, 0, RS_MOST_COUNTED, fields[i].whole)
                                              : rs_parse_real(text, 0, 1e300, fields[i].real);
        if (error)
            return rs_error("metadata '%s': %s", fields[i].key, error);
    }
    return NULL;
}

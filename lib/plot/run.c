#include "plot/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/operand.h"

/* A log may get columns, a curve is what it is. */
static const struct kind {
    const char *name, *header;
    bool whole;         /* all of the header, or how it begins */
    const char *sorted; /* the column that does not fall; in a log it is never NA */
    struct rs_table_range ranges[12];
} kinds[] = {
    [RS_RUN_LOG] = {"a training log",
                    "step\tepoch\tloss\taccuracy\t",
                    false,
                    "step",
                    {{"step", 0, 1e15},
                     {"loss", 0, 1e30},
                     {"accuracy", 0, 1},
                     {"val_loss", 0, 1e30},
                     {"val_accuracy", 0, 1},
                     {"val_dice", 0, 1},
                     {"val_auc", 0, 1},
                     {"learning_rate", 0, 1e30}}},
    [RS_RUN_ROC] = {"a ROC curve",
                    "threshold\tfalse_positive_rate\tsensitivity",
                    true,
                    "false_positive_rate",
                    {{"threshold", 0, 1}, {"false_positive_rate", 0, 1}, {"sensitivity", 0, 1}}},
    [RS_RUN_PR] = {"a PR curve",
                   "threshold\tsensitivity\tprecision",
                   true,
                   "sensitivity",
                   {{"threshold", 0, 1}, {"sensitivity", 0, 1}, {"precision", 0, 1}}},
    [RS_RUN_CALIBRATION] =
        {"a calibration curve",
         "lower\tupper\tcount\tmean_p\tprevalence",
         true,
         "lower",
         {{"lower", 0, 1}, {"upper", 0, 1}, {"count", 0, 1e15}, {"mean_p", 0, 1}, {"prevalence", 0, 1}}},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

const char rs_nothing_to_draw[] = "nothing to draw: there are no values of what is asked for";

struct rs_run rs_run_of(const char *operand)
{
    size_t before = strcspn(operand, "=/");
    bool named = before && operand[before] == '=';
    const char *path = named ? operand + before + 1 : operand;
    struct rs_run run = {.path = path, .named = named};
    run.name = rs_strdup(named ? operand : rs_operand_name(path));
    size_t length = strlen(run.name);
    if (named)
        run.name[before] = 0;
    else if (length > 4 && !strcmp(run.name + length - 4, ".tsv"))
        run.name[length - 4] = 0;
    return run;
}

const char *rs_run_kind_name(enum rs_run_kind kind)
{
    return kinds[kind].name;
}

static bool is_of(const struct kind *kind, const char *header)
{
    return kind->whole ? !strcmp(header, kind->header) : !strncmp(header, kind->header, strlen(kind->header));
}

static const char *recognise(struct rs_run *run)
{
    for (int i = 0; i < KINDS; i++)
        if (is_of(&kinds[i], run->table.header)) {
            run->kind = (enum rs_run_kind)i;
            return NULL;
        }
    return rs_error("neither a log of rs-train nor a curve of rs-score: its first line is of another table");
}

static const char *check_order(const struct rs_table *table, const struct kind *kind)
{
    int column = rs_table_column(table, kind->sorted);
    double last = -HUGE_VAL;
    for (size_t i = 0; i < table->rows; i++) {
        double here = rs_table_at(table, i, column);
        if (isnan(here) && !kind->whole)
            return rs_error("line %zu: %s is NA", i + 2, kind->sorted);
        if (here < last)
            return rs_error("line %zu: %s is less than in the line before", i + 2, kind->sorted);
        last = isnan(here) ? last : here;
    }
    return NULL;
}

const char *rs_run_read(struct rs_run *run, FILE *stream, bool growing)
{
    const char *error = rs_table_read_header(&run->table, stream, growing);
    if (!error && !run->table.columns)
        return NULL;
    if (!error)
        error = recognise(run);
    if (error)
        return error;
    const struct kind *kind = &kinds[run->kind];
    error = rs_table_read_rows(&run->table, stream, kind->ranges, growing);
    if (!error && !run->table.rows && !growing)
        error = rs_error("a header alone: there is nothing to draw yet");
    return error ? error : check_order(&run->table, kind);
}

void rs_run_free(struct rs_run *run)
{
    rs_table_free(&run->table);
    free(run->name);
    run->name = NULL;
}

const char *rs_runs_check(const struct rs_run *runs, int count)
{
    for (int i = 1; i < count; i++)
        if (runs[i].kind != runs[0].kind)
            return rs_error("%s is %s, %s is %s: they do not go into one picture", runs[0].name,
                            rs_run_kind_name(runs[0].kind), runs[i].name, rs_run_kind_name(runs[i].kind));
    return NULL;
}
